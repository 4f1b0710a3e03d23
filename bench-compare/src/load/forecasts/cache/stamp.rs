//! What the file system says of a file, and when that is enough to know that its bytes are the same.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::bytes::{Reader, Writer};

/// A file that was changed later than this before it was looked at may change again without another time: two seconds are the
/// coarsest clock of a file system in use (FAT).
const GRANULARITY: Duration = Duration::from_secs(2);

/// Size, times and identity of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    /// Seconds and nanoseconds of the last change of the content.
    modified: (i64, i64),
    /// Those of the last change of anything; a program cannot set them back.
    changed: (i64, i64),
    inode: u64,
    device: u64,
}

impl Stamp {
    fn new(known: &Metadata) -> Self {
        Self {
            size: known.size(),
            modified: (known.mtime(), known.mtime_nsec()),
            changed: (known.ctime(), known.ctime_nsec()),
            inode: known.ino(),
            device: known.dev(),
        }
    }

    /// That of the file at `path`; links are followed.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        let known = std::fs::metadata(path).ok().filter(Metadata::is_file)?;
        Some(Self::new(&known))
    }

    /// That of an open file.
    pub(super) fn of_file(file: &File) -> Option<Self> {
        file.metadata().ok().map(|known| Self::new(&known))
    }

    /// Whether the file was left alone long enough before `moment` that any later change shows in its times.
    pub(super) fn is_settled(&self, moment: SystemTime) -> bool {
        let Some(limit) = moment.checked_sub(GRANULARITY) else { return false };
        let Ok(limit) = limit.duration_since(SystemTime::UNIX_EPOCH) else { return false };
        let limit = (i64::try_from(limit.as_secs()).unwrap_or(i64::MAX), i64::from(limit.subsec_nanos()));
        self.modified < limit && self.changed < limit
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let Self { size, modified, changed, inode, device } = *self;
        [size, inode, device].into_iter().for_each(|number| writer.u64(number));
        [modified.0, modified.1, changed.0, changed.1].into_iter().for_each(|number| writer.i64(number));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (size, inode, device) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let (modified, changed) = ((reader.i64()?, reader.i64()?), (reader.i64()?, reader.i64()?));
        Some(Self { size, modified, changed, inode, device })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_settled_when_both_its_times_are_older_than_the_coarsest_clock() {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let stamp =
            |modified, changed| Stamp { size: 1, modified: (modified, 0), changed: (changed, 0), inode: 1, device: 1 };
        assert!(stamp(100, 100).is_settled(at(103)));
        assert!(!stamp(100, 100).is_settled(at(102)));
        assert!(!stamp(50, 102).is_settled(at(103)), "copied with its old time a moment ago");
        assert!(!stamp(500, 100).is_settled(at(103)), "from the future");
        assert!(!stamp(0, 0).is_settled(SystemTime::UNIX_EPOCH));
    }
}
