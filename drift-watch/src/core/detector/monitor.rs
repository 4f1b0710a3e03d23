//! One score of one group, watched.

use serde::{Deserialize, Serialize};

use super::evidence::{Change, Evidence};
use super::hits::HitRate;
use super::reference::{MARGIN_SE, Reference, Side};

/// Autocorrelations are taken for real beyond this many standard errors (1 % two-sided).
const SIGNIFICANT: f64 = 2.58;

/// No score is believed to be more dependent on its past.
const STRONGEST: f64 = 0.95;

/// The bet by which the beginning of a change is told: that of shifts by one standard deviation.
const MIDDLE: usize = 1;

/// What a monitor learns from.
#[derive(Debug, Clone, Copy)]
pub struct Lesson<'a> {
    /// The baseline's values, in time order, season taken out.
    pub values: &'a [f64],
    /// Steps that a forecast reaches ahead: values so many steps apart are independent.
    pub overlap: usize,
    /// Season slots whose centres were estimated: each rests on so much fewer values.
    pub parts: usize,
    /// A difference that does not matter, in the unit of the values.
    pub tolerance: f64,
    /// Whether values are shares of hits.
    pub is_share: bool,
    /// Whether dependence on the past is taken out.
    pub prewhiten: bool,
}

/// A score of a group, compared with its baseline step by step.
///
/// Forecasts that reach `h` steps ahead have errors that depend on each other within `h` steps. The steps are therefore dealt out to `h`
/// sub-sequences, each with evidence of its own: within one, errors are independent where the forecasts are as good as they can be (Arnold,
/// Henzi and Ziegel 2023, sequential tests of h-step forecasts). What dependence is left in the baseline's sub-sequences is taken out by a first-order
/// autoregression, if it is significant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    side: Side,
    reference: Reference,
    hit_rate: Option<HitRate>,
    /// The autoregression within a sub-sequence.
    pub phi: f64,
    centre: f64,
    lanes: Vec<Lane>,
}

/// A sub-sequence.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Lane {
    evidence: Evidence,
    hits: Evidence,
    previous: Option<f64>,
    change: Change,
}

impl Monitor {
    /// Learns from a baseline; nothing where its values do not vary.
    pub fn learn(side: Side, lesson: &Lesson<'_>) -> Option<Self> {
        let overlap = lesson.overlap.max(1);
        let phi = if lesson.prewhiten { autoregression(lesson.values, overlap) } else { 0.0 };
        let centre = lesson.values.iter().sum::<f64>() / lesson.values.len() as f64;
        let whitened = whitened(lesson.values, overlap, phi, centre);
        let effective = (whitened.len() as f64 / (overlap * lesson.parts.max(1)) as f64).max(1.0);
        let reference = Reference::learn(side, &whitened, effective, MARGIN_SE, lesson.tolerance * (1.0 - phi))?;
        let hit_rate = match lesson.is_share && phi == 0.0 {
            true => HitRate::learn(lesson.values, effective, MARGIN_SE, lesson.tolerance),
            false => None,
        };
        let lanes = vec![Lane::default(); overlap];
        Some(Self { side, reference, hit_rate, phi, centre, lanes })
    }

    /// Takes in the value of the step with this number; evidence is kept up to a little above `limit`.
    pub fn update(&mut self, step: u64, x: f64, limit: f64) {
        let lanes = self.lanes.len() as u64;
        let lane = &mut self.lanes[usize::try_from(step % lanes).unwrap_or(0)];
        let previous = lane.previous.replace(x);
        let whitened = previous.map_or(x, |previous| x - self.phi * (previous - self.centre));
        let e_values = self.reference.e_values(self.side, whitened);
        lane.evidence.update(e_values, limit);
        if let Some(rate) = &self.hit_rate {
            lane.hits.update(rate.e_values(x.clamp(0.0, 1.0)), limit);
        }
        lane.change.update(e_values[MIDDLE]);
    }

    /// The evidence of the strongest sub-sequence.
    pub fn evidence(&self) -> f64 {
        self.lane_evidence().fold(0.0, f64::max)
    }

    /// The evidence of each sub-sequence.
    pub fn lane_evidence(&self) -> impl Iterator<Item = f64> {
        self.lanes.iter().map(|lane| lane.value(self.hit_rate.is_some()))
    }

    /// How many steps ago the strongest evidence began to grow.
    pub fn run(&self) -> u64 {
        let value = |lane: &&Lane| lane.value(self.hit_rate.is_some());
        let strongest = self.lanes.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
        strongest.map_or(0, |lane| u64::from(lane.change.run()) * self.lanes.len() as u64)
    }

