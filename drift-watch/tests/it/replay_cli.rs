//! `drift-watch replay` as users meet it: exit statuses, messages, files that are not as they should be.
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::profiles::of_lightgbm;
use crate::replayed::{Place, Said, data, said};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const DAYS: i64 = 90;

/// Daily forecasts of four series, the actuals `factor` times as large from day 60 on.
fn place(factor: f64) -> Place {
    let place = Place::new();
    let (mut predictions, mut actuals) = (String::new(), String::new());
    let start: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    for day in 0..DAYS {
        let target = start + SignedDuration::from_hours(24 * day);
        let (issued, observed) = (target - SignedDuration::from_hours(22), target + SignedDuration::from_hours(25));
        for series in 0..4i64 {
            // Errors of up to 10 %, in no order.
            let error = ((day * 4 + series) * 7919 % 201 - 100) as f64 / 1000.0;
            let y = 50.0 * (1.0 + error) * if day >= 60 { factor } else { 1.0 };
            _ = writeln!(
                predictions,
                r#"{{"model":"m","version":"1","series":"s{series}","issued_at":"{issued}","target_time":"{target}","horizon":1,"y_hat":50.0,"lo":44.0,"hi":56.0}}"#
            );
            _ = writeln!(
                actuals,
                r#"{{"series":"s{series}","target_time":"{target}","y":{y},"observed_at":"{observed}"}}"#
            );
        }
    }
    place.write("p.jsonl", predictions).write("a.jsonl", actuals);
    place
}

const FILES: [&str; 4] = ["--predictions", "p.jsonl", "--actuals", "a.jsonl"];

