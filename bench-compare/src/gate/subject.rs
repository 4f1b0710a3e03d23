//! `--about ROLE=PATH`: the artefacts that a verdict speaks about, by digest.

use std::path::Path;

use shared::format::verdict::Subject;
use shared::{Error, Result, digest};

/// Hashes the artefacts named on the command line.
///
/// # Errors
/// [`Error::Usage`] for a binding without a role, a role named twice; [`Error::Open`] for a file that is not there.
pub(super) fn bind(bindings: &[String]) -> Result<Vec<Subject>> {
    let subjects = bindings.iter().map(|text| one(text)).collect::<Result<Vec<_>>>()?;
    for (index, subject) in subjects.iter().enumerate() {
        if subjects[..index].iter().any(|earlier| earlier.role == subject.role) {
            return Err(Error::usage(
                format!("--about names the role {:?} twice", subject.role),
                "one path for each role",
            ));
        }
    }
    Ok(subjects)
}

fn one(text: &str) -> Result<Subject> {
    match text.split_once('=') {
        Some((role, path)) if !role.is_empty() && !path.is_empty() => {
            Ok(Subject { role: role.to_owned(), path: path.to_owned(), sha256: digest::of_file(Path::new(path))? })
        }
        _ => Err(Error::usage(format!("--about {text:?}"), "ROLE=PATH")
            .with_help("for example --about model=models/lightgbm_v2.pkl")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_bound_once_and_to_a_file_that_exists() {
        assert!(matches!(bind(&["model".into()]), Err(Error::Usage { .. })));
        assert!(matches!(bind(&["model=/nowhere/at/all".into()]), Err(Error::Open { .. })));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(bind(&[format!("a={path}"), format!("a={path}")]).is_err());
        assert_eq!(bind(&[format!("a={path}")]).unwrap()[0].sha256.len(), 64);
    }
}
