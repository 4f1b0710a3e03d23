//! The training table: what was known of each series at each cutoff.

use std::collections::HashMap;
use std::path::Path;

use shared::{Error, Place, Result};

use super::measure::{Anchor, Scale};
use super::row::{Problems, Sink, Stretch};
use super::time::{self, Kind};

/// The history of one series, in time order, with running sums of its seasonal differences.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    times: Vec<i64>,
    actuals: Vec<f64>,
    differences: Vec<Differences>,
}

/// Seasonal differences up to a row: how many, their absolute sum, their sum of squares.
#[derive(Debug, Clone, Copy, Default)]
struct Differences {
    count: f64,
    absolute: f64,
    squared: f64,
}

impl Differences {
    fn and(mut self, difference: f64) -> Self {
        if difference.is_finite() {
            self.count += 1.0;
            self.absolute += difference.abs();
            self.squared += difference * difference;
        }
        self
    }
}

impl History {
    /// `y` lags by rows: a row whose actual is missing keeps its place, and the differences that need it are left out.
    fn new(mut rows: Vec<(i64, f64)>, season: usize) -> Result<Self, i64> {
        rows.sort_by_key(|(time, _)| *time);
        if let Some(twice) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(twice[0].0);
        }
        let (times, actuals): (Vec<i64>, Vec<f64>) = rows.into_iter().unzip();
        let mut sum = Differences::default();
        let running = |row: usize| {
            if let Some(before) = row.checked_sub(season) {
                sum = sum.and(actuals[row] - actuals[before]);
            }
            sum
        };
        let differences = (0..actuals.len()).map(running).collect();
        Ok(Self { times, actuals, differences })
    }

    /// The scale up to and including the cutoff, and the actual at it.
    ///
    /// `scale = mean |y_t - y_(t-m)|` (Hyndman and Koehler 2006, eq. 2, with the seasonal lag of their section 3) and
    /// `mean (y_t - y_(t-m))^2` (Makridakis, Spiliotis and Assimakopoulos 2022, RMSSE). None where no difference is known or
    /// all are 0.
    pub(super) fn anchor(&self, cutoff: i64) -> Anchor {
        let known = self.times.partition_point(|time| *time <= cutoff);
        let Some(row) = known.checked_sub(1) else { return Anchor::default() };
        let sums = self.differences[row];
        let scale = Scale { absolute: sums.absolute / sums.count, squared: sums.squared / sums.count };
        let is_usable = sums.count > 0.0 && scale.absolute > 0.0 && scale.squared > 0.0 && scale.squared.is_finite();
        let last = (self.times[row] == cutoff && self.actuals[row].is_finite()).then_some(self.actuals[row]);
        Anchor { scale: is_usable.then_some(scale), last }
    }

    /// The actual at a time.
    pub(super) fn actual(&self, time: i64) -> Option<f64> {
        let row = self.times.binary_search(&time).ok()?;
        Some(self.actuals[row]).filter(|actual| actual.is_finite())
    }
}

/// All series of a training table.
#[derive(Debug, Clone, Default)]
pub(super) struct Train {
    series: HashMap<Vec<u8>, History>,
}

impl Train {
    pub(super) fn history(&self, id: &[u8]) -> Option<&History> {
        self.series.get(id)
    }

    /// First and last time.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        let first = self.series.values().filter_map(|history| history.times.first()).min()?;
        let last = self.series.values().filter_map(|history| history.times.last()).max()?;
        Some((*first, *last))
    }
}

/// The rows of a block of a training table, by series.
#[derive(Debug, Clone, Default)]
pub(super) struct TrainRows {
    series: HashMap<Vec<u8>, Vec<(i64, f64)>>,
}

impl TrainRows {
    /// Takes the rows of another block.
    pub(super) fn append(&mut self, later: Self) {
        for (id, mut rows) in later.series {
            self.series.entry(id).or_default().append(&mut rows);
        }
    }

    /// Sorts the rows and sums up their differences at the lag `season`.
    ///
    /// # Errors
    /// If a time is there twice.
    pub(super) fn finish(self, season: usize, path: &Path, kind: Kind) -> Result<Train> {
        let mut named: Vec<_> = self.series.into_iter().collect();
        named.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        let summed = named.into_iter().map(|(id, rows)| match History::new(rows, season) {
            Ok(history) => Ok((id, history)),
            Err(time) => Err(twice(&id, time, path, kind)),
        });
        Ok(Train { series: summed.collect::<Result<_>>()? })
    }
}

fn twice(id: &[u8], time: i64, path: &Path, kind: Kind) -> Error {
    let (id, time) = (String::from_utf8_lossy(id), time::print(time, kind, true));
    Error::input(Place::file(path), format!("series {id:?} has {time} twice"), "one actual for each time")
}

impl Sink for TrainRows {
    fn stretch(&mut self, stretch: &Stretch<'_>, _: &mut Problems) {
        if !self.series.contains_key(stretch.id) {
            self.series.insert(stretch.id.to_vec(), Vec::new());
        }
        if let Some(rows) = self.series.get_mut(stretch.id) {
            rows.extend(stretch.ds.iter().copied().zip(stretch.column(0).iter().copied()));
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sums of small whole numbers are exact")]
mod tests {
    use super::*;

    fn history(actuals: &[f64], season: usize) -> History {
        let rows: Vec<(i64, f64)> = (0..).zip(actuals.iter().copied()).collect();
        History::new(rows.into_iter().rev().collect(), season).unwrap()
    }

    #[test]
    fn the_scale_ends_at_the_cutoff_and_lags_by_the_season() {
        // modelbenchmark_behaviour.json: MASE of [18, 28, 38] against [17, 29, 37] is 0.0820895… (m = 1), 0.078125 (m = 2), 0.5 (m = 3).
        let train = [10.0, 20.0, 30.0, 12.0, 22.0, 32.0, 14.0, 24.0, 34.0, 16.0, 26.0, 36.0];
        let scale = |season| history(&train, season).anchor(11).scale.unwrap().absolute;
        assert_eq!(1.0 / scale(3), 0.5);
        assert_eq!(history(&train, 3).anchor(2).scale, None);
        assert_eq!(history(&train, 1).anchor(1).scale, Some(Scale { absolute: 10.0, squared: 100.0 }));
    }

    #[test]
    fn unknown_is_not_guessed() {
        let gap = history(&[1.0, f64::NAN, 5.0, 6.0], 1);
        assert_eq!(gap.anchor(1).last, None);
        assert_eq!(gap.anchor(3), Anchor { scale: Some(Scale { absolute: 1.0, squared: 1.0 }), last: Some(6.0) });
        assert_eq!(gap.anchor(9).last, None);
        assert_eq!(history(&[5.0, 5.0, 5.0], 1).anchor(2).scale, None);
        assert_eq!(history(&[5.0], 1).anchor(-1), Anchor::default());
    }
}
