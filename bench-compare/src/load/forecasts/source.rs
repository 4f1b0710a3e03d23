//! An input file: opened, told apart by its first bytes, and standard input kept on disk so that it can be read twice.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use shared::{Error, Place, Result, fsio};

use super::fields::{Fields, Incomplete};

/// Bytes of a header beyond which a file is taken for no table.
const HEADER_LIMIT: usize = 1 << 24;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text: the names of its columns, and where the rows start.
    Csv { header: Vec<String>, body: u64, body_line: u64 },
    /// Apache Parquet.
    Parquet,
}

/// An input that can be read at any place.
#[derive(Debug)]
pub(super) struct Source {
    /// As the user named it.
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) size: u64,
    pub(super) shape: Shape,
}

impl Source {
    /// Opens `path`; `-`, pipes and devices are copied to a temporary file first.
    ///
    /// # Errors
    /// If it cannot be read, is empty, compressed, or has no header.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = seekable(path)?;
        let size = file.metadata().map_err(|source| Error::io(path, "read", source))?.len();
        let shape = shape(path, &file, size)?;
        Ok(Self { path: path.to_owned(), file, size, shape })
    }

    /// Fills `buffer` from `offset` on; shorter at the end of the file.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        read_at(&self.path, &self.file, buffer, offset)
    }
}

fn seekable(path: &Path) -> Result<File> {
    if path == Path::new("-") {
        return spool(path, &mut io::stdin().lock());
    }
    let mut file = fsio::open(path)?;
    let is_file = file.metadata().map_err(|source| Error::io(path, "read", source))?.is_file();
    if is_file { Ok(file) } else { spool(path, &mut file) }
}

fn spool(path: &Path, input: &mut impl io::Read) -> Result<File> {
    let mut copy = || -> io::Result<File> {
        let mut file = tempfile::tempfile()?;
        io::copy(input, &mut file)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    };
    copy().map_err(|source| Error::io(path, "copy to a temporary file", source))
}

fn read_at(path: &Path, file: &File, buffer: &mut [u8], offset: u64) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io(path, "read", error)),
        }
    }
    Ok(filled)
}

fn shape(path: &Path, file: &File, size: u64) -> Result<Shape> {
    let mut head = vec![0; 1 << 16];
    loop {
        let filled = read_at(path, file, &mut head, 0)?;
        let bytes = &head[..filled];
        if bytes.starts_with(b"PAR1") {
            return Ok(Shape::Parquet);
        }
        refuse_compressed(path, bytes)?;
        match header(bytes, filled as u64 == size) {
            Ok(shape) => return check_header(path, shape),
            Err(Incomplete) if head.len() < HEADER_LIMIT => head.resize(head.len() * 8, 0),
            Err(Incomplete) => return Err(no_header(path)),
        }
    }
}

fn refuse_compressed(path: &Path, bytes: &[u8]) -> Result<()> {
    let known: [(&[u8], &str); 3] = [(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip")];
    match known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        Some((_, name)) => {
            let error =
                Error::input(Place::file(path), format!("the file is compressed with {name}"), "CSV or Parquet");
            Err(error.with_help("decompress it into a pipe and name the input -"))
        }
        None => Ok(()),
    }
}

fn header(bytes: &[u8], is_end: bool) -> Result<Shape, Incomplete> {
    let bom = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let blank = bytes[bom..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    let (fields, body) = Fields::new(bytes, is_end).record(bom + blank)?;
    let header = fields.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
    let lines = bytes[..body].iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
    Ok(Shape::Csv { header, body: body as u64, body_line: lines + 1 })
}

fn check_header(path: &Path, shape: Shape) -> Result<Shape> {
    match &shape {
        Shape::Csv { header, .. } if header.iter().all(String::is_empty) => Err(no_header(path)),
        Shape::Csv { header, .. } if header.len() == 1 && header[0].contains([';', '\t']) => {
            let found = "the columns are separated by semicolons or tabs";
            Err(Error::input(Place::line(path, 1), found, "commas"))
        }
        _ => Ok(shape),
    }
}

fn no_header(path: &Path) -> Error {
    Error::input(Place::line(path, 1), "no header", "a line with the names of the columns")
}
