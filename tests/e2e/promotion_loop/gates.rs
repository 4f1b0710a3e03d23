//! Step 5: what wins and what does not, against sums over the rows; and the checklist.

use serde_json::Value;

use super::{Example, Row, errors, mean, weighted};

const UNEMPLOYMENT: &str = "results/unemployment.csv";
const DEPARTURES: &str = "results/departures.csv";

#[track_caller]
fn gate<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    verdict["gates"].as_array().unwrap().iter().find(|gate| gate["name"] == name).unwrap()
}

/// Whether a gate states the losses that the rows have.
#[track_caller]
fn states(gate: &Value, candidate: f64, baseline: f64) {
    let has = |key: &str, value: f64| (gate[key].as_f64().unwrap() - value).abs() < 1e-9;
    assert!(has("candidate_value", candidate) && has("baseline_value", baseline), "{gate} {candidate} {baseline}");
    assert!(has("estimate", candidate / baseline - 1.0), "{gate}");
}

#[test]
fn a_candidate_that_is_better_on_average_is_rejected_for_one_slice() {
    let example = Example::new();
    example.make("reject");
    let verdict = example.json("build/reports/unemployment/verdict.json");
    assert_eq!(verdict["decision"], "reject");
    let losses = |is_own: fn(&Row) -> bool| {
        ["Calendar", "Seasonal"].map(|model| weighted(&example, UNEMPLOYMENT, model, is_own))
    };
    let [candidate, baseline] = losses(|_| true);
    assert!(candidate < baseline, "better on average: {candidate} {baseline}");
    states(gate(&verdict, "primary"), candidate, baseline);
    let slice = gate(&verdict, "slice: unique_id = 'government'");
    assert_eq!(slice["outcome"], "fail");
    let [candidate, baseline] = losses(|row| row["unique_id"] == "government");
    states(slice, candidate, baseline);
    assert!(slice["interval"][0].as_f64().unwrap() > 0.05, "more than the margin is shown: {slice}");
    let junit = example.read("build/reports/unemployment/junit.xml");
    let of_slice = junit.split("<testcase").find(|case| case.contains("name=\"slice: unique_id")).unwrap();
    assert!(of_slice.contains("<failure type=\"reject\""), "{of_slice}");
}

#[test]
fn a_candidate_that_wins_everywhere_is_to_be_promoted() {
    let example = Example::after("gate");
    let verdict = example.json("build/verdict.json");
    assert_eq!(verdict["decision"], "promote");
    let gates = verdict["gates"].as_array().unwrap();
    assert_eq!(gates.len(), 6);
    assert!(gates.iter().all(|gate| gate["outcome"] == "pass"));
    let airport = |row: &Row| row["airport"] == "LGA";
    let losses = |is_own: fn(&Row) -> bool| {
        ["LightGBM", "Ridge"].map(|model| mean(&errors(&example, DEPARTURES, model, is_own)))
    };
    let [candidate, baseline] = losses(|_| true);
    states(gate(&verdict, "primary"), candidate, baseline);
    let [candidate, baseline] = losses(airport);
    states(gate(&verdict, "slice: airport = 'LGA'"), candidate, baseline);
    for (index, role) in ["model", "preprocessing"].into_iter().enumerate() {
        assert_eq!(verdict["subject"][index]["role"], role);
        let sha256 = example.sha256(&format!("artifacts/departures-2-{role}.joblib"));
        assert_eq!(verdict["subject"][index]["sha256"], sha256);
    }
    assert!(example.read("build/reports/departures/junit.xml").contains("tests=\"7\" failures=\"0\""));
}

#[test]
fn the_same_candidate_the_other_way_round_is_rejected_and_stops_make() {
    let example = Example::new();
    let swapped = "sed -i 's/--candidate-model LightGBM --baseline-model Ridge/--candidate-model Ridge --baseline-model LightGBM/' Makefile";
    example.run(swapped);
    let said = example.try_make("promote");
    assert_eq!(said.status, 2, "make stops: {}", said.stderr);
    assert!(said.stdout.contains("REJECT") && said.stderr.contains("Error 1"), "{}", said.stderr);
    assert!(!example.path("build/models/registry.json").exists(), "nothing was promoted");
}

#[test]
fn the_checklist_passes_with_evidence_for_each_row() {
    let example = Example::after("promote render audit");
    let said = example.run("manifest-gen audit departures@champion --json");
    assert_eq!(said.status, 0, "{}", said.stdout);
    let report = said.json();
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 18);
    let steps: Vec<u64> = rows.iter().map(|row| row["step"].as_u64().unwrap()).collect();
    assert!((1..=6).all(|step| steps.contains(&step)));
    for row in rows {
        assert_eq!(row["answer"], "pass", "{row}");
        let is_about_age_or_consumers = ["fresh", "consumers"].contains(&row["row"].as_str().unwrap());
        assert!(is_about_age_or_consumers || !row["evidence"].as_array().unwrap().is_empty(), "{row}");
    }
    assert!(example.read("build/audit.md").contains("| 6 | "));
}

#[test]
fn the_checklist_fails_where_a_row_has_lost_its_ground() {
    let example = Example::after("promote render");
    let failing = |what: &str| {
        let said = example.run("manifest-gen audit departures@champion --json");
        assert_eq!(said.status, 1, "{what}");
        let report = said.json();
        let rows = report["rows"].as_array().unwrap();
        rows.iter()
            .filter(|row| row["answer"] == "fail")
            .map(|row| row["row"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    example.run("cp promotion.toml kept && sed -i 's/^schedule/# schedule/; s/^\\[rebench-cron.jobs.departures/[rebench-cron.jobs.other/; s/^model = \"departures\"/model = \"other\"/; s/^candidate-model = .*/candidate-model = \"Other\"/' promotion.toml");
    assert_eq!(failing("no re-benchmark"), ["re-benchmark"]);
    example.run("cp kept promotion.toml && rm build/models/releases/departures/2.0.0/evidence/profile.json");
    let without_profile = failing("no profile");
    assert!(without_profile.contains(&"integrity".to_owned()), "{without_profile:?}");
}
