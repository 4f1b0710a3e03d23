//! Lengths of time as flags have them, in the unit of the times of data.

use std::time::Duration;

use shared::span;

use crate::core::time::Micros;

/// Reads a length of time, as [`span::parse`] does; what is below a microsecond is dropped.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Micros, String> {
    span::parse(text).map(micros)
}

fn micros(length: Duration) -> Micros {
    Micros::try_from(length.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::{DAY, SECOND};

    #[test]
    fn lengths_are_read() {
        assert_eq!(
            (parse("40d"), parse("36h"), parse("1d12h"), parse("0s")),
            (Ok(40 * DAY), Ok(36 * 3600 * SECOND), Ok(36 * 3600 * SECOND), Ok(0))
        );
        assert_eq!((parse("1500ns"), parse("never")), (Ok(1), Ok(Micros::MAX / 8)));
        assert!(["", "d", "3 months", "-2d", "1y", "abc"].iter().all(|text| parse(text).is_err()));
    }
}
