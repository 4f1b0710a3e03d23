//! Writes the documents that are made from the code.

use std::fs;

use e2e::docs;
use shared::fsio;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let made = docs::all();
    for (path, text) in &made {
        let path = docs::root().join(path);
        path.parent().map(fsio::create_folder).transpose()?;
        fsio::write_atomic(&path, text.as_bytes())?;
    }
    for path in docs::left_over(&made) {
        fs::remove_file(docs::root().join(path))?;
    }
    Ok(())
}
