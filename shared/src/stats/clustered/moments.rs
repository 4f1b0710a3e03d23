//! Sums over the cells from which every contrast is computed: for each series its total and its cosines over the cutoffs.

use std::sync::Arc;

use super::Cell;
use super::overlap::cosine;

/// Candidate less baseline, baseline, weight. The difference is kept, not the candidate, because two good models differ by
/// little and the squares of what they share would drown it.
pub(super) type Triple = [f64; 3];

/// A form that is smaller than this share of its terms is their rounding.
const CANCELLED: f64 = 1e-13;

/// A symmetric 2 x 2 form in the coefficients of difference and baseline: `[dd, db, bb]`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Form(pub [f64; 3]);

impl Form {
    /// Its value for coefficients of candidate and baseline.
    pub(super) fn value(&self, (candidate, baseline): (f64, f64)) -> f64 {
        let (d, b) = (candidate, candidate + baseline);
        let terms = [self.0[0] * d * d, 2.0 * self.0[1] * d * b, self.0[2] * b * b];
        let value: f64 = terms.iter().sum();
        let size: f64 = terms.iter().map(|term| term.abs()).sum();
        if value.abs() > CANCELLED * size { value } else { 0.0 }
    }

    /// `self + factor * other`.
    pub(super) fn plus(&self, factor: f64, other: &Self) -> Self {
        Self([0, 1, 2].map(|i| self.0[i] + factor * other.0[i]))
    }

    /// The form of the square of one linear statistic.
    fn square(d: f64, b: f64) -> Self {
        Self([d * d, d * b, b * b])
    }
}

/// First and raw second moments over the series of one linear statistic of each series.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    sum: Triple,
    /// dd, db, bb, dw, bw, ww.
    products: [f64; 6],
}

impl Spread {
    fn add(&mut self, [d, b, w]: Triple, sign: f64) {
        let products = [d * d, d * b, b * b, d * w, b * w, w * w];
        for (sum, x) in self.sum.iter_mut().zip([d, b, w]) {
            *sum += sign * x;
        }
        for (sum, x) in self.products.iter_mut().zip(products) {
            *sum += sign * x;
        }
    }

    /// Square of the sum of deviations from `weight * mean`.
    fn square_of_sum(&self, mean: (f64, f64)) -> Form {
        let [d, b, w] = self.sum;
        Form::square(d - w * mean.0, b - w * mean.1)
    }

    /// Sum of the squares of deviations from `weight * mean`.
    fn sum_of_squares(&self, (md, mb): (f64, f64)) -> Form {
        let [dd, db, bb, dw, bw, ww] = self.products;
        Form([
            dd - 2.0 * md * dw + md * md * ww,
            db - mb * dw - md * bw + md * mb * ww,
            bb - 2.0 * mb * bw + mb * mb * ww,
        ])
    }
}

/// The statistics of every series: entry 0 its total, entry j its j-th cosine, of difference, baseline and weight; difference and
/// baseline less the weight times the overall mean, so that little cancels.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    /// By series, then entry; shared with the panels that leave one out.
    series: Arc<Vec<Vec<Triple>>>,
    left_out: Option<usize>,
    spreads: Vec<Spread>,
    /// Overall means that were subtracted.
    centre: (f64, f64),
}

impl Moments {
    /// One pass over cells whose series and cutoffs are numbered without gaps.
    pub(super) fn new(cells: &[Cell], series: usize, cutoffs: usize, cosines: usize) -> Self {
        let total = cells.iter().map(triple).fold([0.0; 3], |sum, x| [0, 1, 2].map(|i| sum[i] + x[i]));
        let centre = (total[0] / total[2], total[1] / total[2]);
        let basis = by_cutoff(cutoffs, cosines);
        let mut all = vec![vec![[0.0; 3]; cosines + 1]; series];
        for cell in cells {
            let [d, b, w] = triple(cell);
            let x = [d - w * centre.0, b - w * centre.1, w];
            accumulate(&mut all[cell.series as usize], &basis[cell.cutoff as usize], x);
        }
        let mut spreads = vec![Spread::default(); cosines + 1];
        for entries in &all {
            tally(&mut spreads, entries, 1.0);
        }
        Self { spreads, series: Arc::new(all), left_out: None, centre }
    }

    /// The same without one series of a complete panel.
    pub(super) fn without(&self, series: usize) -> Self {
        let mut rest = Self { left_out: Some(series), ..self.clone() };
        tally(&mut rest.spreads, &self.series[series], -1.0);
        rest
    }

    /// Total weight.
    pub(super) fn weight(&self) -> f64 {
        self.spreads[0].sum[2]
    }

    /// Total weight of each series.
    pub(super) fn series_weights(&self) -> impl Iterator<Item = f64> + '_ {
        let kept = self.series.iter().enumerate().filter(|(index, _)| Some(*index) != self.left_out);
        kept.map(|(_, entries)| entries[0][2])
    }

    /// Overall means of candidate and baseline.
    pub(super) fn means(&self) -> (f64, f64) {
        let (d, b) = self.residual_means();
        let (difference, baseline) = (self.centre.0 + d, self.centre.1 + b);
        (difference + baseline, baseline)
    }

    /// What is left of the means after centring: 0 but for rounding, unless a series was taken out.
    fn residual_means(&self) -> (f64, f64) {
        let [d, b, w] = self.spreads[0].sum;
        (d / w, b / w)
    }

    /// Entry j: the square of the sum over series, and the sum over series of squares, of deviations from the overall mean.
    pub(super) fn forms(&self, entry: usize) -> (Form, Form) {
        let mean = self.residual_means();
        (self.spreads[entry].square_of_sum(mean), self.spreads[entry].sum_of_squares(mean))
    }
}

fn triple(cell: &Cell) -> Triple {
    [cell.candidate - cell.baseline, cell.baseline, cell.weight]
}

/// `[1, cosine 1, cosine 2, …]` of each cutoff.
fn by_cutoff(cutoffs: usize, cosines: usize) -> Vec<Vec<f64>> {
    let columns: Vec<_> = (1..=cosines).map(|j| cosine(j, cutoffs)).collect();
    (0..cutoffs).map(|t| std::iter::once(1.0).chain(columns.iter().map(|column| column[t])).collect()).collect()
}

fn tally(spreads: &mut [Spread], entries: &[Triple], sign: f64) {
    for (spread, &x) in spreads.iter_mut().zip(entries) {
        spread.add(x, sign);
    }
}

fn accumulate(entries: &mut [Triple], basis: &[f64], [d, b, w]: Triple) {
    for (entry, factor) in entries.iter_mut().zip(basis) {
        entry[0] += factor * d;
        entry[1] += factor * b;
        entry[2] += factor * w;
    }
}
