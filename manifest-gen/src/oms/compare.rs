//! A sound statement against the files of a folder: every mismatch, by name.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use shared::error::{Error, Result};

use super::hash::{self, hex};
use super::paths::Ignored;
use super::statement::{Method, Resource, Statement, part};
use super::walk;

/// How a folder differs from a statement.
#[derive(Default)]
pub(super) struct Comparison {
    /// Every mismatch; none if the folder is what was signed.
    pub(super) mismatches: Vec<String>,
    /// Files that are there and that the signature leaves out; not the signature itself. Sorted.
    pub(super) unsigned: Vec<String>,
}

/// Compares `folder` with `statement`; `signature_name` is the signature's own path below the folder.
///
/// # Errors
/// If files cannot be read.
pub(super) fn compare(folder: &Path, statement: &Statement, signature_name: &str) -> Result<Comparison> {
    let listing = walk::list(folder)?;
    let left_out = statement.ignored.iter().map(String::as_str).chain([signature_name]);
    let mut comparer =
        Comparer { folder, ignored: Ignored::new(left_out), files: Vec::new(), found: Comparison::default() };
    comparer.found.mismatches =
        listing.oddities.iter().map(|odd| format!("{:?} is {}", odd.path.to_string_lossy(), odd.what)).collect();
    comparer.sort_in(listing.files, signature_name);
    match statement.method {
        Method::Files(algorithm) => comparer.whole_files(&statement.resources, algorithm)?,
        Method::Shards(bytes) => comparer.shards(&statement.resources, bytes)?,
    }
    comparer.found.unsigned.sort_unstable();
    Ok(comparer.found)
}

struct Comparer<'a> {
    folder: &'a Path,
    ignored: Ignored,
    /// The files that must be signed, sorted.
    files: Vec<String>,
    found: Comparison,
}

impl Comparer<'_> {
    fn sort_in(&mut self, files: Vec<String>, signature_name: &str) {
        let (left_out, files) = files.into_iter().partition::<Vec<_>, _>(|file| self.ignored.covers(file));
        self.found.unsigned = left_out.into_iter().filter(|file| file != signature_name).collect();
        self.files = files;
    }

    fn is_there(&self, path: &str) -> bool {
        self.files.binary_search_by(|file| file.as_str().cmp(path)).is_ok()
    }

    fn mismatch(&mut self, text: String) {
        self.found.mismatches.push(text);
    }

    /// A listed path that is not among the files: missing, or left out by the same signature.
    fn absent(&mut self, path: &str) {
        self.mismatch(match self.ignored.covers(path) {
            true => format!("{path:?} is listed, and also left out by ignore_paths or as the signature itself"),
            false => format!("{path:?} is missing"),
        });
    }

    fn unlisted(&self, listed: &HashSet<&str>) -> Vec<String> {
        self.files.iter().filter(|file| !listed.contains(file.as_str())).cloned().collect()
    }

    fn whole_files(&mut self, resources: &[Resource], algorithm: hash::Algorithm) -> Result<()> {
        for file in self.unlisted(&resources.iter().map(|resource| resource.name.as_str()).collect()) {
            self.mismatch(not_signed(&file));
        }
        let (there, gone): (Vec<_>, Vec<_>) = resources.iter().partition(|resource| self.is_there(&resource.name));
        gone.iter().for_each(|resource| self.absent(&resource.name));
        let names: Vec<String> = there.iter().map(|resource| resource.name.clone()).collect();
        let digests = hash::digests(self.folder, &names, algorithm)?;
        self.found
            .mismatches
            .extend(there.iter().zip(digests).filter_map(|(known, (digest, _))| changed(known, &digest)));
        Ok(())
    }

    fn shards(&mut self, resources: &[Resource], bytes: u64) -> Result<()> {
        let mut by_file: BTreeMap<&str, Vec<Shard<'_>>> = BTreeMap::new();
        for resource in resources {
            let (path, start, end) = part(&resource.name).map_err(|found| Error::usage(found, "a sound statement"))?;
            by_file.entry(path).or_default().push(Shard { start, end, resource });
        }
        for file in self.unlisted(&by_file.keys().copied().collect()) {
            // An empty file has no parts, so this method cannot sign it.
            match length(&self.folder.join(&file))? {
                0 => self.found.unsigned.push(file),
                _ => self.mismatch(not_signed(&file)),
            }
        }
        for (path, shards) in by_file {
            match self.is_there(path) {
                true => self.shards_of(path, shards, bytes)?,
                false => self.absent(path),
            }
        }
        Ok(())
    }

    fn shards_of(&mut self, path: &str, shards: Vec<Shard<'_>>, bytes: u64) -> Result<()> {
        let file = self.folder.join(path);
        let length = length(&file)?;
        let (sound, odd): (Vec<_>, Vec<_>) = shards.into_iter().partition(|shard| shard.fits(bytes, length));
        for shard in odd {
            self.mismatch(format!("{:?} is no part of the file, whose length is {length} bytes", shard.resource.name));
        }
        let needed = length.div_ceil(bytes);
        if sound.len() as u64 != needed {
            self.mismatch(format!("{path:?} has {needed} parts of {bytes} bytes, of which {} are signed", sound.len()));
        }
        let ranges: Vec<(u64, u64)> = sound.iter().map(|shard| (shard.start, shard.end)).collect();
        let digests = hash::parts(&file, &ranges)?;
        self.found
            .mismatches
            .extend(sound.iter().zip(digests).filter_map(|(shard, digest)| changed(shard.resource, &digest)));
        Ok(())
    }
}

struct Shard<'a> {
    start: u64,
    end: u64,
    resource: &'a Resource,
}

impl Shard<'_> {
    /// Whether a file of this length, cut every `bytes`, has this part.
    fn fits(&self, bytes: u64, length: u64) -> bool {
        self.start.is_multiple_of(bytes) && self.end == self.start.saturating_add(bytes).min(length)
    }
}

fn length(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).map_err(|source| Error::io(path, "read the length of", source))?.len())
}

fn not_signed(file: &str) -> String {
    format!("{file:?} is not signed")
}

fn changed(known: &Resource, actual: &[u8]) -> Option<String> {
    let (actual, Resource { name, algorithm, digest }) = (hex(actual), known);
    (actual != *digest).then(|| format!("{name:?} was changed: its {algorithm} is {actual} (expected {digest})"))
}
