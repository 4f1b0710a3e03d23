//! Which series have a forecast for a step: of a million, mostly all.

use serde::{Deserialize, Serialize};

/// Series, as runs of numbers that follow each other, in the order in which they came; one may be there more than once until they are
/// tidied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Members {
    /// First number, and the one after the last.
    runs: Vec<(u32, u32)>,
}

impl Members {
    /// Adds a series.
    pub fn add(&mut self, series: u32) {
        match self.runs.last_mut() {
            Some((first, end)) if (*first..*end).contains(&series) => {}
            Some((_, end)) if *end == series => *end = series.saturating_add(1),
            _ => self.runs.push((series, series.saturating_add(1))),
        }
    }

    /// Puts them in order, each once.
    pub fn tidy(&mut self) {
        self.runs.sort_unstable();
        self.runs.dedup_by(|next, run| {
            let follows = next.0 <= run.1;
            if follows {
                run.1 = run.1.max(next.1);
            }
            follows
        });
        self.runs.shrink_to_fit();
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'_> {
        self.runs.iter().flat_map(|&(first, end)| first..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_put_together() {
        let mut members = Members::default();
        [5, 6, 6, 5, 1, 2, 9, 3, 4, 5].into_iter().for_each(|series| members.add(series));
        members.tidy();
        assert_eq!(members.iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 9]);
        assert_eq!(members.runs, [(1, 7), (9, 10)]);
    }
}
