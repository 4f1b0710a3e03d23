//! How far files are read: what is saved with the state and given back at the start.

use serde::{Deserialize, Serialize};

use super::mark::Fingerprint;
use super::rows::Cursor;

/// How far all files of a tailer are read. It is only valid together with what was made of the lines: save both in one step.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Positions {
    /// The files that are there.
    pub files: Vec<FilePosition>,
    /// Files that are gone, oldest first: a compressed or copied one is known again by its fingerprint.
    pub gone: Vec<FilePosition>,
}

/// Which file it is as long as it exists; numbers are used again afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Its device.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
}

/// How far a file is read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FilePosition {
    /// Where it is, for people; it may have moved.
    pub path: String,
    /// Device and inode.
    pub identity: Identity,
    /// What was read.
    pub print: Fingerprint,
    /// Where reading stands.
    pub cursor: Cursor,
}

impl FilePosition {
    /// Whether rows of it were read; if not, there is nothing to know it by.
    pub(super) fn has_rows(&self) -> bool {
        self.print.head.length > 0
    }
}
