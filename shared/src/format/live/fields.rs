//! The columns of a record, and the record that they make.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::value::Value;
use super::{Actual, BadRow, Fault, Kind, Parsed, Prediction, Record, number, time};

/// Most segment columns of a record.
const MOST_SEGMENTS: usize = 64;

const SEGMENT_PREFIX: &str = "segment.";

/// A column that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Model,
    Version,
    Series,
    IssuedAt,
    TargetTime,
    Horizon,
    YHat,
    Lo,
    Hi,
    Level,
    Y,
    ObservedAt,
    Revision,
}

const COLUMNS: usize = 13;

impl Column {
    /// The column of this name, where records of this kind have it.
    fn of(kind: Kind, name: &str) -> Option<Self> {
        Some(match (kind, name) {
            (_, "series") => Self::Series,
            (_, "target_time") => Self::TargetTime,
            (Kind::Predictions, "model") => Self::Model,
            (Kind::Predictions, "version") => Self::Version,
            (Kind::Predictions, "issued_at") => Self::IssuedAt,
            (Kind::Predictions, "horizon") => Self::Horizon,
            (Kind::Predictions, "y_hat") => Self::YHat,
            (Kind::Predictions, "lo") => Self::Lo,
            (Kind::Predictions, "hi") => Self::Hi,
            (Kind::Predictions, "level") => Self::Level,
            (Kind::Actuals, "y") => Self::Y,
            (Kind::Actuals, "observed_at") => Self::ObservedAt,
            (Kind::Actuals, "revision") => Self::Revision,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Version => "version",
            Self::Series => "series",
            Self::IssuedAt => "issued_at",
            Self::TargetTime => "target_time",
            Self::Horizon => "horizon",
            Self::YHat => "y_hat",
            Self::Lo => "lo",
            Self::Hi => "hi",
            Self::Level => "level",
            Self::Y => "y",
            Self::ObservedAt => "observed_at",
            Self::Revision => "revision",
        }
    }

    /// Those without which there is no record of this kind.
    pub(super) fn required(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Predictions => {
                &[Self::Model, Self::Version, Self::Series, Self::IssuedAt, Self::TargetTime, Self::YHat]
            }
            Kind::Actuals => &[Self::Series, Self::TargetTime, Self::Y, Self::ObservedAt],
        }
    }
}

/// Where a value goes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Slot<'a> {
    /// Into a column.
    Column(Column),
    /// Into the segment of this name.
    Segment(Cow<'a, str>),
    /// Nowhere: the column is not ours.
    Ignored,
}

impl<'a> Slot<'a> {
    /// Where the values of the column `name` go.
    pub(super) fn of(kind: Kind, name: Cow<'a, str>) -> Self {
        if let Some(column) = Column::of(kind, &name) {
            return Self::Column(column);
        }
        let is_segment =
            kind == Kind::Predictions && name.len() > SEGMENT_PREFIX.len() && name.starts_with(SEGMENT_PREFIX);
        match name {
            _ if !is_segment => Self::Ignored,
            Cow::Borrowed(name) => Self::Segment(Cow::Borrowed(&name[SEGMENT_PREFIX.len()..])),
            Cow::Owned(name) => Self::Segment(Cow::Owned(name[SEGMENT_PREFIX.len()..].to_owned())),
        }
    }
}

