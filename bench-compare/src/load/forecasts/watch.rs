//! What goes by while a file is read: its digest, where that is wanted, and the progress.

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};
use shared::digest;

/// Watches the bytes of a file go by.
#[derive(Debug, Default)]
pub(super) struct Watch<'b> {
    hasher: Option<Sha256>,
    bar: Option<&'b ProgressBar>,
}

impl<'b> Watch<'b> {
    pub(super) fn new(wants_digest: bool, bar: &'b ProgressBar) -> Self {
        Self { hasher: wants_digest.then(Sha256::new), bar: Some(bar) }
    }

    /// For the digest alone.
    pub(super) fn of_digest() -> Self {
        Self { hasher: Some(Sha256::new()), bar: None }
    }

    /// Whether all bytes are to be seen.
    pub(super) fn wants_bytes(&self) -> bool {
        self.hasher.is_some()
    }

    /// Sees the bytes that come next.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        self.pass(bytes.len() as u64);
    }

    /// Lets bytes pass unseen.
    pub(super) fn pass(&self, count: u64) {
        if let Some(bar) = self.bar {
            bar.inc(count);
        }
    }

    /// The digest of all bytes that were seen.
    pub(super) fn digest(self) -> Option<String> {
        self.hasher.map(|hasher| digest::hex(&hasher.finalize()))
    }
}
