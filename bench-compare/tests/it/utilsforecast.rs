//! Losses against utilsforecast 0.2.17 on its awkward table: zeros, a flat series, missing cells.

use std::fmt::Write;
use std::path::Path;

use bench_compare::load::forecasts::{self, Request};
use serde_json::Value;
use shared::metric::{Metric, Totals, measures_of};

const REFERENCE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/statistics/utilsforecast_reference.json");

fn reference() -> Value {
    serde_json::from_slice(&shared::fsio::read(Path::new(REFERENCE)).unwrap()).unwrap()
}

/// A table of the reference as CSV; their tables have no cutoff, which is the last training time, 0.
fn csv(rows: &Value, columns: &[&str]) -> String {
    let mut text = format!("{},cutoff\n", columns.join(","));
    for row in rows.as_array().unwrap() {
        let cells = columns.iter().map(|column| match &row[column] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            number => number.to_string(),
        });
        writeln!(text, "{},0", cells.collect::<Vec<_>>().join(",")).unwrap();
    }
    text
}

/// The metric of each series A, B, C, D for one model, the rows paired over `models`.
fn ours(metric: Metric, season: u32, models: &[&str], model: &str) -> Vec<Option<f64>> {
    let reference = reference();
    let folder = tempfile::tempdir().unwrap();
    let [cv, train] = ["cv.csv", "train.csv"].map(|name| folder.path().join(name));
    let columns = ["unique_id", "ds", "y", "base", "cand"];
    shared::fsio::write_atomic(&cv, csv(&reference["input"], &columns).as_bytes()).unwrap();
    shared::fsio::write_atomic(&train, csv(&reference["train"], &columns[..3]).as_bytes()).unwrap();
    let loaded = forecasts::read(&Request {
        files: vec![cv],
        train: Some(train),
        season,
        models: models.iter().map(|&model| model.to_owned()).collect(),
        measures: measures_of(&[metric], None),
        by: vec!["unique_id".to_owned()],
        max_unpaired: 1.0,
        ..Request::default()
    });
    let sufficient = loaded.unwrap().sufficient;
    let place = models.iter().position(|known| *known == model).unwrap();
    let totals = |panel| Totals::of_panel(panel, models.len(), &sufficient.measures).swap_remove(place);
    sufficient.groups[1..].iter().map(|group| metric.value(&totals(&group.panel), None)).collect()
}

fn theirs(key: &str, model: &str) -> Vec<Option<f64>> {
    reference()["values"][key].as_array().unwrap().iter().map(|row| row[model].as_f64()).collect()
}

fn agree(ours: &[Option<f64>], theirs: &[Option<f64>]) -> bool {
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|pair| match pair {
            // The reference has ten decimals.
            (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 6e-11,
            (ours, theirs) => ours == theirs,
        })
}

const CASES: [(Metric, &str, u32); 9] = [
    (Metric::Mae, "mae", 1),
    (Metric::Mse, "mse", 1),
    (Metric::Rmse, "rmse", 1),
    (Metric::Mape, "mape", 1),
    (Metric::Wape, "nd", 1),
    (Metric::MeanError, "bias", 1),
    (Metric::Mase, "mase_m1", 1),
    (Metric::Mase, "mase_m2", 2),
    (Metric::Rmsse, "rmsse_m2", 2),
];

#[test]
fn a_model_on_its_own_has_utilsforecasts_losses() {
    for (metric, key, season) in CASES {
        for model in ["base", "cand"] {
            let (mut ours, theirs) = (ours(metric, season, &[model], model), theirs(key, model));
            if (key, model) == ("nd", "cand") {
                // Theirs divides by all actuals of series D, also by that of time 3, where cand has no forecast.
                assert_eq!(ours[3], Some(0.5 / 23.0));
                ours[3] = Some(0.5 / 35.0);
            }
            assert!(agree(&ours, &theirs), "{key} {model}: {ours:?} {theirs:?}");
        }
    }
}

#[test]
fn smape_is_twice_theirs() {
    for model in ["base", "cand"] {
        let twice: Vec<_> = theirs("smape", model).into_iter().map(|value| value.map(|value| 2.0 * value)).collect();
        let ours = ours(Metric::Smape, 1, &[model], model);
        assert!(ours.iter().zip(&twice).all(|(ours, twice)| (ours.unwrap() - twice.unwrap()).abs() < 2e-10));
    }
}

#[test]
fn together_models_are_judged_on_the_rows_that_all_have() {
    for (metric, key, season) in CASES {
        let (ours, theirs) = (ours(metric, season, &["base", "cand"], "base"), theirs(key, "base"));
        assert!(agree(&ours[..3], &theirs[..3]), "{key}");
    }
    // Series D lacks an actual at 2 and a forecast of cand at 3. Theirs takes base's own mean, over 1, 3 and 4; ours is paired,
    // over 1 and 4, as it is for cand.
    let (ours, theirs) = (ours(Metric::Mape, 1, &["base", "cand"], "base")[3], theirs("mape", "base")[3]);
    assert_eq!(ours, Some(f64::midpoint(1.0 / 10.0, 1.0 / 13.0)));
    assert!((theirs.unwrap() - (1.0 / 10.0 + 1.0 / 12.0 + 1.0 / 13.0) / 3.0).abs() < 6e-11);
}
