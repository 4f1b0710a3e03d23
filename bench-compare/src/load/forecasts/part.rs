//! One file of a table: its path, the columns that the path gives, and its rows, opened only while they are read.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use shared::{Error, Result, fsio};

use super::folder::{self, Found, PathColumn};
use super::infer;
use super::source::{Shape, Source};

/// A file of a table.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    /// The columns that its path gives.
    pub(super) columns: Vec<PathColumn>,
    /// What can be read but once, kept.
    kept: Option<Source>,
    /// Whether it may be empty: Spark writes such files into its folders.
    may_be_empty: bool,
}

/// A part that is open.
#[derive(Debug)]
pub(super) enum Opened<'a> {
    Kept(&'a Source),
    Here(Source),
}

impl Deref for Opened<'_> {
    type Target = Source;

    fn deref(&self) -> &Source {
        match self {
            Self::Kept(source) => source,
            Self::Here(source) => source,
        }
    }
}

impl Part {
    /// The files that `paths` name, a folder standing for the files below it.
    ///
    /// # Errors
    /// If a file cannot be read or has no header; if a folder holds something else than tables.
    pub(super) fn all(paths: &[PathBuf]) -> Result<Vec<Self>> {
        let parts = paths.iter().map(|path| Self::named(path)).collect::<Result<Vec<_>>>()?;
        Ok(parts.into_iter().flatten().collect())
    }

    fn named(path: &Path) -> Result<Vec<Self>> {
        if path == Path::new("-") || !path.is_dir() {
            return Ok(vec![Self::file(path)?]);
        }
        let part = |Found { path, size, columns }| Self { path, size, columns, kept: None, may_be_empty: true };
        Ok(folder::files(path)?.into_iter().map(part).collect())
    }

    /// A file, a pipe, or standard input (`-`).
    ///
    /// # Errors
    /// If it cannot be read or has no header.
    pub(super) fn file(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        let is_file = path != Path::new("-") && fs::metadata(path).is_ok_and(|known| known.is_file());
        let size = source.size;
        Ok(Self {
            path: path.to_owned(),
            size,
            columns: Vec::new(),
            kept: (!is_file).then_some(source),
            may_be_empty: false,
        })
    }

    /// Whether the path leads to the same bytes again.
    pub(super) fn is_file(&self) -> bool {
        self.kept.is_none()
    }

    /// Opens it.
    ///
    /// # Errors
    /// If it cannot be read or has no header.
    pub(super) fn open(&self) -> Result<Opened<'_>> {
        match &self.kept {
            Some(source) => Ok(Opened::Kept(source)),
            None if self.may_be_empty => self.open_or_empty().map(Opened::Here),
            None => Source::open(&self.path).map(Opened::Here),
        }
    }

    /// A CSV file without a byte has no rows; a Parquet file without one is broken.
    fn open_or_empty(&self) -> Result<Source> {
        let path = &self.path;
        let is_csv = path.extension().is_some_and(|extension| extension == "csv");
        let size = fs::metadata(path).map_err(|source| Error::Open { path: path.clone(), source })?.len();
        if size > 0 || !is_csv {
            return Source::open(path);
        }
        let shape = Shape::Csv { header: Vec::new(), body: 0, body_line: 1 };
        Ok(Source { path: path.clone(), file: fsio::open(path)?, size, shape })
    }
}

/// The names of the columns that the paths of parts give.
pub(super) fn path_columns(parts: &[Part]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for column in parts.iter().flat_map(|part| &part.columns) {
        if !names.contains(&column.name) {
            names.push(column.name.clone());
        }
    }
    names
}

/// The first part with rows, from which columns, models and the kind of times are told; the first one where none has rows.
///
/// # Errors
/// If a part cannot be read.
pub(super) fn telling(parts: &[Part]) -> Result<usize> {
    for (index, part) in parts.iter().enumerate() {
        if parts.len() == 1 || infer::has_rows(&*part.open()?)? {
            return Ok(index);
        }
    }
    Ok(0)
}
