//! `manifest-gen scan`: what model files would do when loaded, without loading them.
//!
//! Status over several files: 2 if one cannot be read, else 1 if one is refused, else 4 if one could not be parsed to its
//! end, else 0; never folded.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::cli::{Context, Format};
use shared::error::{Error, Result};
use shared::format::input::Tool;
use shared::{Exit, fsio};

use crate::pickle::{self, AllowList, ScanVerdict};

/// The `schema` of the JSON output.
const SCHEMA: &str = "manifest-gen/scan/1";

/// Notes shown in text; the JSON output has all.
const SHOWN_NOTES: usize = 6;

/// Flags of `manifest-gen scan`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Model files: pickle, joblib, npy, npz, skops, text; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What pickles may import.
    #[command(flatten)]
    pub allow: AllowArgs,
}

/// The flag of every command that looks into pickles.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AllowArgs {
    /// Globals that your own pickles may name besides those of the shipped list, as `module.name`
    #[arg(long, value_name = "GLOBAL", value_delimiter = ',')]
    pub allow: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// On a failing environment; a file that cannot be read is part of the result.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let render = renderer(context.format)?;
    let allow = AllowList::shipped().with(&args.allow.allow);
    let files: Vec<FileScan> = args.files.iter().map(|path| scan_file(path, &allow)).collect();
    let exit = exit(&files);
    context.emit(&render(&ScanReport { schema: SCHEMA.to_owned(), tool: crate::print::tool(), files }))?;
    Ok(exit)
}

/// The result of `manifest-gen scan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanReport {
    /// `manifest-gen/scan/1`.
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The files, in the order given.
    pub files: Vec<FileScan>,
}

/// A file that was scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileScan {
    /// The path as the user gave it.
    pub path: PathBuf,
    /// SHA-256 in lower-case hexadecimal; nothing if the file cannot be read.
    pub sha256: Option<String>,
    /// Whether the file may be loaded; nothing if it cannot be read.
    pub verdict: Option<ScanVerdict>,
    /// The outermost container: `pickle`, `zlib`, `gzip`, `bz2`, `xz`, `lzma`, `lz4`, `zf`, `zip`, `npy`, `json`, `text`, …
    pub container: Option<String>,
    /// What the unpickler would be asked for, as `module.name`.
    pub globals: BTreeSet<String>,
    /// Those that the list does not allow.
    pub refused: Vec<String>,
    /// What else was found, in the order of the file.
    pub notes: Vec<String>,
    /// The remedy, if one is known: for refused globals the lines of `promotion.toml` that would allow them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
    /// Why the file cannot be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

