//! Limits, tokens, and where the server may listen.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use shared::{Error, Place, Result, fsio};
use subtle::ConstantTimeEq;

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

/// A token that may send records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestToken {
    /// The token.
    pub token: Secret,
    /// The models whose predictions it may send; all of them if absent.
    pub models: Option<Vec<String>>,
}

/// Limits and tokens of the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Who may send records; anybody on this machine if empty.
    pub ingest_tokens: Vec<IngestToken>,
    /// What opens the status page, metrics and reload; anybody on this machine if absent.
    pub read_token: Option<Secret>,
    /// Names, besides those of the loopback, by which clients may call a server that listens there.
    pub host_names: Vec<String>,
    /// Largest body, as sent.
    pub body_bytes: usize,
    /// Largest body after decompression.
    pub expanded_bytes: usize,
    /// Longest time that sending a body may take.
    pub body_timeout: Duration,
    /// Batches that may be read or waited for at once.
    pub batches: usize,
    /// How long a client waits until its batch is durable.
    pub reply_timeout: Duration,
    /// Requests a second, over all clients; twice as many in a burst.
    pub requests_per_second: u32,
    /// Open connections.
    pub connections: usize,
    /// Open streams of events.
    pub event_clients: usize,
    /// Series of each model that have labels of their own in the metrics: the worst.
    pub worst_series: usize,
    /// Samples with labels in one answer of `/metrics`.
    pub label_budget: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ingest_tokens: Vec::new(),
            read_token: None,
            host_names: Vec::new(),
            body_bytes: 8 << 20,
            expanded_bytes: 64 << 20,
            body_timeout: Duration::from_secs(30),
            batches: 8,
            reply_timeout: Duration::from_secs(30),
            requests_per_second: 500,
            connections: 256,
            event_clients: 32,
            worst_series: 10,
            label_budget: 10_000,
        }
    }
}

impl Options {
    /// Whether any token is set.
    pub fn has_token(&self) -> bool {
        self.read_token.is_some() || !self.ingest_tokens.is_empty()
    }
}

/// Whether the server may listen on the address: on the loopback always, elsewhere only with a token.
///
/// # Errors
/// [`Error::Usage`] with what would be right.
pub fn check_bind(address: SocketAddr, has_token: bool) -> Result<()> {
    if has_token || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let found = format!("the address {address} can be reached from other machines and no token is set");
    let help =
        "set a token file for reading or for sending, or listen on 127.0.0.1 behind a proxy that asks who is there";
    Err(Error::usage(found, "a loopback address, as 127.0.0.1:9464").with_help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_token_opens_other_addresses() {
        for loopback in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:9464", "[::ffff:127.0.0.1]:1"] {
            assert!(check_bind(address(loopback), false).is_ok(), "{loopback}");
        }
        for open in ["0.0.0.0:9464", "[::]:9464", "192.168.0.4:80", "[::ffff:10.0.0.1]:1"] {
            assert!(check_bind(address(open), false).is_err(), "{open}");
            assert!(check_bind(address(open), true).is_ok(), "{open}");
        }
    }

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
