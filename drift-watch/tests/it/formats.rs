//! What the commands write is as the JSON Schemas say.
use crate::live;
use crate::replayed::{Place, Said, said};
use drift_watch::replay::owned;
use drift_watch::run::evidence::Evidence;
use drift_watch::{dump, read, replay, verify_alarms, view};
use jsonschema::Validator;
use schemars::{JsonSchema, schema_for};
use serde_json::{Value, json};
use shared::alert::Transition;
use shared::format::live::{ActualRecord, Kind, PredictionRecord, to_json};

fn validator<T: JsonSchema>() -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema_for!(T).as_value()).unwrap()
}

#[track_caller]
fn is_valid<T: JsonSchema>(json: &Value) {
    let problems: Vec<String> =
        validator::<T>().iter_errors(json).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

fn run(place: &Place, words: &[&str]) -> Said {
    said(&place.command().args(words).output().unwrap())
}

/// The flags of a recorded stream.
fn flags(name: &str) -> Option<Vec<String>> {
    let [predictions, actuals] = live::files(name)?;
    Some(
        [
            vec!["--predictions".into(), predictions, "--actuals".into(), actuals],
            vec!["--warm-up".into(), "40d".into()],
        ]
        .concat(),
    )
}

fn with_flags(place: &Place, words: &[&str], flags: &[String]) -> Said {
    let words: Vec<&str> = words.iter().copied().chain(flags.iter().map(String::as_str)).collect();
    run(place, &words)
}

#[test]
fn reports_of_replay_and_dumps_of_the_state() {
    for name in ["level_shift_injected", "messy"] {
        let Some(flags) = flags(name) else { return };
        let place = Place::new();
        let report = with_flags(&place, &["replay", "--json"], &flags).json();
        assert_eq!(report["schema"], replay::SCHEMA);
        is_valid::<replay::Report>(&report);
        for words in [&["state", "dump"][..], &["state", "dump", "--canonical"]] {
            let state = with_flags(&place, words, &flags).is(0).json();
            assert_eq!(state["schema"], dump::SCHEMA);
            assert_eq!(state["arrival"].is_null(), words.contains(&"--canonical"));
            is_valid::<dump::State>(&state);
        }
    }
}

#[test]
fn a_report_of_verify_alarms() {
    let place = Place::new();
    place.write("profile.json", serde_json::to_vec(&crate::profiles::of_lightgbm()).unwrap());
    let words = [
        "verify-alarms",
        "--json",
        "--runs",
        "4",
        "--most-steps",
        "50",
        "--promise",
        "20",
        "--profile",
        "profile.json",
    ];
    let said = run(&place, &words);
    is_valid::<verify_alarms::Report>(&said.json());
}

#[test]
fn the_status_and_the_alerts_of_a_stream_that_drifts() {
    let Some([predictions, actuals]) = live::files("level_shift_injected") else { return };
    let settings = drift_watch::core::settings::Settings {
        warm_up: Some(40 * drift_watch::core::time::DAY),
        ..Default::default()
    };
    let mut engine = drift_watch::core::engine::Engine::new(settings, std::collections::BTreeMap::new());
    for (kind, path) in [(Kind::Predictions, &predictions), (Kind::Actuals, &actuals)] {
        let mut rows = read::Rows::open(kind, path.as_ref(), None).unwrap();
        while rows
            .next(|row, _| match owned(row.unwrap().record) {
                shared::format::live::Record::Prediction(record) => engine.prediction(&record),
                shared::format::live::Record::Actual(record) => engine.actual(&record),
            })
            .unwrap()
        {}
    }
    is_valid::<view::View>(&serde_json::to_value(engine.view()).unwrap());
    let alerts = engine.alerts.all();
    assert!(!alerts.is_empty());
    for record in alerts {
        let evidence = json!(Evidence::of(record, Some("shop")));
        is_valid::<Evidence>(&evidence);
        let transition = Transition::new("drift-watch", record.to_alert(), evidence);
        is_valid::<Transition>(&serde_json::to_value(transition).unwrap());
    }
}

#[test]
fn records() {
    let Some(files) = live::files("messy") else { return };
    for (kind, path) in [Kind::Predictions, Kind::Actuals].into_iter().zip(files) {
        let validator =
            if kind == Kind::Predictions { validator::<PredictionRecord>() } else { validator::<ActualRecord>() };
        let mut rows = read::Rows::open(kind, path.as_ref(), None).unwrap();
        let check = |json: &str| {
            let json: Value = serde_json::from_str(json).unwrap();
            assert!(
                validator.is_valid(&json),
                "{json}: {:?}",
                validator.iter_errors(&json).map(|error| error.to_string()).collect::<Vec<_>>()
            );
        };
        while rows
            .next(|row, _| {
                row.ok().iter().for_each(|parsed| check(&to_json(&parsed.record)));
            })
            .unwrap()
        {}
    }
}

#[test]
fn what_readers_refuse_is_not_valid_either() {
    let good = json!({
        "model": "m", "version": 2, "series": "a", "issued_at": "2026-03-01T02:00:00Z", "target_time": "2026-03-02T00:00:00+02:00",
        "horizon": 1, "y_hat": 1.5, "lo": 1.0, "hi": 2.0, "level": 90, "segment.region": "north", "of": ["somebody", "else"]
    });
    let validator = validator::<PredictionRecord>();
    assert!(validator.is_valid(&good));
    let wrong = [
        ("y_hat", Value::Null),
        ("y_hat", json!("high")),
        ("level", json!(0.9)),
        ("version", json!(2.5)),
        ("horizon", json!(-1)),
        ("issued_at", json!("yesterday")),
        ("segment.region", json!(["north"])),
    ];
    for (field, value) in wrong {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(!validator.is_valid(&bad), "{bad}");
        assert!(
            shared::format::live::parse_json(Kind::Predictions, bad.to_string().as_bytes(), None).is_err(),
            "{bad}"
        );
    }
    assert!(shared::format::live::parse_json(Kind::Predictions, good.to_string().as_bytes(), None).is_ok());
}
