//! The test of Diebold and Mariano (1995) for equal expected loss of two forecasts of one series, in the small-sample form of
//! Harvey, Leybourne and Newbold (1997).
//!
//! With errors e₁, e₂ at n times, h steps ahead: `d_t = |e₁|^p - |e₂|^p`, autocovariances `γ_k` with divisor n, long-run
//! variance of the mean `V = (γ₀ + 2 Σ_{k<h} w_k γ_k) / n` with `w_k = 1` ("acf") or `1 - k/h` ("bartlett"), statistic
//! `d̄ / √V · √((n + 1 - 2h + h(h-1)/n) / n)`, compared with Student's t on n - 1 degrees of freedom. These are the
//! conventions of R's `forecast::dm.test`, whose statistic and p-value we give wherever it has a sound one.
//!
//! Where R's has none: a V that is not positive (possible with "acf") is replaced by Bartlett's, and the answer says so (R
//! restarts with h = 1, as if the forecasts did not overlap); h >= n is refused (the sum of all sample autocovariances is zero,
//! and R divides by its rounding residue); equal losses are [`Answer::Identical`]; a constant non-zero difference, whose variance
//! is 0, is [`Answer::Dominance`]. Nothing depends on the unit of the errors: no variance is called zero for being small.

use super::alternative::Alternative;
use super::sign::sign_p;
use super::undefined::{Undefined, require_pairs};

/// Rounding of a sum, in units of the machine epsilon: below this a variance is a residue.
const RESIDUE: f64 = 16.0 * f64::EPSILON;

/// How the long-run variance weighs autocovariances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variance {
    /// All of the first h - 1 fully, as forecasts h steps ahead are correlated up to lag h - 1. Can be negative.
    #[default]
    Acf,
    /// Falling weights 1 - k/h; never negative.
    Bartlett,
}

impl Variance {
    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acf => "acf",
            Self::Bartlett => "bartlett",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Steps ahead, h >= 1.
    pub horizon: usize,
    /// The loss is |error|^power, power > 0.
    pub power: f64,
    /// The long-run variance.
    pub variance: Variance,
    /// What is looked for; [`Alternative::Less`]: the first method has the smaller loss.
    pub alternative: Alternative,
}

impl Default for Question {
    fn default() -> Self {
        Self { horizon: 1, power: 2.0, variance: Variance::Acf, alternative: Alternative::TwoSided }
    }
}

/// The test's statistic and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// Negative where the first method has the smaller mean loss.
    pub statistic: f64,
    /// By Student's t.
    pub p_value: f64,
    /// n - 1.
    pub df: f64,
    /// The variance used.
    pub variance: Variance,
    /// Whether Bartlett's replaced an "acf" variance that was not positive.
    pub fell_back: bool,
}

/// What the errors say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    /// The usual case.
    Tested(Tested),
    /// Every loss of the one equals that of the other.
    Identical,
    /// The difference is the same at every time, and not zero.
    Dominance {
        /// Whether the first method has the smaller loss.
        first_is_better: bool,
        /// Of the sign test on `blocks` signs, all alike.
        p_value: f64,
        /// Times at least h apart, hence not overlapping: ⌈n / h⌉.
        blocks: usize,
    },
}

/// Compares the errors of two methods, paired and in order of time.
///
/// # Errors
/// [`Undefined::Lengths`], [`Undefined::NonFinite`]; [`Undefined::Setting`] for h = 0 or a power that is not positive;
/// [`Undefined::Horizon`] where h >= n.
///
/// ```
/// use shared::stats::diebold_mariano::{Answer, Question, diebold_mariano};
/// let first = [1.0, -2.0, 0.5, 3.0, -1.0];
/// let second = [1.5, -1.0, 1.0, 2.0, -2.5];
/// let Answer::Tested(test) = diebold_mariano(&first, &second, &Question::default())? else { panic!() };
/// assert!((test.statistic - 0.084_132_360_187_221_85).abs() < 1e-12); // Python's dieboldmariano, dm_test(h = 1)
/// # Ok::<(), shared::stats::Undefined>(())
/// ```
pub fn diebold_mariano(first: &[f64], second: &[f64], question: &Question) -> Result<Answer, Undefined> {
    require_pairs(first, second)?;
    check(question)?;
    let differences = differentials(first, second, question.power);
    if !differences.is_empty() && differences.iter().all(|pair| pair.value == 0.0) {
        return Ok(Answer::Identical);
    }
    if question.horizon >= first.len() {
        return Err(Undefined::Horizon { horizon: question.horizon, n: first.len() });
    }
    if constant(&differences) {
        return Ok(dominance(&differences, question));
    }
    test(&differences, question)
}

