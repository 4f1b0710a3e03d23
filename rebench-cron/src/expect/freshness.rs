//! Whether there is anything new to measure on. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::data::DataState;
use crate::job::ExpectKeys;

/// What the data are to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "data")]
pub enum Fresh {
    /// There are new ones, or none were asked for.
    Fresh,
    /// They are those of the run before: no new sample.
    Unchanged,
    /// The newest row is older than it may be.
    TooOld {
        /// Its time.
        newest: Timestamp,
        /// The oldest that would do.
        limit: Timestamp,
    },
    /// No file, or no row.
    Missing,
}

impl Fresh {
    /// Whether a run has something to measure on.
    pub fn is_sample(self) -> bool {
        self == Self::Fresh
    }

    /// The sentence that says what is wrong, if something is.
    pub fn sentence(self) -> Option<String> {
        match self {
            Self::Fresh => None,
            Self::Unchanged => Some("no new data: the files are those of the run before".to_owned()),
            Self::TooOld { newest, limit } => {
                Some(format!("old data: the newest row is of {newest:.0}, older than {limit:.0}"))
            }
            Self::Missing => {
                Some("no data: there is no file, or no row, where the patterns of expect.data look".to_owned())
            }
        }
    }
}

/// Judges the data of a run that begins `now`; `before` are those of the last run that was judged.
pub fn freshness(keys: &ExpectKeys, state: &DataState, before: Option<&DataState>, now: Timestamp) -> Fresh {
    if keys.data.is_empty() {
        return Fresh::Fresh;
    }
    if state.files == 0 || (keys.data_time.is_some() && state.newest.is_none()) {
        return Fresh::Missing;
    }
    if let Some((newest, limit)) = state.newest.zip(keys.data_age.and_then(|age| oldest(now, age)))
        && newest < limit
    {
        return Fresh::TooOld { newest, limit };
    }
    match before {
        Some(before) if before.sha256 == state.sha256 && !keys.without_new_data => Fresh::Unchanged,
        _ => Fresh::Fresh,
    }
}

/// Nothing where the age is longer than all time.
fn oldest(now: Timestamp, age: Duration) -> Option<Timestamp> {
    now.checked_sub(age).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(sha256: &str, newest: Option<&str>) -> DataState {
        let newest = newest.map(|time| time.parse().unwrap());
        DataState { sha256: sha256.to_owned(), files: 1, bytes: 9, rows: 1, newest }
    }

    fn keys() -> ExpectKeys {
        ExpectKeys { data: vec!["*.csv".into()], ..ExpectKeys::default() }
    }

    #[test]
    fn the_same_bytes_are_no_new_sample() {
        let (now, old, new) = (Timestamp::UNIX_EPOCH, state("a", None), state("b", None));
        assert_eq!(freshness(&keys(), &old, Some(&old), now), Fresh::Unchanged);
        assert_eq!(freshness(&keys(), &new, Some(&old), now), Fresh::Fresh);
        assert_eq!(freshness(&keys(), &old, None, now), Fresh::Fresh);
        let anyway = ExpectKeys { without_new_data: true, ..keys() };
        assert_eq!(freshness(&anyway, &old, Some(&old), now), Fresh::Fresh);
    }

    #[test]
    fn rows_may_be_as_old_as_stated_and_no_older() {
        let now = "2026-01-08T00:00:00Z".parse().unwrap();
        let data_age = Some(Duration::from_hours(48));
        let keys = ExpectKeys { data_time: Some("ds".into()), data_age, ..keys() };
        let found = |newest| freshness(&keys, &state("a", newest), None, now);
        assert_eq!(found(Some("2026-01-06T00:00:00Z")), Fresh::Fresh);
        assert!(matches!(found(Some("2026-01-05T23:59:59Z")), Fresh::TooOld { .. }));
        assert_eq!(found(None), Fresh::Missing);
        assert_eq!(freshness(&keys, &DataState { files: 0, ..state("a", None) }, None, now), Fresh::Missing);
    }
}
