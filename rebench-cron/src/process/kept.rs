//! What is kept of an output: its head and its tail in a file, the SHA-256 of the whole.
//!
//! Up to the limit all is in the file as soon as it comes. Beyond it the file is the head, a line that says how much is left
//! out, and the tail; [`Kept::settle`] writes these, at the end and now and then before it. A disk that is full holds nobody
//! up: the fault is noted, and the next settling tries again.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shared::digest;

/// How much of an output is kept, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Of its beginning.
    pub head_bytes: u64,
    /// Of its end; as much is held in memory, twice.
    pub tail_bytes: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { head_bytes: 256 << 10, tail_bytes: 1 << 20 }
    }
}

impl Sizes {
    fn limit(self) -> u64 {
        self.head_bytes.saturating_add(self.tail_bytes)
    }
}

/// What became of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The file.
    pub path: PathBuf,
    /// How much there was in all.
    pub bytes: u64,
    /// How much of it the file holds.
    pub kept: u64,
    /// SHA-256 of the whole, in lower-case hexadecimal.
    pub sha256: String,
    /// Whether less is kept than there was.
    pub truncated: bool,
    /// Why something is missing that should be there, such as a full disk.
    pub fault: Option<String>,
}

/// An output while it comes.
pub(super) struct Kept {
    path: PathBuf,
    file: Option<File>,
    sizes: Sizes,
    hash: Sha256,
    bytes: u64,
    /// How much of the beginning is in the file, without a gap.
    stored: u64,
    /// How much of the end is in the file, behind a gap.
    behind: u64,
    /// How much had come when the file last held what it should.
    settled: u64,
    tail: Tail,
    fault: Option<String>,
}

impl Kept {
    /// Creates the file.
    pub(super) fn new(path: &Path, sizes: Sizes) -> Self {
        let (file, fault) = match File::create(path) {
            Ok(file) => (Some(file), None),
            Err(error) => (None, Some(format!("the file cannot be created: {error}"))),
        };
        let tail = Tail::new(sizes.tail_bytes);
        let (bytes, stored, behind, settled) = (0, 0, 0, 0);
        let path = path.to_owned();
        Self { path, file, sizes, hash: Sha256::new(), bytes, stored, behind, settled, tail, fault }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.tail.push(piece);
        let goes_on = self.stored == self.bytes;
        self.bytes += piece.len() as u64;
        let room = self.sizes.limit().saturating_sub(self.stored);
        if goes_on && room > 0 {
            let count = usize::try_from(room).map_or(piece.len(), |room| room.min(piece.len()));
            let wrote = self.write(self.stored, &piece[..count]);
            self.stored += wrote;
        }
    }

    /// Whether the file lacks something that it should hold.
    pub(super) fn is_behind(&self) -> bool {
        self.file.is_some() && self.stored < self.bytes && self.settled < self.bytes
    }

    /// Makes the file hold what it should of the output so far.
    pub(super) fn settle(&mut self) {
        if !self.is_behind() {
            return;
        }
        let tail_start = self.bytes - self.tail.bytes().len() as u64;
        if self.bytes > self.sizes.limit() {
            self.stored = self.stored.min(self.sizes.head_bytes);
        }
        let from = self.stored.max(tail_start);
        let gap = from - self.stored;
        let marker = if gap > 0 { marker(gap) } else { String::new() };
        // The tail is no longer than what fits into memory.
        let skipped = usize::try_from(from - tail_start).unwrap_or(usize::MAX);
        let end: Vec<u8> = marker.bytes().chain(self.tail.bytes().iter().skip(skipped).copied()).collect();
        let wrote = self.write(self.stored, &end);
        self.cut(self.stored + wrote);
        (self.stored, self.behind) = match gap {
            0 => (self.stored + wrote, 0),
            _ => (self.stored, wrote.saturating_sub(marker.len() as u64)),
        };
        if wrote == end.len() as u64 {
            self.settled = self.bytes;
        }
    }

    /// Settles it for good.
    pub(super) fn finish(mut self) -> Captured {
        self.settle();
        // Some file systems tell only now that the disk is full.
        if let Some(Err(error)) = self.file.as_ref().map(File::sync_all) {
            self.note("sync", &error);
        }
        let kept = if self.stored == self.bytes { self.bytes } else { self.stored + self.behind };
        Captured {
            path: self.path,
            bytes: self.bytes,
            kept,
            sha256: digest::hex(&self.hash.finalize()),
            truncated: kept < self.bytes,
            fault: self.fault,
        }
    }

    /// Writes at this place of the file, and says how much of it went there.
    fn write(&mut self, place: u64, bytes: &[u8]) -> u64 {
        let Some(file) = &self.file else { return 0 };
        let (wrote, outcome) = write_at(file, place, bytes);
        if let Err(error) = outcome {
            self.note("write", &error);
        }
        wrote
    }

