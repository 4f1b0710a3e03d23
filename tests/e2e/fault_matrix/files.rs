//! The bad files: what can be at a path in place of the file that a command wants.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::bytes::{GZIP, HTML, PNG, ZSTD, in_the_middle, key_twice, nan, newer, noise, utf16};
use super::tables;

/// What a file is, and so which faults it can have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A CSV table with a column of numbers and one of times.
    Table(&'static str, &'static str),
    /// JSON Lines with a field that is a number and one that is a time.
    Lines(&'static str, &'static str),
    /// A JSON object that carries its `schema`.
    Schema,
    /// Any other JSON object.
    Json,
    /// `promotion.toml`.
    Toml,
    /// Keys and signatures, and text that people write.
    Text,
    /// Parquet, pickles, journals, databases.
    Binary,
    /// Bytes that are hashed or handed on, and never understood.
    Opaque,
}

/// How a file is spoiled.
#[derive(Clone, Copy)]
pub(crate) enum Spoil {
    Absent,
    Folder,
    DanglingLink,
    LinkLoop,
    Unreadable,
    Bytes(fn(&Sample) -> Vec<u8>),
}

/// The sound file, and where its numbers and times stand.
pub(crate) struct Sample<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) number: &'static str,
    pub(crate) time: &'static str,
}

impl Sample<'_> {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.to_vec()).unwrap()
    }
}

/// A kind of bad file.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) spoil: Spoil,
    /// Whether the fault has a line, which the message must name.
    pub(crate) line: bool,
}

const fn kind(name: &'static str, spoil: Spoil) -> Kind {
    Kind { name, spoil, line: false }
}

const fn bytes(name: &'static str, make: fn(&Sample) -> Vec<u8>) -> Kind {
    kind(name, Spoil::Bytes(make))
}

const fn at_a_line(name: &'static str, make: fn(&Sample) -> Vec<u8>) -> Kind {
    Kind { line: true, ..bytes(name, make) }
}

/// The faults of a path, whatever should be there.
const PATHS: [Kind; 5] = [
    kind("absent", Spoil::Absent),
    kind("folder", Spoil::Folder),
    kind("dangling link", Spoil::DanglingLink),
    kind("link loop", Spoil::LinkLoop),
    kind("unreadable", Spoil::Unreadable),
];

/// The faults of bytes, whatever they should say.
const CONTENT: [Kind; 13] = [
    bytes("empty", |_| Vec::new()),
    bytes("whitespace", |_| b" \n\t\n  \n".to_vec()),
    bytes("truncated", |file| tables::torn(file.bytes)),
    bytes("corrupt end", |file| [&file.bytes[..file.bytes.len() * 4 / 5], &noise(400)].concat()),
    bytes("noise", |_| noise(4096)),
    bytes("PNG", |_| [PNG, &noise(500)].concat()),
    bytes("invalid UTF-8", |file| in_the_middle(file.bytes, b"\xff\xfe\xc3\x28")),
    bytes("UTF-16", |file| utf16(&String::from_utf8_lossy(file.bytes))),
    bytes("NUL bytes", |file| in_the_middle(file.bytes, &[0; 16])),
    bytes("HTML", |_| HTML.as_bytes().to_vec()),
    bytes("gzip", |_| GZIP.to_vec()),
    bytes("zstd", |_| ZSTD.to_vec()),
    bytes("one huge line", |_| b"a".repeat(3 << 20)),
];

const TABLE: [Kind; 11] = [
    bytes("header only", |file| tables::rows(&file.text(), 0)),
    bytes("column missing", |file| tables::without(&file.text(), file.number)),
    bytes("column twice", |file| tables::twice(&file.text(), file.number)),
    bytes("JSON named CSV", |_| b"{\"results\": []}".to_vec()),
    bytes("Parquet named CSV", |_| [b"PAR1".to_vec(), noise(900), b"PAR1".to_vec()].concat()),
    at_a_line("text for a number", |file| tables::cell(&file.text(), file.number, "n/a?")),
    at_a_line("infinity", |file| tables::cell(&file.text(), file.number, "inf")),
    at_a_line("row too short", |file| tables::short(&file.text())),
    at_a_line("row too long", |file| tables::long(&file.text())),
    at_a_line("no such date", |file| tables::cell(&file.text(), file.time, "2010-02-31")),
    at_a_line("quote left open", |file| tables::cell(&file.text(), file.number, "\"1")),
];

