//! What a metric asks of the sums: which cells, which contrast, and how an effect on them reads.

use shared::format::sufficient::{Measure, Panel, Sufficient};
use shared::format::verdict::Scale;
use shared::stats::clustered::{self, Cell, Undecidable};
use shared::{Error, Result};

/// A metric of a forecast table as a gate sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Effect {
    /// Ratio of two mean losses, e.g. MAPE.
    Ratio(Measure),
    /// Ratio of two summed absolute errors, each per summed absolute actual: WAPE.
    RatioPerActual,
    /// Ratio of two root mean squared losses, e.g. RMSE.
    RootRatio(Measure),
    /// Difference of two miss rates: directional accuracy.
    Misses(Measure),
    /// How far the candidate's interval coverage falls short of its level.
    Shortfall {
        /// The level in percent.
        level: f64,
    },
    /// Difference of two absolute relative biases, `|Σe| / Σ|y|`.
    AbsoluteBias,
}

impl Effect {
    /// The effect of a metric's name: `mape`, `da`, `coverage`, `coverage@80`; without a level, intervals are of `level` percent.
    ///
    /// # Errors
    /// [`Error::Usage`] with the names that are known.
    pub(super) fn of_metric(name: &str, level: f64) -> Result<Self> {
        let (stem, level) = split_level(name, level)?;
        Ok(match stem {
            "mape" => Self::Ratio(Measure::AbsolutePercentageError),
            "smape" => Self::Ratio(Measure::SymmetricPercentageError),
            "mae" => Self::Ratio(Measure::AbsoluteError),
            "wape" => Self::RatioPerActual,
            "mse" => Self::Ratio(Measure::SquaredError),
            "rmse" => Self::RootRatio(Measure::SquaredError),
            "mase" => Self::Ratio(Measure::AbsoluteScaledError),
            "rmsse" => Self::RootRatio(Measure::SquaredScaledError),
            "pinball" => Self::Ratio(Measure::IntervalPinball { level }),
            "da" => Self::Misses(Measure::DirectionHit),
            "coverage" => Self::Shortfall { level },
            "bias" => Self::AbsoluteBias,
            _ => return Err(unknown(name)),
        })
    }

    /// The measure that carries the effect.
    pub(super) fn measure(self) -> Measure {
        match self {
            Self::Ratio(measure) | Self::RootRatio(measure) | Self::Misses(measure) => measure,
            Self::Shortfall { level } => Measure::IntervalHit { level },
            Self::RatioPerActual => Measure::AbsoluteError,
            Self::AbsoluteBias => Measure::Error,
        }
    }

    /// How the effect is expressed.
    pub(super) fn scale(self) -> Scale {
        match self {
            Self::Ratio(_) | Self::RatioPerActual | Self::RootRatio(_) => Scale::Relative,
            _ => Scale::Difference,
        }
    }

    /// Whether the baseline takes part; the coverage of an interval is held against its own level.
    pub(super) fn needs_baseline(self) -> bool {
        !matches!(self, Self::Shortfall { .. })
    }

    /// The cells of a panel for candidate and baseline; cells without a row for the measure are left out.
    pub(super) fn cells(self, table: &Sufficient, panel: &Panel, candidate: usize, baseline: usize) -> Vec<Cell> {
        let view = View { table, panel };
        let signs = self.signs(&view, candidate, baseline);
        (0..panel.rows.len()).filter_map(|cell| self.cell(&view, cell, (candidate, baseline), signs)).collect()
    }

    /// The panel's question that carries the effect.
    ///
    /// # Errors
    /// If the baseline's loss is 0 and a ratio is asked for.
    pub(super) fn question(self, panel: &clustered::Panel) -> Result<clustered::Question, Undecidable> {
        match self {
            Self::Ratio(_) | Self::RatioPerActual | Self::RootRatio(_) => panel.ratio(),
            Self::Misses(_) | Self::AbsoluteBias => Ok(panel.difference()),
            Self::Shortfall { .. } => Ok(panel.mean()),
        }
    }

    /// Where the panel's question has to lie for the effect to lie at `margin`.
    pub(super) fn threshold(self, margin: f64) -> f64 {
        match self {
            Self::Ratio(_) | Self::RatioPerActual => 1.0 + margin,
            Self::RootRatio(_) => (1.0 + margin).powi(2),
            Self::Misses(_) | Self::AbsoluteBias => margin,
            Self::Shortfall { level } => 1.0 - level / 100.0 + margin,
        }
    }

    /// The effect where the panel's question has this value: the inverse of [`Effect::threshold`].
    pub(super) fn at(self, value: f64) -> f64 {
        match self {
            Self::RootRatio(_) => value.max(0.0).sqrt() - 1.0,
            _ => value - self.threshold(0.0),
        }
    }

