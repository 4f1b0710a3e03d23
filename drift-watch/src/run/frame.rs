//! What the journal holds: rows as they were taken in, with the read positions after them; and what they do to the engine.
//!
//! The engine takes rows from a frame both when they are new and when they are read again after a crash, so that it cannot tell one from
//! the other.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::error::{Error, Place, Result};
use shared::format::live::{Actual, BadRow, Fault, Kind, Parsed, Prediction, Record};

use crate::core::engine::Engine;
use crate::core::external::External;
use crate::core::feeds::Live;
use crate::core::time::{Micros, timestamp};
use crate::source::Positions;

/// Which source rows came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Origin {
    /// The files of one kind.
    Files(Kind),
    /// HTTP, standard input.
    Pushed(Kind),
    /// The wall clock.
    Clock(Micros),
    /// `MLflow`.
    Tracking,
}

/// A row, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Row<'a> {
    Prediction {
        model: &'a str,
        version: &'a str,
        series: &'a str,
        issued: Micros,
        target: Micros,
        horizon: Option<u32>,
        y_hat: f64,
        interval: Option<(f64, f64)>,
        level: Option<f64>,
        segments: Vec<(&'a str, &'a str)>,
        offset: bool,
    },
    Actual {
        series: &'a str,
        target: Micros,
        y: f64,
        observed: Micros,
        revision: Option<u32>,
        offset: bool,
    },
    Bad {
        kind: Kind,
        fault: Fault,
        about: Option<(&'a str, Micros)>,
    },
    External {
        name: &'a str,
        value: External,
    },
}

/// What stands before the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Where the rows came from.
    pub origin: Origin,
    /// How many there are.
    pub rows: u64,
    /// Positions of the files after them.
    pub positions: Option<Positions>,
}

/// Rows that are gathered for a frame.
#[derive(Debug, Default)]
pub struct Gathered {
    bytes: Vec<u8>,
    rows: u64,
    /// The newest time of a record among them.
    pub clock: Option<Micros>,
    /// Rows that are records.
    pub records: u64,
    /// Rows that are none.
    pub bad: u64,
}

impl Gathered {
    /// Adds what a row says.
    pub fn add(&mut self, kind: Kind, parsed: &std::result::Result<Parsed<'_>, BadRow>) {
        match parsed {
            Ok(parsed) => self.record(&parsed.record, parsed.offset_timestamp),
            Err(bad) => {
                let about = bad.about.as_ref().map(|(series, target)| (series.as_str(), target.as_microsecond()));
                self.bad += 1;
                self.put(&Row::Bad { kind, fault: bad.fault, about });
            }
        }
    }

    fn record(&mut self, record: &Record<'_>, offset: bool) {
        self.records += 1;
        match record {
            Record::Prediction(p) => {
                let (issued, target) = (p.issued_at.as_microsecond(), p.target_time.as_microsecond());
                if issued < target {
                    self.clock = self.clock.max(Some(issued));
                }
                self.put(&Row::Prediction {
                    model: &p.model,
                    version: &p.version,
                    series: &p.series,
                    issued,
                    target,
                    horizon: p.horizon,
                    y_hat: p.y_hat,
                    interval: p.interval,
                    level: p.level,
                    segments: p.segments.iter().map(|(column, value)| (column.as_ref(), value.as_ref())).collect(),
                    offset,
                });
            }
            Record::Actual(a) => {
                let observed = a.observed_at.as_microsecond();
                self.clock = self.clock.max(Some(observed));
                let target = a.target_time.as_microsecond();
                self.put(&Row::Actual { series: &a.series, target, y: a.y, observed, revision: a.revision, offset });
            }
        }
    }

    /// Adds a value from elsewhere.
    pub fn external(&mut self, name: &str, value: External) {
        self.put(&Row::External { name, value });
    }

