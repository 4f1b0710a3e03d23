//! A folder as a table: the files below it in the order of their paths, and the columns that their paths give (`cutoff=2024-01-01/`).

use std::fs::{self, DirEntry};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use shared::{Error, Place, Result};

/// How Hive writes a missing value in a path.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A column whose value stands in the path of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathColumn {
    pub(super) name: String,
    /// `None` where it is missing.
    pub(super) value: Option<String>,
}

/// A file below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) columns: Vec<PathColumn>,
}

/// The tables below `folder`, in the byte order of their paths. Names that begin with `_` or `.` are skipped, as Hive and Spark do.
///
/// # Errors
/// If there are none, if something else is there, or if a path cannot be read.
pub(super) fn files(folder: &Path) -> Result<Vec<Found>> {
    let mut paths = Vec::new();
    walk(folder, &mut paths)?;
    if paths.is_empty() {
        let error = Error::input(Place::file(folder), "the folder holds no table", "files *.csv or *.parquet");
        return Err(error.with_help("names that begin with _ or . are skipped"));
    }
    paths.sort_by(|left, right| left.0.as_os_str().as_bytes().cmp(right.0.as_os_str().as_bytes()));
    paths.into_iter().map(|(path, size)| Ok(Found { columns: path_columns(folder, &path)?, path, size })).collect()
}

fn walk(folder: &Path, paths: &mut Vec<(PathBuf, u64)>) -> Result<()> {
    let list = |source| Error::io(folder, "list", source);
    for entry in fs::read_dir(folder).map_err(list)? {
        visit(&entry.map_err(list)?, paths)?;
    }
    Ok(())
}

fn visit(entry: &DirEntry, paths: &mut Vec<(PathBuf, u64)>) -> Result<()> {
    let (path, name) = (entry.path(), entry.file_name());
    if matches!(name.as_bytes(), [b'_' | b'.', ..]) {
        return Ok(());
    }
    let link = entry.file_type().map_err(|source| Error::io(&path, "read", source))?.is_symlink();
    let known = fs::metadata(&path).map_err(|source| Error::Open { path: path.clone(), source })?;
    match (known.is_dir(), link) {
        (true, false) => walk(&path, paths),
        // A link may lead back to where it stands.
        (true, true) => Err(stranger(&path, "a link to a folder")),
        (false, _) if known.is_file() && is_table(&path) && name.to_str().is_some() => {
            paths.push((path, known.len()));
            Ok(())
        }
        (false, _) => Err(stranger(&path, "not a table")),
    }
}

fn stranger(path: &Path, what: &str) -> Error {
    let error = Error::input(Place::file(path), format!("{what} in a folder of tables"), "files *.csv or *.parquet");
    error.with_help("names that begin with _ or . are skipped")
}

fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "csv" || extension == "parquet")
}

/// The columns that the folders between `root` and the file give.
fn path_columns(root: &Path, path: &Path) -> Result<Vec<PathColumn>> {
    let below = path.strip_prefix(root).unwrap_or(path).parent().unwrap_or(Path::new(""));
    let mut columns: Vec<PathColumn> = Vec::new();
    for part in below.components() {
        let refuse = |found: String, expected: &str| Error::input(Place::file(path), found, expected);
        let text = part.as_os_str().to_str().ok_or_else(|| refuse("the path is not text".into(), "UTF-8"))?;
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else { continue };
        let decode = |text| {
            decoded(text)
                .ok_or_else(|| refuse(format!("{text:?} does not decode"), "percent-encoded UTF-8 without NUL"))
        };
        let name = decode(name)?;
        if columns.iter().any(|known| known.name == name) {
            return Err(refuse(format!("column {name:?} is in the path twice"), "once"));
        }
        let value = if value == NULL { None } else { Some(decode(value)?) };
        columns.push(PathColumn { name, value });
    }
    Ok(columns)
}

/// Decodes `%3A`; a percent sign that no two hexadecimal digits follow stays, as in Hive.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%').then(|| after.split_first_chunk::<2>()).flatten();
        let (byte, after) = escaped.and_then(|(digits, after)| Some((byte(*digits)?, after))).unwrap_or((first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_give_columns_as_hive_writes_them() {
        let columns = path_columns(
            Path::new("in/x=1"),
            Path::new("in/x=1/cutoff=2024-01-01 06%3A00/plain/r%3Dn=__HIVE_DEFAULT_PARTITION__/z=/a=b=c.csv"),
        )
        .unwrap();
        let column = |name: &str, value: Option<&str>| PathColumn { name: name.into(), value: value.map(Into::into) };
        assert_eq!(columns, [column("cutoff", Some("2024-01-01 06:00")), column("r=n", None), column("z", Some(""))]);
    }

    #[test]
    fn percent_signs_decode_or_stay() {
        assert_eq!(decoded("100%25 of %zz%C3%A9%4").as_deref(), Some("100% of %zzé%4"));
        assert_eq!((decoded("%ff"), decoded("a%00b")), (None, None));
    }

    #[test]
    fn a_column_is_in_a_path_once() {
        let error = path_columns(Path::new("in"), Path::new("in/a=1/a=2/x.csv")).unwrap_err();
        assert!(error.to_string().contains("column \"a\" is in the path twice"), "{error}");
    }
}
