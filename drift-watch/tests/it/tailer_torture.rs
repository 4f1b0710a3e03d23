//! A writer that is cut off anywhere and rotates its files in every way, and a reader that is killed anywhere: no row is lost.
use std::fs::{self, File};
use std::path::PathBuf;

use drift_watch::source::Positions;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::tailing::{CSV_HEADER, Case, Seen, append, csv, json};

struct Torture {
    case: Case,
    random: ChaCha8Rng,
    is_csv: bool,
    /// Whether the patterns match rotated files.
    sees_rotated: bool,
    written: u32,
    /// What is still to be written of the last row.
    torn: Option<Vec<u8>>,
    /// Positions and rows as they were saved together.
    committed: (Positions, Seen),
    truncated: bool,
}

impl Torture {
    fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (is_csv, sees_rotated) = (random.random(), random.random());
        let name = if is_csv { "x.csv" } else { "x.jsonl" };
        let case = Case::new(&[&format!("{name}{}", if sees_rotated { "*" } else { "" })]);
        let committed = (Positions::default(), Seen::new());
        Self { case, random, is_csv, sees_rotated, written: 0, torn: None, committed, truncated: false }
    }

    fn name(&self, rotation: u32) -> PathBuf {
        let name = if self.is_csv { "x.csv" } else { "x.jsonl" };
        let suffix = if rotation == 0 { String::new() } else { format!(".{rotation}") };
        self.case.path(&format!("{name}{suffix}"))
    }

    fn row(&mut self) -> String {
        self.written += 1;
        // Of many lengths, so that old offsets fall anywhere in new content.
        let series = format!("{:06}{}", self.written, "x".repeat(self.random.random_range(0..40)));
        if self.is_csv { csv(&series) } else { json(&series) }
    }

    /// Makes the file, if it is not there.
    fn create(&self) {
        let path = self.name(0);
        if !path.exists() {
            append(&path, if self.is_csv { CSV_HEADER.as_bytes() } else { b"" });
        }
    }

    /// Ends the row that is torn, writes some, tears the last one perhaps.
    fn append(&mut self) {
        self.create();
        let mut text = self.torn.take().unwrap_or_default();
        for _ in 0..self.random.random_range(0..30) {
            text.extend(self.row().into_bytes());
        }
        if self.random.random_bool(0.5) {
            let row = self.row().into_bytes();
            let cut = self.random.random_range(0..row.len());
            text.extend(&row[..cut]);
            self.torn = Some(row[cut..].to_vec());
        }
        let piece_bytes = self.random.random_range(1..500);
        for piece in text.chunks(piece_bytes) {
            append(&self.name(0), piece);
            if self.random.random_bool(0.05) {
                self.poll_somewhat();
            }
        }
    }

    /// Ends the row that is torn, as a writer does that is told to rotate.
    fn end_row(&mut self) {
        self.create();
        if let Some(rest) = self.torn.take() {
            append(&self.name(0), &rest);
        }
    }

    fn poll_somewhat(&mut self) {
        let budget = self.random.random_range(1..3000);
        self.case.poll_with(budget);
    }

    fn commit(&mut self) {
        self.committed = (self.case.tailer.positions(), self.case.seen.clone());
    }

    /// Before something that destroys what was not read.
    fn read_all(&mut self) {
        self.case.poll();
        self.commit();
    }

    fn crash(&mut self) {
        let (positions, seen) = self.committed.clone();
        self.case.restart(&positions);
        self.case.seen = seen;
    }

    /// Makes room at `.1`; the oldest file is removed.
    fn shift(&mut self) {
        self.end_row();
        if !self.sees_rotated || self.name(4).exists() {
            self.read_all();
        }
        for rotation in (1..=4).rev().filter(|rotation| self.name(*rotation).exists()) {
            fs::rename(self.name(rotation), self.name(rotation + 1)).unwrap();
        }
        drop(fs::remove_file(self.name(5)));
    }

    fn rename(&mut self) {
        self.shift();
        fs::rename(self.name(0), self.name(1)).unwrap();
        if self.random.random() {
            self.append();
        }
    }

    fn copy_and_truncate(&mut self) {
        self.shift();
        self.truncated = true;
        let with_header: bool = self.random.random();
        if !with_header {
            // Nobody can read what has no header and whose header was never seen.
            self.read_all();
        }
        fs::copy(self.name(0), self.name(1)).unwrap();
        self.truncate(with_header);
    }

    fn truncate(&mut self, with_header: bool) {
        File::create(self.name(0)).unwrap();
        if self.is_csv && with_header {
            append(&self.name(0), CSV_HEADER.as_bytes());
        }
        self.append();
    }

    /// The same inode with other rows, more or fewer than before.
    fn rewrite(&mut self) {
        self.end_row();
        self.read_all();
        self.truncated = true;
        let with_header: bool = self.random.random();
        self.truncate(with_header);
    }

    /// Another file, perhaps with the same inode, while the reader is away.
    fn replace_while_away(&mut self) {
        self.end_row();
        self.read_all();
        self.case.stop();
        fs::remove_file(self.name(0)).unwrap();
        self.create();
        let row = self.row();
        append(&self.name(0), row.as_bytes());
        self.crash();
        self.append();
    }

    fn step(&mut self) {
        match self.random.random_range(0..20) {
            0..6 => self.append(),
            6..11 => self.poll_somewhat(),
            11..13 => self.commit(),
            13..15 => self.crash(),
            15 | 16 => self.rename(),
            17 => self.copy_and_truncate(),
            18 => self.rewrite(),
            _ => self.replace_while_away(),
        }
    }

    fn check(mut self, seed: u64) {
        self.end_row();
        (0..5).for_each(|_| drop(self.case.poll()));
        let faults = self.case.seen.iter().filter(|row| row.is_err()).count();
        assert_eq!(faults, 0, "seed {seed}: every row was whole");
        let mut numbers: Vec<u32> = self.case.names().iter().map(|name| name[..6].parse().unwrap()).collect();
        let all: Vec<u32> = (1..=self.written).collect();
        if !self.truncated {
            assert_eq!(numbers, all, "seed {seed}: each once and in order");
        }
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers, all, "seed {seed}: each at least once");
    }
}

#[test]
fn no_row_is_lost_whatever_happens_to_the_files() {
    for seed in 0..250 {
        let mut torture = Torture::new(seed);
        // Half of the rounds are short, so that many have no truncation.
        (0..if seed % 2 == 0 { 12 } else { 60 }).for_each(|_| torture.step());
        torture.check(seed);
    }
}