    fn put(&mut self, row: &Row<'_>) {
        // Writing to memory does not fail, and a row that could not be written would only be left out.
        if let Ok(bytes) = postcard::to_extend(row, std::mem::take(&mut self.bytes)) {
            self.bytes = bytes;
            self.rows += 1;
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The frame.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn frame(self, origin: Origin, positions: Option<Positions>) -> Result<Vec<u8>> {
        let head = Head { origin, rows: self.rows, positions };
        let mut bytes = postcard::to_stdvec(&head).map_err(|error| unwritable(&error))?;
        bytes.extend_from_slice(&self.bytes);
        Ok(bytes)
    }
}

/// Gives the rows of a frame to the engine; its head.
///
/// # Errors
/// If the frame is not one of ours.
pub fn apply(frame: &[u8], engine: &mut Engine) -> Result<Head> {
    let (head, mut rest): (Head, &[u8]) = postcard::take_from_bytes(frame).map_err(|error| unreadable(&error))?;
    for _ in 0..head.rows {
        let (row, after): (Row<'_>, &[u8]) = postcard::take_from_bytes(rest).map_err(|error| unreadable(&error))?;
        rest = after;
        give(row, engine);
    }
    if let Origin::Clock(wall) = head.origin {
        engine.tick(wall, Live { predictions: true, actuals: true });
    }
    Ok(head)
}

fn give(row: Row<'_>, engine: &mut Engine) {
    match row {
        Row::Prediction {
            model,
            version,
            series,
            issued,
            target,
            horizon,
            y_hat,
            interval,
            level,
            segments,
            offset,
        } => {
            note_offset(offset, engine);
            engine.prediction(&Prediction {
                model: model.into(),
                version: version.into(),
                series: series.into(),
                issued_at: time(issued),
                target_time: time(target),
                horizon,
                y_hat,
                interval,
                level,
                segments: segments.into_iter().map(|(column, value)| (column.into(), value.into())).collect(),
            });
        }
        Row::Actual { series, target, y, observed, revision, offset } => {
            note_offset(offset, engine);
            let (target_time, observed_at) = (time(target), time(observed));
            engine.actual(&Actual { series: series.into(), target_time, y, observed_at, revision });
        }
        Row::Bad { kind, fault, about } => engine.bad_row(kind, fault, about),
        Row::External { name, value } => engine.external(name, value),
    }
}

fn note_offset(offset: bool, engine: &mut Engine) {
    if offset {
        engine.offset_time();
    }
}

fn time(micros: Micros) -> Timestamp {
    timestamp(micros)
}

fn unwritable(error: &postcard::Error) -> Error {
    Error::Environment { what: format!("a frame of the journal cannot be written: {error}"), help: None }
}

fn unreadable(error: &postcard::Error) -> Error {
    let found = format!("a frame that this version does not understand: {error}");
    Error::input(Place::file("journal"), found, "frames of this version of drift-watch")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shared::format::live::parse_json;

    use super::*;
    use crate::core::settings::Settings;

    #[test]
    fn rows_do_the_same_through_a_frame() {
        let prediction = br#"{"model":"m","version":"1","series":"a","issued_at":"2024-01-01T00:00:00Z","target_time":"2024-01-02T00:00:00Z","horizon":1,"y_hat":5.5,"lo":1,"hi":9}"#;
        let actual =
            br#"{"series":"a","target_time":"2024-01-02T00:00:00Z","y":5,"observed_at":"2024-01-02T02:00:00+01:00"}"#;
        let mut gathered = Gathered::default();
        gathered.add(Kind::Predictions, &parse_json(Kind::Predictions, prediction, None));
        gathered.add(Kind::Actuals, &parse_json(Kind::Actuals, actual, None));
        gathered.add(Kind::Actuals, &parse_json(Kind::Actuals, b"{", None));
        assert_eq!((gathered.records, gathered.bad), (2, 1));
        let frame = gathered.frame(Origin::Pushed(Kind::Actuals), None).unwrap();
        let mut engine = Engine::new(Settings::default(), BTreeMap::new());
        assert_eq!(apply(&frame, &mut engine).unwrap().rows, 3);
        assert_eq!(
            (engine.boards[0].n_closed, engine.faults()["offset_timestamp"], engine.faults()["broken_line"]),
            (1, 1, 1)
        );
        assert!(apply(&frame[..frame.len() - 1], &mut engine).is_err());
    }
}
