//! A folder with files of actuals, and a tailer on them.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use drift_watch::source::{Line, Options, Positions, Progress, Tailer};
use shared::format::live::{Fault, Kind, Record};

pub const CSV_HEADER: &str = "series,target_time,y,observed_at\n";

/// A budget that no test exceeds.
pub const PLENTY: usize = 1 << 30;

pub fn json(series: &str) -> String {
    format!(
        r#"{{"series":"{series}","target_time":"2013-06-03T00:00:00Z","y":1,"observed_at":"2013-06-04T00:00:00Z"}}"#
    ) + "\n"
}

pub fn csv(series: &str) -> String {
    format!("{series},2013-06-03T00:00:00Z,1,2013-06-04T00:00:00Z\n")
}

/// The series of each row, or why it is none.
pub type Seen = Vec<Result<String, Fault>>;

pub fn say(line: &Line<'_>) -> Result<String, Fault> {
    match &line.parsed {
        Ok(parsed) => match &parsed.record {
            Record::Actual(actual) => Ok(actual.series.to_string()),
            Record::Prediction(prediction) => Ok(prediction.series.to_string()),
        },
        Err(bad) => Err(bad.fault),
    }
}

pub fn append(path: &Path, bytes: &[u8]) {
    File::options().create(true).append(true).open(path).unwrap().write_all(bytes).unwrap();
}

/// Does to a file what `gzip` does.
pub fn compress(from: &Path, to: &Path) {
    let mut encoder = flate2::write::GzEncoder::new(File::create(to).unwrap(), flate2::Compression::fast());
    encoder.write_all(&fs::read(from).unwrap()).unwrap();
    encoder.finish().unwrap();
    fs::remove_file(from).unwrap();
}

pub struct Case {
    folder: tempfile::TempDir,
    pub tailer: Tailer,
    pub patterns: Vec<String>,
    pub seen: Seen,
}

impl Case {
    pub fn new(patterns: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let full = |pattern: &&str| folder.path().join(pattern).to_string_lossy().into_owned();
        let patterns: Vec<String> = patterns.iter().map(full).collect();
        let tailer = Tailer::new(Kind::Actuals, patterns.clone(), Options::default()).unwrap();
        Self { folder, tailer, patterns, seen: Vec::new() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        append(&self.path(name), text.as_bytes());
    }

    /// Other content in the same inode.
    pub fn overwrite(&self, name: &str, text: &str) {
        File::create(self.path(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub fn poll_with(&mut self, budget: usize) -> Progress {
        self.tailer.poll(budget, &mut |line: Line<'_>| self.seen.push(say(&line)))
    }

    /// Polls until all is read.
    pub fn poll(&mut self) -> Progress {
        (0..1000).map(|_| self.poll_with(PLENTY)).find(|progress| progress.caught_up).unwrap()
    }

    /// The process ends; no file is open any more.
    pub fn stop(&mut self) {
        self.tailer = Tailer::new(Kind::Actuals, self.patterns.clone(), Options::default()).unwrap();
    }

    /// A new process that has only the positions.
    pub fn restart(&mut self, positions: &Positions) {
        let saved = postcard::to_stdvec(positions).unwrap();
        self.stop();
        self.tailer.restore(postcard::from_bytes(&saved).unwrap());
    }

    pub fn names(&self) -> Vec<&str> {
        self.seen.iter().map(|row| row.as_ref().map_or("!", String::as_str)).collect()
    }
}
