//! The columns of the result, by which query and reader understand each other.

use shared::format::sufficient::Measure;

use super::Header;

/// What each row says of the query, as JSON.
pub const STATISTICS: &str = "statistics";
/// The group: 0 for all rows, then slices, then columns; -1 in the row of totals.
pub const GROUP: &str = "group_id";
/// The level of a column, as text.
pub const LEVEL: &str = "group_level";
/// The engine's name for the type of that column.
pub const LEVEL_TYPE: &str = "level_type";
/// The series.
pub const SERIES: &str = "series";
/// The cutoff.
pub const CUTOFF: &str = "cutoff";
/// First target time.
pub const FIRST: &str = "first_ds";
/// Last target time.
pub const LAST: &str = "last_ds";

/// Counts that every row has, whatever is measured.
pub const COUNTS: [&str; 10] = [
    "n_cells",
    "n_rows",
    "n_times",
    "n_not_after",
    "n_train_twice",
    "n_other_actual",
    "n_paired",
    "n_missing_actual",
    "n_zero_actual",
    "n_no_scale",
];

/// The last of the counts, beside those of single models.
pub const NO_LAST: &str = "n_no_last_actual";

/// The column of rows without a forecast of a model.
pub fn missing(model: usize) -> String {
    format!("n_missing_m{model}")
}

/// The name of a measure in a column.
pub fn measure_name(measure: Measure) -> &'static str {
    match measure {
        Measure::AbsoluteError => "absolute_error",
        Measure::SquaredError => "squared_error",
        Measure::Error => "error",
        Measure::AbsoluteActual => "absolute_actual",
        Measure::AbsolutePercentageError => "absolute_percentage_error",
        Measure::SymmetricPercentageError => "symmetric_percentage_error",
        Measure::AbsoluteScaledError => "absolute_scaled_error",
        Measure::SquaredScaledError => "squared_scaled_error",
        Measure::DirectionHit => "direction_hit",
        Measure::DirectionTie => "direction_tie",
        Measure::IntervalHit { .. } => "interval_hit",
        Measure::IntervalPinball { .. } => "interval_pinball",
        Measure::PointPinball => "point_pinball",
    }
}

/// Whether a measure is defined in every paired row, and so needs no count of its own.
pub fn is_always_defined(measure: Measure) -> bool {
    use Measure::{AbsoluteActual, AbsoluteError, Error, PointPinball, SquaredError, SymmetricPercentageError};
    matches!(measure, AbsoluteError | SquaredError | Error | AbsoluteActual | SymmetricPercentageError | PointPinball)
}

/// The column of a measure's count, if it has one.
pub fn count(measure: Measure) -> Option<String> {
    (!is_always_defined(measure)).then(|| format!("count_{}", measure_name(measure)))
}

/// The column of a measure's sum for a model; all models share that of the actuals. None where the model has no interval.
pub fn sum(header: &Header, measure: Measure, model: usize) -> Option<String> {
    let name = measure_name(measure);
    match measure {
        Measure::AbsoluteActual => Some(format!("sum_{name}")),
        Measure::IntervalHit { .. } | Measure::IntervalPinball { .. } if !header.intervals[model] => None,
        _ => Some(format!("sum_{name}_m{model}")),
    }
}

/// The columns of numbers, in the order of the query: counts, then sums.
pub fn numbers(header: &Header) -> (Vec<String>, Vec<String>) {
    let models = 0..header.models.len();
    let mut counts: Vec<String> = COUNTS.iter().map(|&name| name.to_owned()).collect();
    counts.push(NO_LAST.to_owned());
    counts.extend(models.clone().map(missing));
    counts.extend(header.measures.iter().filter_map(|&measure| count(measure)));
    let mut sums: Vec<String> = Vec::new();
    for &measure in &header.measures {
        for name in models.clone().filter_map(|model| sum(header, measure, model)) {
            if !sums.contains(&name) {
                sums.push(name);
            }
        }
    }
    (counts, sums)
}