    /// Cuts off what a longer state of the file left.
    fn cut(&mut self, length: u64) {
        if let Some(Err(error)) = self.file.as_ref().map(|file| file.set_len(length)) {
            self.note("truncate", &error);
        }
    }

    /// Notes the first fault, which is the cause of the others.
    fn note(&mut self, action: &str, error: &io::Error) {
        let bytes = self.bytes;
        self.fault.get_or_insert_with(|| format!("{action} failed at byte {bytes} of the output: {error}"));
    }
}

fn marker(gap: u64) -> String {
    format!("\n[rebench-cron: {gap} bytes of the output are left out here]\n")
}

fn write_at(file: &File, place: u64, bytes: &[u8]) -> (u64, io::Result<()>) {
    let mut wrote = 0;
    while wrote < bytes.len() {
        match file.write_at(&bytes[wrote..], place + wrote as u64) {
            Ok(0) => return (wrote as u64, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => wrote += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (wrote as u64, Err(error)),
        }
    }
    (wrote as u64, Ok(()))
}

/// The last bytes of what comes.
struct Tail {
    bytes: Vec<u8>,
    most: usize,
}

impl Tail {
    fn new(most: u64) -> Self {
        Self { bytes: Vec::new(), most: usize::try_from(most).unwrap_or(usize::MAX) }
    }

    fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
        // Not each time, so that all in all each byte is moved once.
        if self.bytes.len() > self.most.saturating_mul(2) {
            self.bytes.drain(..self.bytes.len() - self.most);
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[self.bytes.len().saturating_sub(self.most)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { head_bytes: 4, tail_bytes: 6 };

    /// The file after these pieces, settled after each where `settles`, and what is said of it.
    fn kept(pieces: &[&str], settles: bool) -> (String, Captured) {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::new(&folder.path().join("stdout"), SIZES);
        for piece in pieces {
            kept.push(piece.as_bytes());
            if settles {
                kept.settle();
            }
        }
        let captured = kept.finish();
        (std::fs::read_to_string(&captured.path).unwrap(), captured)
    }

    #[test]
    fn up_to_the_limit_all_is_kept() {
        for pieces in [&[][..], &["0123456789"], &["01", "23", "456", "789"]] {
            let (text, captured) = kept(pieces, false);
            assert_eq!(text, pieces.concat());
            assert_eq!((captured.bytes, captured.kept), (text.len() as u64, text.len() as u64));
            assert!(!captured.truncated && captured.fault.is_none());
        }
    }

    #[test]
    fn beyond_the_limit_head_and_tail_are_kept_however_it_comes() {
        let all = "0123456789abcdefghij";
        let expected = "0123\n[rebench-cron: 10 bytes of the output are left out here]\nefghij";
        let single: Vec<&str> = (0..20).map(|place| &all[place..=place]).collect();
        for pieces in [&[all][..], &["0123", "456789", "abcdefghij"], &single, &["0123456789", "abcdefghi", "j"]] {
            for settles in [false, true] {
                let (text, captured) = kept(pieces, settles);
                assert_eq!(text, expected, "{pieces:?}");
                assert_eq!((captured.bytes, captured.kept, captured.truncated), (20, 10, true));
                // coreutils: printf 0123456789abcdefghij | sha256sum
                assert_eq!(captured.sha256, EXPECTED_SHA256);
            }
        }
    }

    const EXPECTED_SHA256: &str = "6bc14bdc4517a7a682c6910de2e2946eb8e1ecd04090728fef6d092a7ceb62c5";

    #[test]
    fn a_byte_over_the_limit_leaves_one_out() {
        let (text, _) = kept(&["0123456789a"], false);
        assert_eq!(text, "0123\n[rebench-cron: 1 bytes of the output are left out here]\n56789a");
    }

    #[test]
    fn a_file_that_cannot_be_made_is_a_fault_and_no_end() {
        let mut kept = Kept::new(Path::new("/nonexistent/stdout"), SIZES);
        kept.push(b"abc");
        let captured = kept.finish();
        assert!(captured.fault.unwrap().starts_with("the file cannot be created"));
        // FIPS 180-2, appendix B.1.
        assert_eq!(captured.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((captured.bytes, captured.kept, captured.truncated), (3, 0, true));
    }

    #[test]
    fn what_a_full_disk_kept_back_is_written_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::new(&folder.path().join("stdout"), SIZES);
        kept.push(b"01");
        let file = kept.file.replace(File::options().write(true).open("/dev/full").unwrap());
        kept.push(b"2345");
        assert!(kept.is_behind() && kept.fault.is_some());
        kept.file = file;
        kept.settle();
        kept.push(b"67");
        let captured = kept.finish();
        assert_eq!(std::fs::read(captured.path).unwrap(), b"01234567");
        assert!(!captured.truncated && captured.fault.unwrap().contains("No space left"));
    }
}
