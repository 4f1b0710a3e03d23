//! What was read of a file, as digests: enough to know the file again under another name or in another inode, and to see that it
//! was replaced under the same.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How many bytes of the first rows are kept.
pub(super) const HEAD_BYTES: usize = 1024;

/// How many of the last ones.
pub(super) const TAIL_BYTES: usize = 256;

/// A digest of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mark {
    /// How many bytes.
    pub length: u32,
    /// The first half of their SHA-256.
    pub hash: [u8; 16],
}

impl Mark {
    /// The mark of these bytes, of which there are few.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        Self { length: u32::try_from(bytes.len()).unwrap_or(u32::MAX), hash }
    }
}

/// What was read of a file: its first rows, the last bytes, and a checksum of all rows. The header is no row, as all files have
/// the same; the last bytes of a file that has few rows hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The first rows.
    pub head: Mark,
    /// The last bytes.
    pub tail: Mark,
    /// Checksum of all rows.
    pub crc32: u32,
}

/// The same while the file is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// The first rows.
    pub(super) head: Vec<u8>,
    /// The last bytes.
    pub(super) tail: Vec<u8>,
    all: crc32fast::Hasher,
    known: Option<Fingerprint>,
}

impl Marks {
    /// Goes on from a fingerprint, with the bytes that it was made of.
    pub(super) fn resume(print: &Fingerprint, head: Vec<u8>, tail: Vec<u8>, bytes: u64) -> Self {
        let all = crc32fast::Hasher::new_with_initial_len(print.crc32, bytes);
        Self { head, tail, all, known: Some(*print) }
    }

    /// Adds bytes that were read; the first `header` of them are no rows.
    pub(super) fn add(&mut self, bytes: &[u8], header: usize) {
        if bytes.is_empty() {
            return;
        }
        self.add_tail(bytes);
        self.add_rows(&bytes[header.min(bytes.len())..]);
        self.known = None;
    }

    fn add_rows(&mut self, bytes: &[u8]) {
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend_from_slice(&bytes[..bytes.len().min(missing)]);
        self.all.update(bytes);
    }

    fn add_tail(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
    }

    /// The fingerprint of all that was added.
    pub(super) fn print(&self) -> Fingerprint {
        self.known.unwrap_or_else(|| Fingerprint {
            head: Mark::of(&self.head),
            tail: Mark::of(&self.tail),
            crc32: self.all.clone().finalize(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_does_not_depend_on_the_pieces() {
        let bytes: Vec<u8> = (0..5000_u32).map(|number| (number % 251) as u8).collect();
        let (mut whole, mut pieces) = (Marks::default(), Marks::default());
        whole.add(&bytes, 100);
        pieces.add(&bytes[..97], 97);
        pieces.add(&bytes[97..194], 3);
        bytes[194..].chunks(97).for_each(|piece| pieces.add(piece, 0));
        assert_eq!(whole.print(), pieces.print());
        assert_eq!(whole.print().head, Mark::of(&bytes[100..100 + HEAD_BYTES]));
        assert_eq!(whole.print().tail, Mark::of(&bytes[5000 - TAIL_BYTES..]));

        let half = Marks::resume(&whole.print(), whole.head.clone(), whole.tail.clone(), 4900);
        let (mut resumed, mut on) = (half, whole);
        resumed.add(b"more", 0);
        on.add(b"more", 0);
        assert_eq!(resumed.print(), on.print());
    }
}
