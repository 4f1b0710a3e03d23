//! Evidence that is given with a promotion: read, copied beside the releases, named by digest.

use std::path::{Path, PathBuf};

use shared::format::registry::GivenEvidence;
use shared::{Error, Result, digest, fsio};

use crate::evidence;
use crate::store::Store;
use crate::version::check_name;

/// A piece of evidence and its bytes, not yet copied.
#[derive(Debug, Clone)]
pub struct Given {
    /// What the history says of it.
    pub entry: GivenEvidence,
    bytes: Vec<u8>,
}

/// Reads `KIND=PATH` flags.
///
/// # Errors
/// If one is no pair, is given twice, or cannot be read.
pub fn read(texts: &[String], name: &str, number: &str) -> Result<Vec<Given>> {
    let mut all: Vec<Given> = Vec::new();
    for text in texts {
        let (kind, path) = text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or_else(|| {
            Error::usage(format!("--evidence {text:?}"), "KIND=PATH")
                .with_help("for example --evidence tests=junit.xml")
        })?;
        check_name(kind, "the kind of evidence")?;
        if all.iter().any(|given| given.entry.kind == kind) {
            return Err(Error::usage(format!("--evidence names {kind:?} twice"), "each kind once"));
        }
        all.push(one(kind, Path::new(path), name, number)?);
    }
    Ok(all)
}

fn one(kind: &str, path: &Path, name: &str, number: &str) -> Result<Given> {
    let bytes = fsio::read(path)?;
    let run = evidence::read(&bytes);
    let sha256 = digest::of_bytes(&bytes);
    let extension = path.extension().map(|text| format!(".{}", text.to_string_lossy())).unwrap_or_default();
    let copy = format!("evidence/{name}/{number}/{kind}-{}{extension}", &sha256[..12]);
    let entry = GivenEvidence { kind: kind.to_owned(), path: copy, sha256, passed: run.passed, summary: run.summary };
    Ok(Given { entry, bytes })
}

/// Puts the copies in place.
///
/// # Errors
/// [`Error::Io`].
pub fn keep(store: &Store, all: &[Given]) -> Result<()> {
    for given in all {
        let path: PathBuf = store.path(&given.entry.path)?;
        if !path.exists() {
            path.parent().map_or(Ok(()), fsio::create_folder)?;
            fsio::write_atomic(&path, &given.bytes)?;
        }
    }
    Ok(())
}
