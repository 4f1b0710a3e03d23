//! The recorded streams, which are not part of the repository.
#![allow(dead_code, reason = "each test uses a part")]

use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of a stream: below the one that `FORECAST_DATA` names, else beside the checkout. Without one, a skip that is hard to overlook.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("FORECAST_DATA").map_or(beside, PathBuf::from).join("live").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let skip = format!("\n*** SKIPPED: {} is absent; FORECAST_DATA names the folder above `live`\n", folder.display());
    std::io::stderr().write_all(skip.as_bytes()).unwrap();
    None
}

/// Its predictions and actuals.
pub(crate) fn files(name: &str) -> Option<[String; 2]> {
    let folder = folder(name)?;
    Some(["predictions.jsonl", "actuals.jsonl"].map(|file| folder.join(file).display().to_string()))
}
