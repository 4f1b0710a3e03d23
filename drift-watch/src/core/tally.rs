//! The sums of a group of pairs, from which every metric follows.

use serde::{Deserialize, Serialize};
use shared::format::sufficient::Measure;
use shared::metric::{Metric, Totals};

use super::exact::Sum;
use super::pair::Pair;

/// A sum and how many terms it has.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Counted {
    n: u64,
    sum: Sum,
}

impl Counted {
    fn add(&mut self, term: Option<f64>) {
        if let Some(term) = term {
            self.n += 1;
            self.sum.add(term);
        }
    }

    /// Takes a term away; whether what is left has lost digits by it.
    fn remove(&mut self, term: Option<f64>) -> bool {
        let Some(term) = term else { return false };
        self.n = self.n.saturating_sub(1);
        if self.n == 0 {
            self.sum = Sum::default();
            return false;
        }
        self.sum.remove(term);
        term.abs() * BLUR > self.sum.value().abs()
    }

    fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.sum.merge(other.sum);
    }
}

/// How many measures a tally has.
const WIDTH: usize = 11;

/// The places of hits, whose sums are whole numbers and lose nothing.
const HITS: std::ops::Range<usize> = 7..10;

/// A sum keeps about 106 bits of its largest term: one that has shrunk to below this part of a term that is taken away has lost some of the
/// 53 that it is read with.
const BLUR: f64 = 1e-14;

/// The sums of a group of pairs. Pairs can be taken out again; order does not show ([`Sum`]).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Pairs.
    pub rows: u64,
    sums: [Counted; WIDTH],
}

impl Tally {
    /// Adds a pair. `scale` is the series' mean absolute seasonal difference, `level_percent` the level of intervals.
    pub fn add(&mut self, pair: &Pair, scale: Option<f64>, level_percent: f64) {
        self.rows += 1;
        let terms = terms(pair, scale, level_percent);
        self.sums.iter_mut().zip(terms).for_each(|(sum, term)| sum.add(term));
    }

    /// Takes a pair out again; whether it was so large that what is left has lost digits and is better counted anew.
    pub fn remove(&mut self, pair: &Pair, scale: Option<f64>, level_percent: f64) -> bool {
        self.rows = self.rows.saturating_sub(1);
        let terms = terms(pair, scale, level_percent);
        let mut blurred = false;
        for (place, (sum, term)) in self.sums.iter_mut().zip(terms).enumerate() {
            blurred |= sum.remove(term) && !HITS.contains(&place);
        }
        blurred
    }

    /// Adds the pairs of another group.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.sums.iter_mut().zip(other.sums).for_each(|(sum, other)| sum.merge(other));
    }

    /// The value of a metric and how many rows define it; absent where none does.
    pub fn metric(&self, metric: Metric, level_percent: f64) -> (Option<f64>, u64) {
        let totals = self.totals(level_percent);
        let level = Some(level_percent);
        let n = totals.of(metric.form(level).numerator).map_or(0, |(_, n)| n);
        (metric.value(&totals, level), n)
    }

    fn totals(&self, level: f64) -> Totals {
        let sums = measures(level).into_iter().zip(self.sums);
        Totals::new(self.rows, sums.map(|(measure, counted)| (measure, counted.sum.value(), counted.n)).collect())
    }
}

/// What each place of a tally sums.
fn measures(level: f64) -> [Measure; WIDTH] {
    [
        Measure::AbsoluteError,
        Measure::SquaredError,
        Measure::Error,
        Measure::AbsoluteActual,
        Measure::AbsolutePercentageError,
        Measure::SymmetricPercentageError,
        Measure::AbsoluteScaledError,
        Measure::DirectionHit,
        Measure::DirectionTie,
        Measure::IntervalHit { level },
        Measure::IntervalPinball { level },
    ]
}

/// The terms of a pair, in the order of [`measures`].
fn terms(pair: &Pair, scale: Option<f64>, level: f64) -> [Option<f64>; WIDTH] {
    let error = pair.error();
    let size = pair.y.abs() + pair.y_hat.abs();
    let hit = |known: Option<bool>| known.map(|hit| f64::from(u8::from(hit)));
    [
        Some(error.abs()),
        Some(error * error),
        Some(error),
        Some(pair.y.abs()),
        pair.percentage_error(),
        Some(if size == 0.0 { 0.0 } else { 2.0 * error.abs() / size }),
        scale.filter(|scale| *scale > 0.0).map(|scale| error.abs() / scale),
        hit(pair.direction()),
        hit(pair.tie()),
        hit(pair.covered()),
        pair.pinball(level),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_two_pairs_by_hand() {
        let mut tally = Tally::default();
        let first = Pair { y: 10.0, y_hat: 12.0, interval: Some((8.0, 13.0)), last: Some(9.0) };
        let second = Pair { y: 20.0, y_hat: 17.0, interval: Some((21.0, 30.0)), last: Some(18.0) };
        tally.add(&first, Some(2.0), 90.0);
        tally.add(&second, Some(2.0), 90.0);
        let value = |metric| tally.metric(metric, 90.0).0.unwrap();
        assert!((value(Metric::Mape) - 0.175).abs() < 1e-15);
        assert!((value(Metric::Wape) - 5.0 / 30.0).abs() < 1e-15);
        assert!((value(Metric::Mase) - 1.25).abs() < 1e-15);
        assert!((value(Metric::Bias) + 1.0 / 30.0).abs() < 1e-15);
        assert!((value(Metric::Rmse) - 6.5_f64.sqrt()).abs() < 1e-15);
        assert_eq!((value(Metric::Da), value(Metric::Coverage)), (0.5, 0.5));
        tally.remove(&first, Some(2.0), 90.0);
        assert!((tally.metric(Metric::Mape, 90.0).0.unwrap() - 0.15).abs() < 1e-15);
    }
}
