//! What `check-request` says of requests in every layout, and that its JSON Schema says the same.
use std::path::Path;
use std::process::Command;

use crate::registered::{Models, Release, write};
use jiff::Timestamp;
use manifest_gen::contract::{Contract, Rules, Staleness, check, read, request_schema};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::format::manifest::{Feature, Horizon};

const FEATURES: [(&str, &str); 4] =
    [("lag", "number"), ("week", "integer"), ("store", "category"), ("holiday", "boolean")];

/// Trained to 2012-08-03, weekly: due when 2012-08-10 ends.
const FRESH: &str = "2012-08-10T23:00:00Z";

fn contract() -> Contract {
    let feature = |(name, kind): (&str, &str)| Feature { name: name.to_owned(), kind: Some(kind.to_owned()) };
    Contract {
        name: "lightgbm".to_owned(),
        version: "2.0.0".to_owned(),
        features: FEATURES.map(feature).to_vec(),
        horizon: Some(Horizon { from: 1, to: 6 }),
        cadence: Some("weekly".to_owned()),
        trained_to: Some("2012-08-03".to_owned()),
        time_zone: None,
    }
}

/// Line, column, severity and rule of each problem.
fn problems_at(name: &str, text: &str, as_of: &str, rules: &Rules) -> Vec<String> {
    let request = read(Path::new(name), text.as_bytes()).unwrap();
    let verdict = check(&contract(), &request, as_of.parse::<Timestamp>().unwrap(), rules);
    let line = |finding: &manifest_gen::contract::Finding| {
        let at = finding.at.map_or_else(|| "-".to_owned(), |at| format!("{}:{}", at.line, at.column));
        format!("{at} {} {}", format!("{:?}", finding.severity).to_lowercase(), finding.rule)
    };
    verdict.findings.iter().map(line).collect()
}

fn problems(name: &str, text: &str) -> Vec<String> {
    problems_at(name, text, FRESH, &Rules::default())
}

const NONE: [&str; 0] = [];

