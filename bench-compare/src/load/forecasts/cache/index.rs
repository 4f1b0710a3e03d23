//! Which bytes a path held when it was last read, so that a file that has not been touched need not be hashed again. As in git's
//! index, a file that was changed just before it was read is not listed: it could be changed again without another time.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use shared::Result;

use super::bytes::{Reader, Writer};
use super::sealed::{self, Sealed};
use super::stamp::Stamp;

const NAME: &str = "index";
const MAGIC: &[u8] = b"bench-compare index 1\n";

/// Absolute paths, the stamps that their files had, and the digests of their bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Index(BTreeMap<Vec<u8>, (Stamp, String)>);

impl Index {
    /// Reads the index of a cache; an absent or damaged one is empty.
    pub(super) fn load(folder: &Path) -> Self {
        match sealed::read(&folder.join(NAME), MAGIC) {
            Sealed::Whole(content) => Self::decode(&content).unwrap_or_default(),
            Sealed::Absent | Sealed::Damaged => Self::default(),
        }
    }

    /// The digest of the file, if its stamp is still the same.
    pub(super) fn digest(&self, path: &Path, stamp: &Stamp) -> Option<&str> {
        let (known, digest) = self.0.get(&key(path))?;
        (known == stamp).then_some(digest.as_str())
    }

    pub(super) fn insert(&mut self, path: &Path, stamp: Stamp, digest: String) {
        self.0.insert(key(path), (stamp, digest));
    }

    /// Adds these entries to what the index of the cache holds by now.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn save(self, folder: &Path) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut all = Self::load(folder);
        all.0.extend(self.0);
        sealed::write(&folder.join(NAME), MAGIC, &all.encode())
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.count(self.0.len());
        for (path, (stamp, digest)) in &self.0 {
            writer.bytes(path);
            stamp.write(&mut writer);
            writer.bytes(digest.as_bytes());
        }
        writer.0
    }

    fn decode(content: &[u8]) -> Option<Self> {
        let mut reader = Reader(content);
        let entries = reader.all(|reader| Some((reader.bytes()?.to_vec(), (Stamp::read(reader)?, reader.text()?))))?;
        reader.is_at_end().then(|| Self(entries.into_iter().collect()))
    }
}

fn key(path: &Path) -> Vec<u8> {
    std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path)).as_os_str().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_known_while_the_stamp_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        shared::fsio::write_unsynced(&file, b"one").unwrap();
        let stamp = Stamp::of_path(&file).unwrap();
        let mut index = Index::default();
        index.insert(&file, stamp, "digest".to_owned());
        index.save(folder.path()).unwrap();
        let loaded = Index::load(folder.path());
        assert_eq!(loaded.digest(&file, &stamp), Some("digest"));
        shared::fsio::write_unsynced(&file, b"more").unwrap();
        assert_eq!(loaded.digest(&file, &Stamp::of_path(&file).unwrap()), None);
        assert_eq!(loaded.digest(&folder.path().join("b.csv"), &stamp), None);
    }

    #[test]
    fn runs_at_the_same_time_keep_each_other_s_entries() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = Stamp::of_path(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).unwrap();
        for name in ["a", "b"] {
            let mut index = Index::default();
            index.insert(Path::new(name), stamp, name.to_owned());
            index.save(folder.path()).unwrap();
        }
        let both = Index::load(folder.path());
        assert_eq!(["a", "b"].map(|name| both.digest(Path::new(name), &stamp)), [Some("a"), Some("b")]);
    }
}
