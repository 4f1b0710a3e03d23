//! The signed-rank test of Wilcoxon (1945): are the losses of two methods shifted against each other?
//!
//! The differences `d = first - second` are ranked by size, ties sharing the average of their places; `W⁺` sums the ranks of the
//! positive ones. Under no difference (d symmetric about 0) every sign is a fair coin.
//!
//! Zeros: [`Zeros::Wilcox`] drops them; [`Zeros::Pratt`] (Pratt 1959) ranks them and then drops their ranks;
//! [`Zeros::Split`] gives half of their ranks to either side. Methods: [`Method::Exact`] is the permutation distribution, all
//! 2^m equally likely signs of the m non-zero differences, with the ranks as they are (ties, zeros and all).
//! [`Method::Tabulated`] looks `W⁺`, rounded against rejection, up among untied ranks: what `SciPy` calls exact. It equals the permutation
//! distribution without ties and zeros, is approximate with ties, and is wrong with Pratt's zeros (identical losses: p = 2e-6).
//! [`Method::Approx`] is the normal approximation with variance `[m(m+1)(2m+1) - Σ(t³-t)/2] / 24`, for Pratt by Cureton (1967).

use super::alternative::Alternative;
use super::rank::{average_ranks, tie_sum};
use super::undefined::{Undefined, require_count, require_pairs};

/// Up to this many ranked differences the exact distribution is computed (about a tenth of a second at the limit).
pub const EXACT_LIMIT: usize = 500;

/// What becomes of differences of 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zeros {
    /// Dropped before ranking.
    #[default]
    Wilcox,
    /// Ranked, then dropped.
    Pratt,
    /// Ranked, and half counted on either side.
    Split,
}

impl Zeros {
    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wilcox => "wilcox",
            Self::Pratt => "pratt",
            Self::Split => "zsplit",
        }
    }
}

/// Where the p-value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Exact up to [`EXACT_LIMIT`], then the normal approximation without continuity correction.
    #[default]
    Auto,
    /// The permutation distribution.
    Exact,
    /// The distribution of untied ranks, as `SciPy`'s "exact".
    Tabulated,
    /// The normal approximation.
    Approx {
        /// Whether `W⁺` is moved by 1/2 towards its mean.
        corrected: bool,
    },
}

