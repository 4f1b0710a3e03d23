//! Follows files by paths and patterns: a poll lists them anew, tells which ones it knows, and reads what was appended.
//!
//! - A file is known by device and inode while it is open, and its content is compared in each poll: first rows and last bytes.
//!   Inodes are used again at once, so that a file that was closed is compared before it is read on.
//! - A renamed file is read to its end and closed two polls later. Under a name that the patterns match too it is the same file.
//! - A file that was truncated is read from its start; rows that were appended between the last poll and the truncation are lost,
//!   unless the patterns match the copy, which goes on where the original was. Rows may come twice; their keys tell.
//! - A file that begins with all rows of another one, also compressed, is read on from there.
//! - A row is handed on when its line break is there. What a rotated or removed file holds after its last one is a broken line.
//! - Files must be appended to or replaced: a change in the middle of a file that stays as long is not seen.

use std::collections::{HashMap, VecDeque};
use std::io;

use jiff::tz::TimeZone;
use shared::Result;
use shared::error::Problem;
use shared::format::live::Kind;

use super::discover::{self, Found, Stamp};
use super::follow::{Followed, Outcome, Settings};
use super::position::{FilePosition, Identity, Positions};
use super::{Line, Sink};

/// How a tailer reads.
#[derive(Debug, Clone)]
pub struct Options {
    /// The zone of times without an offset.
    pub zone: Option<TimeZone>,
    /// The most files that are kept open between polls.
    pub most_open_files: usize,
    /// The most files that are remembered after they are gone.
    pub most_gone_files: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { zone: None, most_open_files: 256, most_gone_files: 256 }
    }
}

/// What a poll did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows that were handed on, good and bad.
    pub rows: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Bytes that are there and not read; an unfinished last line is among them.
    pub backlog_bytes: u64,
    /// Whether all complete lines are read. If not, poll again at once.
    pub caught_up: bool,
    /// Files that are followed.
    pub files: usize,
    /// Files that were found truncated or replaced.
    pub replaced: u64,
    /// Files that cannot be read.
    pub problems: Vec<Problem>,
}

/// Follows files.
#[derive(Debug)]
pub struct Tailer {
    patterns: Vec<String>,
    options: Options,
    settings: Settings,
    /// In the order in which they are read.
    files: Vec<Followed>,
    stamps: HashMap<Identity, Stamp>,
    gone: VecDeque<FilePosition>,
    /// Where the budget ended.
    next: Option<Identity>,
    buffer: Vec<u8>,
}

impl Tailer {
    /// Follows the files at these paths and patterns, from their starts.
    ///
    /// # Errors
    /// [`shared::Error::Usage`] if a pattern cannot be read.
    pub fn new(kind: Kind, patterns: Vec<String>, options: Options) -> Result<Self> {
        discover::check(&patterns)?;
        let settings = Settings { kind, zone: options.zone.clone() };
        let (files, stamps, gone, buffer) = (Vec::new(), HashMap::new(), VecDeque::new(), Vec::new());
        Ok(Self { patterns, options, settings, files, stamps, gone, next: None, buffer })
    }

    /// Goes on where the positions say.
    pub fn restore(&mut self, positions: Positions) {
        let settings = &self.settings;
        self.files = positions.files.into_iter().map(|position| Followed::restored(position, settings)).collect();
        self.gone = positions.gone.into();
    }

    /// How far the files are read. Save it in one step with what was made of the rows.
    pub fn positions(&self) -> Positions {
        let files = self.files.iter().map(Followed::position).collect();
        Positions { files, gone: self.gone.iter().cloned().collect() }
    }

    /// Lists the files and hands on the complete rows that are not read yet, about `budget_bytes` of them. A file that cannot be
    /// read is told in [`Progress::problems`] and does not stop the others.
    pub fn poll(&mut self, budget_bytes: usize, sink: &mut Sink<'_>) -> Progress {
        let mut progress = Progress { caught_up: true, ..Progress::default() };
        let mut found = self.list(&mut progress);
        if self.files.iter().any(|file| !file.orphaned && !self.stamps.contains_key(&file.identity)) {
            // A file that is renamed while the folder is listed may be in the list under neither name.
            progress.problems.clear();
            found = self.list(&mut progress);
        }
        self.match_files(&found);
        self.open_all(&mut progress);
        self.compare_unknown(&mut progress);
        self.read_all(budget_bytes, &mut progress, sink);
        self.let_go(&mut progress, sink);
        progress.files = self.files.len();
        progress.backlog_bytes = self.files.iter().map(Followed::backlog_bytes).sum();
        progress
    }

    fn list(&mut self, progress: &mut Progress) -> Vec<Found> {
        let found = discover::files(&self.patterns, &mut progress.problems);
        self.stamps = found.iter().map(|file| (file.identity, file.stamp)).collect();
        found
    }

    /// Hands on what stands after the last line break of each file, for a caller who knows that the files are complete.
    pub fn finish(&mut self, sink: &mut Sink<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for file in &mut self.files {
            let finished = file.open().and_then(|_| file.finish(false, sink));
            problems.extend(finished.err().map(|error| discover::problem(&file.path, &error)));
        }
        problems
    }

