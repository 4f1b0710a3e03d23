//! A file of the rows that could not be read, one JSON object a line, so that a person can look at them and mend their writer.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use shared::format::live::{BadRow, Fault};

use super::Line;

/// How much of a row is kept.
const ROW_BYTES: usize = 4096;

#[derive(Serialize)]
struct Entry<'a> {
    file: std::borrow::Cow<'a, str>,
    offset: u64,
    line: Option<u64>,
    fault: Fault,
    column: Option<&'a str>,
    found: &'a str,
    expected: &'a str,
    row: std::borrow::Cow<'a, str>,
}

/// Where bad rows go. It holds at most two files of `most_bytes`: the one at the path, and the earlier one with `.1` added.
/// Writing never fails the reading: what could not be written is counted.
#[derive(Debug)]
pub struct DeadLetters {
    path: PathBuf,
    most_bytes: u64,
    open: Option<(File, u64)>,
    torn: bool,
    unwritten: u64,
}

impl DeadLetters {
    /// Appends to the file at `path`, which is made with the first bad row.
    pub fn new(path: PathBuf, most_bytes: u64) -> Self {
        Self { path, most_bytes, open: None, torn: false, unwritten: 0 }
    }

    /// Bad rows that could not be written: the disk is full, the folder is not writable.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Writes the row, if it is a bad one.
    pub fn add(&mut self, line: &Line<'_>) {
        if let Err(bad) = &line.parsed
            && let Err(error) = self.write(&text(line, bad))
        {
            tracing::debug!(path = %self.path.display(), %error, "a bad row could not be written to the dead letters");
            self.open = None;
            self.unwritten += 1;
        }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        let (mut file, size) = match self.open.take() {
            Some(open) => open,
            None => open(&self.path)?,
        };
        if size > 0 && size + text.len() as u64 > self.most_bytes {
            fs::rename(&self.path, earlier(&self.path))?;
            return self.write(text);
        }
        // After a line that was cut by a full disk, the next one begins anew.
        let text = if self.torn { format!("\n{text}") } else { text.to_owned() };
        self.torn = true;
        file.write_all(text.as_bytes())?;
        self.torn = false;
        self.open = Some((file, size + text.len() as u64));
        Ok(())
    }
}

/// Others may not read what the rows hold.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = File::options().create(true).append(true).mode(0o600).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn earlier(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

fn text(line: &Line<'_>, bad: &BadRow) -> String {
    let entry = Entry {
        file: line.file.to_string_lossy(),
        offset: line.offset,
        line: line.line,
        fault: bad.fault,
        column: bad.column.as_deref(),
        found: &bad.found,
        expected: &bad.expected,
        row: String::from_utf8_lossy(&line.bytes[..line.bytes.len().min(ROW_BYTES)]),
    };
    let mut text = serde_json::to_string(&entry).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(letters: &mut DeadLetters, row: &[u8]) {
        let parsed = Err(BadRow::row(Fault::BrokenLine, "no object", "an object"));
        letters.add(&Line { file: Path::new("a.jsonl"), offset: 7, line: Some(2), bytes: row, parsed });
    }

    #[test]
    fn a_bad_row_is_a_line_of_json_and_the_files_stay_small() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dead.jsonl");
        let mut letters = DeadLetters::new(path.clone(), 2000);
        (0..100).for_each(|_| add(&mut letters, b"\xff{\"y\""));
        assert_eq!(letters.unwritten(), 0);
        let (now, earlier) = (fs::read_to_string(&path).unwrap(), fs::read_to_string(earlier(&path)).unwrap());
        assert!(now.len() <= 2000 && earlier.len() <= 2000 && fs::read_dir(folder.path()).unwrap().count() == 2);
        for line in now.lines().chain(earlier.lines()) {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!((&entry["fault"], &entry["offset"]), (&"broken_line".into(), &7.into()));
            assert_eq!(entry["row"], "\u{fffd}{\"y\"");
        }
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut absent = DeadLetters::new(folder.path().join("absent/dead.jsonl"), 2000);
        add(&mut absent, b"x");
        assert_eq!(absent.unwritten(), 1);
        let mut full = DeadLetters::new(PathBuf::from("/dev/full"), 2000);
        add(&mut full, b"x");
        assert_eq!(full.unwritten(), 1);
    }
}
