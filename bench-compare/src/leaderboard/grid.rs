//! Errors of many models on many tasks, in columns, and the steps from raw scores to what a leaderboard averages:
//! relative to the baseline, leaked results replaced, clipped, failures settled. The steps and their order are those of
//! fev (0.10.0, `analysis.py`).

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;

/// What happens to failed results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Any failed result is an error
    #[default]
    Error,
    /// A task on which any model failed is left out for all
    Drop,
    /// A failed result counts as the baseline's
    Impute,
}

/// The bounds of a relative error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Clip {
    /// Smaller ones are raised to this.
    pub lower: Option<f64>,
    /// Larger ones are lowered to this.
    pub upper: Option<f64>,
}

impl Clip {
    /// fev's: 0.01 and 100.
    pub const FEV: Self = Self { lower: Some(0.01), upper: Some(100.0) };
    /// No bounds.
    pub const NONE: Self = Self { lower: None, upper: None };

    /// The value within the bounds; NaN stays NaN.
    pub fn apply(self, value: f64) -> f64 {
        let raised = self.lower.map_or(value, |lower| if value < lower { lower } else { value });
        self.upper.map_or(raised, |upper| if raised > upper { upper } else { raised })
    }
}

impl std::str::FromStr for Clip {
    type Err = String;

    /// `LOW,HIGH`, either of them `none`; or `none` alone.
    fn from_str(text: &str) -> Result<Self, String> {
        let (lower, upper) = if text == "none" { ("none", "none") } else { text.split_once(',').ok_or(EXPECTED)? };
        let clip = Self { lower: bound(lower)?, upper: bound(upper)? };
        match (clip.lower, clip.upper) {
            (Some(lower), Some(upper)) if lower > upper => Err(format!("{lower} is above {upper}")),
            _ => Ok(clip),
        }
    }
}

const EXPECTED: &str = "expected LOW,HIGH such as 0.01,100, or none";

fn bound(text: &str) -> Result<Option<f64>, String> {
    match text.trim() {
        "none" => Ok(None),
        text => text
            .parse()
            .ok()
            .filter(|value: &f64| value.is_finite() && *value > 0.0)
            .map(Some)
            .ok_or(EXPECTED.to_owned()),
    }
}

/// A matrix in columns: the values of one model lie together. NaN is a failed result.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    tasks: usize,
    values: Vec<f64>,
}

impl Grid {
    /// From values laid out `[model][task]`.
    pub fn new(tasks: usize, values: Vec<f64>) -> Self {
        Self { tasks, values }
    }

    /// How many tasks.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// How many models.
    pub fn models(&self) -> usize {
        self.values.len().checked_div(self.tasks).unwrap_or(0)
    }

    /// One model's values.
    pub fn column(&self, model: usize) -> &[f64] {
        &self.values[model * self.tasks..][..self.tasks]
    }

    /// Every value divided by the baseline's on the same task. The baseline's own is 1 where it has a score above 0.
    pub fn relative_to(&self, baseline: usize) -> Self {
        let divisor = self.column(baseline);
        self.map(|task, value| value / divisor[task])
    }

    /// Where `leaked` says so, the value that `stand_in` has on the same task.
    pub fn without_leaks(&self, leaked: &[bool], stand_in: usize) -> Self {
        let theirs = self.column(stand_in);
        let chosen = |(index, value): (usize, &f64)| if leaked[index] { theirs[index % self.tasks] } else { *value };
        Self::new(self.tasks, self.values.iter().enumerate().map(chosen).collect())
    }

    /// Every value within the bounds.
    pub fn clipped(&self, clip: Clip) -> Self {
        self.map(|_, value| clip.apply(value))
    }

    /// Failed results filled with the baseline's value on the same task.
    pub fn filled_from(&self, baseline: usize) -> Self {
        let theirs = self.column(baseline);
        self.map(|task, value| if value.is_nan() { theirs[task] } else { value })
    }

    /// Failed results filled with a constant.
    pub fn filled_with(&self, constant: f64) -> Self {
        self.map(|_, value| if value.is_nan() { constant } else { value })
    }

    /// Only these tasks.
    pub fn of_tasks(&self, kept: &[usize]) -> Self {
        let columns = (0..self.models()).flat_map(|model| kept.iter().map(move |&task| (model, task)));
        Self::new(kept.len(), columns.map(|(model, task)| self.column(model)[task]).collect())
    }

    /// How many results of each model failed.
    pub fn failures(&self) -> Vec<u64> {
        (0..self.models()).map(|model| count(self.column(model), f64::is_nan)).collect()
    }

    /// The tasks on which no model failed.
    pub fn complete_tasks(&self) -> Vec<usize> {
        let complete = |task: &usize| (0..self.models()).all(|model| !self.column(model)[*task].is_nan());
        (0..self.tasks).filter(complete).collect()
    }

    /// How many values of each model the bounds change.
    pub fn clipped_cells(&self, clip: Clip) -> Vec<u64> {
        let outside = |value: f64| clip.apply(value).total_cmp(&value).is_ne() && !value.is_nan();
        (0..self.models()).map(|model| count(self.column(model), outside)).collect()
    }

    fn map(&self, of: impl Fn(usize, f64) -> f64) -> Self {
        let mut values = self.values.clone();
        for column in values.chunks_exact_mut(self.tasks.max(1)) {
            column.iter_mut().enumerate().for_each(|(task, value)| *value = of(task, *value));
        }
        Self::new(self.tasks, values)
    }
}

fn count(values: &[f64], is: impl Fn(f64) -> bool) -> u64 {
    values.iter().filter(|&&value| is(value)).count() as u64
}

/// The middle of the values that are not NaN, halfway between two; `None` without any (numpy's `nanmedian`).
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    let (count, middle) = (known.len(), known.len() / 2);
    if count == 0 {
        return None;
    }
    let (below, &mut upper, _) = known.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| count % 2 == 0);
    Some(lower.map_or(upper, |lower| f64::midpoint(lower, upper)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaks_are_replaced_before_anything_is_counted() {
        let grid = Grid::new(2, vec![4.0, 8.0, 2.0, f64::NAN, 1.0, 4.0]).relative_to(0);
        assert_eq!(grid.failures(), [0, 1, 0]);
        let masked = grid.without_leaks(&[false, false, false, true, false, false], 2);
        assert_eq!(masked.column(1), [0.5, 0.5]);
        assert_eq!(masked.failures(), [0, 0, 0]);
    }

    #[test]
    fn clipping_counts_what_it_changes() {
        let grid = Grid::new(3, vec![0.001, 1.0, 1000.0]);
        assert_eq!(grid.clipped_cells(Clip::FEV), [2]);
        assert_eq!(grid.clipped(Clip::FEV).column(0), [0.01, 1.0, 100.0]);
        assert_eq!("none,2".parse::<Clip>(), Ok(Clip { lower: None, upper: Some(2.0) }));
        assert!("2,0.5".parse::<Clip>().is_err());
    }

    #[test]
    fn the_median_skips_what_is_missing() {
        assert_eq!(median([3.0, f64::NAN, 1.0, 2.0, 10.0].into_iter()), Some(2.5));
        assert_eq!(median([3.0, f64::NAN, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([f64::NAN].into_iter()), None);
    }
}
