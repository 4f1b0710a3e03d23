//! `bench-compare test` as a program: the reference files in, JSON, text and exit status out.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/statistics/");
const A: &str = "--where=series=A_ar_n100";

/// Runs `bench-compare test` with `arguments` and `stdin`.
fn run_with(arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bench-compare"))
        .arg("test")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its flags does not read.
    _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs a test on a reference file; gives the exit status and the JSON.
fn json(file: &str, arguments: &[&str]) -> (i32, Value) {
    let path = format!("{REFERENCE}{file}");
    let output = run_with(&[arguments, &[&path, "--json"]].concat(), "");
    let value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap(), value)
}

fn errors(arguments: &[&str]) -> Value {
    let (status, value) = json("dm_inputs.csv", arguments);
    assert_eq!(status, 0, "{arguments:?}");
    value
}

fn losses(arguments: &[&str]) -> Value {
    let (status, value) = json("loss_matrix.csv", arguments);
    assert_eq!(status, 0, "{arguments:?}");
    value
}

fn close(value: &Value, expected: f64, relative: f64) {
    let ours = value.as_f64().unwrap();
    assert!((ours / expected - 1.0).abs() <= relative, "ours {ours}, reference {expected}");
}

/// R 4.2.2, forecast 8.20, in `dm_reference.json`.
#[test]
fn diebold_mariano_as_the_issue_writes_it() {
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{REFERENCE}dm_reference.json")).unwrap()).unwrap();
    let theirs = reference["results"].as_array().unwrap().iter().find(|row| {
        row["series"] == "A_ar_n100"
            && row["h"] == 4
            && row["power"] == 2
            && row["varestimator"] == "bartlett"
            && row["alternative"] == "two.sided"
    });
    let test = errors(&["dm", "--h", "4", "--power", "2", "--variance", "bartlett", "--alternative", "two-sided", A]);
    assert_eq!(test["schema"], "bench-compare/test/1");
    assert_eq!((&test["test"], &test["n"]), (&"dm".into(), &100.into()));
    close(&test["statistic"], theirs.unwrap()["statistic"].as_f64().unwrap(), 1e-12);
    close(&test["p_value"], theirs.unwrap()["p_value"].as_f64().unwrap(), 1e-10);
}

#[test]
fn every_paired_test_gives_the_reference_values() {
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{REFERENCE}stats_reference.json")).unwrap()).unwrap();
    let scipy = &reference["paired_tests_on_abs_errors"]["A_ar_n100"];
    let wilcoxon = errors(&["wilcoxon", "--loss", "abs", "--zeros", "pratt", "--method", "approx", "--correction", A]);
    close(&wilcoxon["p_value"], scipy["wilcoxon/two-sided/pratt/approx/cc"][1].as_f64().unwrap(), 1e-9);
    let sign = errors(&["sign", "--loss", "abs", "--alternative", "less", A]);
    close(&sign["p_value"], scipy["sign/less"][2].as_f64().unwrap(), 1e-9);
    assert_eq!(sign["details"]["wins"], scipy["sign/less"][0]);
    let direction = errors(&["pt", A]);
    close(&direction["statistic"], 0.980_869_455_674_467_3, 1e-9);
    let conditional = errors(&["gw", "--loss", "abs", A]);
    close(&conditional["p_value"], 0.001_268_500_802_684_617_2, 1e-9);
}

#[test]
fn tests_of_many_methods_give_the_reference_values() {
    let text = std::fs::read_to_string(format!("{REFERENCE}loss_matrix.csv")).unwrap();
    let first = text.lines().take(41).collect::<Vec<_>>().join("\n");
    let parse = |name: &str| serde_json::from_slice::<Value>(&run_with(&[name, "-", "--json"], &first).stdout).unwrap();
    let friedman = parse("friedman");
    close(&friedman["statistic"], 1.100_000_000_000_022_7, 1e-9);
    close(&friedman["details"]["iman_davenport_p"], 0.896_947_927_890_859_3, 1e-9);
    let nemenyi = parse("nemenyi");
    close(&nemenyi["details"]["critical_difference"], 0.964_413_877_594_655_8, 1e-9);
    close(&nemenyi["details"]["p_values"]["m3"]["m4"], 0.859_991_047_020_828_6, 1e-9);
}

/// arch 8.0.0, three seeds: 0.4492, 0.4516, 0.4449 and 0.4737, 0.4800, 0.4636; stated to 0.02.
#[test]
fn bootstrap_tests_lie_within_the_stated_distance_of_arch() {
    let set = losses(&["mcs", "--block", "8"]);
    assert!((set["details"]["p_values"]["m1"].as_f64().unwrap() - 0.4486).abs() <= 0.02);
    assert_eq!(set["details"]["included"], serde_json::json!(["m1", "m2", "m4"]));
    let spa = losses(&["spa", "--block", "8", "--benchmark", "m0"]);
    assert!((spa["p_value"].as_f64().unwrap() - 0.4724).abs() <= 0.02);
    assert!(spa["note"].as_str().unwrap().contains("disagree"));
    let studentised = losses(&["spa", "--block", "8", "--studentise"]);
    assert!(studentised["p_value"].as_f64().unwrap() < 0.001);
    assert_eq!(studentised, losses(&["spa", "--block", "8", "--studentise"]));
}

