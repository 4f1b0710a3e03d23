//! Texts that no message shows: tokens, passwords, signing keys, addresses that are themselves a password.

use std::fmt;
use std::path::Path;

use crate::error::Result;
use crate::fsio;

/// A text that no message shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text of a file, without white space at its end.
    ///
    /// # Errors
    /// [`Error::Open`](crate::Error::Open) or [`Error::Io`](crate::Error::Io) if it cannot be read.
    pub fn from_file(path: &Path) -> Result<Self> {
        let bytes = fsio::read(path)?;
        Ok(Self(String::from_utf8_lossy(&bytes).trim_end().to_owned()))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed_and_may_stand_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fsio::write_atomic(&path, b"abc\n").unwrap();
        let secret = Secret::from_file(&path).unwrap();
        assert_eq!((secret.expose(), format!("{secret:?}").as_str()), ("abc", "***"));
        assert!(Secret::from_file(&folder.path().join("absent")).is_err());
    }
}
