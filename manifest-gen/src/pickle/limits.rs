//! The bounds of a scan: how much memory, depth and decompressed data a file may cost.

use std::cell::Cell;
use std::io;

/// Containers within containers.
pub(super) const NESTING: usize = 8;
/// Pickles within bytes within pickles.
pub(super) const NESTED_PICKLES: usize = 8;
/// Values on the stack.
pub(super) const STACK: usize = 8 << 20;
/// Entries of the memo.
pub(super) const MEMO: usize = 8 << 20;
/// Entries of the memo that are not numbered one after the other.
pub(super) const SPARSE_MEMO: usize = 1 << 20;
/// Containers and objects whose contents are remembered; later ones are only counted as something.
pub(super) const NODES: usize = 2 << 20;
/// Values that remembered containers hold together.
pub(super) const ELEMENTS: usize = 8 << 20;
/// Texts that are remembered, their bytes together, and the bytes of one.
pub(super) const TEXTS: usize = 2 << 20;
/// Bytes of all remembered texts.
pub(super) const TEXT_BYTES: usize = 64 << 20;
/// Bytes of a text that is still remembered: names and keys are shorter.
pub(super) const TEXT: usize = 1 << 12;
/// Arguments of a call that are looked at, and items of a state: the same ones can be used again and again.
pub(super) const ARGUMENTS: usize = 64;
/// Items of a state that is looked at.
pub(super) const RECORD: usize = 512;
/// Dtypes within a dtype.
pub(super) const DTYPES: usize = 1 << 10;
/// Different globals.
pub(super) const GLOBALS: usize = 1 << 16;
/// Notes.
pub(super) const NOTES: usize = 1 << 17;
/// Memory that a decoder of xz or lzma may take, in KiB: `xz -9` needs 65 MiB.
pub(super) const LZMA_KIB: u32 = 1 << 17;
/// The header of an array in a `.npy` file; numpy's own bound is 10,000 characters.
pub(super) const NPY_HEADER: usize = 1 << 16;
/// Bytes that decoders may yield whatever the size of the file.
const FREE_BYTES: u64 = 512 << 20;
/// Above that, how many bytes they may yield for each byte of the file: deflate reaches 1032 on zeros, models about 5.
const RATIO: u64 = 200;

/// How much has been read and decompressed, over all layers of a file.
#[derive(Debug, Default)]
pub(super) struct Budget {
    read: Cell<u64>,
    produced: Cell<u64>,
}

impl Budget {
    /// Counts bytes of the file itself.
    pub(super) fn read(&self, bytes: usize) {
        self.read.set(self.read.get().saturating_add(bytes as u64));
    }

    /// Counts decompressed bytes; an error once they are out of proportion.
    pub(super) fn produce(&self, bytes: usize) -> io::Result<()> {
        self.produced.set(self.produced.get().saturating_add(bytes as u64));
        let allowed = FREE_BYTES.max(self.read.get().saturating_mul(RATIO));
        if self.produced.get() <= allowed { Ok(()) } else { Err(io::Error::other("limit:decompressed_bytes")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_may_grow_to_a_bound_and_large_ones_in_proportion() {
        let budget = Budget::default();
        budget.read(1000);
        assert!(budget.produce(512 << 20).is_ok());
        assert!(budget.produce(1).is_err());
        budget.read(1 << 30);
        assert!(budget.produce(100 << 30).is_ok());
        assert!(budget.produce(200 << 30).is_err());
    }
}
