//! The staging folder: each source is opened once and copied while it is hashed; the whole is renamed into place.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shared::{Error, Result, fsio};
use tempfile::TempDir;

const BLOCK_BYTES: usize = 1 << 20;

/// The folder in which a release is put together.
pub(super) struct Staging {
    folder: TempDir,
}

/// What was copied.
pub(super) struct Copied {
    pub(super) bytes: u64,
    pub(super) sha256: String,
    /// The copy, which nobody else changes.
    pub(super) path: PathBuf,
}

impl Staging {
    /// A new one beside the releases of the model.
    pub(super) fn new(releases: &Path) -> Result<Self> {
        Ok(Self { folder: fsio::temporary_folder(releases)? })
    }

    /// Copies `source` to `relative`.
    pub(super) fn copy(&self, source: &Path, relative: &str) -> Result<Copied> {
        let mut input = fsio::open(source)?;
        let path = self.place(relative)?;
        let mut output = File::create_new(&path).map_err(|error| Error::io(&path, "create", error))?;
        let (bytes, sha256) = copy_hashed(&mut input, &mut output).map_err(|error| Error::io(source, "copy", error))?;
        Ok(Copied { bytes, sha256, path })
    }

    /// Writes `bytes` to `relative`.
    pub(super) fn write(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        let path = self.place(relative)?;
        let written = File::create_new(&path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
        written.map_err(|error| Error::io(&path, "write", error))
    }

    /// The path of a file to be written; its folder is made.
    fn place(&self, relative: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(relative);
        path.parent().map_or(Ok(()), fsio::create_folder)?;
        Ok(path)
    }

    /// Puts the folder at `release`, unless there is one already.
    pub(super) fn rename(self, release: &Path) -> Result<Renamed> {
        for folder in ["evidence", ""] {
            let folder = self.folder.path().join(folder);
            if folder.exists() {
                fsio::sync(&folder)?;
            }
        }
        set_readable(self.folder.path())?;
        match fs::rename(self.folder.path(), release) {
            Ok(()) => {}
            Err(_) if release.exists() => return Ok(Renamed::Existed),
            Err(error) => return Err(Error::io(release, "rename", error)),
        }
        // Nothing is left there to remove.
        _ = self.folder.keep();
        release.parent().map_or(Ok(()), fsio::sync)?;
        Ok(Renamed::Done)
    }
}

/// Whether the folder could be put in place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Renamed {
    Done,
    /// Another process was first.
    Existed,
}

/// A temporary folder is closed to others; a release is for all who may read the models.
fn set_readable(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
        .map_err(|error| Error::io(folder, "set the permissions", error))
}

fn copy_hashed(input: &mut File, output: &mut File) -> std::io::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    let mut bytes = 0;
    loop {
        let n = input.read(&mut block)?;
        if n == 0 {
            output.sync_all()?;
            return Ok((bytes, shared::digest::hex(&hasher.finalize())));
        }
        bytes += n as u64;
        hasher.update(&block[..n]);
        output.write_all(&block[..n])?;
    }
}
