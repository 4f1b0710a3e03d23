//! Files as frames: actuals are read before predictions, and decided after them.
//!
//! A prediction that was written before an actual is then in the engine before that actual, however the reading falls between the two writes: what
//! the daemon says does not depend on its pace.

use std::collections::BTreeMap;

use shared::error::Result;
use shared::format::live::Kind;

use super::args::Args;
use super::frame::{Gathered, Origin};
use crate::core::time::Micros;
use crate::source::{DeadLetters, Options, Positions, Progress, Tailer};
use crate::view::FeedView;

/// Bytes of files that go into one frame.
const FRAME_BYTES: usize = 4 << 20;

/// The files of both kinds.
pub struct Intake {
    tailers: BTreeMap<Kind, Source>,
    /// Actuals that were read and wait for the predictions that were written before them.
    held: Option<(Gathered, Positions)>,
    letters: DeadLetters,
}

/// The files of one kind.
struct Source {
    tailer: Tailer,
    feed: FeedView,
    progress: Progress,
    clock: Option<Micros>,
    said: Vec<String>,
}

/// A frame to be made durable.
pub struct Next {
    /// Its bytes.
    pub frame: Vec<u8>,
}

impl Intake {
    /// Follows the files of the flags from where the positions say.
    ///
    /// # Errors
    /// If a pattern is none.
    pub fn new(args: &Args, positions: &BTreeMap<Kind, Positions>) -> Result<Self> {
        let mut tailers = BTreeMap::new();
        for (kind, patterns) in [(Kind::Predictions, &args.predictions), (Kind::Actuals, &args.actuals)] {
            let files: Vec<String> = patterns.iter().filter(|pattern| *pattern != "-").cloned().collect();
            if files.is_empty() {
                continue;
            }
            let feed =
                FeedView { name: files.join(" "), kind: name(kind).to_owned(), healthy: true, ..FeedView::default() };
            let options = Options { zone: args.watch.zone.clone(), ..Options::default() };
            let mut tailer = Tailer::new(kind, files, options)?;
            if let Some(positions) = positions.get(&kind) {
                tailer.restore(positions.clone());
            }
            tailers.insert(kind, Source { tailer, feed, progress: Progress::default(), clock: None, said: Vec::new() });
        }
        let path = args.write_dead_letters.clone().unwrap_or_else(|| args.state.join("dead-letters.jsonl"));
        Ok(Self { tailers, held: None, letters: DeadLetters::new(path, 64 << 20) })
    }

    /// The next frame, if there is something new.
    ///
    /// # Errors
    /// Where a frame cannot be written.
    pub fn next_frame(&mut self) -> Result<Option<Next>> {
        if self.held.is_none() {
            self.held = self.gather(Kind::Actuals).filter(|(gathered, _)| !gathered.is_empty());
        }
        if let Some((gathered, positions)) = self.gather(Kind::Predictions).filter(|(gathered, _)| !gathered.is_empty())
        {
            return framed(Kind::Predictions, gathered, positions).map(Some);
        }
        match self.held.take() {
            Some((gathered, positions)) => framed(Kind::Actuals, gathered, positions).map(Some),
            None => Ok(None),
        }
    }

    /// What was appended to the files of a kind. Predictions may be left where they are while held actuals need none of them.
    fn gather(&mut self, kind: Kind) -> Option<(Gathered, Positions)> {
        let needed = self.held.as_ref().and_then(|(gathered, _)| gathered.clock);
        let source = self.tailers.get_mut(&kind)?;
        if kind == Kind::Predictions && needed.is_some() && source.clock > needed && !source.progress.caught_up {
            return None;
        }
        let mut gathered = Gathered::default();
        let letters = &mut self.letters;
        source.progress = source.tailer.poll(FRAME_BYTES, &mut |line| {
            letters.add(&line);
            gathered.add(kind, &line.parsed);
        });
        source.note(&gathered);
        Some((gathered, source.tailer.positions()))
    }

    /// Goes back to positions that are durable: what was read since is read again.
    pub fn rewind(&mut self, positions: &BTreeMap<Kind, Positions>) {
        self.held = None;
        for (kind, source) in &mut self.tailers {
            source.tailer.restore(positions.get(kind).cloned().unwrap_or_default());
        }
    }

    /// Whether all files are read to their ends.
    pub fn is_caught_up(&self) -> bool {
        self.held.is_none() && self.tailers.values().all(|source| source.progress.caught_up)
    }

    /// The feeds, for the view.
    pub fn feeds(&self) -> Vec<FeedView> {
        self.tailers.values().map(|source| source.feed.clone()).collect()
    }
}

impl Source {
    fn note(&mut self, gathered: &Gathered) {
        self.clock = self.clock.max(gathered.clock);
        self.feed.records += gathered.records;
        self.feed.bad_rows += gathered.bad;
        self.feed.backlog_bytes = self.progress.backlog_bytes;
        self.feed.newest = self.clock.map(crate::core::time::text);
        let problems: Vec<String> = self.progress.problems.iter().map(ToString::to_string).collect();
        for problem in problems.iter().filter(|problem| !self.said.contains(problem)) {
            tracing::warn!("{problem}");
        }
        self.feed.healthy = problems.is_empty();
        self.feed.reason = problems.join("; ");
        self.said = problems;
    }
}

fn framed(kind: Kind, gathered: Gathered, positions: Positions) -> Result<Next> {
    Ok(Next { frame: gathered.frame(Origin::Files(kind), Some(positions))? })
}

/// As flags and views call it.
pub fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Predictions => "predictions",
        Kind::Actuals => "actuals",
    }
}
