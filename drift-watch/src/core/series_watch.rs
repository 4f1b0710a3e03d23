//! A single series, watched: the same detectors as a model has, packed, since there may be a million.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::by_series::BySeries;
use super::detector::BETS;
use super::detector::evidence::{Evidence, mean};
use super::detector::hits::HitRate;
use super::detector::reference::{Reference, Side, TwoSided};
use super::family::WATCHES;
use super::score::{PackedUsual, Score, Scores, Usual};

/// A series with fewer steps of its own says "warming" and is not watched.
pub const FEWEST_STEPS: usize = 8;

/// What is usual of a series in one bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesBaseline {
    usual: PackedUsual,
    loss: Option<Reference>,
    bias: Option<TwoSided>,
    rates: [Option<HitRate>; 2],
}

/// What is usual of a series in one bucket, and the evidence against it.
#[derive(Debug, Clone, Copy)]
pub struct SeriesWatch<'a> {
    baseline: &'a SeriesBaseline,
    /// One for each sub-sequence.
    lanes: &'a [Lane],
}

/// Those of all series of a bucket, side by side.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SeriesWatches {
    baselines: BySeries<SeriesBaseline>,
    /// In the order of the baselines.
    lanes: Vec<Lane>,
    /// Lanes of one series.
    width: usize,
}

/// A sub-sequence.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Lane {
    evidence: [Evidence; WATCHES.len()],
    previous: [f32; 2],
    steps: u32,
}

/// What all series of a bucket share.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Common {
    /// Steps that a forecast reaches ahead.
    pub overlap: usize,
    /// Autoregression of loss and bias within a sub-sequence, pooled over series.
    pub phi: [f64; 2],
    /// A difference of loss or bias that does not matter.
    pub tolerance: f64,
    /// Standard errors by which the baseline of one of them may be off.
    pub margin_se: f64,
}

impl SeriesBaseline {
    /// Learns from a series' scores, step by step.
    pub fn learn(usual: Usual, steps: &[Scores], common: &Common, margins: &Margins) -> Self {
        let values = |score: Score| -> Vec<f64> { steps.iter().filter_map(|step| step.of(score)).collect() };
        let [loss, bias] = [Score::Loss, Score::Bias].map(|score| whitened(&values(score), common, score));
        let rates = [Score::Direction, Score::Coverage].map(|score| {
            let shares = values(score);
            let effective = shares.len() as f64 / common.overlap.max(1) as f64;
            (shares.len() >= FEWEST_STEPS).then(|| HitRate::learn(&shares, effective, common.margin_se, 0.0)).flatten()
        });
        Self {
            usual: usual.into(),
            loss: learned(&loss, common, margins, |n, se| {
                Reference::learn(Side::Above, &loss, n, se, common.tolerance)
            }),
            bias: learned(&bias, common, margins, |n, se| TwoSided::learn(&bias, n, se, common.tolerance)),
            rates,
        }
    }

    /// How large its errors usually are.
    pub fn usual(&self) -> Usual {
        self.usual.into()
    }

    /// The mean e-value of the scores of a step, season taken out, for one of the watches.
    pub fn e_value_of(&self, watch: usize, scores: &Scores, offsets: &[f64; 4]) -> Option<f64> {
        let (score, side, _) = WATCHES[watch];
        let x = scores.of(score)?;
        match score {
            Score::Loss | Score::Bias => {
                Some(mean(self.reference(score, side)?.e_values(side, x - offsets[score.index()])))
            }
            Score::Direction => Some(mean(self.rates[0]?.e_values(x))),
            Score::Coverage => Some(mean(self.rates[1]?.e_values(x))),
        }
    }

    /// Whether there is anything to hold its errors against.
    pub fn is_watched(&self) -> bool {
        self.loss.is_some() || self.bias.is_some() || self.rates.iter().any(Option::is_some)
    }

    /// The baseline's centre and scale of a score that is no share.
    pub fn baseline(&self, score: Score) -> Option<(f64, f64)> {
        self.reference(score, Side::Above).map(|reference| (reference.centre(), reference.scale()))
    }

    /// The e-values of a score; of loss and bias as they were `seen`, whitened.
    fn e_values(&self, score: Score, side: Side, seen: [Option<f64>; 2], scores: &Scores) -> Option<[f64; BETS]> {
        match score {
            Score::Loss | Score::Bias => Some(self.reference(score, side)?.e_values(side, seen[score.index()]?)),
            Score::Direction => Some(self.rates[0]?.e_values(scores.of(score)?)),
            Score::Coverage => Some(self.rates[1]?.e_values(scores.of(score)?)),
        }
    }

