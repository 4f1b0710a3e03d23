//! The variance of the overall sum, in three parts: series, cutoffs, and what belongs to neither.

use super::moments::{Form, Moments};
use super::overlap::References;

/// A common persistence above that of the single series is believed where twice the log likelihood gains more than this: the
/// one-sided 1 % point of the likelihood ratio for a parameter at its boundary (Self and Liang 1987, case 5).
const BELIEVED_GAIN: f64 = 5.412;

/// The estimate never falls below this share of the part that the cells alone explain. Chosen, with the form of the degrees of
/// freedom, on independent chi-squares (4 to 50 series, 2 to 15 cosines, all mixtures of the parts): floors up to 1 keep the
/// rate as well and cost power where neither series nor cutoffs matter.
const FLOOR: f64 = 0.6;

/// How the sampling of series enters.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeriesPart {
    /// Makes the sum of squared series totals unbiased.
    factor: f64,
    /// Makes the products between series unbiased: `1 / (1 - Σp²)` with shares p of the weight.
    pairs: f64,
    /// Degrees of freedom.
    pub df: f64,
}

impl SeriesPart {
    /// From the weights of the series; none where there is only one.
    ///
    /// With shares p of the weight, the sum of squared totals has expectation `1 - Σp²` of the variance where cells are
    /// independent and `1 - 2Σp³/Σp² + Σp²` where series effects dominate; the larger correction is used. Degrees of freedom
    /// are Satterthwaite's under dominating series effects, `(Σp²)² / Σp⁴ - 1` (Carter, Schnepel and Steigerwald 2017 use the same
    /// effective number of clusters). Equal weights give `S / (S - 1)` and `S - 1`.
    pub(super) fn new(weights: &[f64]) -> Option<Self> {
        let total: f64 = weights.iter().sum();
        let power = |n: i32| weights.iter().map(|w| (w / total).powi(n)).sum::<f64>();
        let (p2, p3, p4) = (power(2), power(3), power(4));
        let independent = 1.0 - p2;
        let effects = 1.0 - 2.0 * p3 / p2 + p2;
        let usable = weights.len() > 1 && independent > 1e-9 && effects > 1e-9;
        let df = (p2 * p2 / p4 - 1.0).max(0.5);
        usable.then(|| Self { factor: 1.0 / independent.min(effects), pairs: 1.0 / independent, df })
    }
}

/// The parts of the variance of the overall sum for any direction, after a persistence has been chosen.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    /// Squared series totals; none where series are fixed.
    series: Option<(Form, f64)>,
    /// Long-run variance of cutoff sums.
    time: Form,
    /// The share of `time` that independent cells explain.
    cells: Form,
    /// Cosines of the long-run variance.
    pub bands: usize,
    /// Index of the persistence.
    pub model: usize,
}

/// A variance and the degrees of freedom of its estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Variance {
    /// Of the overall sum.
    pub total: f64,
    /// The part that further cutoffs diminish.
    pub time: f64,
    /// Degrees of freedom.
    pub df: f64,
}

impl Parts {
    /// Parts for a direction: the persistence is fitted to it, the forms then serve all directions of the same question.
    pub(super) fn new(moments: &Moments, references: &References, sampled: bool, direction: (f64, f64)) -> Self {
        let part = SeriesPart::new(&moments.series_weights().collect::<Vec<_>>());
        let model = persistence(moments, references, part, direction);
        Self::with_model(moments, references, part, sampled, model)
    }

    fn with_model(m: &Moments, references: &References, part: Option<SeriesPart>, sampled: bool, model: usize) -> Self {
        let bands = references.bands(model);
        let reference = &references.models[model];
        let scale = |j: usize| reference.sum_variance / reference.expected[j - 1] / bands as f64;
        let mut parts = Self { series: None, time: Form::default(), cells: Form::default(), bands, model };
        for j in 1..=bands {
            let (time, cells) = split(m, part, j);
            parts.time = parts.time.plus(scale(j), &time);
            parts.cells = parts.cells.plus(scale(j), &cells);
        }
        parts.series = part.filter(|_| sampled).map(|part| (Form::default().plus(part.factor, &m.forms(0).1), part.df));
        parts
    }