    /// The baseline's centre.
    pub fn centre(&self) -> f64 {
        self.centre
    }

    /// The baseline's scale.
    pub fn scale(&self) -> f64 {
        self.reference.scale()
    }

    /// Forgets what was seen, not what was learned.
    pub fn reset(&mut self) {
        self.lanes.iter_mut().for_each(|lane| *lane = Lane::default());
    }
}

impl Lane {
    /// Half the stake on the score, half on single hits where there are some.
    fn value(&self, with_hits: bool) -> f64 {
        match with_hits {
            true => f64::midpoint(self.evidence.value(), self.hits.value()),
            false => self.evidence.value(),
        }
    }
}

/// The autocorrelation of values `lag` apart, mended for the bias of short series (Marriott and Pope 1954: about `(1 + 3 r) / n`); 0 where it is
/// negative or may be chance.
pub fn autoregression(values: &[f64], lag: usize) -> f64 {
    let n = values.len();
    if n < lag + 3 {
        return 0.0;
    }
    // As in estimating the scale, a few wild values must not hide or make a dependence.
    let Some((centre, scale)) = super::reference::robust(values) else { return 0.0 };
    let centred: Vec<f64> = values.iter().map(|value| (value - centre).clamp(-3.0 * scale, 3.0 * scale)).collect();
    let products: f64 = centred.iter().zip(&centred[lag..]).map(|(now, later)| now * later).sum();
    let squares: f64 = centred.iter().map(|value| value * value).sum();
    let r = products / squares;
    let pairs = (n - lag) as f64;
    if r < SIGNIFICANT / pairs.sqrt() { 0.0 } else { (r + (1.0 + 3.0 * r) / pairs).min(STRONGEST) }
}

fn whitened(values: &[f64], lag: usize, phi: f64, centre: f64) -> Vec<f64> {
    if phi == 0.0 {
        return values.to_vec();
    }
    values.iter().zip(&values[lag.min(values.len())..]).map(|(before, x)| x - phi * (before - centre)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Even on [-1, 1): the finaliser of `MurmurHash3`.
    fn noise(i: u32) -> f64 {
        let mut bits = i.wrapping_add(1).wrapping_mul(0x9e37_79b9);
        bits = (bits ^ (bits >> 16)).wrapping_mul(0x85eb_ca6b);
        bits = (bits ^ (bits >> 13)).wrapping_mul(0xc2b2_ae35);
        f64::from(bits ^ (bits >> 16)) / f64::from(1_u32 << 31) - 1.0
    }

    fn lesson(values: &[f64], overlap: usize) -> Lesson<'_> {
        Lesson { values, overlap, parts: 1, tolerance: 0.0, is_share: false, prewhiten: true }
    }

    #[test]
    fn it_stays_quiet_at_its_baseline_and_speaks_after_a_shift() {
        let values: Vec<f64> = (0..100).map(noise).collect();
        let mut monitor = Monitor::learn(Side::Above, &lesson(&values, 1)).unwrap();
        (0..1000).for_each(|i| monitor.update(u64::from(i), noise(i + 200), 1e5));
        assert!(monitor.evidence() < 100.0, "{}", monitor.evidence());
        (0..30).for_each(|i| monitor.update(u64::from(i), noise(i) + 1.5, 1e5));
        assert!(monitor.evidence() > 1e5, "{}", monitor.evidence());
        assert!((25..=40).contains(&monitor.run()), "{}", monitor.run());
    }

    #[test]
    fn a_single_wild_step_is_no_drift() {
        let values: Vec<f64> = (0..1000).map(noise).collect();
        let mut monitor = Monitor::learn(Side::Above, &lesson(&values, 1)).unwrap();
        monitor.update(0, 1e9, 1e5);
        assert!(monitor.evidence() < 100.0, "{}", monitor.evidence());
    }

    #[test]
    fn dependence_on_the_past_is_found_and_taken_out() {
        let mut value = 0.0;
        let values: Vec<f64> = (0..300)
            .map(|i| {
                value = 0.7 * value + noise(i);
                value
            })
            .collect();
        let phi = autoregression(&values, 1);
        assert!((0.6..0.8).contains(&phi), "{phi}");
        assert_eq!(autoregression(&(0..300).map(noise).collect::<Vec<_>>(), 1), 0.0);
    }
}
