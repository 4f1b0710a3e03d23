//! What makes two rows results on the same task: the columns of the key, their normal form and their order.

use std::cmp::Ordering;

/// The 17 columns that make a task in fev (0.10.0, `TASK_DEF_DTYPES`), in its order; `num_windows` and
/// `window_step_size` are not among them.
pub const FEV_KEY: [(&str, Kind); 17] = [
    ("dataset_path", Kind::Text),
    ("dataset_config", Kind::Text),
    ("horizon", Kind::Integer),
    ("initial_cutoff", Kind::Text),
    ("min_context_length", Kind::ContextLength),
    ("max_context_length", Kind::Integer),
    ("seasonality", Kind::Integer),
    ("eval_metric", Kind::Text),
    ("extra_metrics", Kind::Text),
    ("quantile_levels", Kind::Levels),
    ("id_column", Kind::Text),
    ("timestamp_column", Kind::Text),
    ("target", Kind::Text),
    ("generate_univariate_targets_from", Kind::Text),
    ("known_dynamic_columns", Kind::Text),
    ("past_dynamic_columns", Kind::Text),
    ("static_columns", Kind::Text),
];

/// Names that fev still accepts for columns of the key.
pub(super) const FEV_OLD_NAMES: [(&str, &str); 3] = [
    ("initial_cutoff", "cutoff"),
    ("target", "target_column"),
    ("generate_univariate_targets_from", "multiple_target_columns"),
];

/// How a column of the key is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Compared as it is written.
    Text,
    /// A whole number: `96` and `96.0` are one value.
    Integer,
    /// A whole number of at least 1. Some published files hold negative ones (the length less the horizon); fewer than
    /// one observation cannot be asked for, so they are read as 1, and the caller says so.
    ContextLength,
    /// A list of numbers, each rounded to four decimals; missing is the empty list.
    Levels,
}

/// One value of a key. Missing sorts first, numbers by value, text by bytes: the order of fev's table of tasks, on which
/// its seeded resamples depend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Nothing there.
    Missing,
    /// A whole number.
    Number(i64),
    /// Any other text.
    Text(String),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("nothing"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A value in its normal form, and whether that differs in meaning from what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Normal {
    pub(super) part: Part,
    pub(super) raised: bool,
}

/// The normal form of a cell; `Err` says what was expected.
pub(super) fn normal(kind: Kind, text: Option<&str>) -> Result<Normal, &'static str> {
    let plain = |part| Ok(Normal { part, raised: false });
    match (kind, text) {
        (Kind::Levels, _) => plain(Part::Text(levels(text)?)),
        (_, None) => plain(Part::Missing),
        (Kind::Text, Some(text)) => plain(Part::Text(text.to_owned())),
        (Kind::Integer, Some(text)) => plain(Part::Number(integer(text)?)),
        (Kind::ContextLength, Some(text)) => Ok(at_least_one(integer(text)?)),
    }
}

fn at_least_one(value: i64) -> Normal {
    Normal { part: Part::Number(value.max(1)), raised: value < 1 }
}

#[expect(clippy::cast_possible_truncation, reason = "whole and within the range that f64 holds exactly")]
fn integer(text: &str) -> Result<i64, &'static str> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    match text.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 && value.abs() <= EXACT => Ok(value as i64),
        _ => Err("a whole number"),
    }
}

fn levels(text: Option<&str>) -> Result<String, &'static str> {
    let inside = text.unwrap_or("[]").trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inside = inside.ok_or("a list of quantile levels such as [0.1, 0.9]")?;
    let numbers = inside.split(',').map(str::trim).filter(|number| !number.is_empty());
    let rounded = numbers.map(four_decimals).collect::<Option<Vec<String>>>();
    rounded.map(|numbers| format!("[{}]", numbers.join(", "))).ok_or("a list of numbers")
}

fn four_decimals(text: &str) -> Option<String> {
    let value: f64 = text.parse().ok()?;
    let rounded: f64 = format!("{value:.4}").parse().ok()?;
    Some(format!("{rounded:?}"))
}

/// Compares whole keys, part by part.
pub(super) fn compare(left: &[Part], right: &[Part]) -> Ordering {
    left.cmp(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(kind: Kind, text: &str) -> Part {
        normal(kind, Some(text)).unwrap().part
    }

    #[test]
    fn levels_that_differ_in_the_seventeenth_digit_are_one() {
        assert_eq!(part(Kind::Levels, "[0.1, 0.30000000000000004]"), part(Kind::Levels, "[0.1,0.3]"));
        assert_eq!(part(Kind::Levels, "[]"), normal(Kind::Levels, None).unwrap().part);
        assert!(normal(Kind::Levels, Some("0.1")).is_err());
    }

    #[test]
    fn whole_numbers_may_be_written_with_a_point() {
        assert_eq!(part(Kind::Integer, "96.0"), Part::Number(96));
        assert_eq!(normal(Kind::Integer, Some("9.5")), Err("a whole number"));
        assert_eq!(normal(Kind::Integer, Some("inf")), Err("a whole number"));
    }

    #[test]
    fn a_negative_context_length_is_raised_to_one() {
        let found = normal(Kind::ContextLength, Some("-23")).unwrap();
        assert_eq!(found, Normal { part: Part::Number(1), raised: true });
    }

    #[test]
    fn missing_sorts_before_numbers_and_numbers_by_value() {
        let mut parts = vec![Part::Number(10), Part::Missing, Part::Number(9)];
        parts.sort();
        assert_eq!(parts, [Part::Missing, Part::Number(9), Part::Number(10)]);
    }
}
