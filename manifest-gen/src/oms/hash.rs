//! Fast SHA-256 of one large file or many files, on all cores.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};
use shared::error::{Error, Place, Problem, Result};
use shared::fsio;

use super::walk;

/// How much is read at once. Measured with `bench/hashing.sh`: large enough that system calls do not count, small enough
/// that the bytes are still in the second-level cache when they are hashed.
const BLOCK_BYTES: usize = 1 << 17;

/// A file and the digest of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// The path: below the folder with `/` for [`files`], as given for [`one`].
    pub path: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// The hash functions of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha256,
    Blake3,
}

/// Hashes one file.
///
/// # Errors
/// [`Error::Open`] if it cannot be opened, [`Error::Io`] if reading stops midway.
pub fn one(path: &Path) -> Result<FileDigest> {
    let (digest, bytes) = digest(path, Algorithm::Sha256, &mut block())?;
    Ok(FileDigest { path: path.display().to_string(), sha256: hex(&digest), bytes })
}

/// Hashes all regular files below `folder`, on all cores; sorted by path, by code point.
///
/// # Errors
/// If there is a link, a special file or a name that is not UTF-8, or if something cannot be read.
pub fn files(folder: &Path) -> Result<Vec<FileDigest>> {
    let listing = walk::list(folder)?;
    if !listing.oddities.is_empty() {
        return Err(unhashable(folder, &listing.oddities));
    }
    below(folder, &listing.files)
}

/// Hashes the given files below `folder`, in the given order.
pub(super) fn below(folder: &Path, names: &[String]) -> Result<Vec<FileDigest>> {
    let digests = digests(folder, names, Algorithm::Sha256)?;
    let file = |(path, (digest, bytes)): (&String, (Vec<u8>, u64))| FileDigest {
        path: path.clone(),
        sha256: hex(&digest),
        bytes,
    };
    Ok(names.iter().zip(digests).map(file).collect())
}

/// Raw digests and lengths of the given files below `folder`, in the given order.
pub(super) fn digests(folder: &Path, names: &[String], algorithm: Algorithm) -> Result<Vec<(Vec<u8>, u64)>> {
    names.par_iter().map_init(block, |block, name| digest(&folder.join(name), algorithm, block)).collect()
}

/// What [`files`] and signing say about links and the like.
pub(super) fn unhashable(folder: &Path, oddities: &[walk::Oddity]) -> Error {
    let problem = |oddity: &walk::Oddity| Problem {
        place: Place::file(folder.join(&oddity.path)),
        found: oddity.what.to_owned(),
        expected: "regular files and folders with names in UTF-8".to_owned(),
    };
    let total = oddities.len() as u64;
    Error::rows(oddities.iter().map(problem).collect(), total)
        .with_help("replace links by the files that they point to")
}

fn block() -> Vec<u8> {
    vec![0; BLOCK_BYTES]
}

fn digest(path: &Path, algorithm: Algorithm, block: &mut [u8]) -> Result<(Vec<u8>, u64)> {
    let mut file = fsio::open(path)?;
    let read = |block: &mut [u8]| file.read(block);
    let outcome = match algorithm {
        Algorithm::Sha256 => {
            let mut hasher = Sha256::new();
            feed(read, block, |bytes| hasher.update(bytes)).map(|length| (hasher.finalize().to_vec(), length))
        }
        Algorithm::Blake3 => {
            let mut hasher = blake3::Hasher::new();
            let fed = feed(read, block, |bytes| {
                hasher.update(bytes);
            });
            fed.map(|length| (hasher.finalize().as_bytes().to_vec(), length))
        }
    };
    outcome.map_err(|source| Error::io(path, "read", source))
}

fn feed(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    block: &mut [u8],
    mut update: impl FnMut(&[u8]),
) -> io::Result<u64> {
    let mut length = 0;
    loop {
        match read(block) {
            Ok(0) => return Ok(length),
            Ok(n) => {
                update(&block[..n]);
                length += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// SHA-256 of the parts `start..end` of one file, in the given order.
pub(super) fn parts(path: &Path, ranges: &[(u64, u64)]) -> Result<Vec<Vec<u8>>> {
    let file = fsio::open(path)?;
    let one = |block: &mut Vec<u8>, &(start, end): &(u64, u64)| part(&file, start, end, block);
    let digests: io::Result<Vec<_>> = ranges.par_iter().map_init(block, one).collect();
    digests.map_err(|source| Error::io(path, "read", source))
}

fn part(file: &File, start: u64, end: u64, block: &mut [u8]) -> io::Result<Vec<u8>> {
    let mut at = start;
    let mut hasher = Sha256::new();
    let read = |block: &mut [u8]| {
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(block.len());
        let n = file.read_at(&mut block[..wanted], at)?;
        at += n as u64;
        Ok(n)
    };
    feed(read, block, |bytes| hasher.update(bytes))?;
    Ok(hasher.finalize().to_vec())
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The bytes of hexadecimal digits, upper or lower case.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let pairs = digits.filter(|digits| digits.len() % 2 == 0)?;
    pairs.chunks_exact(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok()).collect()
}
