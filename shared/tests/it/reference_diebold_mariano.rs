//! Diebold-Mariano against R 4.2.2, forecast 8.20 (`dm_reference.json`), and what we say where R refuses or warns.

use crate::common::{close, errors, json};
use serde_json::Value;
use shared::stats::diebold_mariano::{Answer, Question, Tested, Variance, diebold_mariano};
use shared::stats::{Alternative, Undefined};

struct Row {
    series: String,
    question: Question,
    statistic: Option<f64>,
    p_value: Option<f64>,
    warned: bool,
    n: usize,
}

fn row(value: &Value) -> Row {
    let whole = |key: &str| usize::try_from(value[key].as_u64().unwrap()).unwrap();
    let question = Question {
        horizon: whole("h"),
        power: value["power"].as_f64().unwrap(),
        variance: if value["varestimator"] == "acf" { Variance::Acf } else { Variance::Bartlett },
        alternative: match value["alternative"].as_str().unwrap() {
            "less" => Alternative::Less,
            "greater" => Alternative::Greater,
            _ => Alternative::TwoSided,
        },
    };
    let (statistic, p_value) = (value["statistic"].as_f64(), value["p_value"].as_f64());
    let warned = value["warnings"].as_array().is_none_or(|list| !list.is_empty());
    Row { series: value["series"].as_str().unwrap().to_owned(), question, statistic, p_value, warned, n: whole("n") }
}

fn rows() -> Vec<Row> {
    json("dm_reference.json")["results"].as_array().unwrap().iter().map(row).collect()
}

fn answer(row: &Row) -> Result<Answer, Undefined> {
    let (first, second) = errors(&row.series);
    assert_eq!(first.len(), row.n);
    diebold_mariano(&first, &second, &row.question)
}

fn tested(row: &Row) -> Tested {
    match answer(row) {
        Ok(Answer::Tested(tested)) => tested,
        other => panic!("{} h {}: {other:?}", row.series, row.question.horizon),
    }
}

#[test]
fn every_clean_row_of_r_is_reproduced() {
    let clean: Vec<Row> = rows().into_iter().filter(|row| !row.warned && row.statistic.is_some()).collect();
    let (sound, beyond): (Vec<Row>, Vec<Row>) = clean.into_iter().partition(|row| row.question.horizon < row.n);
    assert_eq!((sound.len(), beyond.len()), (144, 12));
    for row in &sound {
        let what = format!("{} {:?}", row.series, row.question);
        let ours = tested(row);
        close(ours.statistic, row.statistic.unwrap(), 1e-12, &what);
        close(ours.p_value, row.p_value.unwrap(), 1e-10, &what);
        assert!(!ours.fell_back, "{what}");
    }
}

/// R answers some of these without a warning: a statistic of 0 at h = n, -957,810 (p = 2e-61) at h = 24 with n = 12.
#[test]
fn a_horizon_as_long_as_the_series_is_refused() {
    let beyond: Vec<Row> =
        rows().into_iter().filter(|row| row.question.horizon >= row.n && row.series.starts_with('C')).collect();
    assert_eq!(beyond.len(), 24);
    for row in &beyond {
        assert_eq!(answer(row), Err(Undefined::Horizon { horizon: row.question.horizon, n: row.n }));
    }
}

/// R warns, and restarts with h = 1; we take Bartlett's variance at the horizon asked for, as R's own warning advises.
#[test]
fn a_negative_variance_becomes_bartletts() {
    let all = rows();
    let negative: Vec<&Row> =
        all.iter().filter(|row| row.warned && row.statistic.is_some() && row.question.horizon < row.n).collect();
    assert_eq!(negative.len(), 12);
    for row in negative {
        let ours = tested(row);
        assert!(ours.fell_back && ours.variance == Variance::Bartlett);
        let same = |other: &&Row| {
            other.series == row.series && other.question == Question { variance: Variance::Bartlett, ..row.question }
        };
        let bartlett = all.iter().find(same).unwrap();
        close(ours.statistic, bartlett.statistic.unwrap(), 1e-12, &row.series);
        close(ours.p_value, bartlett.p_value.unwrap(), 1e-10, &row.series);
    }
}

/// R: "Variance of DM statistic is zero".
#[test]
fn equal_losses_and_constant_differences_have_answers_of_their_own() {
    let (mut identical, mut dominated) = (0, 0);
    for row in rows().iter().filter(|row| row.statistic.is_none()) {
        match answer(row) {
            Ok(Answer::Identical) => identical += 1,
            Ok(Answer::Dominance { first_is_better: false, p_value, blocks }) => {
                dominated += 1;
                assert_eq!(blocks, row.n.div_ceil(row.question.horizon));
                assert!(p_value > 0.0 && p_value <= 1.0);
            }
            Err(Undefined::Horizon { .. }) => assert!(row.question.horizon >= row.n),
            other => panic!("{}: {other:?}", row.series),
        }
    }
    assert_eq!((identical, dominated), (60, 36));
}

/// `SciPy` 1.17.1, `stats_reference.json`, sign test of series E: 10 of 10.
#[test]
fn dominance_is_judged_by_the_sign_test() {
    let (first, second) = errors("E_constant_diff_n10");
    let p = |alternative| match diebold_mariano(&first, &second, &Question { alternative, ..Question::default() }) {
        Ok(Answer::Dominance { p_value, .. }) => p_value,
        other => panic!("{other:?}"),
    };
    close(p(Alternative::TwoSided), 0.001_953_125, 1e-14, "two-sided");
    close(p(Alternative::Greater), 0.000_976_562_5, 1e-14, "greater");
    close(p(Alternative::Less), 1.0, 1e-14, "less");
}

#[test]
fn the_unit_of_the_errors_does_not_matter() {
    let (first, second) = errors("A_ar_n100");
    let scaled = |factor: f64| {
        let times = |errors: &[f64]| errors.iter().map(|error| error * factor).collect::<Vec<f64>>();
        match diebold_mariano(&times(&first), &times(&second), &Question { horizon: 4, ..Question::default() }) {
            Ok(Answer::Tested(tested)) => tested.statistic,
            other => panic!("{other:?}"),
        }
    };
    for factor in [1e8, 1e-6, 1e200, 1e-200, 3.7] {
        close(scaled(factor), scaled(1.0), 1e-12, &format!("times {factor}"));
    }
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let refused = |first: &[f64], second: &[f64], horizon, power| {
        diebold_mariano(first, second, &Question { horizon, power, ..Question::default() }).unwrap_err()
    };
    assert_eq!(
        refused(&[1.0, f64::NAN], &[1.0, 2.0], 1, 2.0),
        Undefined::NonFinite { what: "the first input", index: 1 }
    );
    assert_eq!(refused(&[1.0], &[1.0, 2.0], 1, 2.0), Undefined::Lengths { left: 1, right: 2 });
    assert!(refused(&[1.0, 2.0], &[2.0, 1.0], 0, 2.0).is_bad_input());
    assert!(refused(&[1.0, 2.0], &[2.0, 1.0], 1, 0.0).is_bad_input());
    assert_eq!(refused(&[1.0], &[2.0], 1, 2.0), Undefined::Horizon { horizon: 1, n: 1 });
    assert!(!refused(&[], &[], 1, 2.0).is_bad_input());
}
