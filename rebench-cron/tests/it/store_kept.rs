//! What stays: baselines, files of runs, the export.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use rebench_cron::process::Exit;
use rebench_cron::store::{AlertState, Baseline, Outcome, Policy, Store, Ticket};
use serde_json::Value;

use crate::store_support::{
    alert, claim, compare, ending, exported, job, monday, records, table, verdict, week, whole,
};

fn baseline(id: &str, number: i64) -> Baseline {
    Baseline {
        id: id.to_owned(),
        job: "walmart".to_owned(),
        model: "lightgbm".to_owned(),
        version: id.to_owned(),
        path: format!("releases/{id}").into(),
        sha256: "ab".to_owned(),
        run: None,
        promoted_at: week(number),
        retired_at: None,
    }
}

#[test]
fn a_promotion_retires_what_was_and_a_rollback_brings_it_back() {
    let (_folder, store) = records();
    store.define(&job("other"), monday()).unwrap();
    let other = Baseline { job: "other".to_owned(), ..baseline("1", 0) };
    store.promote(&other).unwrap();
    for (id, number) in [("1", 0), ("1", 1), ("2", 2)] {
        store.promote(&baseline(id, number)).unwrap();
    }
    let first = Baseline { retired_at: Some(week(2)), ..baseline("1", 0) };
    assert_eq!(store.baselines("walmart").unwrap(), [first, baseline("2", 2)]);
    store.promote(&baseline("1", 3)).unwrap();
    let second = Baseline { retired_at: Some(week(3)), ..baseline("2", 2) };
    assert_eq!(store.baselines("walmart").unwrap(), [second, baseline("1", 3)]);
    assert_eq!(store.baselines("other").unwrap(), [other]);
    let told = table(&store, "events").iter().filter(|row| row["kind"] == "promoted").count();
    assert_eq!(told, 4, "the second time was none");
}

fn folders(store: &Store, policy: &Policy) -> Vec<String> {
    // Long after all runs, which end nine seconds after the first Monday.
    let expired = store.retain("walmart", policy, monday() + Duration::from_secs(109)).unwrap();
    expired.into_iter().map(|expired| expired.folder.to_str().unwrap().to_owned()).collect()
}

const NOTHING: Policy = Policy { count: Some(0), age: None, bytes: None };

#[test]
fn files_go_by_count_age_and_size_newest_last() {
    let (_folder, store) = records();
    let tickets: Vec<Ticket> = (0..4).map(|number| whole(&store, number, Outcome::Holds)).collect();
    let by = |count, age, bytes| folders(&store, &Policy { count, age, bytes });
    assert_eq!(by(None, None, None), [""; 0]);
    assert_eq!(by(Some(2), None, None), ["runs/1", "runs/0"]);
    assert_eq!(by(None, Some(SignedDuration::from_secs(100)), None), [""; 0]);
    assert_eq!(by(None, Some(SignedDuration::from_secs(99)), None).len(), 4);
    // Each has 100 bytes.
    assert_eq!(by(None, None, Some(300)), ["runs/0"]);
    assert_eq!(by(Some(3), None, Some(299)), ["runs/1", "runs/0"]);
    store.forgotten(tickets[0].run, week(9)).unwrap();
    assert_eq!(by(Some(2), None, None), ["runs/1"]);
    let row = store.history("walmart", 9).unwrap().remove(0);
    assert!(row.run.unwrap().verdict.is_some(), "verdicts stay");
    assert_eq!(store.metrics_of(tickets[0].run).unwrap().len(), 1);
}

#[test]
fn files_of_a_regression_and_of_the_run_before_it_stay() {
    let (_folder, store) = records();
    for (number, outcome) in
        [Outcome::Holds, Outcome::Holds, Outcome::Regressed, Outcome::Holds].into_iter().enumerate()
    {
        whole(&store, i64::try_from(number).unwrap(), outcome);
    }
    assert_eq!(folders(&store, &NOTHING), ["runs/3", "runs/0"]);
}

