//! A file that grows in pieces and rotates, written by the test.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use super::stream::Dice;

/// How a file is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It is renamed, and another one takes its name.
    Rename,
    /// It is copied, then emptied.
    CopyTruncate,
}

/// A file and its rotations.
pub(crate) struct Growing {
    path: PathBuf,
    rotations: u32,
    /// What is left of a line that was written in part.
    torn: Vec<u8>,
}

impl Growing {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, rotations: 0, torn: Vec::new() }
    }

    fn numbered(&self, number: u32) -> PathBuf {
        match number {
            0 => self.path.clone(),
            _ => self.path.with_extension(format!("jsonl.{number}")),
        }
    }

    /// Appends lines in pieces that end anywhere; the end of the last line may be left for later.
    pub(crate) fn append(&mut self, text: &str, dice: &mut Dice) {
        let mut bytes = std::mem::take(&mut self.torn);
        bytes.extend(text.as_bytes());
        let kept_back = if dice.one_in(3) { dice.below(40) + 1 } else { 0 };
        self.torn = bytes.split_off(bytes.len().saturating_sub(kept_back as usize));
        let piece = dice.below(400) + 20;
        let mut file = File::options().create(true).append(true).open(&self.path).unwrap();
        for piece in bytes.chunks(piece as usize) {
            file.write_all(piece).unwrap();
            if dice.one_in(4) {
                std::thread::sleep(Duration::from_millis(1 + u64::from(dice.below(4))));
            }
        }
    }

    /// Ends the line that is torn.
    pub(crate) fn end_line(&mut self) {
        let rest = std::mem::take(&mut self.torn);
        let mut file = File::options().create(true).append(true).open(&self.path).unwrap();
        file.write_all(&rest).unwrap();
    }

    /// Rotates; `between` happens before, in the middle and after.
    pub(crate) fn rotate(&mut self, rotation: Rotation, mut between: impl FnMut(u32)) {
        self.end_line();
        between(0);
        for number in (1..=self.rotations).rev() {
            fs::rename(self.numbered(number), self.numbered(number + 1)).unwrap();
        }
        match rotation {
            Rotation::Rename => {
                fs::rename(self.numbered(0), self.numbered(1)).unwrap();
                between(1);
                File::create(&self.path).unwrap();
            }
            Rotation::CopyTruncate => {
                fs::copy(self.numbered(0), self.numbered(1)).unwrap();
                between(1);
                File::options().write(true).truncate(true).open(&self.path).unwrap();
            }
        }
        self.rotations += 1;
        between(2);
    }
}