    fn reference(&self, score: Score, side: Side) -> Option<Reference> {
        match score {
            Score::Loss => self.loss,
            Score::Bias => self.bias.map(|both| both.of(side)),
            Score::Direction | Score::Coverage => None,
        }
    }
}

impl SeriesWatch<'_> {
    /// The evidence of each watch, that of its strongest sub-sequence.
    pub fn evidence(self) -> [f64; WATCHES.len()] {
        let mut all = [0.0; WATCHES.len()];
        for lane in self.lanes {
            all.iter_mut().zip(&lane.evidence).for_each(|(most, evidence)| *most = evidence.value().max(*most));
        }
        all
    }

    /// An e-value of "nothing has changed", fit for the control of false discoveries: the mean over watches and sub-sequences of
    /// `M_t / t`, whose expectation is at most 1 at any fixed `t`.
    pub fn e_value(self) -> f64 {
        let of_lane = |lane: &Lane| -> f64 {
            let watches = lane.evidence.iter().zip(WATCHES);
            watches.map(|(evidence, (_, _, weight))| weight * evidence.value()).sum::<f64>()
                / f64::from(lane.steps.max(1))
        };
        self.lanes.iter().map(of_lane).sum::<f64>() / self.lanes.len() as f64
    }
}

impl Deref for SeriesWatch<'_> {
    type Target = SeriesBaseline;

    fn deref(&self) -> &SeriesBaseline {
        self.baseline
    }
}

impl SeriesWatches {
    /// Those of these series, which have so many sub-sequences each.
    pub fn new(all: impl Iterator<Item = (u32, SeriesBaseline)>, common: &Common) -> Self {
        let (baselines, width) = (all.collect::<BySeries<_>>(), common.overlap.max(1));
        let lanes = vec![Lane::default(); baselines.len() * width];
        Self { baselines, lanes, width }
    }

    /// Begins to watch a series.
    pub fn insert(&mut self, series: u32, baseline: SeriesBaseline) {
        let start = self.baselines.insert(series, baseline) * self.width;
        self.lanes.resize(self.baselines.len() * self.width, Lane::default());
        self.lanes[start..start + self.width].fill(Lane::default());
    }

    /// That of a series.
    pub fn get(&self, series: u32) -> Option<SeriesWatch<'_>> {
        let place = self.baselines.place(series)?;
        let lanes = &self.lanes[place * self.width..][..self.width];
        self.baselines.get(series).map(|baseline| SeriesWatch { baseline, lanes })
    }

    /// All of them, in the order of the series' numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, SeriesWatch<'_>)> {
        self.baselines.series().filter_map(|series| Some((series, self.get(series)?)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.baselines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.baselines.is_empty()
    }

    /// Takes in the scores of a series at a step, season taken out; the evidence of the sub-sequence that the step belongs to, where there is anything
    /// to hold them against. It is kept up to a little above the limit of each watch.
    pub fn update(
        &mut self,
        series: u32,
        step: u64,
        scores: &Scores,
        offsets: &[f64; 4],
        common: &Common,
        limits: &[f64; WATCHES.len()],
    ) -> Option<[f64; WATCHES.len()]> {
        let baseline = self.baselines.get(series).filter(|baseline| baseline.is_watched())?;
        let lane = usize::try_from(step % self.width as u64).unwrap_or(0);
        let lane = &mut self.lanes[self.baselines.place(series)? * self.width + lane];
        let mut seen = [None; 2];
        for (score, seen) in [Score::Loss, Score::Bias].into_iter().zip(&mut seen) {
            *seen = scores.of(score).map(|x| lane.whiten(score, x - offsets[score.index()], common));
        }
        for (watch, &(score, side, _)) in WATCHES.iter().enumerate() {
            if let Some(e_values) = baseline.e_values(score, side, seen, scores) {
                lane.evidence[watch].update(e_values, limits[watch]);
            }
        }
        lane.steps += 1;
        Some(std::array::from_fn(|watch| lane.evidence[watch].value()))
    }
}

