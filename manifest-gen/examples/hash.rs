//! Hashes what its arguments name, files and folders, as `sha256sum` would print it; for `bench/hashing.sh`.

use std::io::{self, Write};
use std::path::Path;

use manifest_gen::oms::hash;

fn main() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for name in std::env::args_os().skip(1) {
        let path = Path::new(&name);
        let found = if path.is_dir() { hash::files(path)? } else { vec![hash::one(path)?] };
        for file in found {
            writeln!(out, "{}  {}", file.sha256, file.path)?;
        }
    }
    Ok(())
}