#[test]
fn files_of_live_baselines_stay_also_of_those_of_another_job() {
    let (_folder, store) = records();
    store.define(&job("other"), monday()).unwrap();
    let tickets: Vec<Ticket> = (0..4).map(|number| whole(&store, number, Outcome::Holds)).collect();
    store.promote(&Baseline { run: Some(tickets[0].run), ..baseline("1", 0) }).unwrap();
    let path = "runs/1/forecasts.csv".into();
    store.promote(&Baseline { job: "other".to_owned(), path, ..baseline("1", 0) }).unwrap();
    assert_eq!(folders(&store, &NOTHING), ["runs/3", "runs/2"]);
    store.promote(&baseline("2", 1)).unwrap();
    assert_eq!(folders(&store, &NOTHING), ["runs/3", "runs/2", "runs/0"], "a retired one frees its files");
}

#[test]
fn files_of_runs_that_are_not_over_stay_and_those_of_failures_go() {
    let (_folder, store) = records();
    compare(&store, &claim(&store, 0), Path::new("runs/compared"));
    let recorded = claim(&store, 1);
    compare(&store, &recorded, Path::new("runs/recorded"));
    store.recorded(&recorded, &verdict(Outcome::Holds), &[], monday()).unwrap();
    let failed = claim(&store, 2);
    store.exited(&failed, &ending(Exit::TimedOut), Path::new("runs/failed")).unwrap();
    store.failed(&failed, "its time was over", monday()).unwrap();
    claim(&store, 3);
    assert_eq!(folders(&store, &NOTHING), ["runs/failed"]);
}

#[test]
fn a_folder_that_a_run_shares_with_one_that_stays_stays() {
    let (_folder, store) = records();
    for (number, folder) in [(0, "runs"), (1, "runs/a"), (2, "runs/a/b"), (3, "runs/c")] {
        let ticket = claim(&store, number);
        compare(&store, &ticket, Path::new(folder));
        store.recorded(&ticket, &verdict(Outcome::Holds), &[], monday()).unwrap();
        if number != 2 {
            store.alerted(&ticket, monday()).unwrap();
        }
    }
    assert_eq!(folders(&store, &NOTHING), ["runs/c"]);
}

#[test]
fn the_export_has_every_record_in_a_fixed_order() {
    let (folder, store) = records();
    let ticket = claim(&store, 0);
    store.promote(&baseline("1", 0)).unwrap();
    compare(&store, &ticket, Path::new("runs/0"));
    store.recorded(&ticket, &verdict(Outcome::Regressed), &[alert("a", AlertState::Firing)], monday()).unwrap();
    let rows = exported(&store);
    let mut tables: Vec<&str> = rows.iter().map(|row| row["table"].as_str().unwrap()).collect();
    tables.dedup();
    let expected = [
        "jobs",
        "slots",
        "env",
        "data",
        "runs",
        "artifacts",
        "metrics",
        "baselines",
        "verdicts",
        "fences",
        "alerts",
        "events",
    ];
    assert_eq!(tables, expected);
    let verdict = rows.iter().find(|row| row["table"] == "verdicts").unwrap();
    assert_eq!((&verdict["effect"], &verdict["p"], &verdict["se"]), (&0.25.into(), &1e-300.into(), &Value::Null));
    assert_eq!(rows[0]["spec"]["job"], "walmart", "JSON as such");
    assert_eq!(exported(&Store::read(folder.path()).unwrap()), rows);
    let count: i64 = rusqlite::Connection::open(folder.path().join("rebench.sqlite"))
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 13, "a table that is new here belongs into the export");
}

#[test]
fn an_export_that_cannot_be_written_says_so() {
    let (_folder, store) = records();
    let error = store.export_jsonl(std::fs::File::options().write(true).open("/dev/full").unwrap()).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
}
