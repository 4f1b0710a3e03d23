//! Tokens that open a server.

use std::fmt;
use std::path::Path;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::{Error, Place, Result};
use crate::fsio;

/// A shorter token can be guessed.
const SHORTEST_TOKEN: usize = 16;

/// A token, of which only the digest is kept: it is never printed, and compared in a time that tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The token that is this text.
    pub fn new(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// The token in a file, without the white space around it.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no token of printable ASCII characters that is long enough.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fsio::read(path)?;
        let token = bytes.trim_ascii();
        let wrong = |found: String| {
            let expected = format!("one token of at least {SHORTEST_TOKEN} printable ASCII characters");
            let help = "make one with: openssl rand -hex 24";
            Err(Error::input(Place::file(path), found, expected).with_help(help))
        };
        match std::str::from_utf8(token) {
            Ok(text) if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                wrong("it holds other characters".to_owned())
            }
            Ok(text) if text.len() < SHORTEST_TOKEN => wrong(format!("its token has {} characters", text.len())),
            Ok(text) => Ok(Self::new(text)),
            Err(_) => wrong("it is not text".to_owned()),
        }
    }

    /// Whether `token` is it.
    pub fn is(&self, token: &[u8]) -> bool {
        let other: [u8; 32] = Sha256::digest(token).into();
        self.0.ct_eq(&other).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_checked_and_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let read = |text: &[u8]| {
            fsio::write_atomic(&path, text).unwrap();
            Secret::read(&path)
        };
        let secret = read(b" 0123456789abcdef\n").unwrap();
        assert!(secret.is(b"0123456789abcdef") && !secret.is(b"0123456789abcdeF") && !secret.is(b""));
        assert!(!format!("{secret:?}").contains("0123"));
        for wrong in [&b""[..], b"short", b"0123456789abcdef 0123", b"\xff\xff0123456789abcdef"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
