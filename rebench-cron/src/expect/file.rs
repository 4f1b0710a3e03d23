//! The files of a run, read once.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use shared::format::benchmark;
use shared::format::json;
use shared::{Error, Place, Result, fsio};

use super::table::{self, Table};
use super::{Fault, Measured, RowCount, results};
use crate::job::ExpectKeys;

/// By how much a file may seem older than it is: FAT keeps times in steps of two seconds.
const COARSE: Duration = Duration::from_secs(2);

/// The largest JSON file that is read.
const MOST_JSON_BYTES: u64 = 256 << 20;

/// The bytes with which a Parquet file begins and ends.
const PARQUET: &[u8; 4] = b"PAR1";

/// What a run produced of what was asked for.
#[derive(Debug, Clone, Default)]
pub struct Produced {
    /// The files that are there and can be read.
    pub files: Vec<ProducedFile>,
    /// What is wrong with the others.
    pub faults: Vec<Fault>,
}

/// A file of a run.
#[derive(Debug, Clone)]
pub struct ProducedFile {
    /// Its name in the folder of the run.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// What it holds.
    pub content: Content,
}

/// What a file holds, as far as it is looked into.
#[derive(Debug, Clone)]
pub enum Content {
    /// Results of a benchmark.
    Results(Box<benchmark::Examined>),
    /// Rows of a table; those of expected models by series.
    Table(Table),
    /// Something else, that can be read if it is JSON.
    Other,
}

impl Produced {
    /// The rows of each model on each dataset, for the run after.
    pub fn rows(&self) -> Vec<RowCount> {
        let of_file = |file: &ProducedFile| match &file.content {
            Content::Results(examined) => results::rows(examined),
            Content::Table(table) => table.rows(),
            Content::Other => Vec::new(),
        };
        self.files.iter().flat_map(of_file).collect()
    }

    /// All that was measured, for the records.
    pub fn measured(&self) -> Vec<Measured> {
        let of_file = |file: &ProducedFile| match &file.content {
            Content::Results(examined) => results::measured(&examined.rows),
            Content::Table(_) | Content::Other => Vec::new(),
        };
        self.files.iter().flat_map(of_file).collect()
    }
}

/// Reads the files that a run, which began at `started`, must have put into `out_dir`.
pub fn read(keys: &ExpectKeys, out_dir: &Path, started: Timestamp) -> Produced {
    let mut produced = Produced::default();
    for name in &keys.files {
        match one(keys, out_dir, name, started) {
            Ok(file) => produced.files.push(file),
            Err(fault) => produced.faults.push(fault),
        }
    }
    produced
}

fn one(keys: &ExpectKeys, out_dir: &Path, name: &str, started: Timestamp) -> Result<ProducedFile, Fault> {
    let path = within(out_dir, name)?;
    looks_new(&path, started)?;
    let content = content(keys, &path).map_err(|error| Fault::unreadable(&error))?;
    Ok(ProducedFile { name: name.to_owned(), path, content })
}

/// Whether the name is that of a file in a folder, by the look of it.
pub(crate) fn is_inside(name: &str) -> bool {
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    !name.is_empty() && Path::new(name).components().all(plain)
}

/// The path of a file of the folder; links may not lead out of it.
fn within(out_dir: &Path, name: &str) -> Result<PathBuf, Fault> {
    if !is_inside(name) {
        return Err(Fault::new("outside-file", format!("{name:?} is no name of a file in the folder of the run")));
    }
    let path = out_dir.join(name);
    let real = |path: &Path| {
        fs::canonicalize(path).map_err(|error| Fault::new("missing-file", format!("{}: {error}", path.display())))
    };
    match real(&path)?.starts_with(real(out_dir)?) {
        true => Ok(path),
        false => Err(Fault::new("outside-file", format!("{} leads out of the folder of the run", path.display()))),
    }
}

fn looks_new(path: &Path, started: Timestamp) -> Result<(), Fault> {
    let shown = path.display();
    let known = fs::metadata(path).map_err(|error| Fault::new("missing-file", format!("{shown}: {error}")))?;
    if !known.is_file() {
        return Err(Fault::new("no-file", format!("{shown} is no regular file")));
    }
    if known.len() == 0 {
        return Err(Fault::new("empty-file", format!("{shown} is empty")));
    }
    let written = known.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    match written {
        Some(time) if time < started.checked_sub(COARSE).unwrap_or(started) => {
            let text = format!("{shown} was written at {time:.0}, before the run began at {started:.0}");
            Err(Fault::new("stale-file", text))
        }
        _ => Ok(()),
    }
}

fn content(keys: &ExpectKeys, path: &Path) -> Result<Content> {
    let extension = path.extension().map(|end| end.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("json") => json_content(path),
        Some("csv") => Ok(Content::Table(table::read(path, &keys.models)?)),
        Some("parquet") => parquet_magic(path).map(|()| Content::Other),
        _ => Ok(Content::Other),
    }
}

/// A file with results of a benchmark, or any JSON.
fn json_content(path: &Path) -> Result<Content> {
    let bytes = bytes(path)?;
    let is_named = path.file_name().is_some_and(|name| name == results::FILE_NAME);
    let parsed = json::parse(&bytes);
    let is_results = parsed.as_ref().is_ok_and(|root| root.get("results").is_some_and(|node| node.items().is_some()));
    match parsed {
        _ if is_named || is_results => Ok(Content::Results(Box::new(benchmark::examine(path, &bytes)))),
        Ok(_) => Ok(Content::Other),
        Err(fault) => Err(fault.in_file(path)),
    }
}

/// The whole of a JSON file.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = fsio::open(path)?.take(MOST_JSON_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|source| Error::io(path, "read", source))?;
    match bytes.len() as u64 > MOST_JSON_BYTES {
        true => Err(Error::input(Place::file(path), "more than 256 MiB of JSON", "a file with results")),
        false => Ok(bytes),
    }
}

fn parquet_magic(path: &Path) -> Result<()> {
    let ends = |mut file: File| {
        use std::io::{Seek, SeekFrom};
        let mut ends = [[0; 4]; 2];
        file.read_exact(&mut ends[0])?;
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut ends[1])?;
        Ok(ends)
    };
    match ends(fsio::open(path)?) {
        Ok([first, last]) if &first == PARQUET && &last == PARQUET => Ok(()),
        Ok(_) => Err(Error::input(Place::file(path), "no Parquet", "a file that begins and ends with PAR1")),
        Err(source) => Err(Error::io(path, "read", source)),
    }
}