#[test]
fn a_test_without_an_answer_says_so_and_ends_with_4() {
    let (status, test) = json("dm_inputs.csv", &["dm", "--h", "24", "--where", "series=C_alternating_n12"]);
    assert_eq!((status, &test["decided"], &test["p_value"]), (4, &Value::Bool(false), &Value::Null));
    assert!(test["note"].as_str().unwrap().contains("horizon 24 with 12 observations"));
    let few = run_with(&["gw", "-", "--json"], "e1,e2\n1,2\n2,1\n");
    assert_eq!(few.status.code(), Some(4));
}

#[test]
fn equal_and_constant_differences_have_answers_of_their_own() {
    let identical = errors(&["dm", "--where", "series=D_identical_n20"]);
    assert_eq!((&identical["details"]["answer"], &identical["statistic"]), (&Value::from("identical"), &Value::Null));
    let dominance = errors(&["dm", "--where", "series=E_constant_diff_n10"]);
    assert_eq!((&dominance["details"]["answer"], &dominance["details"]["better"]), (&"dominance".into(), &"e2".into()));
    close(&dominance["p_value"], 0.001_953_125, 1e-12);
    let fallen = errors(&["dm", "--h", "4", "--where", "series=C_alternating_n12"]);
    assert_eq!(fallen["details"]["variance_used"], "bartlett");
    assert!(fallen["note"].as_str().unwrap().contains("not positive"));
}

#[test]
fn bad_input_is_named_by_file_line_and_column() {
    let cases = [
        (&["dm", "-"][..], "e1,e2\n1,2\nx,3\n4,nan\n", "-:3:1: column \"e1\": \"x\" is not a number"),
        (&["dm", "-"], "e1,e2\n1,2\nx,3\n4,nan\n", "-:4:2: column \"e2\": \"nan\" is not a number"),
        (&["dm", "-"], "e1,e2\n1,2,3\n", "-:2: a row of 3 fields (expected 2, as in the header)"),
        (&["dm", "-"], "e1,e1\n1,2\n", "-:1:2: column \"e1\" is there twice"),
        (&["dm", "-"], "e1,e2\n", "-: the file has no rows"),
        (&["dm", "-"], "", "-: the file has no rows"),
        (&["dm", "-"], "a,b,c\n1,2,3\n", "-:1: 3 columns to test: \"a\", \"b\", \"c\" (expected two)"),
        (&["dm", "-", "--columns", "a,d"], "a,b\n1,2\n", "-:1: there is no column \"d\""),
        (&["dm", "-", "--columns", "a,a"], "a,b\n1,2\n", "-:1: column \"a\" is chosen twice"),
        (&["dm", "-", "--where", "a=7"], "a,b\n1,2\n", "-: no row has a = \"7\""),
        (&["dm", "-", "--power", "0"], "a,b\n1,2\n2,1\n", "-: the power of the loss must be a positive number"),
        (&["spa", "-", "--benchmark", "z"], "a,b\n1,2\n2,1\n", "-: --benchmark \"z\" is not among the columns"),
        (&["mcs", "-", "--block", "9"], "a,b\n1,2\n2,1\n", "-: a block of 9 does not fit 2 observations"),
        (&["nemenyi", "-", "--alpha", "2"], "a,b\n1,2\n2,1\n", "-: alpha must lie between 0 and 1"),
        (&["wilcoxon", "-", "--correction"], "a,b\n1,2\n2,1\n", "--correction without --method approx"),
        (&["dm", "absent.csv"], "", "absent.csv: cannot be opened"),
    ];
    for (arguments, stdin, expected) in cases {
        let output = run_with(arguments, stdin);
        let talk = String::from_utf8(output.stderr).unwrap();
        assert!(talk.contains(expected), "{arguments:?}: {talk}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
    }
}

#[test]
fn files_are_read_as_the_world_writes_them() {
    let output = run_with(&["sign", "-", "--json"], "\u{feff}t,A, B\r\n0, 1.5,2\r\n1,1e0,3\r\n");
    let test: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(test["columns"], serde_json::json!(["A", "B"]));
    assert_eq!((&test["n"], &test["details"]["wins"]), (&2.into(), &2.into()));
}

#[test]
fn groups_taken_together_and_negative_losses_are_remarked() {
    let test = errors(&["wilcoxon"]);
    let note = test["note"].as_str().unwrap();
    assert!(note.contains("column \"series\" has 5 values") && note.contains("--loss abs"), "{note}");
}

#[test]
fn text_csv_and_markdown_are_readable() {
    let path = format!("{REFERENCE}dm_inputs.csv");
    let printed = |format: &str| {
        let output = run_with(&["sign", "--loss", "abs", A, &path, "--format", format], "");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(
        printed("text").starts_with("Sign test of e1, e2\n  statistic                    68\n"),
        "{}",
        printed("text")
    );
    assert_eq!(printed("csv").lines().next(), Some("test,statistic,p_value,n,decided"));
    assert!(printed("markdown").contains("| p-value | 0.0004088 |"));
}

#[test]
fn the_json_is_what_its_schema_says() {
    let schema = serde_json::to_value(schemars::schema_for!(bench_compare::test::Report)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for test in [errors(&["dm", A]), losses(&["nemenyi"]), losses(&["spa", "--resamples", "50"])] {
        assert!(validator.is_valid(&test), "{test}");
    }
}
