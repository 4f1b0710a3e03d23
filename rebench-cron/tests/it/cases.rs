//! The reference cases: what Debian's cron, Quartz and systemd answer.

use std::fs;
use std::sync::Arc;

use jiff::Timestamp;
use rebench_cron::schedule::{Dialect, Expression, Schedule, Zone};
use serde::Deserialize;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/cron/cases.json");

#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    dialect: String,
    expr: String,
    tz: String,
    start: Timestamp,
    n: usize,
    recommended: Recommended,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Recommended {
    Error(String),
    Fires(Vec<String>),
}

fn dialect(name: &str) -> Dialect {
    match name {
        "unix5" => Dialect::Cron,
        "sec6" => Dialect::CronSeconds,
        "quartz" => Dialect::Quartz,
        "oncalendar" => Dialect::OnCalendar,
        other => panic!("{other}"),
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_slice(&fs::read(CASES).unwrap()).unwrap()
}

fn local(at: Timestamp, zone: &Zone) -> String {
    let zoned = at.to_zoned(zone.tz().clone());
    let offset = zoned.offset().seconds();
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!("{}{sign}{:02}:{:02}", zoned.strftime("%Y-%m-%dT%H:%M:%S"), minutes / 60, minutes % 60)
}

/// What is wrong with our answer, if anything.
fn difference(case: &Case, zone: &Arc<Zone>) -> Option<String> {
    let dialect = dialect(&case.dialect);
    let ours = Expression::parse(&case.expr, dialect, None);
    match (&case.recommended, ours) {
        (Recommended::Error(_), Err(_)) => None,
        (Recommended::Error(error), Ok(_)) => Some(format!("accepted, not {error}")),
        // What never fires is refused when it is read.
        (Recommended::Fires(fires), Err(fault)) if fires.is_empty() => {
            (!fault.found.contains("never")).then(|| fault.to_string())
        }
        (Recommended::Fires(_), Err(fault)) => Some(fault.to_string()),
        (Recommended::Fires(fires), Ok(expression)) => {
            let schedule = Schedule::new(expression.pattern, Arc::clone(zone), dialect.dst());
            let ours: Vec<String> = schedule.fires(case.start).take(case.n).map(|at| local(at, zone)).collect();
            (&ours != fires).then(|| format!("{ours:?}, not {fires:?}"))
        }
    }
}

#[test]
fn every_case_has_the_reference_answer() {
    let cases = cases();
    assert_eq!(cases.len(), 136);
    let differences: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let zone = Zone::named(&case.tz).unwrap();
            difference(case, &zone).map(|text| format!("{} {:?}: {text}", case.id, case.expr))
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_a_case_fires_is_found_backwards_too() {
    for case in cases() {
        let Ok(expression) = Expression::parse(&case.expr, dialect(&case.dialect), None) else { continue };
        let zone = Zone::named(&case.tz).unwrap();
        let schedule = Schedule::new(expression.pattern, zone, dialect(&case.dialect).dst());
        let fires: Vec<Timestamp> = schedule.fires(case.start).take(case.n).collect();
        for pair in fires.windows(2) {
            assert_eq!(schedule.prev(pair[1]), Some(pair[0]), "{}", case.id);
        }
    }
}
