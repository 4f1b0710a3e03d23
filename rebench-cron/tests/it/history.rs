//! `rebench-cron history`: the numbers of two years of runs against hand arithmetic, and the page.

use jiff::Timestamp;
use jsonschema::Validator;
use rebench_cron::history::Trend;
use roxmltree::{Document, ParsingOptions};
use schemars::schema_for;
use serde_json::{Value, json};
use std::path::Path;

use crate::history_support::{FAILED, INVALID, OLD_DATA, PROMOTED, SHIFTED, SKIPPED, TRIED_TWICE, history, ok, weeks};
use crate::store_support::{records, week};

fn json(folder: &Path, words: &[&str]) -> Value {
    serde_json::from_str(&ok(folder, &[&["walmart", "--json"], words].concat())).unwrap()
}

fn text(at: Timestamp) -> String {
    at.to_string()
}

fn point(trend: &Value, number: i64) -> Value {
    let points = trend["points"].as_array().unwrap();
    points.iter().find(|point| point["scheduled_at"] == text(week(number))).cloned().unwrap_or_default()
}

#[track_caller]
fn is_near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found}, not {expected}");
}

#[track_caller]
fn is_valid(value: &Value) {
    let validator: Validator = jsonschema::validator_for(schema_for!(Trend).as_value()).unwrap();
    let problems: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn two_years_are_all_there() {
    let (folder, _store) = weeks(104);
    let trend = json(folder.path(), &[]);
    is_valid(&trend);
    // 104 weeks, of which one failed and three were skipped.
    assert_eq!(trend["points"].as_array().unwrap().len(), 100);
    assert_eq!(
        (&trend["schema"], &trend["model"], &trend["metric"]),
        (&json!("rebench-cron/history/1"), &json!("lightgbm"), &json!("mape"))
    );
    assert_eq!(trend["failures"][0]["scheduled_at"], text(week(FAILED)));
    assert_eq!(trend["failures"][0]["why"], "no attempt of 1 succeeded: exit status 1");
    assert_eq!((&trend["skips"][0]["count"], &trend["skips"][0]["why"]), (&json!(3), &json!("missed")));
    assert_eq!(trend["skips"][0]["scheduled_at"], text(week(SKIPPED)));
    assert_eq!((trend["failures"].as_array().unwrap().len(), trend["skips"].as_array().unwrap().len()), (1, 1));
    assert_eq!(point(&trend, TRIED_TWICE)["attempts"], 2);
    assert_eq!(point(&trend, OLD_DATA)["outcome"], "no_new_data");
    assert_eq!(point(&trend, OLD_DATA)["e_value"], Value::Null, "it had no part in the evidence");
    assert_eq!(point(&trend, 3)["folder"], "runs/walmart/3");
    assert_eq!(point(&trend, 3)["lateness_seconds"], 0.012);
    assert_eq!(point(&trend, 46)["commit"], "2222222222bbbb");
}

#[test]
fn the_evidence_is_that_of_the_formula() {
    let (folder, _store) = weeks(104);
    let trend = json(folder.path(), &[]);
    // The first effect is -0.025 with an error of 0.02, u = -1.25. Bets of 0.5 and 1 make exp(-0.625 - 0.125) = 0.472367 and
    // exp(-1.25 - 0.5) = 0.173774, their mean is 0.323070; the weight of a change at the first of 104 looks is 1/104, so
    // 1 - (1 - 0.323070) / 104 = 0.993491. So it is again after the promotion.
    is_near(&point(&trend, 0)["e_value"], 0.993_491_060_077_843_6);
    is_near(&point(&trend, PROMOTED)["e_value"], 0.993_491_060_077_843_6);
    // The same recursion over all looks, in Python: 4.273e7 at the end, and 20 is reached in week 74.
    let evidence = &trend["evidence"];
    is_near(&json!(evidence["e_value"].as_f64().unwrap() / 42_731_767.186_589_085), 1.0);
    assert_eq!((&evidence["alarm_at"], &evidence["is_alarm"]), (&json!(20.0), &json!(true)));
    assert_eq!(evidence["alarm_since"], text(week(74)));
    // Weeks 40 to 103 without the invalid run and that of old data.
    assert_eq!((&evidence["looks"], &evidence["horizon"]), (&json!(62), &json!(104)));
    assert_eq!(point(&trend, INVALID)["e_value"], point(&trend, INVALID - 1)["e_value"]);
}

#[test]
fn the_history_begins_anew_with_a_promotion() {
    let (folder, _store) = weeks(104);
    let trend = json(folder.path(), &[]);
    let [first, second] = &trend["segments"].as_array().unwrap()[..] else { panic!("{}", trend["segments"]) };
    assert_eq!((&first["since"], &first["until"]), (&json!(text(week(0))), &json!(text(week(39)))));
    assert_eq!((&first["looks"], &first["version"]), (&json!(36), &json!("1.0")));
    assert_eq!((&second["since"], &second["until"]), (&json!(text(week(40))), &json!(text(week(103)))));
    // The invalid run counts as a run, that without new data was held against nothing.
    assert_eq!((&second["runs"], &second["looks"], &second["version"]), (&json!(63), &json!(62), &json!("2.0")));
    let promotions = trend["promotions"].as_array().unwrap();
    assert_eq!((promotions.len(), &promotions[0]["until"]), (2, &json!(text(week(PROMOTED)))));
    assert_eq!((&promotions[1]["at"], &promotions[1]["until"]), (&json!(text(week(PROMOTED))), &Value::Null));
}

#[test]
fn the_shift_is_found_with_what_changed_there() {
    let (folder, _store) = weeks(104);
    let trend = json(folder.path(), &[]);
    let change = &trend["change"];
    assert_eq!((&change["at"], &change["last_before"]), (&json!(text(week(SHIFTED))), &json!(text(week(SHIFTED - 1)))));
    // Weeks 40 to 59 without 50: 9 even ones at -0.025 and 10 odd ones at -0.015. Weeks 60 to 103 without 70: 21 even ones at 0.015 and
    // 22 odd ones at 0.025.
    is_near(&change["before"], -0.375 / 19.0);
    is_near(&change["after"], 0.865 / 43.0);
    // The likelihoods of beginnings in weeks 60, 61 and 59 are 0.648, 0.160 and 0.148 of all, by Python: together more than 95 %.
    assert_eq!(change["range"], json!([text(week(59)), text(week(61))]));
    let differences = json!([
        { "what": "data", "before": "data of week 59", "after": "data of week 60" },
        { "what": "package pandas", "before": "2.2.0", "after": "2.3.0" },
    ]);
    assert_eq!(change["differences"], differences);
    let at: Vec<&Value> = trend["environment"].as_array().unwrap().iter().map(|change| &change["at"]).collect();
    assert_eq!(at, [&json!(text(week(45))), &json!(text(week(SHIFTED))), &json!(text(week(90)))]);
    assert_eq!(trend["environment"][0]["differences"][0]["what"], "commit");
    assert_eq!(trend["proposal"]["proposed"], "rollback");
    assert_eq!(trend["proposal"]["command"], "manifest-gen rollback lightgbm");
}

#[test]
fn a_quiet_history_has_no_shift_and_a_better_model_is_proposed() {
    let (folder, _store) = weeks(55);
    let trend = json(folder.path(), &[]);
    is_valid(&trend);
    assert_eq!((&trend["change"], &trend["evidence"]["is_alarm"]), (&Value::Null, &json!(false)));
    assert_eq!(point(&trend, 54)["outcome"], "improved");
    assert_eq!(trend["proposal"]["command"], "manifest-gen promote lightgbm VERSION");
    let (folder, _store) = weeks(54);
    assert_eq!(json(folder.path(), &[])["proposal"], Value::Null);
}

#[test]
fn a_limit_lists_less_and_counts_all() {
    let (folder, _store) = weeks(104);
    let (all, few) = (json(folder.path(), &[]), json(folder.path(), &["--limit", "3"]));
    // 102 slots are in the records: the two before the skipped one are counted in it.
    assert_eq!((few["points"].as_array().unwrap().len(), &few["left_off"]), (3, &json!(99)));
    for part in ["evidence", "segments", "change", "promotions"] {
        assert_eq!(all[part], few[part], "{part}");
    }
    assert_eq!(few["environment"], json!([]));
}

#[test]
fn a_table_has_a_line_a_slot_newest_last() {
    let (folder, _store) = weeks(104);
    let said = ok(folder.path(), &["walmart"]);
    let first = said.lines().next().unwrap();
    assert!(
        first.starts_with(
            "walmart: 100 runs, 1 failure, 3 skipped slots; the newest: regressed at +2.50 %; ALARM since 2027-06-07"
        ),
        "{first}"
    );
    let slots: Vec<&str> = said.lines().filter(|line| line.starts_with("202")).collect();
    assert_eq!(slots.len(), 102);
    assert!(slots[101].starts_with(&text(week(103))) && slots[101].contains("-1.42 % to +6.42 %"), "{}", slots[101]);
    assert!(slots[FAILED as usize].contains("failed") && slots[28].contains("skipped"), "{}", slots[28]);
    assert!(slots[28].ends_with("missed: 3 slots up to this one"), "{}", slots[28]);
    assert!(!said.contains('\u{202e}'));
    assert!(said.contains("changed there: data data of we… to data of we…, package pandas 2.2.0 to 2.3.0"), "{said}");
}

#[test]
fn csv_has_a_row_a_run() {
    let (folder, _store) = weeks(104);
    let table = ok(folder.path(), &["walmart", "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 100);
    assert_eq!((&rows[0][column("effect")], &rows[0][column("reason")]), ("-0.025", "cron"));
    assert_eq!(&rows[0][column("interval_low")], (-0.025 - 1.96 * 0.02_f64).to_string());
}

#[test]
fn what_is_not_there_is_refused_with_a_reason() {
    let (folder, _store) = records();
    let output = history(folder.path(), &["retail"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("has no job \"retail\""), "{said}");
    let output = history(&folder.path().join("nowhere"), &["retail"]);
    assert_eq!(output.status.code(), Some(2));
}

fn page(weeks_of_runs: i64) -> String {
    let (folder, _store) = weeks(weeks_of_runs);
    let path = folder.path().join("trend.html");
    ok(folder.path(), &["walmart", "--html", path.to_str().unwrap()]);
    std::fs::read_to_string(path).unwrap()
}

fn parsed(page: &str) -> Document<'_> {
    Document::parse_with_options(page, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).unwrap()
}

#[test]
fn the_page_is_well_formed_loads_nothing_and_holds_every_slot() {
    for (count, slots) in [(1, 1), (2, 2), (104, 102)] {
        let page = page(count);
        let document = parsed(&page);
        let rows = document.descendants().filter(|node| node.has_tag_name("tr")).count();
        assert_eq!(rows, slots + 1, "and the heads of the columns");
        let loading = |node: &roxmltree::Node<'_, '_>| {
            ["href", "src", "srcset", "onload"].iter().any(|name| node.has_attribute(*name))
        };
        assert!(!document.descendants().any(|node| loading(&node)));
        for forbidden in ["<script", "http:", "https:", "url(", "<link", "<img", "@import", "NaN", "inf%"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }
}

#[test]
fn the_page_shows_outcomes_by_shape_and_what_changed() {
    let page = page(104);
    let document = parsed(&page);
    let figures: Vec<&str> = document.descendants().filter_map(|node| node.attribute("aria-label")).collect();
    assert_eq!(figures.len(), 2, "{figures:?}");
    let outlines: Vec<&str> = document
        .descendants()
        .filter(|node| node.ancestors().any(|above| above.attribute("class") == Some("key")))
        .filter_map(|node| node.attribute("d"))
        .collect();
    let mut apart = outlines.clone();
    apart.sort_unstable();
    apart.dedup();
    assert_eq!((outlines.len(), apart.len()), (9, 9), "each outcome has a shape of its own");
    let said: String = document.descendants().filter_map(|node| node.text()).collect();
    for text in [
        "pandas 2.2.0 to 2.3.0",
        "cpu x to <b>y</b>",
        "champion 2.0",
        "alarm at 20",
        "</td><script>alert(1)</script>\\u{202e}",
    ] {
        assert!(said.contains(text), "{text}");
    }
}

#[test]
fn a_job_without_runs_has_a_page_too() {
    let (folder, store) = records();
    store.promote(&crate::history_support::baseline("1.0", 0)).unwrap();
    let path = folder.path().join("trend.html");
    let said = ok(folder.path(), &["walmart", "--html", path.to_str().unwrap()]);
    assert!(said.starts_with("walmart: no verdict yet; 0 failures, 0 skipped slots\n"), "{said}");
    is_valid(&json(folder.path(), &[]));
    let page = std::fs::read_to_string(path).unwrap();
    let document = parsed(&page);
    assert!(!document.descendants().any(|node| node.has_tag_name("svg")));
    assert!(page.contains("Nothing has run yet."));
}
