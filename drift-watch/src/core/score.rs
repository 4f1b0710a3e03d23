//! Pairs as scores that series of every size share: 1 is a usual loss, 0 no bias.

use serde::{Deserialize, Serialize};

use super::pair::Pair;
use super::settings::Loss;

/// A loss beyond this many usual ones, or an error beyond this many usual sizes, counts as this much.
const MOST: f64 = 6.0;

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Score {
    /// Level of the loss, in multiples of the series' usual loss.
    Loss,
    /// Signed error, in multiples of the series' usual absolute error.
    Bias,
    /// Share of right directions.
    Direction,
    /// Share of actuals in their interval.
    Coverage,
}

impl Score {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Loss, Self::Bias, Self::Direction, Self::Coverage];

    /// Its place among all.
    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether it is a share of hits.
    pub fn is_share(self) -> bool {
        matches!(self, Self::Direction | Self::Coverage)
    }

    /// The metric, as alerts name it.
    pub fn metric(self, loss: Loss) -> &'static str {
        match self {
            Self::Loss => loss.name(),
            Self::Bias => "bias",
            Self::Direction => "da",
            Self::Coverage => "coverage",
        }
    }
}

/// How large the errors of a series usually are.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usual {
    /// Pairs that this was learned from.
    pub n: u32,
    /// Mean loss: percentage or absolute error.
    pub loss: f64,
    /// Mean absolute error.
    pub absolute_error: f64,
    /// Mean error.
    pub error: f64,
    /// Share of right directions; absent where none is known.
    pub direction: Option<f64>,
    /// Share of actuals in their interval; absent where there is none.
    pub coverage: Option<f64>,
}

/// The same in half the room: there may be a million.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PackedUsual {
    n: u32,
    /// Not a number where it is absent.
    means: [f32; 5],
}

impl From<Usual> for PackedUsual {
    #[expect(clippy::cast_possible_truncation, reason = "seven digits suffice for what is usual")]
    fn from(usual: Usual) -> Self {
        let shares = [usual.direction, usual.coverage].map(|share| share.unwrap_or(f64::NAN));
        let means = [usual.loss, usual.absolute_error, usual.error, shares[0], shares[1]].map(|mean| mean as f32);
        Self { n: usual.n, means }
    }
}

impl From<PackedUsual> for Usual {
    fn from(packed: PackedUsual) -> Self {
        let [loss, absolute_error, error, direction, coverage] = packed.means.map(f64::from);
        let [direction, coverage] = [direction, coverage].map(|share| Some(share).filter(|share| !share.is_nan()));
        Self { n: packed.n, loss, absolute_error, error, direction, coverage }
    }
}

/// The scores of a series at a step; the mean over its forecasts in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scores {
    sums: [f64; Score::ALL.len()],
    counts: [f64; Score::ALL.len()],
}

impl Scores {
    /// Adds a pair.
    pub fn add(&mut self, pair: &Pair, usual: &Usual, loss: Loss) {
        let raw = raw_loss(pair, loss);
        self.put(Score::Loss, raw.filter(|_| usual.loss > 0.0).map(|raw| (raw / usual.loss).min(MOST)));
        let size = usual.absolute_error;
        self.put(Score::Bias, (size > 0.0).then(|| (pair.error() / size).clamp(-MOST, MOST)));
        self.put(Score::Direction, pair.direction().map(share));
        self.put(Score::Coverage, pair.covered().map(share));
    }

    fn put(&mut self, score: Score, value: Option<f64>) {
        if let Some(value) = value {
            self.sums[score.index()] += value;
            self.counts[score.index()] += 1.0;
        }
    }

    /// The mean of a score.
    pub fn of(&self, score: Score) -> Option<f64> {
        let n = self.counts[score.index()];
        (n > 0.0).then(|| self.sums[score.index()] / n)
    }
}

/// The loss of a pair in its own unit.
pub fn raw_loss(pair: &Pair, loss: Loss) -> Option<f64> {
    match loss {
        Loss::Mape => pair.percentage_error(),
        Loss::Mae => Some(pair.error().abs()),
    }
}

/// A hit as a share of hits.
pub(super) fn share(hit: bool) -> f64 {
    f64::from(u8::from(hit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_packed_to_seven_digits() {
        let usual = Usual { n: 9, loss: 0.1, absolute_error: 4.0, error: -2.5, direction: None, coverage: Some(0.75) };
        let again = Usual::from(PackedUsual::from(usual));
        assert!((again.loss - 0.1).abs() < 1e-8);
        assert_eq!(Usual { loss: 0.1, ..again }, usual);
    }

    #[test]
    fn scores_are_multiples_of_what_is_usual() {
        let usual = Usual { n: 9, loss: 0.1, absolute_error: 4.0, error: 0.0, ..Usual::default() };
        let mut scores = Scores::default();
        scores.add(&Pair { y: 10.0, y_hat: 12.0, interval: Some((0.0, 9.0)), last: Some(9.0) }, &usual, Loss::Mape);
        assert_eq!(Score::ALL.map(|score| scores.of(score)), [Some(2.0), Some(0.5), Some(1.0), Some(0.0)]);
        scores.add(&Pair { y: 0.0, y_hat: 1e9, interval: None, last: None }, &usual, Loss::Mape);
        assert_eq!((scores.of(Score::Loss), scores.of(Score::Bias)), (Some(2.0), Some(3.25)));
    }
}