/// Scans a file and takes its digest in the same pass, so that both speak of the same bytes.
pub fn scan_file(path: &Path, allow: &AllowList) -> FileScan {
    match open(path) {
        Ok(reader) => scan_reader(path, reader, allow),
        Err(error) => FileScan { help: error.help().map(str::to_owned), ..unreadable(path, error.to_string()) },
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let file: File = fsio::open(path)?;
    Ok(Box::new(file))
}

fn scan_reader(path: &Path, reader: impl Read, allow: &AllowList) -> FileScan {
    let mut hashing = Hashing { inner: reader, hasher: Sha256::new(), failure: None };
    let scan = pickle::scan(&mut hashing, allow);
    if let Some(failure) = hashing.failure {
        return unreadable(path, Error::io(path, "read", failure).to_string());
    }
    let help = help(&scan.refused);
    FileScan {
        path: path.to_owned(),
        sha256: Some(hexadecimal(&hashing.hasher.finalize())),
        verdict: Some(scan.verdict),
        container: Some(scan.container),
        globals: scan.globals,
        refused: scan.refused,
        notes: scan.notes,
        help,
        error: None,
    }
}

fn unreadable(path: &Path, error: String) -> FileScan {
    FileScan {
        path: path.to_owned(),
        sha256: None,
        verdict: None,
        container: None,
        globals: BTreeSet::new(),
        refused: Vec::new(),
        notes: Vec::new(),
        help: None,
        error: Some(error),
    }
}

/// A reader that takes the digest of what passes.
struct Hashing<R> {
    inner: R,
    hasher: Sha256,
    failure: Option<io::Error>,
}

impl<R: Read> Read for &mut Hashing<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(target) {
            Ok(count) => {
                self.hasher.update(&target[..count]);
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let shown = io::Error::new(error.kind(), error.to_string());
                self.failure = Some(error);
                Err(shown)
            }
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// The lines of `promotion.toml` that would allow the refused globals; what depends on the loader cannot be allowed.
pub fn help(refused: &[String]) -> Option<String> {
    let names: Vec<String> = refused.iter().filter(|name| can_be_allowed(name)).map(|name| toml_text(name)).collect();
    (!names.is_empty()).then(|| format!("[manifest-gen]\nallow = [{}]", names.join(", ")))
}

fn can_be_allowed(name: &str) -> bool {
    name != "PERSID" && !name.starts_with("EXT.")
}

/// JSON's texts are TOML's basic strings.
fn toml_text(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

fn exit(files: &[FileScan]) -> Exit {
    let any = |verdict: Option<ScanVerdict>| files.iter().any(|file| file.verdict == verdict);
    match () {
        () if any(None) => Exit::Usage,
        () if any(Some(ScanVerdict::Refused)) => Exit::No,
        () if any(Some(ScanVerdict::NotParsed)) => Exit::Undecided,
        () => Exit::Ok,
    }
}

fn renderer(format: Format) -> Result<fn(&ScanReport) -> String> {
    match format {
        Format::Text => Ok(text),
        Format::Json => Ok(json),
        _ => Err(Error::usage("a format that scan does not write", "text or json")
            .with_help("leave --format out, or use --json")),
    }
}

fn json(report: &ScanReport) -> String {
    // These types hold nothing that JSON cannot say.
    serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
}

fn text(report: &ScanReport) -> String {
    report.files.iter().map(text_of).collect()
}

fn text_of(file: &FileScan) -> String {
    let Some(verdict) = file.verdict else {
        let help = file.help.as_ref().map_or_else(String::new, |help| format!("    help: {help}\n"));
        return format!("{}\n{help}", printable(file.error.as_deref().unwrap_or_default()));
    };
    let verdict = match verdict {
        ScanVerdict::Allowed => "allowed",
        ScanVerdict::Refused => "refused",
        ScanVerdict::NotParsed => "not-parsed",
    };
    let container = file.container.as_deref().unwrap_or("unknown");
    let mut lines = vec![format!("{}: {verdict} ({container}, {} globals)", file.path.display(), file.globals.len())];
    lines.extend(file.refused.iter().map(|name| format!("    refused: {}", printable(name))));
    if file.verdict != Some(ScanVerdict::Allowed) {
        lines.extend(file.notes.iter().take(SHOWN_NOTES).map(|note| format!("    note: {}", printable(note))));
        let hidden = file.notes.len().saturating_sub(SHOWN_NOTES);
        lines.extend((hidden > 0).then(|| format!("    note: … and {hidden} more")));
    }
    if let Some(help) = &file.help {
        lines.push(
            "    help: load nothing of it that you did not write; to allow these names, in promotion.toml:".to_owned(),
        );
        lines.extend(help.lines().map(|line| format!("        {line}")));
    }
    lines.join("\n") + "\n"
}

/// Names of a hostile file must not steer a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<char>>() } else { vec![c] })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(verdict: Option<ScanVerdict>) -> FileScan {
        FileScan { verdict, ..unreadable(Path::new("a.pkl"), "cannot be opened".to_owned()) }
    }

    #[test]
    fn the_worst_file_gives_the_status() {
        let verdicts = [None, Some(ScanVerdict::Refused), Some(ScanVerdict::NotParsed), Some(ScanVerdict::Allowed)];
        let files: Vec<FileScan> = verdicts.into_iter().map(file).collect();
        let codes: Vec<u8> = (0..4).map(|from| exit(&files[from..]).code()).collect();
        assert_eq!(codes, [2, 1, 4, 0]);
    }

    #[test]
    fn the_help_is_toml_that_allows_exactly_the_refused_names() {
        let help = help(&["mypkg.models.MyModel".to_owned(), "os\r.x".to_owned(), "PERSID".to_owned()]).unwrap();
        assert_eq!(help, "[manifest-gen]\nallow = [\"mypkg.models.MyModel\", \"os\\r.x\"]");
    }
}