#[test]
fn good_requests_of_every_layout_have_no_problem() {
    let row = r#"{"lag": 1.5, "week": 3, "store": "a", "holiday": true}"#;
    for (name, text) in [
        ("a.json", row.to_owned()),
        ("a.json", format!("[{row}, {row}]")),
        ("a.json", format!("{{\"horizon\": 6, \"instances\": [{row}]}}")),
        ("a.json", "[1.5, 3, 7, 0]".to_owned()),
        ("a.json", "{\"instances\": [[1.5, 3, \"a\", 0]]}".to_owned()),
        ("-", format!("{row}\n{row}\n")),
        ("a.jsonl", format!("{row}\n\n[1.5, 3, \"a\", 1]\n")),
        ("a.csv", "lag,week,store,holiday\n1.5,3,a,1\r\n2,4,b,false\n".to_owned()),
        (
            "a.json",
            r#"{"dataframe_split": {"columns": ["lag", "week", "store", "holiday"], "data": [[1, 3, "a", true]]}}"#
                .to_owned(),
        ),
        ("a.json", r#"{"lag": 1, "week": 3, "store": "a", "holiday": 0, "h": 1, "fh": [1, 2]}"#.to_owned()),
    ] {
        assert_eq!(problems(name, &text), NONE, "{text}");
    }
}

#[test]
fn missing_and_unknown_features_have_their_place() {
    assert_eq!(
        problems("a.json", "[\n {\"lag\": 1, \"weak\": 3,\n  \"store\": \"a\", \"holiday\": 0}]"),
        ["2:2 error missing-feature", "2:13 error unknown-field"]
    );
    assert_eq!(
        problems("a.csv", "lag,store,holiday,id\n1,a,0,7\n"),
        ["1:1 error missing-feature", "1:4 error unknown-field"]
    );
    let rules = Rules { allowed: vec!["id".to_owned()], ..Rules::default() };
    assert_eq!(
        problems_at("a.json", r#"{"id": 7, "lag": 1, "week": 3, "store": "a", "holiday": 0}"#, FRESH, &rules),
        NONE
    );
}

#[test]
fn order_is_an_error_where_values_are_told_by_it() {
    assert_eq!(problems("a.csv", "lag,store,week,holiday\n1,a,3,0\n"), ["1:2 error order"]);
    let objects = "[{\"week\": 3, \"lag\": 1, \"store\": \"a\", \"holiday\": 0},\n{\"week\": 3, \"lag\": 1, \"store\": \"a\", \"holiday\": 0}]";
    assert_eq!(problems("a.json", objects), ["1:3 warning order"]);
    assert_eq!(problems("a.json", "[1, 3, \"a\"]"), ["1:1 error row-length"]);
    assert_eq!(problems("a.csv", "lag,week,store,holiday\n1,3,a\n"), ["2:1 error row-length"]);
}

#[test]
fn types_nulls_and_numbers_that_are_none_are_errors() {
    let text = "{\"lag\": \"1\",\n\"week\": 3.5,\n\"store\": null,\n\"holiday\": 2}";
    assert_eq!(problems("a.json", text), ["1:9 error type", "2:9 error type", "3:10 error null", "4:12 error type"]);
    assert_eq!(problems("a.json", "[NaN, 1e999, \"a\", true]"), ["1:2 error non-finite", "1:7 error non-finite"]);
    assert_eq!(
        problems("a.csv", "lag,week,store,holiday\nnan,,a,yes\n"),
        ["2:1 error non-finite", "2:2 error null", "2:4 error type"]
    );
    assert_eq!(problems("a.json", "[true, 3, [1], false]"), ["1:2 error type", "1:11 error type"]);
}

#[test]
fn steps_beyond_the_horizon_are_errors() {
    let with = |field: &str| {
        problems("a.json", &format!("{{\"lag\": 1, \"week\": 3, \"store\": \"a\", \"holiday\": 0, {field}}}"))
    };
    for field in [
        "\"horizon\": 7",
        "\"h\": 0",
        "\"horizon\": 1.5",
        "\"fh\": [1, 7]",
        "\"horizon\": \"1..12\"",
        "\"steps\": \"all\"",
    ] {
        let found = with(field);
        assert!(found.len() == 1 && found[0].ends_with("error horizon"), "{field}: {found:?}");
    }
    assert_eq!(with("\"horizon\": \"1..6\""), NONE);
    assert_eq!(problems("a.json", "{\"horizon\": 12, \"instances\": [[1, 3, \"a\", 0]]}"), ["1:13 error horizon"]);
}

#[test]
fn a_step_among_the_features_has_the_range_of_the_horizon() {
    let mut contract = contract();
    contract.features.push(Feature { name: "h".to_owned(), kind: Some("number".to_owned()) });
    for (h, expected) in [("6", 0), ("7", 1), ("0", 1)] {
        let request = read(Path::new("a.json"), format!("[1, 3, \"a\", 0, {h}]").as_bytes()).unwrap();
        assert_eq!(check(&contract, &request, FRESH.parse().unwrap(), &Rules::default()).errors, expected, "{h}");
    }
}

#[test]
fn a_model_that_is_overdue_is_stale() {
    let good = "[1, 3, \"a\", 0]";
    let late = "2012-08-11T00:00:01Z";
    assert_eq!(problems_at("a.json", good, late, &Rules::default()), ["- error stale-model"]);
    let warned = Rules { staleness: Staleness::Warning, ..Rules::default() };
    assert_eq!(problems_at("a.json", good, late, &warned), ["- warning stale-model"]);
    let off = Rules { staleness: Staleness::Off, ..Rules::default() };
    assert_eq!(problems_at("a.json", good, late, &off), NONE);
}

#[test]
fn what_cannot_be_checked_is_said() {
    let contract = Contract { horizon: None, cadence: None, ..contract() };
    let request = read(Path::new("a.json"), b"[1, 3, \"a\", 0]").unwrap();
    let verdict = check(&contract, &request, FRESH.parse().unwrap(), &Rules::default());
    assert_eq!((verdict.errors, verdict.unchecked.len()), (0, 2));
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    let error = |name: &str, text: &str| read(Path::new(name), text.as_bytes()).unwrap_err().to_string();
    assert!(error("a.json", "{\"lag\": }").starts_with("a.json:1:9: "));
    assert!(error("a.jsonl", "[1]\n[1,]\n").starts_with("a.jsonl:2:4: "));
    assert!(error("a.jsonl", "[1]\n3\n").starts_with("a.jsonl:2:1: "));
    assert!(error("a.json", "[[1], 2]").starts_with("a.json:1:7: "));
    assert!(error("a.json", "{\"instances\": 3}").starts_with("a.json:1:15: "));
    assert_eq!(problems("a.json", "[]"), ["1:1 error empty"]);
    assert_eq!(problems("a.json", "{\"instances\": []}"), ["1:1 error empty"]);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..9_i64).prop_map(Value::from),
        (-2.5..9.5_f64).prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        Just(json!([1, 2])),
        Just(json!({})),
    ]
}

fn any_row() -> impl Strategy<Value = Value> {
    let named = (any_value(), any_value(), any_value(), any_value(), proptest::option::of(any_value()), 0..8_usize)
        .prop_map(|(a, b, c, d, horizon, drop)| {
            let mut row = json!({ "lag": a, "week": b, "store": c, "holiday": d });
            row["horizon"] = horizon.unwrap_or(json!(1));
            let object = row.as_object_mut().unwrap();
            match drop {
                0 => _ = object.shift_remove("week"),
                1 => _ = object.insert("other".to_owned(), json!(1)),
                _ => {}
            }
            row
        });
    prop_oneof![named, proptest::collection::vec(any_value(), 3..6).prop_map(Value::from)]
}