impl Lane {
    /// The score less what its predecessor in the sub-sequence foretells.
    #[expect(clippy::cast_possible_truncation, reason = "seven digits suffice for a score")]
    fn whiten(&mut self, score: Score, x: f64, common: &Common) -> f64 {
        let place = score.index();
        let before = f64::from(self.previous[place]);
        self.previous[place] = (x - usual_value(score)) as f32;
        x - common.phi[place] * before
    }
}

/// What a score is on average, by construction.
fn usual_value(score: Score) -> f64 {
    if score == Score::Loss { 1.0 } else { 0.0 }
}

/// What `learn` makes of these values, given how many independent ones they are worth and how many standard errors their mean may be off.
fn learned<T>(values: &[f64], common: &Common, margins: &Margins, learn: impl Fn(f64, f64) -> Option<T>) -> Option<T> {
    let effective = values.len() as f64 / common.overlap.max(1) as f64;
    let margin_se = || margins.of(values.len(), || margin_se(effective, common));
    (values.len() >= FEWEST_STEPS).then(|| learn(effective, margin_se())).flatten()
}

/// The standard errors by which a mean may be off whose scale, too, was learned from these few values.
fn margin_se(effective: f64, common: &Common) -> f64 {
    use shared::stats::special::{normal_sf, t_quantile};
    t_quantile(1.0 - normal_sf(common.margin_se), (effective - 1.0).max(2.0))
}

/// The margins of one lesson by number of values: a quantile takes longer than all else that is learned of a series, and nearly all series have
/// as many values.
#[derive(Debug, Default)]
pub struct Margins {
    known: RefCell<BTreeMap<usize, f64>>,
}

impl Margins {
    fn of(&self, values: usize, margin: impl FnOnce() -> f64) -> f64 {
        *self.known.borrow_mut().entry(values).or_insert_with(margin)
    }
}

fn whitened(values: &[f64], common: &Common, score: Score) -> Vec<f64> {
    let (phi, lag) = (common.phi[score.index()], common.overlap.max(1));
    if phi == 0.0 || values.len() <= lag {
        return values.to_vec();
    }
    values.iter().zip(&values[lag..]).map(|(before, x)| x - phi * (before - usual_value(score))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::pair::Pair;
    use super::super::settings::Loss;
    use super::*;

    fn scores(y_hat: f64) -> Scores {
        let usual = Usual { n: 30, loss: 0.1, absolute_error: 1.0, error: 0.0, ..Usual::default() };
        let mut scores = Scores::default();
        let pair = Pair { y: 10.0, y_hat, interval: Some((8.0, 12.0)), last: Some(9.5) };
        scores.add(&pair, &usual, Loss::Mape);
        scores
    }

    fn noise(i: u32) -> f64 {
        let mut bits = i.wrapping_add(1).wrapping_mul(0x9e37_79b9);
        bits = (bits ^ (bits >> 16)).wrapping_mul(0x85eb_ca6b);
        10.0 + 4.0 * f64::from(bits ^ (bits >> 13)) / f64::from(u32::MAX) - 2.0
    }

    #[test]
    fn a_series_that_shifts_is_seen_by_loss_and_bias() {
        let common = Common { overlap: 1, phi: [0.0; 2], tolerance: 0.05, margin_se: 1.0 };
        let steps: Vec<Scores> = (0..40).map(|i| scores(noise(i))).collect();
        let learned = SeriesBaseline::learn(Usual::default(), &steps, &common, &Margins::default());
        let mut watches = SeriesWatches::new([(3, learned)].into_iter(), &common);
        let limits = [1e6; 5];
        (40..100).for_each(|i| {
            watches.update(3, u64::from(i), &scores(noise(i)), &[0.0; 4], &common, &limits);
        });
        let watch = watches.get(3).unwrap();
        assert!(watch.evidence().iter().all(|&evidence| evidence < 1e3), "{:?}", watch.evidence());
        assert!(watch.e_value() < 1.5, "{}", watch.e_value());
        (0..30).for_each(|i| {
            watches.update(3, u64::from(i), &scores(noise(i) + 4.0), &[0.0; 4], &common, &limits);
        });
        let [loss, above, below, ..] = watches.get(3).unwrap().evidence();
        assert!(loss > 1e6 && above > 1e6 && below < 1.0, "{loss} {above} {below}");
    }

    #[test]
    fn a_series_is_small() {
        assert!(
            size_of::<SeriesBaseline>() <= 100 && size_of::<Lane>() <= 72,
            "{} {}",
            size_of::<SeriesBaseline>(),
            size_of::<Lane>()
        );
    }
}
