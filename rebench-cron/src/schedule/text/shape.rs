//! What may stand in each field of a cron expression.

use crate::schedule::calendar::Field;
use crate::schedule::dialect::Dialect;
use crate::schedule::fault::{Parsed, Piece, Wrong};
use shared::suggest;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A field: its name, its values, their names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) field: Field,
    /// As in "61 in the minutes".
    pub(super) name: &'static str,
    pub(super) low: u8,
    pub(super) high: u8,
    /// Names of the values, from [`Shape::first_name`].
    names: &'static [&'static str],
    first_name: u8,
}

const fn numbers(field: Field, name: &'static str, low: u8, high: u8) -> Shape {
    Shape { field, name, low, high, names: &[], first_name: 0 }
}

const SECONDS: Shape = numbers(Field::Second, "seconds", 0, 59);
const MINUTES: Shape = numbers(Field::Minute, "minutes", 0, 59);
const HOURS: Shape = numbers(Field::Hour, "hours", 0, 23);
const DAYS: Shape = numbers(Field::Day, "days of the month", 1, 31);
const MONTH: Shape = Shape { field: Field::Month, name: "months", low: 1, high: 12, names: &MONTHS, first_name: 1 };
const WEEKDAY: Shape =
    Shape { field: Field::Weekday, name: "weekdays", low: 0, high: 7, names: &WEEKDAYS, first_name: 0 };
/// Sunday is 1.
const WEEKDAY_FROM_1: Shape = Shape { low: 1, first_name: 1, ..WEEKDAY };

/// The fields of a dialect, in order, without the year.
pub(super) fn shapes(dialect: Dialect) -> &'static [Shape] {
    match dialect {
        Dialect::Cron => &[MINUTES, HOURS, DAYS, MONTH, WEEKDAY],
        Dialect::Quartz => &[SECONDS, MINUTES, HOURS, DAYS, MONTH, WEEKDAY_FROM_1],
        Dialect::CronSeconds | Dialect::OnCalendar => &[SECONDS, MINUTES, HOURS, DAYS, MONTH, WEEKDAY],
    }
}

impl Shape {
    /// A value of the field: a number or a name.
    pub(super) fn value(&self, piece: Piece<'_>) -> Parsed<u8> {
        let bytes = piece.text.as_bytes();
        match bytes.first() {
            Some(b'0'..=b'9') => self.number(piece),
            Some(_) => self.named(piece),
            None => Err(Wrong::at(piece.offset, "nothing", self.values())),
        }
    }

    fn number(&self, piece: Piece<'_>) -> Parsed<u8> {
        let number = number(piece).ok_or_else(|| self.bad(piece))?;
        match u8::try_from(number) {
            Ok(value) if (self.low..=self.high).contains(&value) => Ok(value),
            _ => Err(self.bad(piece)),
        }
    }

    fn named(&self, piece: Piece<'_>) -> Parsed<u8> {
        let place = self.names.iter().position(|name| name.eq_ignore_ascii_case(piece.text));
        let value = place.and_then(|place| u8::try_from(place).ok()).map(|place| place + self.first_name);
        value.ok_or_else(|| self.bad(piece))
    }

    /// The error for what is no value.
    pub(super) fn bad(&self, piece: Piece<'_>) -> Wrong {
        let wrong = Wrong::at(piece.offset, format!("{:?} in the {}", piece.text, self.name), self.values());
        match self.suggestion(piece.text) {
            Some(hint) => wrong.hint(hint),
            None => wrong,
        }
    }

    fn suggestion(&self, text: &str) -> Option<String> {
        if self.field == Field::Weekday && text.starts_with('+') {
            return Some("a day that must match both fields: --dialect oncalendar 'Mon *-*-01'".to_owned());
        }
        // Full names, and names with a letter wrong.
        let start: String = text.chars().take(3).collect();
        if start.len() != 3 || !start.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        nearest(&start, self.names).map(|name| format!("did you mean {name}?"))
    }

    /// What may stand in the field.
    pub(super) fn values(&self) -> String {
        let Self { low, high, .. } = self;
        match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => format!("{low} to {high} or {first} to {last}"),
            _ => format!("{low} to {high}"),
        }
    }
}

/// The name that was meant: letters swapped, or one of them wrong.
pub(super) fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let swapped = names.iter().copied().find(|name| letters(name) == letters(word));
    swapped.or_else(|| suggest::nearest(word, names.iter().copied()))
}

/// The letters of a word in the order of the alphabet.
fn letters(word: &str) -> Vec<u8> {
    let mut letters: Vec<u8> = word.bytes().map(|byte| byte.to_ascii_uppercase()).collect();
    letters.sort_unstable();
    letters
}

/// Digits and nothing else; what is too long is as good as too large.
pub(super) fn number(piece: Piece<'_>) -> Option<u32> {
    let bytes = piece.text.as_bytes();
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u32, |sum, byte| match byte {
        b'0'..=b'9' => Some(sum.saturating_mul(10).saturating_add(u32::from(byte - b'0'))),
        _ => None,
    })
}
