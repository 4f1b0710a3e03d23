//! The unit of `mape`: stated, or told from the numbers of a whole file.
//!
//! The class writes percent; some files hold fractions, and nothing in a file says which. The rule: all values from 1 on
//! mean percent, all below 1 mean fractions; on both sides of 1, a median from 1 on means percent, and one below 1 cannot be
//! told. Zeros, failed results and values inflated by zero actuals do not vote. A wrong guess scales a whole file by 100,
//! and two files that were guessed differently but measured alike are caught by the ratio between them.

use serde::{Deserialize, Serialize};

use super::{Row, ZERO_ACTUALS_MAPE_RATIO};

/// From this percentage on, MAPE is inflated whatever the unit is.
const INFLATED_PERCENT: f64 = 100.0 * ZERO_ACTUALS_MAPE_RATIO;

/// The unit that `mape` has in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapeUnit {
    /// 8.2 means 8.2 %.
    Percent,
    /// 0.082 means 8.2 %.
    Fraction,
}

impl MapeUnit {
    /// The proportion that `value` stands for.
    pub fn ratio(self, value: f64) -> f64 {
        match self {
            Self::Percent => value / 100.0,
            Self::Fraction => value,
        }
    }

    /// Its name, as `--mape-unit` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Fraction => "fraction",
        }
    }
}

/// What the numbers of a file say about their unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UnitGuess {
    /// No usable value: percent, as the class writes.
    Nothing,
    /// All values, or the median, speak for one unit.
    Likely {
        /// The unit.
        unit: MapeUnit,
        /// Smallest value.
        least: f64,
        /// Largest value.
        most: f64,
    },
    /// Values on both sides of 1 with a median below it.
    Unclear {
        /// Smallest value.
        least: f64,
        /// Largest value.
        most: f64,
    },
}

/// Tells the unit of `mape` in `rows` by the rule of this module.
pub fn guess_unit(rows: &[Row]) -> UnitGuess {
    let usable = |value: &f64| *value > 0.0 && *value < INFLATED_PERCENT;
    let mut values: Vec<f64> = rows.iter().filter_map(|row| row.mape.finite()).filter(usable).collect();
    values.sort_by(f64::total_cmp);
    let (Some(&least), Some(&most)) = (values.first(), values.last()) else { return UnitGuess::Nothing };
    let upper_median = values[values.len() / 2];
    match () {
        () if most < 1.0 => UnitGuess::Likely { unit: MapeUnit::Fraction, least, most },
        () if upper_median >= 1.0 => UnitGuess::Likely { unit: MapeUnit::Percent, least, most },
        () => UnitGuess::Unclear { least, most },
    }
}
