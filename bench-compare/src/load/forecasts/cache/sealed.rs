//! Files of the cache: what they are, and a checksum of every byte, so that a damaged one is never taken for a good one.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use shared::{Result, fsio};

/// Bytes of a SHA-256.
const SUM_BYTES: usize = 32;

/// Bytes of a file beyond which it is neither written nor read.
pub(super) const LIMIT_BYTES: u64 = 1 << 28;

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sealed {
    Absent,
    Damaged,
    Whole(Vec<u8>),
}

/// Writes a file that begins with `magic`. It is not made to last: what a crash tears, the checksum tells.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(path: &Path, magic: &[u8], content: &[u8]) -> Result<()> {
    let mut bytes = [magic, content].concat();
    bytes.extend(Sha256::digest(&bytes));
    fsio::write_unsynced(path, &bytes)
}

/// Reads a file that begins with `magic`; its content.
pub(super) fn read(path: &Path, magic: &[u8]) -> Sealed {
    let Ok(file) = File::open(path) else { return Sealed::Absent };
    let mut bytes = Vec::new();
    match file.take(LIMIT_BYTES + 1).read_to_end(&mut bytes) {
        Ok(_) => opened(bytes, magic).map_or(Sealed::Damaged, Sealed::Whole),
        Err(_) => Sealed::Damaged,
    }
}

fn opened(mut bytes: Vec<u8>, magic: &[u8]) -> Option<Vec<u8>> {
    let (content, sum) = bytes.split_at_checked(bytes.len().checked_sub(SUM_BYTES)?)?;
    let is_good = content.starts_with(magic) && Sha256::digest(content).as_slice() == sum;
    is_good.then(|| {
        bytes.truncate(bytes.len() - SUM_BYTES);
        bytes.drain(..magic.len());
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_of_any_byte_and_any_cut_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(read(&path, b"magic"), Sealed::Absent);
        write(&path, b"magic", b"content").unwrap();
        assert_eq!(read(&path, b"magic"), Sealed::Whole(b"content".to_vec()));
        let good = std::fs::read(&path).unwrap();
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1 << (place % 8);
            fsio::write_unsynced(&path, &bad).unwrap();
            assert_eq!(read(&path, b"magic"), Sealed::Damaged, "byte {place}");
            fsio::write_unsynced(&path, &good[..place]).unwrap();
            assert_eq!(read(&path, b"magic"), Sealed::Damaged, "cut at {place}");
        }
    }
}
