//! Reference files of the repository, for the tests against other programs.

#![allow(dead_code, reason = "each test uses some of it")]

use serde_json::Value;
use shared::stats::matrix::Losses;

/// The text of a file in `tests/data/reference/statistics`.
pub(crate) fn text(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/statistics/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap()
}

/// A JSON file of that folder.
pub(crate) fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// The names of the series in `dm_inputs.csv` with their errors.
pub(crate) fn error_series() -> Vec<(String, Vec<f64>, Vec<f64>)> {
    let mut all: Vec<(String, Vec<f64>, Vec<f64>)> = Vec::new();
    for line in text("dm_inputs.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        if all.last().is_none_or(|(name, ..)| name != fields[0]) {
            all.push((fields[0].to_owned(), Vec::new(), Vec::new()));
        }
        let (_, first, second) = all.last_mut().unwrap();
        first.push(fields[2].parse().unwrap());
        second.push(fields[3].parse().unwrap());
    }
    all
}

/// One series of [`error_series`].
pub(crate) fn errors(series: &str) -> (Vec<f64>, Vec<f64>) {
    let found = error_series().into_iter().find(|(name, ..)| name == series).unwrap();
    (found.1, found.2)
}

/// Absolute values.
pub(crate) fn absolute(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}

/// The first `rows` rows of `loss_matrix.csv`.
pub(crate) fn loss_matrix(rows: usize) -> Losses {
    let text = text("loss_matrix.csv");
    let parse = |line: &str| line.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect::<Vec<f64>>();
    let rows: Vec<Vec<f64>> = text.lines().skip(1).take(rows).map(parse).collect();
    Losses::from_rows(&rows).unwrap()
}

/// Fails unless the two agree to a relative bound (absolute where the reference is 0).
pub(crate) fn close(ours: f64, theirs: f64, relative: f64, what: &str) {
    let bound = if theirs == 0.0 { relative } else { relative * theirs.abs() };
    assert!((ours - theirs).abs() <= bound, "{what}: ours {ours:e}, reference {theirs:e}");
}