    /// Brings the files into the order of the folder; those that are not there any more come first, as they are older.
    fn match_files(&mut self, found: &[Found]) {
        let places: HashMap<_, _> = found.iter().map(|file| (file.path.as_path(), file.identity)).collect();
        let mut known: HashMap<Identity, Followed> = HashMap::new();
        let mut files = Vec::new();
        for mut file in self.files.drain(..) {
            if self.stamps.contains_key(&file.identity) {
                known.insert(file.identity, file);
            } else if file.is_open() {
                file.orphaned = true;
                files.push(file);
            } else {
                self.gone.push_back(file.position());
            }
        }
        for file in found {
            let followed = match known.remove(&file.identity) {
                Some(mut followed) => {
                    let replaced = places.get(followed.path.as_path()).is_some_and(|now| *now != file.identity);
                    followed.moved_to(file, replaced);
                    followed
                }
                None => Followed::new(file.path.clone(), file.identity, &self.settings),
            };
            files.push(followed);
        }
        self.files = files;
        self.share_headers();
    }

    /// A file that goes on without a header, as after a truncation, has that of its other rotations.
    fn share_headers(&mut self) {
        if !self.files.iter().any(Followed::lacks_header) {
            return;
        }
        let headers =
            self.files.iter().filter_map(|file| Some((discover::family(&file.path), file.header()?.to_owned())));
        let headers: HashMap<_, _> = headers.collect();
        for file in self.files.iter_mut().filter(|file| file.lacks_header()) {
            if let Some(header) = headers.get(&discover::family(&file.path)) {
                file.offer_header(header.clone());
            }
        }
    }

    fn open_all(&mut self, progress: &mut Progress) {
        for file in &mut self.files {
            let stamp = self.stamps.get(&file.identity).copied();
            progress.problems.extend(file.problem(stamp).cloned());
            if !file.needs_reading(stamp) {
                continue;
            }
            let mut outcome = file.open();
            if let Ok(Outcome::Replaced) = outcome {
                progress.replaced += 1;
                self.gone.push_back(file.position());
                file.restart(&self.settings);
                outcome = file.open();
            }
            match outcome {
                Ok(outcome) => progress.caught_up &= outcome == Outcome::AtEnd,
                Err(error) => fail(file, stamp, &error, progress),
            }
        }
    }

    /// Compares files that are new with all that was read before. This comes before any reading, so that the copy of a file that
    /// was truncated afterwards is compared with what was read of the original.
    fn compare_unknown(&mut self, progress: &mut Progress) {
        if !self.files.iter().any(Followed::is_unknown) {
            return;
        }
        let positions = self.files.iter().map(Followed::position).chain(self.gone.iter().cloned());
        let mut known: Vec<FilePosition> = positions.filter(FilePosition::has_rows).collect();
        // Where a copy begins with the rows of several files, the longest one tells the most.
        known.sort_by_key(|position| std::cmp::Reverse(position.cursor.offset));
        for file in self.files.iter_mut().filter(|file| file.is_unknown()) {
            if let Err(error) = file.compare(&known, &self.settings) {
                fail(file, self.stamps.get(&file.identity).copied(), &error, progress);
            }
        }
    }

    fn read_all(&mut self, budget_bytes: usize, progress: &mut Progress, sink: &mut Sink<'_>) {
        let mut budget = budget_bytes.max(1);
        let next = self.next.take();
        let start = self.files.iter().position(|file| Some(file.identity) == next).unwrap_or(0);
        let mut rows = 0;
        let mut counting = |line: Line<'_>| {
            rows += 1;
            sink(line);
        };
        for file in &mut self.files[start..] {
            if budget == 0 {
                self.next = Some(file.identity);
                break;
            }
            let outcome = file.read(&mut self.buffer, &mut budget, &mut counting);
            match outcome {
                Ok(Outcome::AtEnd) => {}
                Ok(Outcome::More) => {
                    self.next = Some(file.identity);
                    break;
                }
                Ok(Outcome::Replaced) => {
                    progress.replaced += 1;
                    progress.caught_up = false;
                    self.gone.push_back(file.position());
                    file.restart(&self.settings);
                    break; // Newer files wait, so that rows come in order; the next poll compares this one.
                }
                Err(error) => fail(file, self.stamps.get(&file.identity).copied(), &error, progress),
            }
        }
        progress.caught_up &= self.next.is_none() && start == 0;
        progress.rows = rows;
        progress.bytes = budget_bytes.saturating_sub(budget) as u64;
    }

    /// Closes files that are done, and the idlest ones if too many are open; forgets the oldest of those that are gone.
    fn let_go(&mut self, progress: &mut Progress, sink: &mut Sink<'_>) {
        for file in self.files.iter_mut().filter(|file| file.is_done()) {
            if let Err(error) = file.finish(true, sink) {
                progress.problems.push(discover::problem(&file.path, &error));
            }
            file.close();
        }
        let (gone, files) = self.files.drain(..).partition(|file| file.orphaned && !file.is_open());
        self.files = files;
        self.gone.extend(Vec::<Followed>::into_iter(gone).map(|file| file.position()));
        self.gone.retain(FilePosition::has_rows);
        let surplus = self.gone.len().saturating_sub(self.options.most_gone_files);
        self.gone.drain(..surplus);
        self.close_surplus();
    }

    fn close_surplus(&mut self) {
        let mut open: Vec<&mut Followed> =
            self.files.iter_mut().filter(|file| file.is_open() && !file.orphaned).collect();
        let surplus = open.len().saturating_sub(self.options.most_open_files);
        open.sort_by_key(|file| std::cmp::Reverse(file.idle_polls));
        open.into_iter().take(surplus).for_each(Followed::close);
    }
}

fn fail(file: &mut Followed, stamp: Option<Stamp>, error: &io::Error, progress: &mut Progress) {
    let problem = discover::problem(&file.path, error);
    // A file that vanished since it was listed is no problem; the next poll does not list it.
    if error.kind() != io::ErrorKind::NotFound {
        progress.problems.push(problem.clone());
    }
    file.failed(stamp, problem);
}
