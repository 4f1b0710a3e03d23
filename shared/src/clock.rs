//! The time of day, for what has to say when it happened. Statistics never ask.

use jiff::Timestamp;

use crate::error::{Error, Result};

/// Now, or what `SOURCE_DATE_EPOCH` says it is.
///
/// # Errors
/// [`Error::Usage`] if the variable is no number of seconds.
pub fn now() -> Result<Timestamp> {
    at(Timestamp::now(), std::env::var("SOURCE_DATE_EPOCH").ok().as_deref())
}

/// The time that `epoch` states in seconds since 1970, else `now` to the second.
///
/// # Errors
/// [`Error::Usage`] if `epoch` is no number of seconds.
pub fn at(now: Timestamp, epoch: Option<&str>) -> Result<Timestamp> {
    let seconds = match epoch {
        None => Some(now.as_second()),
        Some(text) => text.trim().parse().ok(),
    };
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| {
        let found = format!("SOURCE_DATE_EPOCH={}", epoch.unwrap_or_default());
        Error::usage(found, "seconds since 1970-01-01T00:00:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_wins_and_must_be_a_number() {
        let now = Timestamp::from_second(5).unwrap();
        assert_eq!(at(now, None).unwrap(), now);
        assert_eq!(at(now, Some("0")).unwrap(), Timestamp::UNIX_EPOCH);
        assert!(at(now, Some("yesterday")).is_err());
    }
}
