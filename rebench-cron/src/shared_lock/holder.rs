//! The name by which a state folder is known to other hosts.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::path::Path;

use shared::error::{Error, Result};
use shared::fsio;

/// The file with the random half of the name.
const FILE: &str = "host-id";

/// `HOST/ID`: the ID is drawn once for a state folder, so that machines that were given the same name are two all the same.
///
/// # Errors
/// If the file with it cannot be made or read.
pub fn holder(state: &Path, host: &str) -> Result<String> {
    let path = state.join(FILE);
    if !path.exists() {
        draw(state, &path)?;
    }
    let id = String::from_utf8_lossy(&fsio::read(&path)?).trim().to_owned();
    match id.is_empty() {
        false => Ok(format!("{host}/{id}")),
        true => Err(Error::Environment {
            what: format!("{}: the id of this host is empty", path.display()),
            help: Some(
                "delete the file: another id is drawn, and open slots of the old one are not tried again".to_owned(),
            ),
        }),
    }
}

/// Puts a new id there, unless another process has done so by now.
fn draw(state: &Path, path: &Path) -> Result<()> {
    let failed = |source| Error::io(path, "write", source);
    let mut file = tempfile::NamedTempFile::new_in(state).map_err(failed)?;
    writeln!(file, "{:016x}", RandomState::new().build_hasher().finish()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Err(error) if !path.exists() => Err(failed(error.error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_id_and_another_has_another() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = holder(one.path(), "here").unwrap();
        assert_eq!(holder(one.path(), "here").unwrap(), name);
        assert_ne!(holder(two.path(), "here").unwrap(), name);
        assert!(name.starts_with("here/") && name.len() == 21, "{name}");
    }
}