impl Method {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Exact => "exact",
            Self::Tabulated => "tabulated",
            Self::Approx { corrected: false } => "approx",
            Self::Approx { corrected: true } => "approx with continuity correction",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Question {
    /// What becomes of zeros.
    pub zeros: Zeros,
    /// Where the p-value comes from.
    pub method: Method,
    /// [`Alternative::Less`]: the first method has the smaller loss.
    pub alternative: Alternative,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wilcoxon {
    /// Two-sided: the smaller of the two rank sums; one-sided: the sum over positive differences (`SciPy`'s convention).
    pub statistic: f64,
    /// 1 where all differences are zero.
    pub p_value: f64,
    /// Differences of 0.
    pub zeros: usize,
    /// Whether non-zero differences are tied in size.
    pub has_ties: bool,
    /// Where the p-value came from; never [`Method::Auto`].
    pub method: Method,
}

/// Compares two methods' losses pair by pair.
///
/// # Errors
/// [`Undefined::Lengths`], [`Undefined::NonFinite`], [`Undefined::TooFew`] without pairs, and [`Undefined::Setting`]
/// where an exact distribution is asked for beyond [`EXACT_LIMIT`].
///
/// ```
/// use shared::stats::wilcoxon::{Question, wilcoxon};
/// let test = wilcoxon(&[1.0, 2.0, 3.0, 4.0, 6.0], &[2.0, 4.0, 6.0, 3.5, 1.0], &Question::default())?;
/// assert_eq!((test.statistic, test.p_value), (6.0, 0.8125)); // scipy.stats.wilcoxon(x, y)
/// # Ok::<(), shared::stats::Undefined>(())
/// ```
pub fn wilcoxon(first: &[f64], second: &[f64], question: &Question) -> Result<Wilcoxon, Undefined> {
    require_pairs(first, second)?;
    require_count("pairs", first.len(), 1)?;
    let signed = SignedRanks::new(first, second, question.zeros);
    let method = signed.choose(question.method)?;
    let p_value = if signed.flips.is_empty() { 1.0 } else { signed.p_value(method, question.alternative) };
    let statistic = match question.alternative {
        Alternative::TwoSided => signed.plus.min(signed.minus),
        _ => signed.plus,
    };
    Ok(Wilcoxon { statistic, p_value, zeros: signed.zeros, has_ties: signed.has_ties, method })
}

/// The ranks that a sign can move, and the sums of either side.
struct SignedRanks {
    flips: Vec<f64>,
    plus: f64,
    minus: f64,
    /// Ranks given out, to zeros too unless they were dropped.
    ranked: usize,
    zeros: usize,
    rule: Zeros,
    /// `Σ (t³ - t)` over tied sizes; with [`Zeros::Split`] the zeros are such a group, as in `SciPy`.
    tie_sum: f64,
    has_ties: bool,
}

impl SignedRanks {
    fn new(first: &[f64], second: &[f64], rule: Zeros) -> Self {
        let all: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
        let nonzero: Vec<f64> = all.iter().copied().filter(|d| *d != 0.0).collect();
        let zeros = all.len() - nonzero.len();
        let ranked = if rule == Zeros::Wilcox { &nonzero } else { &all };
        let sizes: Vec<f64> = ranked.iter().map(|d| d.abs()).collect();
        let ranks = average_ranks(&sizes);
        let sum = |wanted: fn(f64) -> bool| {
            ranked.iter().zip(&ranks).filter(|(d, _)| wanted(**d)).map(|(_, rank)| rank).sum::<f64>()
        };
        let half_of_zeros = if rule == Zeros::Split { 0.5 * sum(|d| d == 0.0) } else { 0.0 };
        let nonzero_sizes: Vec<f64> = nonzero.iter().map(|d| d.abs()).collect();
        let nonzero_ties = tie_sum(&nonzero_sizes);
        Self {
            flips: ranked.iter().zip(&ranks).filter(|(d, _)| **d != 0.0).map(|(_, rank)| *rank).collect(),
            plus: sum(|d| d > 0.0) + half_of_zeros,
            minus: sum(|d| d < 0.0) + half_of_zeros,
            ranked: ranked.len(),
            zeros,
            rule,
            tie_sum: if rule == Zeros::Split { tie_sum(&sizes) } else { nonzero_ties },
            has_ties: nonzero_ties > 0.0,
        }
    }

    fn choose(&self, method: Method) -> Result<Method, Undefined> {
        let small = self.ranked <= EXACT_LIMIT;
        match method {
            Method::Auto if small => Ok(Method::Exact),
            Method::Auto => Ok(Method::Approx { corrected: false }),
            Method::Exact | Method::Tabulated if !small => Err(Undefined::setting(format!(
                "{} differences: the exact distribution is computed up to {EXACT_LIMIT}; use the approximation",
                self.ranked
            ))),
            chosen => Ok(chosen),
        }
    }

    fn p_value(&self, method: Method, alternative: Alternative) -> f64 {
        match method {
            Method::Approx { corrected } => self.approximate_p(corrected, alternative),
            Method::Tabulated => self.tabulated_p(alternative),
            Method::Exact | Method::Auto => self.permutation_p(alternative),
        }
    }

    fn permutation_p(&self, alternative: Alternative) -> f64 {
        let fixed = if self.rule == Zeros::Split { 0.5 * self.zero_rank_sum() } else { 0.0 };
        let distribution = RankSums::of(self.flips.iter().map(|rank| doubled(*rank)));
        let place = doubled(self.plus - fixed);
        alternative.exact_p(distribution.at_most(place), distribution.at_least(place))
    }

    fn tabulated_p(&self, alternative: Alternative) -> f64 {
        let distribution = RankSums::of(1..=self.ranked);
        alternative
            .exact_p(distribution.at_most(whole(self.plus.ceil())), distribution.at_least(whole(self.plus.floor())))
    }

    fn approximate_p(&self, corrected: bool, alternative: Alternative) -> f64 {
        let (mean, error) = self.moments();
        let z = (self.plus - mean) / error;
        let side = match alternative {
            Alternative::Greater => 1.0,
            Alternative::Less => -1.0,
            Alternative::TwoSided if z == 0.0 => 0.0,
            Alternative::TwoSided => z.signum(),
        };
        alternative.normal_p(if corrected { z - side * 0.5 / error } else { z })
    }

    /// Mean and standard deviation of `W⁺`.
    fn moments(&self) -> (f64, f64) {
        let (mut mean, mut squares) = rank_moments(self.ranked as f64);
        if self.rule == Zeros::Pratt {
            let (zero_mean, zero_squares) = rank_moments(self.zeros as f64);
            mean -= zero_mean;
            squares -= zero_squares;
        }
        (mean, ((squares - 0.5 * self.tie_sum) / 24.0).sqrt())
    }

    fn zero_rank_sum(&self) -> f64 {
        let zeros = self.zeros as f64;
        0.5 * zeros * (zeros + 1.0)
    }
}

/// `n (n+1) / 4` and `n (n+1) (2n+1)`.
fn rank_moments(n: f64) -> (f64, f64) {
    (0.25 * n * (n + 1.0), n * (n + 1.0) * (2.0 * n + 1.0))
}

/// Average ranks are multiples of 1/2: doubled they are whole.
fn doubled(rank: f64) -> usize {
    whole((2.0 * rank).round())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sums of at most EXACT_LIMIT ranks")]
fn whole(sum: f64) -> usize {
    sum.max(0.0) as usize
}

/// The distribution of the sum of numbers each counted or not by a fair coin: `probabilities[s] = P(sum = s)`.
struct RankSums {
    probabilities: Vec<f64>,
}

impl RankSums {
    fn of(numbers: impl IntoIterator<Item = usize>) -> Self {
        let mut probabilities = vec![1.0];
        for number in numbers {
            let reached = probabilities.len();
            probabilities.resize(reached + number, 0.0);
            for sum in (0..probabilities.len()).rev() {
                let without = probabilities[sum];
                let with = sum.checked_sub(number).map_or(0.0, |rest| probabilities[rest]);
                probabilities[sum] = 0.5 * (without + with);
            }
        }
        Self { probabilities }
    }

    fn at_most(&self, sum: usize) -> f64 {
        self.probabilities.iter().take(sum.saturating_add(1)).sum()
    }

    fn at_least(&self, sum: usize) -> f64 {
        self.probabilities.iter().skip(sum).sum()
    }
}
