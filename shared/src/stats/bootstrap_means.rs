//! The means of every column of a loss table in each bootstrap replicate: what the model confidence set and the test of superior
//! predictive ability both start from.

use super::matrix::Losses;
use super::resample::Plan;
use super::undefined::Undefined;

/// For each replicate, the mean of each column minus its mean in the data.
pub(super) fn centred_means(losses: &Losses, plan: &Plan) -> Result<Vec<Vec<f64>>, Undefined> {
    let means = losses.means();
    plan.map(losses.rows(), |indices| {
        let mut sums = vec![0.0; losses.columns()];
        for &index in indices {
            sums.iter_mut().zip(losses.row(index)).for_each(|(sum, loss)| *sum += loss);
        }
        let n = indices.len() as f64;
        sums.iter().zip(&means).map(|(sum, mean)| sum / n - mean).collect()
    })
}

/// The p-value of a statistic among simulated values: `(above + 1) / (count + 1)`, since the data are one of the values that the
/// hypothesis makes equally likely (Phipson & Smyth 2010); it is never 0.
pub(super) fn simulated_p(simulated: impl Iterator<Item = f64>, statistic: f64) -> f64 {
    let (mut above, mut count) = (0_u64, 0_u64);
    for value in simulated {
        count += 1;
        above += u64::from(value > statistic);
    }
    (above + 1) as f64 / (count + 1) as f64
}

/// The largest, or -∞ of none.
pub(super) fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NEG_INFINITY, f64::max)
}
