//! A question to a panel: a ratio, a difference, a mean; its test at any margin and the interval of margins it does not reject.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::variance::{Parts, Variance};
use super::{Panel, SeriesPolicy, Undecidable};

/// Deviations below this share of the losses themselves are rounding.
const ROUNDING: f64 = 1e-12;

/// What is compared with a margin.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Family {
    /// Sum of the candidate over sum of the baseline.
    Ratio,
    /// Mean of `c * candidate + b * baseline`.
    Mean(f64, f64),
}

/// An interval; an end is infinite where no margin on that side is rejected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// The test of one margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// Distance from the margin: the mean difference, or for a ratio θ the mean of `candidate - θ baseline`.
    pub distance: f64,
    /// Its standard error; 0 where nothing varies.
    pub std_error: f64,
    /// `distance / std_error`; 0 where both are 0.
    pub statistic: f64,
    /// Degrees of freedom of its t distribution.
    pub df: f64,
    /// One-sided p-value against "not below the margin".
    pub p_less: f64,
    /// One-sided p-value against "not above the margin".
    pub p_greater: f64,
}

impl Test {
    /// Two-sided p-value.
    pub fn p_two_sided(&self) -> f64 {
        (2.0 * self.p_less.min(self.p_greater)).min(1.0)
    }
}

/// One question, ready to be tested at any margin.
///
/// All margins are judged with the same persistence and the same number of cosines, those fitted at the estimate, so a margin
/// lies outside the interval exactly when its two-sided test rejects.
#[derive(Debug, Clone)]
pub struct Question {
    family: Family,
    /// Overall means of candidate and baseline.
    means: (f64, f64),
    /// Total weight.
    weight: f64,
    pub(super) parts: Parts,
    /// Smallest one-sided p-value that a sign-flip test of independent units can have: the answer where nothing varies.
    least_p: f64,
    /// Present cutoffs, independent windows.
    pub(super) cutoffs: usize,
    pub(super) references: super::References,
}

impl Panel {
    /// The ratio of the candidate's mean to the baseline's, tested by Fieller's (1954) linearisation: the mean of
    /// `candidate - θ baseline` against 0.
    ///
    /// # Errors
    /// The baseline's mean is not positive.
    pub fn ratio(&self) -> Result<Question, Undecidable> {
        let (c, b) = self.moments.means();
        if b > 0.0 { Ok(self.question(Family::Ratio, (1.0, -c / b))) } else { Err(Undecidable::BaselineNotPositive(b)) }
    }

    /// The mean of `candidate - baseline`.
    pub fn difference(&self) -> Question {
        self.combination(1.0, -1.0)
    }

    /// The mean of the candidate alone.
    pub fn mean(&self) -> Question {
        self.combination(1.0, 0.0)
    }

    /// The mean of `c * candidate + b * baseline`.
    pub fn combination(&self, c: f64, b: f64) -> Question {
        self.question(Family::Mean(c, b), (c, b))
    }

    fn question(&self, family: Family, direction: (f64, f64)) -> Question {
        let sampled = self.options.series == SeriesPolicy::Sampled;
        let series = if sampled && self.series_count() > 1 { self.series_count() as f64 } else { f64::INFINITY };
        Question {
            family,
            means: self.moments.means(),
            weight: self.moments.weight(),
            parts: Parts::new(&self.moments, &self.references, sampled, direction),
            least_p: 0.5f64.powf(self.references.windows.floor().min(series)),
            cutoffs: self.cutoffs.len(),
            references: self.references.clone(),
        }
    }
}

impl Question {
    /// The estimated ratio, difference or mean.
    pub fn estimate(&self) -> f64 {
        match self.family {
            Family::Ratio => self.means.0 / self.means.1,
            Family::Mean(c, b) => c * self.means.0 + b * self.means.1,
        }
    }

    /// How far the margin must lie from the estimate for the test to see this distance: a ratio's distance is in means.
    pub fn in_units_of_margin(&self, distance: f64) -> f64 {
        if self.family == Family::Ratio { distance / self.means.1 } else { distance }
    }

    /// The persistence of rows, as an AR(1) coefficient, that the variance was calibrated for.
    pub fn persistence(&self) -> f64 {
        self.references.persistences[self.parts.model]
    }

    /// Coefficients of candidate and baseline in the mean that is compared with 0 (a ratio) or with the margin.
    fn direction(&self, margin: f64) -> (f64, f64) {
        match self.family {
            Family::Ratio => (1.0, -margin),
            Family::Mean(c, b) => (c, b),
        }
    }

