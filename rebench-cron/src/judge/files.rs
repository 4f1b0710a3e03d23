//! The files that the judge reads besides those of a run.

use std::path::Path;

use shared::format::benchmark;
use shared::format::registry::Registry;
use shared::{Result, fsio};

use super::champion::Champion;
use crate::expect::{self, Measured};

/// All finite numbers of a benchmark file.
///
/// # Errors
/// If it cannot be read, or holds nothing usable.
pub fn results_of_file(path: &Path) -> Result<Vec<Measured>> {
    let examined = benchmark::examine(path, &expect::bytes_of_json(path)?);
    Ok(expect::measured(&examined.into_file()?.rows))
}

/// The champion of a model, as the registry has it.
///
/// # Errors
/// If the registry cannot be read, or is none.
pub fn champion_of_file(path: &Path, model: &str) -> Result<Option<Champion>> {
    let registry = Registry::parse(path, &fsio::read(path)?)?;
    Ok(Champion::of(&registry, model))
}
