//! Times as numbers.

use jiff::Timestamp;

/// Microseconds since 1970.
pub type Micros = i64;

/// Microseconds of a second.
pub const SECOND: Micros = 1_000_000;

/// Microseconds of a day.
pub const DAY: Micros = 86_400 * SECOND;

/// The time of a number; the last one there is where the number is too large.
pub fn timestamp(micros: Micros) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// As JSON and pages print it.
pub fn text(micros: Micros) -> String {
    timestamp(micros).to_string()
}

/// A length of time, for a person: `36h`, `5d`.
pub fn span_text(micros: Micros) -> String {
    let seconds = micros as f64 / SECOND as f64;
    let units = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "m")];
    let unit = units.into_iter().find(|(length, _)| seconds.abs() >= *length);
    let (length, name) = unit.unwrap_or((1.0, "s"));
    let value = seconds / length;
    if (value - value.round()).abs() < 0.05 { format!("{value:.0}{name}") } else { format!("{value:.1}{name}") }
}
