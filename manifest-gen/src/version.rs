//! Names and versions of models: strict inside, as the team writes them in file names.

use semver::Version;
use shared::{Error, Result};

/// A version: `2` is 2.0.0, and files keep `2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion {
    /// Strict semantic version.
    pub semver: Version,
    /// As the team writes it, without a leading `v`.
    pub written: String,
}

impl ModelVersion {
    /// Reads `2`, `v2`, `2.1`, `2.1.0` or `2.1.0-rc.1`.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let written = text.strip_prefix('v').unwrap_or(text);
        let semver = Version::parse(&completed(written)).map_err(|_| {
            Error::usage(format!("version {text:?}"), "a semantic version such as 2, 2.1 or 2.1.0")
                .with_help("numbers have no leading zeros; what follows the third number begins with `-` (2.1.0-rc.1)")
        })?;
        Ok(Self { semver, written: written.to_owned() })
    }
}

/// `2` and `2.1` with the numbers that they leave out.
fn completed(written: &str) -> String {
    let numbers = written.split(['-', '+']).next().unwrap_or_default();
    let missing = 2_usize.saturating_sub(numbers.matches('.').count());
    format!("{numbers}{}{}", ".0".repeat(missing), &written[numbers.len()..])
}

/// A name that is safe as a part of a path.
///
/// # Errors
/// [`Error::Usage`] if it is not.
pub fn check_name(name: &str, what: &str) -> Result<()> {
    let is_safe = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    match !name.is_empty() && name.len() <= 128 && name.chars().all(is_safe) && !name.starts_with(['.', '-']) {
        true => Ok(()),
        false => Err(Error::usage(
            format!("{what} {name:?}"),
            "up to 128 letters, digits, `_`, `-` and `.`, the first neither `.` nor `-`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn semver(text: &str) -> String {
        ModelVersion::parse(text).unwrap().semver.to_string()
    }

    #[test]
    fn short_versions_are_completed() {
        assert_eq!(semver("2"), "2.0.0");
        assert_eq!(semver("v2.1"), "2.1.0");
        assert_eq!(semver("2-rc.1"), "2.0.0-rc.1");
        assert_eq!(ModelVersion::parse("v2").unwrap().written, "2");
    }

    #[test]
    fn ten_is_above_nine() {
        assert!(ModelVersion::parse("10").unwrap().semver > ModelVersion::parse("9").unwrap().semver);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "latest", "1.2.3.4", "01", "2..1", "-1", "2/../3"] {
            assert!(ModelVersion::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_stay_below_their_folder() {
        for name in ["", ".", "..", "a/b", "a\\b", "-x", "a b"] {
            assert!(check_name(name, "model").is_err(), "{name:?}");
        }
        assert!(check_name("walmart.lightgbm_v2-x", "model").is_ok());
    }
}