/// The values of a row.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    values: [Option<Value<'a>>; COLUMNS],
    segments: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Fields<'a> {
    /// Puts a value into its place.
    pub(super) fn put(&mut self, slot: Slot<'a>, value: Value<'a>) -> Result<(), BadRow> {
        match slot {
            Slot::Ignored => Ok(()),
            Slot::Segment(name) => self.put_segment(name, value),
            Slot::Column(column) => {
                let place = &mut self.values[column as usize];
                if place.is_some() {
                    return Err(BadRow::column(Fault::BadField, column.name(), "it is given twice", "one value"));
                }
                *place = Some(value);
                Ok(())
            }
        }
    }

    fn put_segment(&mut self, name: Cow<'a, str>, value: Value<'a>) -> Result<(), BadRow> {
        let refuse = |found: String, expected| {
            Err(BadRow::column(Fault::BadField, format!("{SEGMENT_PREFIX}{name}"), found, expected))
        };
        let text = match value {
            Value::Null => return Ok(()),
            Value::Text(text) if text.is_empty() => return Ok(()),
            Value::Text(text) => text,
            Value::Number(text) => Cow::Borrowed(text),
            Value::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Value::NotFinite(_) | Value::Nested(_) => return refuse(value.describe(), "a text"),
        };
        if self.segments.iter().any(|(known, _)| *known == name) {
            return refuse("it is given twice".to_owned(), "one value");
        }
        if self.segments.len() == MOST_SEGMENTS {
            return refuse("one segment column too many".to_owned(), "at most 64 of them");
        }
        self.segments.push((name, text));
        Ok(())
    }

    /// The record of these values.
    pub(super) fn assemble(mut self, kind: Kind, zone: Option<&TimeZone>) -> Result<Parsed<'a>, BadRow> {
        match kind {
            Kind::Predictions => self.prediction(zone),
            Kind::Actuals => self.actual(zone),
        }
    }

    fn prediction(&mut self, zone: Option<&TimeZone>) -> Result<Parsed<'a>, BadRow> {
        let (issued_at, issued_offset) = self.time(Column::IssuedAt, zone)?;
        let (target_time, target_offset) = self.time(Column::TargetTime, zone)?;
        let record = Prediction {
            model: self.name(Column::Model)?,
            version: self.name(Column::Version)?,
            series: self.name(Column::Series)?,
            issued_at,
            target_time,
            horizon: number::count(Column::Horizon.name(), self.take(Column::Horizon))?,
            y_hat: self.number(Column::YHat)?,
            interval: self.interval()?,
            level: self.level()?,
            segments: std::mem::take(&mut self.segments),
        };
        Ok(Parsed { record: Record::Prediction(record), offset_timestamp: issued_offset || target_offset })
    }

    fn actual(&mut self, zone: Option<&TimeZone>) -> Result<Parsed<'a>, BadRow> {
        let (target_time, target_offset) = self.time(Column::TargetTime, zone)?;
        let (observed_at, observed_offset) = self.time(Column::ObservedAt, zone)?;
        let series = self.name(Column::Series)?;
        let y = self
            .number(Column::Y)
            .map_err(|bad| BadRow { about: Some((series.clone().into_owned(), target_time)), ..bad })?;
        let record = Actual {
            series,
            target_time,
            y,
            observed_at,
            revision: number::count(Column::Revision.name(), self.take(Column::Revision))?,
        };
        Ok(Parsed { record: Record::Actual(record), offset_timestamp: target_offset || observed_offset })
    }

    fn take(&mut self, column: Column) -> Option<Value<'a>> {
        self.values[column as usize].take()
    }

    fn required(&mut self, column: Column, expected: &'static str) -> Result<Value<'a>, BadRow> {
        self.take(column).ok_or_else(|| BadRow::column(Fault::BadField, column.name(), "it is missing", expected))
    }

    /// A text, or a whole number as a text. A fraction may be a text that lost its quotes or a whole number that passed
    /// through a table, so it is refused.
    fn name(&mut self, column: Column) -> Result<Cow<'a, str>, BadRow> {
        const EXPECTED: &str = "a text in quotes, or a whole number";
        match self.required(column, EXPECTED)? {
            Value::Text(text) if !text.trim().is_empty() => Ok(text),
            Value::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Cow::Borrowed(text)),
            value => Err(BadRow::column(Fault::BadField, column.name(), value.describe(), EXPECTED)),
        }
    }

    fn number(&mut self, column: Column) -> Result<f64, BadRow> {
        number::finite(column.name(), &self.required(column, "a finite number")?)
    }

    fn time(&mut self, column: Column, zone: Option<&TimeZone>) -> Result<(Timestamp, bool), BadRow> {
        const EXPECTED: &str = "a time as text in RFC 3339";
        let refuse = |fault, found| Err(BadRow::column(fault, column.name(), found, EXPECTED));
        match self.required(column, EXPECTED)? {
            Value::Text(text) => time::parse(&text, zone)
                .map_err(|(found, expected)| BadRow::column(Fault::BadTime, column.name(), found, expected)),
            Value::Null => refuse(Fault::BadField, "it is missing".to_owned()),
            value => refuse(Fault::BadTime, format!("{} is not a time", value.describe())),
        }
    }

    fn interval(&mut self) -> Result<Option<(f64, f64)>, BadRow> {
        let refuse = |column: Column, found: String, expected: &'static str| {
            Err(BadRow::column(Fault::BadField, column.name(), found, expected))
        };
        let lo = number::optional(Column::Lo.name(), self.take(Column::Lo))?;
        let hi = number::optional(Column::Hi.name(), self.take(Column::Hi))?;
        match (lo, hi) {
            (Some(lo), Some(hi)) if lo <= hi => Ok(Some((lo, hi))),
            (Some(lo), Some(hi)) => refuse(Column::Lo, format!("{lo} is above hi, which is {hi}"), "lo at or below hi"),
            (None, None) => Ok(None),
            (Some(_), None) => refuse(Column::Hi, "it is missing beside lo".to_owned(), "both or neither"),
            (None, Some(_)) => refuse(Column::Lo, "it is missing beside hi".to_owned(), "both or neither"),
        }
    }

    /// A level of 0.9 is taken for a proportion and refused: as percent it would be a level that nobody means.
    fn level(&mut self) -> Result<Option<f64>, BadRow> {
        let name = Column::Level.name();
        match number::optional(name, self.take(Column::Level))? {
            Some(level) if level <= 1.0 || level >= 100.0 => {
                let expected = "percent between 1 and 100, such as 90";
                Err(BadRow::column(Fault::BadField, name, level.to_string(), expected))
            }
            level => Ok(level),
        }
    }
}