    /// `V = max(Vs + Vt - Vc, 0.6 Vc)` and degrees of freedom after Satterthwaite (1946); `Vt` on `B` where series are fixed.
    pub(super) fn variance(&self, direction: (f64, f64)) -> Variance {
        let (time, cells, bands) = (self.time.value(direction), self.cells.value(direction), self.bands as f64);
        let Some((series, df)) = self.series.as_ref().map(|(form, df)| (form.value(direction), *df)) else {
            return Variance { total: time, time, df: bands };
        };
        let total = (series + time - cells).max(FLOOR * cells);
        let total = if total > 0.0 { total } else { series.max(time) };
        Variance { total, time: time.min(total), df: degrees(total, (series, df), (time, bands)) }
    }
}

/// `V² / (Vs²/dfs + (k Vt)²/B)`, at least the smaller of the two, below which the degrees of freedom of a sum never lie.
///
/// With few cosines Vt is more often too small than too large, and then claims too many degrees of freedom: k makes it
/// median-unbiased, `1/k = (1 - 2/(9B))³` (Wilson and Hilferty 1931).
fn degrees(total: f64, (series, df): (f64, f64), (time, bands): (f64, f64)) -> f64 {
    let median = (1.0 - 2.0 / (9.0 * bands)).powi(3);
    let noise = series * series / df + (time / median).powi(2) / bands;
    let least = df.min(bands);
    let degrees = (total * total / noise).max(least);
    if degrees.is_finite() { degrees } else { least }
}

/// Cosine j: its square, and the part of it that independent cells explain (0 for a single series, of which nothing is known).
fn split(moments: &Moments, part: Option<SeriesPart>, j: usize) -> (Form, Form) {
    let (square, own) = moments.forms(j);
    let cells = part.map(|part| square.plus(part.pairs, &own.plus(-1.0, &square)));
    (square, cells.unwrap_or_default())
}

/// The persistence of rows: that of the single series' own deviations, unless the sums over series clearly show more.
fn persistence(m: &Moments, references: &References, part: Option<SeriesPart>, direction: (f64, f64)) -> usize {
    let squares: Vec<_> = (1..=references.cosines()).map(|j| split(m, part, j)).collect();
    let of = |form: &Form| form.value(direction);
    let common = likelihoods(references, &squares.iter().map(|(time, _)| of(time)).collect::<Vec<_>>());
    let own =
        part.and_then(|_| likelihoods(references, &squares.iter().map(|(_, cells)| of(cells)).collect::<Vec<_>>()));
    let least = own.map_or(0, |own| best(&own, 0));
    common.map_or(least, |common| {
        let most = best(&common, least);
        if 2.0 * (common[most] - common[least]) > BELIEVED_GAIN { most } else { least }
    })
}

/// Whittle's log likelihood, its scale profiled out, of squared cosines under each reference model; none where they are all 0.
fn likelihoods(references: &References, squares: &[f64]) -> Option<Vec<f64>> {
    let n = squares.len() as f64;
    let likelihood = |expected: &[f64]| {
        let mean = squares.iter().zip(expected).map(|(square, e)| square.max(0.0) / e).sum::<f64>() / n;
        -0.5 * (n * mean.ln() + expected.iter().map(|e| e.ln()).sum::<f64>())
    };
    let all: Vec<_> = references.models.iter().map(|model| likelihood(&model.expected)).collect();
    all.iter().all(|value| value.is_finite()).then_some(all)
}

/// Index of the greatest value from `from` on; the first of equals.
fn best(values: &[f64], from: usize) -> usize {
    (from..values.len()).fold(from, |best, i| if values[i] > values[best] { i } else { best })
}