fn with(words: &[&'static str]) -> Vec<&'static str> {
    FILES.iter().chain(words).copied().collect()
}

fn first_lines(place: &Place, name: &str, n: usize) -> String {
    let text = std::fs::read_to_string(place.path(name)).unwrap();
    text.lines().take(n).fold(String::new(), |all, line| all + line + "\n")
}

#[test]
fn no_drift_is_0_and_drift_is_1() {
    let quiet = place(1.0).replay(&with(&["--warm-up", "40d"])).is(0);
    assert!(quiet.stdout.starts_with("NO DRIFT") && quiet.stderr.is_empty(), "{quiet:?}");
    let loud = place(0.6).replay(&with(&["--warm-up", "40d"])).is(1);
    assert!(loud.stdout.starts_with("DRIFT  m: ") && loud.stdout.contains("driven by"), "{}", loud.stdout);
}

#[test]
fn too_little_data_is_4_unless_it_is_folded() {
    let place = place(1.0);
    for (words, status) in [
        (with(&["--warm-up", "200d"]), 4),
        (with(&["--warm-up", "200d", "--inconclusive", "pass"]), 0),
        (with(&["--warm-up", "200d", "--inconclusive=fail"]), 1),
        // A version's drift is an answer; folding does not touch it.
        (with(&["--warm-up", "40d", "--inconclusive", "fail"]), 0),
    ] {
        place.replay(&words).is(status);
    }
    let said = place.replay(&with(&["--warm-up", "200d"])).is(4);
    assert!(said.stdout.starts_with("TOO LITTLE DATA") && said.stdout.contains("a warm-up of 200d"), "{}", said.stdout);
    place.replay(&with(&["--warm-up", "40d", "--inconclusive", "maybe"])).is(2).says(&["maybe"]);
}

#[test]
fn a_drift_is_1_whatever_undecided_answers_count_as() {
    place(0.6).replay(&with(&["--warm-up", "40d", "--inconclusive", "pass"])).is(1);
}

#[test]
fn without_a_baseline_it_says_how_to_get_one() {
    place(1.0).replay(&FILES).is(2).says(&[
        "nothing says what is usual",
        "--profile FILE, --manifest FILE or --warm-up SPAN",
        "help: --warm-up 40d",
    ]);
}

#[test]
fn files_that_are_not_there_or_no_files() {
    let place = place(1.0);
    std::fs::create_dir(place.path("folder")).unwrap();
    let run =
        |predictions: &str| place.replay(&["--predictions", predictions, "--actuals", "a.jsonl", "--warm-up", "40d"]);
    run("absent.jsonl").is(2).says(&["absent.jsonl", "cannot be opened"]);
    run("folder").is(2).says(&["folder", "a directory"]);
    place.replay(&["--predictions", "p.jsonl", "--warm-up", "40d"]).is(2).says(&["--actuals"]);
}

#[test]
fn empty_files_are_too_little_data() {
    let place = place(1.0);
    place.write("empty", "").write("blank", "\n\n  \n").write("bom", "\u{feff}");
    for empty in ["empty", "blank"] {
        place.replay(&["--predictions", empty, "--actuals", "a.jsonl", "--warm-up", "40d"]).is(4);
        place.replay(&["--predictions", "p.jsonl", "--actuals", empty, "--warm-up", "40d"]).is(4);
        let said = place.replay(&["--predictions", empty, "--actuals", empty, "--warm-up", "40d"]).is(4);
        assert!(said.stdout.contains("no predictions"), "{}", said.stdout);
    }
    place.replay(&["--predictions", "bom", "--actuals", "a.jsonl", "--warm-up", "40d"]).is(4);
}

#[test]
fn a_table_needs_the_header_of_such_records() {
    let place = place(1.0);
    place
        .write("bare.csv", "m,1,s0,2024-01-01T00:00:00Z,2024-01-02T00:00:00Z,50\n")
        .write("wrong.csv", "\nmodel,version,series,issued_at,target,y_hat\n")
        .write("twice.csv", "model,version,series,series,issued_at,target_time,y_hat\n")
        .write("array.json", "[{\"model\":\"m\"}]\n");
    let run = |file: &str| place.replay(&["--predictions", file, "--actuals", "a.jsonl", "--warm-up", "40d"]).is(2);
    run("bare.csv").says(&[
        "bare.csv:1: column \"model\": it is missing in the header",
        "model, version, series, issued_at, target_time, y_hat",
        "help: a file of records is JSON Lines, or CSV with a header",
    ]);
    run("wrong.csv").says(&["wrong.csv:2: column \"target_time\""]);
    run("twice.csv").says(&["twice.csv:1: column \"series\": it is there twice"]);
    run("array.json").says(&["array.json:1", "missing in the header"]);
    // Predictions in place of actuals.
    place.write("p.csv", "model,version,series,issued_at,target_time,y_hat\n");
    place
        .replay(&["--predictions", "p.jsonl", "--actuals", "p.csv", "--warm-up", "40d"])
        .is(2)
        .says(&["p.csv:1", "\"y\""]);
}

fn gzip(text: &str) -> Vec<u8> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    coder.write_all(text.as_bytes()).unwrap();
    coder.finish().unwrap()
}

/// A compressed file is either read, or refused with a word on what it is; a truncated one never passes for a short stream.
#[test]
fn compressed_files_are_read_and_truncated_ones_refused() {
    let place = place(1.0);
    let bytes = gzip(&std::fs::read_to_string(place.path("p.jsonl")).unwrap());
    place.write("p.jsonl.gz", &bytes).write("short.jsonl.gz", &bytes[..bytes.len() / 2]);
    let run = |file: &str| place.replay(&["--predictions", file, "--actuals", "a.jsonl", "--warm-up", "40d", "--json"]);
    let whole = run("p.jsonl.gz").is(0).json();
    assert_eq!(whole["models"], run("p.jsonl").json()["models"]);
    run("short.jsonl.gz").is(2).says(&["short.jsonl.gz", "truncated"]);
}

#[test]
fn bad_rows_are_shown_with_their_places_and_counted() {
    let place = place(1.0);
    let mut rows = std::fs::read_to_string(place.path("a.jsonl")).unwrap();
    (0..25).for_each(|n| {
        _ = writeln!(
            rows,
            r#"{{"series":"s0","target_time":"2024-01-02T00:00:00Z","y":"x{n}","observed_at":"2024-01-03T00:00:00Z"}}"#
        );
    });
    place.write("a.jsonl", rows);
    let said = place.replay(&with(&["--warm-up", "40d", "--json"])).is(0);
    let line = 4 * DAYS + 1;
    let places: Vec<&str> = said.stderr.lines().filter(|line| line.contains("a.jsonl:")).collect();
    assert_eq!(places.len(), 20, "{}", said.stderr);
    assert!(
        places[0].contains(&format!("a.jsonl:{line}: column \"y\": \"x0\"")) && places[0].contains("expected"),
        "{}",
        places[0]
    );
    assert!(said.stderr.contains("and 5 more rows that could not be read"), "{}", said.stderr);
    assert_eq!(said.json()["faults"]["bad_field"], 25);
}

/// Predictions in place of actuals: every row is bad, and that is no short stream that `--inconclusive=pass` may pass.
#[test]
fn a_file_of_nothing_but_bad_rows_is_a_bad_file() {
    let words = ["--predictions", "p.jsonl", "--actuals", "p.jsonl", "--warm-up", "40d", "--inconclusive", "pass"];
    place(1.0).replay(&words).is(2).says(&[
        "drift-watch: p.jsonl:1: column",
        "it is the first of 360 rows of actuals, none of which could be read",
    ]);
}

#[test]
fn a_row_that_is_not_text_or_too_long_is_one_bad_row() {
    let place = place(1.0);
    let mut rows = std::fs::read(place.path("a.jsonl")).unwrap();
    rows.extend_from_slice(b"{\"series\":\"\xff\"}\n");
    rows.extend(std::iter::repeat_n(b'x', 3 << 20));
    rows.extend_from_slice(b"\n{\"series\":\"s0\",\"target_time\":\"2024-03-31T00:00:00Z\",\"y\":50,\"observed_at\":\"2024-04-01T01:00:00Z\"}\n{\"series\"");
    place.write("a.jsonl", rows);
    let report = place.replay(&with(&["--warm-up", "40d", "--json"])).is(0).json();
    let faults = &report["faults"];
    assert_eq!(
        (&faults["not_utf8"], &faults["too_long"], &faults["broken_line"]),
        (&1.into(), &1.into(), &1.into()),
        "{faults}"
    );
    // The row behind the long one was read: the clock has moved on to it.
    assert_eq!(report["time"], "2024-04-01T01:00:00Z");
}

#[test]
fn promotion_toml_gives_defaults_and_its_mistakes_are_refused_with_their_place() {
    let place = place(1.0);
    place.write("promotion.toml", "[drift-watch]\nwarm-up = \"40d\"\n[drift-watch.replay]\npredictions = [\"p.jsonl\"]\nactuals = [\"a.jsonl\"]\n");
    place.replay::<&str>(&[]).is(0);
    // The command line goes first.
    place.replay(&["--warm-up", "200d"]).is(4);
    for (toml, parts) in [
        ("[drift-watch]\nwarmup = \"40d\"\n", &["promotion.toml:2:1", "warmup", "warm-up"][..]),
        ("[drift-watch.replay]\n\nprediction = [\"p.jsonl\"]\n", &["promotion.toml:3:1", "prediction", "predictions"]),
        ("[drift-watch]\nwarm-up = \"40 parsecs\"\n", &["promotion.toml:2", "40 parsecs", "15m, 36h or 40d"]),
        ("[drift-watch]\nrule = [\"mape >> 3\"]\n", &["promotion.toml:2", "mape >> 3"]),
        ("[drift-watch]\ndetector = [\"adwim on mape\"]\n", &["promotion.toml:2", "adwim", "adwin"]),
        ("[drift-watch\n", &["promotion.toml:1"]),
    ] {
        place.write("promotion.toml", toml);
        place.replay(&with(&["--warm-up", "40d"])).is(2).says(parts);
    }
}

#[test]
fn flags_that_cannot_be_say_what_they_could_be() {
    let place = place(1.0);
    for (words, parts) in [
        (&["--warm-up", "3 months"][..], &["--warm-up", "months and years have no fixed length"][..]),
        (&["--warm-up", "40d", "--detector", "adwin(dleta=1)"], &["--detector", "no setting \"dleta\""]),
        (&["--warm-up", "40d", "--detector", "adwim"], &["did you mean \"adwin\"?"]),
        (&["--warm-up", "40d", "--detector", "cusum on mape h x"], &["h \"x\" is no number of steps"]),
        (
            &["--warm-up", "40d", "--rule", "mape"],
            &["there is no comparison", "mape > 1.5x over 28 min 50 for 3 clear 1.2"],
        ),
        (&["--warm-up", "40d", "--rule", "mape >"], &["it is too short"]),
        (&["--warm-up", "40d", "--rule", "rmsse > 1"], &["rmsse", "mase"]),
        (&["--warm-up", "40d", "--promise", "0"], &["--promise", "a number of at least 1"]),
        (&["--warm-up", "40d", "--zone", "Mars/Olympus"], &["Mars/Olympus", "America/New_York"]),
        (&["--warm-up", "40d", "--season", "1@1h"], &["1@1h", "7@1d"]),
    ] {
        place.replay(&with(words)).is(2).says(parts);
    }
}

#[test]
fn a_detector_of_the_command_line_raises_an_alert_that_promises_nothing() {
    let said = place(0.6)
        .replay(&with(&["--warm-up", "40d", "--detector", "cusum", "--detector", "adwin(delta=0.01) on mae", "--json"]))
        .is(1);
    let report = said.json();
    let rules: Vec<&Value> =
        report["alerts"].as_array().unwrap().iter().filter(|alert| alert["kind"] == "rule").collect();
    assert_eq!(rules[0]["subject"], "cusum (horizon 1)");
    assert!(rules[0]["reason"].as_str().unwrap().contains("measured, not promised"));
    // Errors of 40 % where 5 % are usual: two steps, whose actuals come a day after.
    assert_eq!(rules[0]["target_time"], "2024-03-01T00:00:00Z");
}

fn profile_without_rows() -> std::path::PathBuf {
    data("profile/lightgbm.json")
}

/// Writes the profile of `LightGBM` here.
fn profile(place: &Place) {
    place.write("profile.json", serde_json::to_vec(&of_lightgbm()).unwrap());
}

/// The live stream of the recession, whose model has this profile.
fn recession() -> [String; 4] {
    let file = |kind: &str| data(&format!("live/real_drift_recession/{kind}.jsonl")).display().to_string();
    ["--predictions".into(), file("predictions"), "--actuals".into(), file("actuals")]
}

fn with_recession(words: &[&str]) -> Vec<String> {
    recession().into_iter().chain(words.iter().map(ToString::to_string)).collect()
}

#[test]
fn profiles_of_another_kind_are_refused_with_the_remedy() {
    let place = place(1.0);
    place.write("p.json", "{\"schema\": \"bench-compare/verdict/1\"}").write("torn.json", "{\"schema\":\n \"bench");
    let run = |file: &Path| place.replay(&[&FILES[..], &["--profile", file.to_str().unwrap()]].concat()).is(2);
    run(&profile_without_rows())
        .says(&["lightgbm.json: the profile holds no rows", "help: write it anew with `bench-compare profile`"]);
    run(Path::new("p.json")).says(&["p.json:1", "bench-compare profile"]);
    run(Path::new("torn.json")).says(&["torn.json:2"]);
    run(Path::new("absent.json")).says(&["absent.json", "cannot be opened"]);
}

#[test]
fn a_profile_speaks_for_all_names_of_its_model() {
    let place = Place::new();
    profile(&place);
    // Live records call the model otherwise: without a word on that, nothing is known of it.
    let said = place.replay(&with_recession(&["--profile", "profile.json"])).is(4);
    assert!(said.stdout.contains("no baseline"), "{}", said.stdout);
    place.write("promotion.toml", "[models.lightgbm]\nnames = [\"LightGBM\", \"bls_unemployment_lgbm\"]\n");
    let report = place.replay(&with_recession(&["--profile", "profile.json", "--json"])).json();
    let steps = |report: &Value| report["models"][0]["reason"].as_str().unwrap().to_owned();
    assert!(!steps(&report).contains("no baseline") && report["decision"] != "undecided", "{}", steps(&report));
    assert_eq!(report["inputs"][2]["role"], "profile");
}

#[test]
fn a_manifest_brings_its_profile() {
    let place = Place::new();
    profile(&place);
    place.write("promotion.toml", "[models.lightgbm]\nnames = [\"LightGBM\", \"bls_unemployment_lgbm\"]\n");
    manifest_gen_new(&place, &["--profile", "profile.json"]);
    let direct = place.replay(&with_recession(&["--profile", "profile.json", "--json"])).json();
    for manifest in ["models/metadata/lightgbm_v2.json", "models/releases/lightgbm/2.0.0/manifest.json"] {
        let report = place.replay(&with_recession(&["--manifest", manifest, "--json"])).json();
        assert_eq!((&report["models"], &report["alerts"]), (&direct["models"], &direct["alerts"]), "{manifest}");
    }
    std::fs::remove_dir_all(place.path("models/releases/lightgbm/2.0.0/evidence")).unwrap();
    place
        .replay(&with_recession(&["--manifest", "models/metadata/lightgbm_v2.json"]))
        .is(2)
        .says(&["lightgbm_v2.json", "neither beside it nor in"]);
}

#[test]
fn a_manifest_without_a_profile_says_how_to_put_one_in() {
    let place = Place::new();
    manifest_gen_new(&place, &[]);
    place
        .replay(&with_recession(&["--manifest", "models/metadata/lightgbm_v2.json"]))
        .is(2)
        .says(&["the release carries no profile", "help: manifest-gen new --profile FILE"]);
}

/// Makes the release 2 of `lightgbm` with the real tool's library, which works in the folder of its process: in one of its own.
fn manifest_gen_new(place: &Place, words: &[&str]) {
    std::fs::create_dir(place.path("models")).unwrap();
    for (from, to) in [("lightgbm_v2.txt", "lightgbm_v2.txt"), ("preprocessing_lightgbm.pkl", "preprocessing.pkl")] {
        std::fs::copy(data(&format!("artifacts/models/{from}")), place.path(&format!("models/{to}"))).unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "replay_cli::make_a_release", "--ignored", "--nocapture"])
        .env("RELEASE_WORDS", words.join("\n"))
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let said = said(&output);
    assert!(place.path("models/metadata/lightgbm_v2.json").is_file(), "{}{}", said.stdout, said.stderr);
}

