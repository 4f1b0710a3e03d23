//! Texts that no message shows: tokens, passwords, signing keys, addresses that are themselves a password.

use std::fmt;
use std::path::Path;

use crate::error::{Error, Place, Result};
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
    /// [`Error::Open`] or [`Error::Io`] if it cannot be read, [`Error::Input`] if it is empty or no text.
    pub fn from_file(path: &Path) -> Result<Self> {
        let bytes = fsio::read(path)?;
        let wrong = |found: &str| Err(Error::input(Place::file(path), found, "a secret as text"));
        match String::from_utf8(bytes) {
            Ok(text) if text.trim().is_empty() => wrong("the file is empty"),
            Ok(text) if text.contains('\0') => wrong("the file is not text"),
            Ok(text) => Ok(Self(text.trim_end().to_owned())),
            Err(_) => wrong("the file is not text"),
        }
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