    /// Distance of the estimate from the margin on the scale of means.
    fn distance(&self, margin: f64) -> f64 {
        let (c, b) = self.direction(margin);
        let mean = c * self.means.0 + b * self.means.1;
        if self.family == Family::Ratio { mean } else { mean - margin }
    }

    /// Variance of the sum at a margin; nothing where it is only rounding.
    pub(super) fn variance(&self, margin: f64) -> Option<Variance> {
        let (c, b) = self.direction(margin);
        let size = (c * self.means.0).abs() + (b * self.means.1).abs();
        let variance = self.parts.variance((c, b));
        (self.error(variance.total) > ROUNDING * size).then_some(variance)
    }

    /// Standard error of the mean from the variance of the sum.
    pub(super) fn error(&self, variance: f64) -> f64 {
        variance.sqrt() / self.weight
    }

    /// The test of a margin.
    ///
    /// Where nothing varies, no t statistic exists: equality with the margin gives p = 1 on both sides, any other
    /// constant the smallest p-value of a sign-flip test, `2^-n` for n independent windows or sampled series, whichever are fewer.
    pub fn test(&self, margin: f64) -> Test {
        let distance = self.distance(margin);
        let Some(variance) = self.variance(margin) else { return self.constant(margin, distance) };
        let std_error = self.error(variance.total);
        let statistic = distance / std_error;
        let upper = upper_tail(statistic, variance.df);
        let lower = upper_tail(-statistic, variance.df);
        Test { distance, std_error, statistic, df: variance.df, p_less: lower, p_greater: upper }
    }

    fn constant(&self, margin: f64, distance: f64) -> Test {
        let (c, b) = self.direction(margin);
        let size = (c * self.means.0).abs() + (b * self.means.1).abs() + margin.abs();
        let distance = if distance.abs() <= ROUNDING * size { 0.0 } else { distance };
        let p = |decided: bool| if decided { self.least_p } else { 1.0 };
        let df = self.parts.variance((c, b)).df;
        Test { distance, std_error: 0.0, statistic: 0.0, df, p_less: p(distance < 0.0), p_greater: p(distance > 0.0) }
    }

    /// True where the contrast at this margin is the same in every window, so that only its sign can be judged.
    pub fn is_constant(&self, margin: f64) -> bool {
        self.variance(margin).is_none()
    }

    /// The margins that a two-sided test at `1 - confidence` does not reject: the test, inverted.
    pub fn interval(&self, confidence: f64) -> Interval {
        let estimate = self.estimate();
        let alpha = 1.0 - confidence;
        if self.variance(estimate).is_none() {
            let decided = 2.0 * self.least_p <= alpha;
            let end = |infinite: f64| if decided { estimate } else { infinite };
            return Interval { lower: end(f64::NEG_INFINITY), upper: end(f64::INFINITY) };
        }
        Interval { lower: self.end(-1.0, alpha), upper: self.end(1.0, alpha) }
    }

    /// Walks from the estimate until the test rejects, then halves the last step.
    fn end(&self, sign: f64, alpha: f64) -> f64 {
        let estimate = self.estimate();
        let unit = self.step(estimate);
        let kept = |distance: f64| self.test(estimate + sign * distance).p_two_sided() >= alpha;
        let steps = std::iter::successors(Some(unit), |step| Some(step * 1.25)).take(200);
        let mut inside = 0.0;
        for step in steps {
            if !kept(step) {
                return estimate + sign * halve(inside, step, kept);
            }
            inside = step;
        }
        sign * f64::INFINITY
    }

    /// A tenth of the standard error on the scale of the margin.
    fn step(&self, estimate: f64) -> f64 {
        let error = self.test(estimate).std_error;
        0.1 * if self.family == Family::Ratio { error / self.means.1 } else { error }
    }
}

/// The place between `inside` and `outside` where `kept` ceases to hold.
fn halve(mut inside: f64, mut outside: f64, kept: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..80 {
        let middle = 0.5 * (inside + outside);
        *(if kept(middle) { &mut inside } else { &mut outside }) = middle;
    }
    0.5 * (inside + outside)
}

/// `P(T > x)` of Student's t; degrees of freedom need not be whole.
fn upper_tail(x: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df.max(0.1)).map_or(f64::NAN, |t| t.sf(x))
}

/// The x that t exceeds with probability `p` < 1/2.
pub(super) fn upper_quantile(p: f64, df: f64) -> f64 {
    let outside = std::iter::successors(Some(1.0), |x| Some(2.0 * x)).take(60).find(|&x| upper_tail(x, df) < p);
    outside.map_or(f64::INFINITY, |outside| halve(0.0, outside, |x| upper_tail(x, df) >= p))
}
