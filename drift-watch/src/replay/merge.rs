//! Two files of records as one stream, in the order of their clocks.
//!
//! A source's clock is the newest issue or observation time that it has brought so far. What comes out of order keeps its place behind what came
//! before it, so that the merged order follows from the files alone.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use shared::error::Result;
use shared::format::live::{BadRow, Kind, Parsed, Record};

use crate::core::time::Micros;
use crate::read::Rows;

/// A row in the merged order.
pub(super) enum Merged<'a> {
    /// A record, and whether a time of it was written with an offset.
    Record(Record<'a>, bool),
    /// A row that could not be read: its file and line.
    Bad(Kind, BadRow, PathBuf, u64),
    /// There are no more records of this kind.
    Ended(Kind),
}

/// One kind of records, over several files, one after the other.
struct Side {
    kind: Kind,
    files: std::vec::IntoIter<PathBuf>,
    rows: Option<Rows>,
    clock: Micros,
    held: Option<(Record<'static>, bool)>,
    ended: bool,
    zone: Option<TimeZone>,
}

impl Side {
    fn new(kind: Kind, files: Vec<PathBuf>, zone: Option<TimeZone>) -> Self {
        Self { kind, files: files.into_iter(), rows: None, clock: Micros::MIN, held: None, ended: false, zone }
    }

    /// Gives rows to `take` until one has a time after `until`, which is held back, or all have ended.
    fn run(&mut self, until: Micros, take: &mut dyn FnMut(Merged<'_>) -> Result<()>) -> Result<()> {
        if let Some((record, offset)) = self.held.take_if(|_| self.clock <= until) {
            take(Merged::Record(record, offset))?;
        }
        while self.held.is_none() && !self.ended {
            let Some(rows) = &mut self.rows else {
                self.open(take)?;
                continue;
            };
            let path = rows.path().to_owned();
            let (kind, clock) = (self.kind, self.clock);
            let mut outcome = Ok(());
            let mut next = (clock, None);
            let more = rows.next(|row, line| match row {
                Ok(Parsed { record, offset_timestamp }) => {
                    let time = clock.max(time_of(&record));
                    next.0 = time;
                    match time <= until {
                        true => outcome = take(Merged::Record(record, offset_timestamp)),
                        false => next.1 = Some((owned(record), offset_timestamp)),
                    }
                }
                Err(bad) => outcome = take(Merged::Bad(kind, bad, path, line)),
            })?;
            outcome?;
            (self.clock, self.held) = next;
            if !more {
                self.rows = None;
            }
        }
        Ok(())
    }

    fn open(&mut self, take: &mut dyn FnMut(Merged<'_>) -> Result<()>) -> Result<()> {
        match self.files.next() {
            None => {
                self.ended = true;
                take(Merged::Ended(self.kind))
            }
            Some(path) => {
                self.rows = Some(Rows::open(self.kind, &path, self.zone.clone())?);
                Ok(())
            }
        }
    }
}

/// Reads predictions and actuals in the merged order; of equal times, predictions come first.
///
/// # Errors
/// If a file cannot be read, or `take` fails.
pub(super) fn merged(
    predictions: Vec<PathBuf>,
    actuals: Vec<PathBuf>,
    zone: Option<&TimeZone>,
    take: &mut dyn FnMut(Merged<'_>) -> Result<()>,
) -> Result<()> {
    let mut left = Side::new(Kind::Predictions, predictions, zone.cloned());
    let mut right = Side::new(Kind::Actuals, actuals, zone.cloned());
    // Nothing comes before the first actual is seen: it is held back.
    right.run(Micros::MIN, take)?;
    loop {
        let until = if right.ended && right.held.is_none() { Micros::MAX } else { right.clock };
        left.run(until, take)?;
        if right.ended && right.held.is_none() {
            return Ok(());
        }
        let until = if left.ended && left.held.is_none() { Micros::MAX } else { left.clock - 1 };
        right.run(until, take)?;
    }
}

/// When a record came. A forecast issued after its own target time says nothing of when: believed, it would hold up all that follow it.
fn time_of(record: &Record<'_>) -> Micros {
    match record {
        Record::Prediction(prediction) if prediction.issued_at >= prediction.target_time => Micros::MIN,
        Record::Prediction(prediction) => prediction.issued_at.as_microsecond(),
        Record::Actual(actual) => actual.observed_at.as_microsecond(),
    }
}

/// The record with its own texts.
pub fn owned(record: Record<'_>) -> Record<'static> {
    use std::borrow::Cow;
    let text = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    match record {
        Record::Prediction(prediction) => Record::Prediction(shared::format::live::Prediction {
            model: text(prediction.model),
            version: text(prediction.version),
            series: text(prediction.series),
            issued_at: prediction.issued_at,
            target_time: prediction.target_time,
            horizon: prediction.horizon,
            y_hat: prediction.y_hat,
            interval: prediction.interval,
            level: prediction.level,
            segments: prediction.segments.into_iter().map(|(column, value)| (text(column), text(value))).collect(),
        }),
        Record::Actual(actual) => Record::Actual(shared::format::live::Actual {
            series: text(actual.series),
            target_time: actual.target_time,
            y: actual.y,
            observed_at: actual.observed_at,
            revision: actual.revision,
        }),
    }
}
