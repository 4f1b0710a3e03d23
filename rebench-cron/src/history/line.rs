//! All that came of a job as lines of one table: runs, failures, skips.

use jiff::Timestamp;

use super::clean::visible;
use super::number::{counted, evidence, percent, seconds};
use super::report::{Difference, Failure, Point, Skip, Trend, Underway};

/// The longest sentence that is shown.
const SENTENCE: usize = 300;
/// The longest word.
const WORD: usize = 60;
/// How much of a commit tells it from others.
const COMMIT: usize = 10;
/// So many differences are named.
const NAMED: usize = 8;

/// A line.
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) wall: String,
    pub(super) reason: String,
    /// The outcome, or what became of the slot otherwise.
    pub(super) outcome: String,
    pub(super) why: String,
    pub(super) effect: String,
    pub(super) interval: String,
    pub(super) e_value: String,
    pub(super) attempts: String,
    pub(super) late: String,
    pub(super) commit: String,
    pub(super) folder: String,
}

/// All lines, oldest first.
pub(super) fn lines(trend: &Trend) -> Vec<Line> {
    let (runs, failures) = (trend.points.iter().map(run), trend.failures.iter().map(failure));
    let (skips, underway) = (trend.skips.iter().map(skip), trend.underway.iter().map(on));
    let mut lines: Vec<Line> = runs.chain(failures).chain(skips).chain(underway).collect();
    lines.sort_by_key(|line| line.at);
    lines
}

fn run(point: &Point) -> Line {
    let gone = if point.files_are_gone { " (deleted)" } else { "" };
    Line {
        effect: point.effect.map(percent).unwrap_or_default(),
        interval: point.interval.map(interval).unwrap_or_default(),
        e_value: point.e_value.map(evidence).unwrap_or_default(),
        attempts: point.attempts.to_string(),
        late: seconds(point.lateness_seconds),
        commit: point.commit.as_deref().map(commit).unwrap_or_default(),
        folder: point.folder.as_deref().map(|folder| visible(folder, SENTENCE) + gone).unwrap_or_default(),
        ..plain(point.scheduled_at, &point.wall, &point.reason, &point.outcome.replace('_', " "), &point.why)
    }
}

fn failure(failure: &Failure) -> Line {
    Line {
        attempts: failure.attempts.to_string(),
        folder: failure.folder.as_deref().map(|folder| visible(folder, SENTENCE)).unwrap_or_default(),
        ..plain(failure.scheduled_at, &failure.wall, &failure.reason, "failed", &failure.why)
    }
}

fn skip(skip: &Skip) -> Line {
    let why = match skip.count {
        1 => skip.why.clone(),
        count => format!("{}: {} up to this one", skip.why, counted(count, "slot")),
    };
    plain(skip.scheduled_at, &skip.wall, &skip.reason, "skipped", &why)
}

fn on(underway: &Underway) -> Line {
    let why = underway.state.as_deref().unwrap_or_default();
    plain(underway.scheduled_at, &underway.wall, &underway.reason, "underway", why)
}

fn plain(at: Timestamp, wall: &str, reason: &str, outcome: &str, why: &str) -> Line {
    Line {
        at,
        wall: visible(wall, WORD),
        reason: reason.to_owned(),
        outcome: outcome.to_owned(),
        why: visible(why, SENTENCE),
        effect: String::new(),
        interval: String::new(),
        e_value: String::new(),
        attempts: String::new(),
        late: String::new(),
        commit: String::new(),
        folder: String::new(),
    }
}

fn commit(commit: &str) -> String {
    visible(commit.get(..COMMIT).unwrap_or(commit), COMMIT)
}

fn interval([low, high]: [f64; 2]) -> String {
    format!("{} to {}", percent(low), percent(high))
}

/// What differs, in words: `commit a1 to b2, package numpy 1.0 to 2.0`.
pub(super) fn differences(all: &[Difference]) -> String {
    let mut named: Vec<String> = all.iter().take(NAMED).map(difference).collect();
    let others = all.len().saturating_sub(NAMED);
    if others > 0 {
        named.push(format!("and {others} more"));
    }
    if named.is_empty() { "nothing that was recorded".to_owned() } else { named.join(", ") }
}

fn difference(difference: &Difference) -> String {
    let long = matches!(difference.what.as_str(), "commit" | "data");
    let value = |text: &String| visible(text, if long { COMMIT } else { WORD });
    let what = visible(&difference.what, WORD);
    match (difference.before.as_ref().map(value), difference.after.as_ref().map(value)) {
        (Some(before), Some(after)) => format!("{what} {before} to {after}"),
        (None, Some(after)) => format!("{what} {after} is new"),
        (Some(before), None) => format!("{what} {before} is gone"),
        (None, None) => what,
    }
}
