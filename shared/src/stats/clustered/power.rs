//! What further evidence could decide: the effect that is detectable now, the cutoffs that would detect the present one.

use super::question::{Question, upper_quantile};

/// More cutoffs than this are called never.
const MOST_CUTOFFS: usize = 100_000;

/// The power of a question at the present evidence, and what more cutoffs at the present spacing would bring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Distance from the margin that the test finds with the wanted power, on the scale of means.
    pub detectable: f64,
    /// Cutoffs to add so that a true distance as estimated is found with the wanted power; 0 if it already would be, none if
    /// no number would do, because the series themselves differ too much.
    pub further_cutoffs: Option<usize>,
}

impl Question {
    /// Power analysis of the one-sided test at level `alpha` with the power `power` (both below 1/2 from their ends, e.g. 0.05
    /// and 0.8). The noncentral t is approximated by a shifted t: `(t_alpha + t_power) * std_error`. The part of the variance
    /// that belongs to the cutoffs shrinks with their number; the part that belongs to the series does not.
    pub fn outlook(&self, margin: f64, alpha: f64, power: f64) -> Outlook {
        let test = self.test(margin);
        let detectable = |cutoffs: usize| self.detectable(margin, cutoffs, alpha, power);
        let enough = |cutoffs: usize| detectable(cutoffs) <= test.distance.abs();
        Outlook {
            detectable: detectable(self.cutoffs),
            further_cutoffs: first(self.cutoffs, enough).map(|n| n - self.cutoffs),
        }
    }

    /// Detectable distance with this many cutoffs.
    fn detectable(&self, margin: f64, cutoffs: usize, alpha: f64, power: f64) -> f64 {
        let Some(now) = self.variance(margin) else { return 0.0 };
        let growth = cutoffs as f64 / self.cutoffs as f64;
        let (lasting, time) = (now.total - now.time, now.time / growth);
        let total = lasting + time;
        let df = self.future_df(now.df, (lasting, now.time), time, cutoffs);
        (upper_quantile(alpha, df) + upper_quantile(1.0 - power, df)) * self.error(total)
    }

    /// Satterthwaite's degrees of freedom when the part that shrinks is estimated from more cosines.
    fn future_df(&self, df: f64, (lasting, time_now): (f64, f64), time: f64, cutoffs: usize) -> f64 {
        let bands = self.bands_at(cutoffs);
        let noise_now = (lasting + time_now).powi(2) / df;
        let noise_lasting = (noise_now - time_now * time_now / self.parts.bands as f64).max(0.0);
        (lasting + time).powi(2) / (noise_lasting + time * time / bands).max(f64::MIN_POSITIVE)
    }

    fn bands_at(&self, cutoffs: usize) -> f64 {
        let gain = (self.references.windows - 1.0) / (self.cutoffs.max(2) - 1) as f64;
        let windows = 1.0 + gain * (cutoffs as f64 - 1.0);
        self.references.bands_for(self.parts.model, cutoffs, windows) as f64
    }
}

/// The first number from `from` on that is enough, enough being monotone.
fn first(from: usize, enough: impl Fn(usize) -> bool) -> Option<usize> {
    if enough(from) {
        return Some(from);
    }
    let doubled = std::iter::successors(Some(2 * from), |n| Some(2 * n)).take_while(|&n| n <= 2 * MOST_CUTOFFS);
    let (mut low, mut high) = doubled.clone().find(|&n| enough(n)).map(|n| (n / 2, n))?;
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        *(if enough(middle) { &mut high } else { &mut low }) = middle;
    }
    Some(high)
}
