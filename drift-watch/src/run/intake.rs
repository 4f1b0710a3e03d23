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

/// Polls of predictions in a row that may find nothing and yet not be at the end.
const MOST_POLLS: usize = 4;

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
        for _ in 0..MOST_POLLS {
            match self.gather(Kind::Predictions).filter(|(gathered, _)| !gathered.is_empty()) {
                Some((gathered, positions)) => return framed(Kind::Predictions, gathered, positions).map(Some),
                // A poll that finds a file truncated or moved ends there: what was written before is read by the next one.
                None if self.awaits_predictions() => {}
                None => break,
            }
        }
        if self.awaits_predictions() {
            return Ok(None);
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
        if kind == Kind::Predictions && source.is_beyond(needed) && !source.progress.caught_up {
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

    /// Whether predictions may be unread that were written before the held actuals.
    fn awaits_predictions(&self) -> bool {
        let Some((gathered, _)) = &self.held else { return false };
        let source = self.tailers.get(&Kind::Predictions);
        source.is_some_and(|source| !source.progress.caught_up && !source.is_beyond(gathered.clock))
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
    /// Whether it was read beyond the time that held actuals need.
    fn is_beyond(&self, needed: Option<Micros>) -> bool {
        needed.is_some() && self.clock > needed
    }

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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use shared::cli::parse_from;

    use super::*;
    use crate::args::{Cli, Command};
    use crate::core::engine::Engine;
    use crate::core::settings::Settings;
    use crate::run::frame;

    fn prediction(day: u8) -> String {
        format!(
            "{{\"model\":\"m\",\"version\":\"1\",\"series\":\"s\",\"issued_at\":\"2024-01-{day:02}T00:00:00Z\",\"target_time\":\"2024-01-{:02}T00:00:00Z\",\"horizon\":1,\"y_hat\":1}}\n",
            day + 1
        )
    }

    #[test]
    fn actuals_wait_for_predictions_of_a_file_that_was_just_truncated() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let append = |name: &str, text: &str| {
            File::options().create(true).append(true).open(path(name)).unwrap().write_all(text.as_bytes()).unwrap();
        };
        let (pattern, actuals) = (path("p.jsonl*"), path("a.jsonl"));
        let words = ["drift-watch", "run", "--predictions", &pattern, "--actuals", &actuals];
        let Command::Run(args) = parse_from::<Cli>(&words, &|_| None).unwrap().arguments.command else {
            unreachable!()
        };
        let mut intake = Intake::new(&args, &BTreeMap::new()).unwrap();
        append("p.jsonl", &prediction(1));
        assert!(intake.next_frame().unwrap().is_some());
        File::create(path("p.jsonl")).unwrap();
        append("p.jsonl", &prediction(2));
        append(
            "a.jsonl",
            "{\"series\":\"s\",\"target_time\":\"2024-01-03T00:00:00Z\",\"y\":1,\"observed_at\":\"2024-01-04T00:00:00Z\"}\n",
        );
        let mut engine = Engine::new(Settings::default(), BTreeMap::new());
        let mut origins = Vec::new();
        while let Some(next) = intake.next_frame().unwrap() {
            origins.push(frame::apply(&next.frame, &mut engine).unwrap().origin);
        }
        assert_eq!(origins, [Origin::Files(Kind::Predictions), Origin::Files(Kind::Actuals)]);
        assert!(intake.is_caught_up());
    }
}