#[test]
#[ignore = "run by others, in a folder of their own"]
fn make_a_release() {
    let Ok(words) = std::env::var("RELEASE_WORDS") else { return };
    let mut line = vec![
        "manifest-gen",
        "new",
        "lightgbm",
        "2",
        "--artifact",
        "model=models/lightgbm_v2.txt",
        "--artifact",
        "preprocessing=models/preprocessing.pkl",
        "--model-name",
        "LightGBM",
    ];
    line.extend(words.lines());
    let parsed = shared::cli::parse_from::<manifest_gen::args::Cli>(&line, &|_| None).unwrap();
    manifest_gen::run(&parsed.arguments, &parsed.context).unwrap();
}

#[test]
fn output_is_written_whole_and_before_a_status_that_is_not_0() {
    let place = place(0.6);
    place.write("report.json", "old");
    let said = place.replay(&with(&["--warm-up", "40d", "--json", "-o", "report.json"])).is(1);
    assert!(said.stdout.is_empty());
    let report: Value = serde_json::from_slice(&std::fs::read(place.path("report.json")).unwrap()).unwrap();
    assert_eq!(report["decision"], "drift");
    // Bad input leaves the old one alone, and nothing temporary behind.
    place
        .replay(&["--predictions", "absent", "--actuals", "a.jsonl", "--warm-up", "40d", "--json", "-o", "report.json"])
        .is(2);
    assert_eq!(serde_json::from_slice::<Value>(&std::fs::read(place.path("report.json")).unwrap()).unwrap(), report);
    let names: Vec<_> = std::fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    // A folder that is not there is the environment's fault.
    place.replay(&with(&["--warm-up", "40d", "-o", "no/such/folder/report.txt"])).is(3).says(&["no/such/folder"]);
}

