//! Two years of weekly runs: a promotion, a shift with a new package, runs that failed, were skipped or say nothing.

use std::path::Path;
use std::process::{Command, Output};

use rebench_cron::process::Exit;
use rebench_cron::store::{Archive, Baseline, BaselineKind, Data, Host, Outcome, Reason, Skip, Store, Ticket, Verdict};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::store_support::{archive, claim, ending, host, identity, metric, monday, records, week};

/// The week of the promotion.
pub(crate) const PROMOTED: i64 = 40;
/// The first week of the shift.
pub(crate) const SHIFTED: i64 = 60;
/// The week in which all attempts failed, that up to which three were skipped, those of an invalid run and of old data, and one with two
/// attempts.
pub(crate) const FAILED: i64 = 20;
pub(crate) const SKIPPED: i64 = 30;
pub(crate) const INVALID: i64 = 50;
pub(crate) const OLD_DATA: i64 = 70;
pub(crate) const TRIED_TWICE: i64 = 80;
/// The standard error of each effect.
pub(crate) const ERROR: f64 = 0.02;
/// What a run says that nobody can trust.
pub(crate) const HOSTILE: &str = "</td><script>alert(1)</script>\u{202e} & \"so\"";

/// 2 % better before the shift, 2 % worse from it on, half a percent to either side in turn.
pub(crate) fn effect(number: i64) -> f64 {
    let mean = if number < SHIFTED { -0.02 } else { 0.02 };
    if number % 2 == 0 { mean - 0.005 } else { mean + 0.005 }
}

/// Records of so many weeks.
pub(crate) fn weeks(count: i64) -> (TempDir, Store) {
    let (folder, store) = records();
    for number in 0..count {
        slot(&store, number);
    }
    (folder, store)
}

fn slot(store: &Store, number: i64) {
    match number {
        0 => store.promote(&baseline("1.0", number)).unwrap(),
        PROMOTED => store.promote(&baseline("2.0", number)).unwrap(),
        _ => {}
    }
    match number {
        SKIPPED => skip(store),
        _ if (SKIPPED - 2..SKIPPED).contains(&number) => {}
        FAILED => fail(store, number),
        TRIED_TWICE => again(store, number),
        _ => judge(store, &claim(store, number), number),
    }
}

/// What the job is held against while this version is champion.
pub(crate) fn baseline(version: &str, number: i64) -> Baseline {
    Baseline {
        id: format!("seasonal naive champion {version}"),
        job: "walmart".to_owned(),
        model: "seasonal naive".to_owned(),
        version: version.to_owned(),
        path: "".into(),
        sha256: String::new(),
        run: None,
        promoted_at: week(number),
        retired_at: None,
    }
}

fn skip(store: &Store) {
    let scheduled_at = week(SKIPPED);
    let skip = Skip {
        job: "walmart".to_owned(),
        scheduled_at,
        wall: scheduled_at.to_string(),
        tzdb: "2026a".to_owned(),
        reason: Reason::Cron,
        why: "missed".to_owned(),
        count: 3,
    };
    store.skipped(&[skip], &[], scheduled_at).unwrap();
}

fn fail(store: &Store, number: i64) {
    let ticket = claim(store, number);
    store.failed(&ticket, "exit status 1", week(number)).unwrap();
    store.give_up(&ticket, "no attempt of 1 succeeded: exit status 1", &[], week(number)).unwrap();
}

fn again(store: &Store, number: i64) {
    let first = claim(store, number);
    store.failed(&first, "exit status 1", week(number)).unwrap();
    let here: Host = host("here");
    judge(store, &store.retry(&first, &here, week(number)).unwrap(), number);
}

/// What a run of this week was made with: pandas changes with the shift, the commit and the processor at other times.
fn environment(number: i64) -> Value {
    let commit = if number < 45 { "1111111111aaaa" } else { "2222222222bbbb" };
    let pandas = if number < SHIFTED { "pandas==2.2.0" } else { "pandas==2.3.0" };
    let cpu = if number < 90 { "x" } else { "<b>y</b>" };
    json!({ "commit": commit, "packages": ["numpy==2.1.0", pandas], "packages_sha256": pandas, "cpu": cpu, "tzdb": "2026a" })
}

fn judge(store: &Store, ticket: &Ticket, number: i64) {
    let folder = format!("runs/walmart/{number}");
    store.started(ticket, &identity(), Path::new(&folder), week(number)).unwrap();
    store.exited(ticket, &ending(Exit::Exited(0)), Path::new(&folder)).unwrap();
    let data = Data { hash: format!("data of week {number}"), newest: Some(monday()), rows: Some(70), bytes: 7000 };
    let kept = Archive { env: Some(environment(number)), data: Some(data), ..archive() };
    store.archived(ticket, &kept, week(number)).unwrap();
    store.compared(ticket, &[metric("mape", "", 0.5, 70)], week(number)).unwrap();
    store.recorded(ticket, &verdict(number), &[], week(number)).unwrap();
    store.alerted(ticket, week(number)).unwrap();
}

fn verdict(number: i64) -> Verdict {
    let version = if number < PROMOTED { "1.0" } else { "2.0" };
    let against = |verdict| Verdict {
        baseline_id: Some(baseline(version, 0).id),
        baseline_kind: Some(BaselineKind::Fresh),
        metric: Some("mape".to_owned()),
        candidate_model: Some("lightgbm".to_owned()),
        ..verdict
    };
    let effect = effect(number);
    match number {
        OLD_DATA => Verdict::plain(Outcome::NoNewData, "the data are those of the run before", "0.1.0"),
        INVALID => against(Verdict::plain(Outcome::Invalid, HOSTILE, "0.1.0")),
        _ => against(Verdict {
            effect: Some(effect),
            se: Some(ERROR),
            ci_lo: Some(effect - 1.96 * ERROR),
            ci_hi: Some(effect + 1.96 * ERROR),
            p: Some(0.2),
            noise_floor: Some(0.01),
            ..Verdict::plain(outcome(number), "as measured", "0.1.0")
        }),
    }
}

fn outcome(number: i64) -> Outcome {
    match number {
        _ if number >= SHIFTED && number % 4 == 3 => Outcome::Regressed,
        _ if number >= SHIFTED => Outcome::Inconclusive,
        _ if number % 10 == 4 => Outcome::Improved,
        _ => Outcome::Holds,
    }
}

/// `rebench-cron history walmart` with these words, over the records in the folder.
pub(crate) fn history(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rebench-cron"));
    command.env_clear().args(["--no-config", "history", "--state"]).arg(folder).args(words).output().unwrap()
}

#[track_caller]
pub(crate) fn ok(folder: &Path, words: &[&str]) -> String {
    let output = history(folder, words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
