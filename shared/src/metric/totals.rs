//! The sums of one model over a group of rows.

use crate::format::sufficient::{Measure, Panel};

/// Sum and count of each measure, over all cells of a panel, for one model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Totals {
    /// Paired rows.
    pub rows: u64,
    sums: Vec<(Measure, f64, u64)>,
}

impl Totals {
    /// From sums and counts that are known already.
    pub fn new(rows: u64, sums: Vec<(Measure, f64, u64)>) -> Self {
        Self { rows, sums }
    }

    /// Adds up a panel for each of `models` models; the panel has been summed for `measures`.
    pub fn of_panel(panel: &Panel, models: usize, measures: &[Measure]) -> Vec<Self> {
        let rows = panel.rows.iter().map(|&rows| u64::from(rows)).sum();
        let counts: Vec<u64> = (0..measures.len()).map(|index| column(&panel.counts, index, measures.len())).collect();
        let width = models * measures.len();
        let total = |model: usize, index: usize| add_up(&panel.sums, model * measures.len() + index, width);
        let of_model = |model| {
            let each = measures.iter().enumerate();
            Self { rows, sums: each.map(|(index, &measure)| (measure, total(model, index), counts[index])).collect() }
        };
        (0..models).map(of_model).collect()
    }

    /// Sum and count of a measure, if it was asked for.
    pub fn of(&self, measure: Measure) -> Option<(f64, u64)> {
        self.sums.iter().find(|(known, _, _)| *known == measure).map(|&(_, sum, count)| (sum, count))
    }
}

fn column(counts: &[u32], index: usize, width: usize) -> u64 {
    counts.iter().skip(index).step_by(width.max(1)).map(|&count| u64::from(count)).sum()
}

/// Sums with the rounding error carried along (Neumaier 1974), so that the order of the cells does not matter to 1e-15.
fn add_up(sums: &[f64], index: usize, width: usize) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for &value in sums.iter().skip(index).step_by(width.max(1)) {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    // An infinite or undefined sum stays what it is.
    if sum.is_finite() { sum + lost } else { sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_laid_out_by_cell_model_measure() {
        let panel = Panel {
            series: vec![0, 1],
            cutoffs: vec![0, 0],
            rows: vec![2, 3],
            counts: vec![2, 1, 3, 3],
            sums: vec![1.0, 10.0, 2.0, 20.0, 100.0, 1000.0, 200.0, 2000.0],
        };
        let totals = Totals::of_panel(&panel, 2, &[Measure::AbsoluteError, Measure::Error]);
        assert_eq!(totals[0].of(Measure::AbsoluteError), Some((101.0, 5)));
        assert_eq!(totals[1].of(Measure::Error), Some((2020.0, 4)));
        assert_eq!((totals[0].rows, totals[0].of(Measure::SquaredError)), (5, None));
    }

    #[test]
    fn small_terms_are_not_lost() {
        let panel =
            Panel { rows: vec![1; 4], counts: vec![1; 4], sums: vec![1.0, 1e100, 1.0, -1e100], ..Panel::default() };
        assert_eq!(Totals::of_panel(&panel, 1, &[Measure::Error])[0].of(Measure::Error), Some((2.0, 4)));
    }
}