#[test]
fn a_closed_pipe_stops_the_printing_and_not_the_answer() {
    let place = place(0.6);
    let mut child = place
        .command()
        .arg("replay")
        .args(with(&["--warm-up", "40d", "--json"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(1), ""));
}

#[test]
fn json_holds_to_its_schema() {
    let schema = serde_json::to_value(schemars::schema_for!(drift_watch::replay::Report)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for factor in [1.0, 0.6] {
        let said = place(factor).replay(&with(&["--warm-up", "40d", "--json", "--rule", "mape > 0.01 over 3"]));
        assert!(!said.stdout.contains("NaN") && !said.stdout.contains("Infinity"));
        let report = said.json();
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(report["schema"], "drift-watch/replay/1");
        let input = &report["inputs"][0];
        assert!(input["path"] == "p.jsonl" && input["sha256"].as_str().unwrap().len() == 64, "{input}");
    }
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let place = place(0.6);
    let run = || place.replay(&with(&["--warm-up", "40d", "--json"])).stdout;
    assert_eq!(run(), run());
}

fn piped(place: &Place, words: &[&str], name: &str) -> Said {
    let input = std::fs::File::open(place.path(name)).unwrap();
    said(&place.command().arg("replay").args(words).stdin(input).output().unwrap())
}

#[test]
fn a_dash_is_standard_input() {
    let place = place(0.6);
    let words = ["--predictions", "-", "--actuals", "a.jsonl", "--warm-up", "40d", "--json"];
    let report = piped(&place, &words, "p.jsonl").is(1).json();
    assert_eq!(report["models"], place.replay(&with(&["--warm-up", "40d", "--json"])).json()["models"]);
    assert_eq!(report["inputs"].as_array().unwrap().len(), 1, "what is gone cannot be hashed");
    // Both cannot be read from it.
    let twice = ["--predictions", "-", "--actuals", "-", "--warm-up", "40d"];
    piped(&place, &twice, "p.jsonl").is(2).says(&["standard input"]);
}

#[test]
fn several_files_are_one_stream() {
    let place = place(0.6);
    let (head, rest) = (first_lines(&place, "p.jsonl", 100), std::fs::read_to_string(place.path("p.jsonl")).unwrap());
    place.write("p1", &head).write("p2", &rest[head.len()..]);
    let parts =
        place.replay(&["--predictions", "p1", "p2", "--actuals", "a.jsonl", "--warm-up", "40d", "--json"]).is(1).json();
    assert_eq!(parts["models"], place.replay(&with(&["--warm-up", "40d", "--json"])).json()["models"]);
}

#[test]
fn crlf_and_a_byte_order_mark_change_nothing() {
    let place = place(0.6);
    let dos =
        |name: &str| "\u{feff}".to_owned() + &std::fs::read_to_string(place.path(name)).unwrap().replace('\n', "\r\n");
    place.write("p.dos", dos("p.jsonl")).write("a.dos", dos("a.jsonl"));
    let report =
        place.replay(&["--predictions", "p.dos", "--actuals", "a.dos", "--warm-up", "40d", "--json"]).is(1).json();
    assert_eq!(report["models"], place.replay(&with(&["--warm-up", "40d", "--json"])).json()["models"]);
}

#[test]
fn naive_times_need_a_zone() {
    let place = place(1.0);
    let naive = |name: &str| std::fs::read_to_string(place.path(name)).unwrap().replace("Z\"", "\"");
    place.write("p.naive", naive("p.jsonl")).write("a.naive", naive("a.jsonl"));
    let files = ["--predictions", "p.naive", "--actuals", "a.naive", "--warm-up", "40d"];
    place.replay(&files).is(2).says(&[
        "a.naive:1",
        "has no offset",
        "a configured time zone",
        "none of which could be read",
    ]);
    place.replay(&[&files[..], &["--zone", "UTC"]].concat()).is(0);
}