    /// The effect of two values of the metric itself.
    pub(super) fn between(self, candidate: f64, baseline: Option<f64>) -> Option<f64> {
        let effect = match (self, baseline) {
            (Self::Shortfall { level }, _) => level / 100.0 - candidate,
            (Self::Misses(_), Some(baseline)) => baseline - candidate,
            (Self::AbsoluteBias, Some(baseline)) => candidate.abs() - baseline.abs(),
            (_, Some(baseline)) => candidate / baseline - 1.0,
            (_, None) => return None,
        };
        Some(effect).filter(|effect| effect.is_finite())
    }

    /// The metric's own value for one model.
    pub(super) fn value(self, table: &Sufficient, panel: &Panel, model: usize) -> Option<f64> {
        let view = View { table, panel };
        let mean = view.total(model, self.measure())? / view.denominator(self)?;
        let value = if let Self::RootRatio(_) = self { mean.sqrt() } else { mean };
        Some(value).filter(|value| value.is_finite())
    }

    /// A bias is compared by its size, so each model's sum enters with the sign of its total.
    fn signs(self, view: &View<'_>, candidate: usize, baseline: usize) -> (f64, f64) {
        let sign = |model| view.total(model, Measure::Error).map_or(1.0, f64::signum);
        if self == Self::AbsoluteBias { (sign(candidate), sign(baseline)) } else { (1.0, 1.0) }
    }

    fn cell(self, view: &View<'_>, cell: usize, models: (usize, usize), signs: (f64, f64)) -> Option<Cell> {
        let weight = view.weight(self, cell)?;
        let loss = |model| {
            let sum = view.sum(cell, model, self.measure())?;
            Some(if self.counts_misses() { weight - sum } else { sum })
        };
        let baseline = if self.needs_baseline() { loss(models.1)? } else { 0.0 };
        Some(Cell {
            series: view.panel.series[cell],
            cutoff: view.panel.cutoffs[cell],
            candidate: signs.0 * loss(models.0)?,
            baseline: signs.1 * baseline,
            weight,
        })
    }

    fn counts_misses(self) -> bool {
        matches!(self, Self::Misses(_) | Self::Shortfall { .. })
    }
}

/// `coverage@80` is the coverage of the 80 % interval.
fn split_level(name: &str, default: f64) -> Result<(&str, f64)> {
    let Some((stem, level)) = name.split_once('@') else { return Ok((name, default)) };
    match level.parse::<f64>() {
        Ok(level) if level > 0.0 && level < 100.0 => Ok((stem, level)),
        _ => Err(Error::usage(format!("metric {name:?}: {level:?} is no interval level"), "a percentage such as 90")),
    }
}

fn unknown(name: &str) -> Error {
    Error::usage(
        format!("unknown metric {name:?} for a forecast table"),
        "mape, smape, wape, mae, mse, rmse, mase, rmsse, pinball, da, coverage or bias",
    )
}

/// A panel with the table that says where its numbers stand.
struct View<'a> {
    table: &'a Sufficient,
    panel: &'a Panel,
}

impl View<'_> {
    fn column(&self, measure: Measure) -> Option<usize> {
        self.table.measures.iter().position(|&known| known == measure)
    }

    fn sum(&self, cell: usize, model: usize, measure: Measure) -> Option<f64> {
        let (models, measures) = (self.table.models.len(), self.table.measures.len());
        let sum = self.panel.sums[(cell * models + model) * measures + self.column(measure)?];
        Some(sum).filter(|sum| sum.is_finite())
    }

    fn count(&self, cell: usize, measure: Measure) -> Option<f64> {
        let count = self.panel.counts[cell * self.table.measures.len() + self.column(measure)?];
        Some(f64::from(count)).filter(|&count| count > 0.0)
    }

    /// What a cell's sums are divided by; `None` where no row counts.
    fn weight(&self, effect: Effect, cell: usize) -> Option<f64> {
        match effect {
            Effect::AbsoluteBias | Effect::RatioPerActual => self.sum(cell, 0, Measure::AbsoluteActual),
            _ => self.count(cell, effect.measure()),
        }
    }

    fn total(&self, model: usize, measure: Measure) -> Option<f64> {
        let cells = (0..self.panel.rows.len()).filter(|&cell| self.count(cell, measure).is_some());
        cells.map(|cell| self.sum(cell, model, measure)).sum()
    }

    fn denominator(&self, effect: Effect) -> Option<f64> {
        let total: f64 = (0..self.panel.rows.len()).filter_map(|cell| self.weight(effect, cell)).sum();
        Some(total).filter(|&total| total > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_belongs_to_the_metric() {
        assert_eq!(Effect::of_metric("coverage@80", 90.0).unwrap(), Effect::Shortfall { level: 80.0 });
        assert!(Effect::of_metric("coverage@0", 90.0).is_err() && Effect::of_metric("mapp", 90.0).is_err());
    }

    #[test]
    fn a_root_metric_squares_its_margin() {
        let effect = Effect::of_metric("rmse", 90.0).unwrap();
        assert!((effect.threshold(0.1) - 1.21).abs() < 1e-12);
        assert!((effect.at(1.21) - 0.1).abs() < 1e-12);
    }
}