fn check(question: &Question) -> Result<(), Undefined> {
    if question.horizon == 0 {
        return Err(Undefined::setting("horizon 0 (a forecast is at least 1 step ahead)"));
    }
    if !(question.power.is_finite() && question.power > 0.0) {
        return Err(Undefined::setting("the power of the loss must be a positive number"));
    }
    Ok(())
}

/// A loss differential and the size of what it was subtracted from.
#[derive(Debug, Clone, Copy)]
struct Differential {
    value: f64,
    size: f64,
}

/// The differentials, of errors first divided by a power of two near the largest: no loss overflows, and no digit changes.
fn differentials(first: &[f64], second: &[f64], power: f64) -> Vec<Differential> {
    let largest = first.iter().chain(second).fold(0.0_f64, |largest, error| largest.max(error.abs()));
    let unit = if largest > 0.0 { largest.log2().floor().clamp(-1000.0, 1000.0).exp2() } else { 1.0 };
    let loss = |error: f64| (error / unit).abs().powf(power);
    let pair = |(&a, &b): (&f64, &f64)| Differential { value: loss(a) - loss(b), size: loss(a) + loss(b) };
    first.iter().zip(second).map(pair).collect()
}

/// Whether all differentials are one number, up to the rounding of each.
fn constant(differences: &[Differential]) -> bool {
    let Some(first) = differences.first() else { return false };
    let rounding = |pair: &Differential| 4.0 * f64::EPSILON * (pair.size + first.size);
    differences.iter().all(|pair| (pair.value - first.value).abs() <= rounding(pair))
}

fn dominance(differences: &[Differential], question: &Question) -> Answer {
    let first_is_better = differences.iter().any(|pair| pair.value < 0.0);
    let blocks = differences.len().div_ceil(question.horizon);
    let wins = if first_is_better { blocks } else { 0 };
    Answer::Dominance { first_is_better, blocks, p_value: sign_p(wins, blocks, question.alternative) }
}

fn test(differences: &[Differential], question: &Question) -> Result<Answer, Undefined> {
    let n = differences.len() as f64;
    let mean = differences.iter().map(|pair| pair.value).sum::<f64>() / n;
    let centred: Vec<f64> = differences.iter().map(|pair| pair.value - mean).collect();
    let (long_run, variance) = long_run_variance(&centred, question)
        .ok_or(Undefined::NoVariation { what: "the long-run variance of the loss differential is zero" })?;
    let h = question.horizon as f64;
    let correction = ((n + 1.0 - 2.0 * h + h * (h - 1.0) / n) / n).sqrt();
    let statistic = mean / (long_run / n).sqrt() * correction;
    let df = n - 1.0;
    let p_value = question.alternative.t_p(statistic, df);
    Ok(Answer::Tested(Tested { statistic, p_value, df, variance, fell_back: variance != question.variance }))
}

/// n times the variance of the mean, and which one it is: the one asked for where it is positive, else Bartlett's.
fn long_run_variance(centred: &[f64], question: &Question) -> Option<(f64, Variance)> {
    let covariances: Vec<f64> = (0..question.horizon).map(|lag| autocovariance(centred, lag)).collect();
    let size = covariances.iter().map(|covariance| covariance.abs()).sum::<f64>();
    let positive = |variance: Variance| {
        let value = weighted(&covariances, variance);
        (value > RESIDUE * size).then_some((value, variance))
    };
    positive(question.variance).or_else(|| positive(Variance::Bartlett))
}

fn autocovariance(centred: &[f64], lag: usize) -> f64 {
    let products = centred.iter().zip(&centred[lag..]).map(|(early, late)| early * late);
    products.sum::<f64>() / centred.len() as f64
}

fn weighted(covariances: &[f64], variance: Variance) -> f64 {
    let h = covariances.len() as f64;
    let weight = |lag: usize| match variance {
        Variance::Acf => 1.0,
        Variance::Bartlett => 1.0 - lag as f64 / h,
    };
    let lagged = covariances.iter().enumerate().skip(1).map(|(lag, covariance)| weight(lag) * covariance);
    covariances[0] + 2.0 * lagged.sum::<f64>()
}
