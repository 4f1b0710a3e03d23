//! What a row adds to the sum and the count of a measure, as SQL: the same definitions as the reader of forecast tables has.

use shared::format::sufficient::Measure;

use super::Header;
use crate::load::forecasts::Direction;

/// What a paired row adds to a model's sum; 0 where the measure is undefined.
pub(super) fn summand(header: &Header, measure: Measure, model: usize) -> String {
    let p = format!("m{model}");
    let absolute = format!("ABS({p} - y)");
    let squared = format!("({p} - y) * ({p} - y)");
    match measure {
        Measure::AbsoluteError => absolute,
        Measure::SquaredError => squared,
        Measure::Error => format!("{p} - y"),
        Measure::AbsoluteActual => "ABS(y)".to_owned(),
        Measure::AbsolutePercentageError => format!("CASE WHEN y <> 0 THEN ABS(({p} - y) / y) ELSE 0E0 END"),
        Measure::SymmetricPercentageError => {
            format!("CASE WHEN ABS(y) + ABS({p}) > 0 THEN 2 * {absolute} / (ABS(y) + ABS({p})) ELSE 0E0 END")
        }
        Measure::PointPinball => format!("{absolute} / 2"),
        Measure::AbsoluteScaledError => {
            format!("CASE WHEN absolute_scale > 0 THEN {absolute} / absolute_scale ELSE 0E0 END")
        }
        Measure::SquaredScaledError => {
            format!("CASE WHEN squared_scale > 0 THEN ({squared}) / squared_scale ELSE 0E0 END")
        }
        Measure::DirectionHit => flag(&hit(header.direction, model)),
        Measure::DirectionTie => flag(&tie(header.direction, model)),
        Measure::IntervalHit { .. } => {
            format!("CASE WHEN bounded = 1 AND lo{model} <= y AND y <= hi{model} THEN 1E0 ELSE 0E0 END")
        }
        Measure::IntervalPinball { level } => interval_pinball(model, level),
    }
}

/// 1 for each paired row in which the measure is defined.
pub(super) fn defined(header: &Header, measure: Measure) -> String {
    let condition = match (measure, header.direction) {
        (Measure::AbsolutePercentageError, _) => "y <> 0",
        (Measure::AbsoluteScaledError | Measure::SquaredScaledError, _) => "absolute_scale > 0",
        (Measure::DirectionHit, Direction::Last) => "last_actual IS NOT NULL AND y <> last_actual",
        (Measure::DirectionTie, Direction::Last) => "last_actual IS NOT NULL",
        (Measure::DirectionHit | Measure::DirectionTie, Direction::Diff) => "y_before IS NOT NULL",
        (Measure::IntervalHit { .. } | Measure::IntervalPinball { .. }, _) => "bounded = 1",
        _ => "1 = 1",
    };
    format!("CASE WHEN {condition} THEN 1 ELSE 0 END")
}

fn flag(condition: &str) -> String {
    format!("CASE WHEN {condition} THEN 1E0 ELSE 0E0 END")
}

fn hit(direction: Direction, model: usize) -> String {
    match direction {
        Direction::Last => {
            format!("(y > last_actual AND m{model} > last_actual) OR (y < last_actual AND m{model} < last_actual)")
        }
        // A flat change counts as down.
        Direction::Diff => format!(
            "(y - y_before > 0 AND m{model} - m{model}_before > 0) OR (y - y_before <= 0 AND m{model} - m{model}_before <= 0)"
        ),
    }
}

fn tie(direction: Direction, model: usize) -> String {
    match direction {
        Direction::Last => format!("y = last_actual OR m{model} = last_actual"),
        Direction::Diff => "1 = 0".to_owned(),
    }
}

/// Mean pinball loss of the two ends, each at its own quantile (Koenker and Bassett 1978).
fn interval_pinball(model: usize, level: f64) -> String {
    let tail = (1.0 - level / 100.0) / 2.0;
    let (low, high) = (pinball(&format!("lo{model}"), tail), pinball(&format!("hi{model}"), 1.0 - tail));
    format!("CASE WHEN bounded = 1 THEN ({low} + {high}) / 2 ELSE 0E0 END")
}

fn pinball(forecast: &str, quantile: f64) -> String {
    let (above, below) = (constant(quantile), constant(1.0 - quantile));
    format!("CASE WHEN y >= {forecast} THEN {above} * (y - {forecast}) ELSE {below} * ({forecast} - y) END")
}

/// A double with all its digits; with an exponent, since plain decimals are no doubles everywhere.
fn constant(value: f64) -> String {
    format!("{value:E}")
}