const LINES: [Kind; 8] = [
    at_a_line("array", |_| b"[]\n".to_vec()),
    at_a_line("string", |_| b"\"records\"\n".to_vec()),
    at_a_line("null", |_| b"null\n".to_vec()),
    at_a_line("brackets", |_| b"[".repeat(100_000)),
    at_a_line("text for a number", |file| tables::field(&file.text(), file.number, "\"n/a\"")),
    at_a_line("NaN", |file| tables::field(&file.text(), file.number, "NaN")),
    at_a_line("no such date", |file| tables::field(&file.text(), file.time, "\"2010-02-31T00:00:00Z\"")),
    at_a_line("field missing", |file| file.text().replacen(&format!("\"{}\":", file.number), "\"other\":", 1).into()),
];

const JSON: [Kind; 8] = [
    bytes("array", |_| b"[]".to_vec()),
    bytes("string", |_| b"\"results\"".to_vec()),
    bytes("number", |_| b"17".to_vec()),
    bytes("null", |_| b"null".to_vec()),
    bytes("empty object", |_| b"{}".to_vec()),
    bytes("brackets", |_| b"[".repeat(100_000)),
    bytes("braces", |_| b"{\"a\":".repeat(100_000)),
    bytes("CSV named JSON", |_| b"model,mape\nLightGBM,3.5\n".to_vec()),
];

const SCHEMA: [Kind; 3] = [
    bytes("newer schema", |file| newer(&file.text())),
    at_a_line("key twice", |file| key_twice(&file.text())),
    at_a_line("NaN", |file| nan(&file.text())),
];

const TOML: [Kind; 6] = [
    at_a_line("unknown key", |file| [b"modells = 12\n", file.bytes].concat()),
    at_a_line("unknown table", |_| b"[bench-comparer]\nseason = 12\n".to_vec()),
    at_a_line("wrong type", |_| b"project = 17\n".to_vec()),
    at_a_line("key twice", |file| [b"project = \"a\"\nproject = \"b\"\n", file.bytes].concat()),
    at_a_line("brackets", |_| [b"project = ".to_vec(), b"[".repeat(100_000)].concat()),
    at_a_line("text that ends too early", |_| b"project = \"shop\n".to_vec()),
];

/// One of each sort.
const FEW: [&str; 11] = [
    "absent",
    "folder",
    "dangling link",
    "empty",
    "truncated",
    "noise",
    "UTF-16",
    "brackets",
    "newer schema",
    "key twice",
    "unknown key",
];

/// The kinds of bad file that can stand in the place of a file of this format.
pub(crate) fn kinds(format: Format, few: bool) -> Vec<Kind> {
    let special: &[&[Kind]] = match format {
        Format::Table(..) => &[&CONTENT, &TABLE],
        Format::Lines(..) => &[&CONTENT, &LINES],
        Format::Schema => &[&CONTENT, &JSON, &SCHEMA],
        Format::Json => &[&CONTENT, &JSON],
        Format::Toml => &[&CONTENT, &TOML],
        Format::Text | Format::Binary => &[&CONTENT],
        Format::Opaque => &[],
    };
    let all = PATHS.iter().chain(special.iter().copied().flatten()).copied();
    all.filter(|kind| can_be_made(kind) && makes_sense(format, kind) && (!few || FEW.contains(&kind.name))).collect()
}

/// The superuser reads everything.
fn can_be_made(kind: &Kind) -> bool {
    let is_root = || fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    !matches!(kind.spoil, Spoil::Unreadable) || !is_root()
}

/// Whether the fault is one for such a file.
fn makes_sense(format: Format, kind: &Kind) -> bool {
    let is = |names: &[&str]| names.contains(&kind.name);
    match format {
        // Bytes that are no text anyway.
        Format::Binary => !is(&["invalid UTF-8", "UTF-16"]),
        // Half of a file may be a whole one.
        Format::Toml => !is(&["truncated"]),
        Format::Table(_, "") => !is(&["no such date"]),
        _ => true,
    }
}

/// Puts the bad file at `path`, where the sound one is.
#[expect(clippy::disallowed_methods, reason = "a test's own file")]
pub(crate) fn put(spoil: Spoil, format: Format, path: &Path) {
    let sound = fs::read(path).unwrap();
    fs::remove_file(path).unwrap();
    match spoil {
        Spoil::Absent => {}
        Spoil::Folder => fs::create_dir(path).unwrap(),
        Spoil::DanglingLink => symlink("nothing-is-here", path).unwrap(),
        Spoil::LinkLoop => symlink(path.file_name().unwrap(), path).unwrap(),
        Spoil::Unreadable => {
            fs::write(path, sound).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o0)).unwrap();
        }
        Spoil::Bytes(make) => {
            let (Format::Table(number, time) | Format::Lines(number, time)) = format else {
                return fs::write(path, make(&Sample { bytes: &sound, number: "", time: "" })).unwrap();
            };
            fs::write(path, make(&Sample { bytes: &sound, number, time })).unwrap();
        }
    }
}