/// Rows with good values, some of which are then replaced: most of wholly random rows would be wrong in many ways at once.
fn nearly_good_row() -> impl Strategy<Value = Value> {
    (0..12_usize, any_value(), any::<bool>()).prop_map(|(which, value, named)| {
        let mut row = [json!(1.5), json!(3), json!("a"), json!(true)];
        if which < 4 {
            row[which] = value;
        }
        if !named {
            return json!(row);
        }
        let names = FEATURES.iter().map(|(name, _)| (*name).to_owned());
        Value::Object(names.zip(row).collect())
    })
}

proptest! {
    #[test]
    fn the_schema_agrees_with_the_check(row in prop_oneof![any_row(), nearly_good_row()], rows in 0..3_usize) {
        let text = match rows {
            0 => row.to_string(),
            1 => json!([row, row]).to_string(),
            _ => json!({ "instances": [row], "horizon": 2 }).to_string(),
        };
        // A text is a range of steps, and null means that none is asked for: words that the schema leaves to the check.
        prop_assume!(!row["horizon"].is_string() && !row["horizon"].is_null() || row.is_array() || row.get("horizon").is_none());
        // An array that begins with a row holds rows.
        prop_assume!(rows > 0 || !row.as_array().is_some_and(|row| row[0].is_array() || row[0].is_object()));
        let validator = jsonschema::draft202012::new(&request_schema(&contract(), &[])).unwrap();
        let verdict = check(&contract(), &read(Path::new("a.json"), text.as_bytes()).unwrap(), FRESH.parse().unwrap(), &Rules::default());
        let valid = validator.is_valid(&serde_json::from_str(&text).unwrap());
        prop_assert_eq!(verdict.errors == 0, valid, "{}: {:?}", text, verdict.findings);
    }

    #[test]
    fn never_panics(name in "a\\.(json|jsonl|csv|x)", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(request) = read(Path::new(&name), &bytes) {
            _ = check(&contract(), &request, Timestamp::UNIX_EPOCH, &Rules::default());
        }
    }
}

fn models() -> Models {
    let mut models = Models::new();
    let artifacts = [("model", "model.pkl", b"m".as_slice())];
    models.release(&Release { name: "lightgbm", file_version: "2", artifacts: &artifacts, features: &FEATURES });
    models.promote("lightgbm", "2.0.0", "champion");
    models
}

/// Status and output of `manifest-gen check-request lightgbm@champion`.
fn run(models: &Models, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manifest-gen"));
    let command = command.args(["check-request", "lightgbm@champion"]).args(args).current_dir(models.folder.path());
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_command_answers_with_its_status_and_places() {
    let models = models();
    write(&models.folder.path().join("good.json"), b"[1, 3, \"a\", 0]");
    write(&models.folder.path().join("bad.csv"), b"lag,week,store,holiday\n1,x,a,0\n");
    assert_eq!(run(&models, &["good.json", "--as-of", "2012-08-10"]).0, 0);
    assert_eq!(run(&models, &["good.json", "--as-of", "2012-08-12"]).0, 1);
    assert_eq!(run(&models, &["good.json"]).0, 1); // years later
    let (status, text) = run(&models, &["bad.csv", "--as-of", "2012-08-10"]);
    assert_eq!(status, 1);
    assert!(
        text.starts_with(
            "bad.csv:2:2: error: the feature \"week\" is the text \"x\" (expected a whole number) [type]\n"
        ),
        "{text}"
    );
    let (_, text) = run(&models, &["bad.csv", "--as-of", "2012-08-10", "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["schema"], &report["errors"]), (&json!("manifest-gen/check-request/1"), &json!(1)));
    assert_eq!(report["retrain_due"], "2012-08-11T00:00:00Z");
    assert_eq!(run(&models, &["absent.json"]).0, 2);
    assert_eq!(run(&models, &["good.json", "--as-of", "soon"]).0, 2);
    assert_eq!(run(&models, &["good.json", "--format", "csv"]).0, 2);
}

#[test]
fn the_schema_is_printed_and_is_one() {
    let (status, text) = run(&models(), &["--print-schema"]);
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &schema["$schema"]), (0, &json!("https://json-schema.org/draft/2020-12/schema")));
    jsonschema::meta::validate(&schema).unwrap();
    assert_eq!(schema["x-feature-order"], json!(["lag", "week", "store", "holiday"]));
}

#[test]
fn a_manifest_that_the_registry_does_not_vouch_for_is_refused() {
    let models = models();
    let path = models.root().join("releases/lightgbm/2.0.0/manifest.json");
    let text = std::fs::read_to_string(&path).unwrap().replace("\"week\"", "\"weak\"");
    write(&path, text.as_bytes());
    write(&models.folder.path().join("good.json"), b"[1, 3, \"a\", 0]");
    assert_eq!(run(&models, &["good.json", "--as-of", "2012-08-10"]).0, 2);
}
