//! `systemd-analyze calendar`, where it is installed, on expressions in two zones.

use std::process::Command;

use jiff::Timestamp;
use rebench_cron::schedule::{Dialect, Expression, Schedule, Zone};

const EXPRESSIONS: [&str; 26] = [
    "*-*~01..03",
    "*-*~01,05",
    "*-*~3/2",
    "*-*~28/3",
    "*-*~1..7/3",
    "*-*~2..28/5",
    "*~1",
    "02~01",
    "*-*-1..31/7",
    "*-2-*",
    "2-3",
    "Mon,Fri..Sun 1:2:3",
    "Sat..Sun",
    "Mon-Fri",
    "*-*-* 1:2:0/20",
    "12:30:*",
    "*:*",
    "quarterly",
    "semiannually",
    "*-1..3,7-1",
    "2026..2030/2-1-1",
    "*-*-* 5/7:00",
    "*-*-* 0/23:0",
    "*:0/59",
    "Mon *-1,3..5-1/7 0:0",
    "*-*-1/30",
];
const REFUSED: [&str; 22] = [
    "*:*/15",
    "Fri..Mon",
    "*-*-* 22..2:00",
    "*-*~5..2",
    "*-*-* 25:00",
    "*:60",
    "12",
    "*",
    "*-*-0",
    "*-*-32",
    "1960-1-1",
    "2200-1-1",
    "*-*-* 0:0:60",
    "0:0/90",
    "*:0/0",
    "Mon Tue 6:00",
    "6:00 Mon",
    "*-*~29",
    "*-*-3/40",
    "*-*-1..5..9",
    "5..3-1-1",
    "Mo",
];
const FIRES: usize = 8;

fn systemd(text: &str) -> Option<Vec<Timestamp>> {
    let output = Command::new("systemd-analyze")
        .env("TZ", "UTC")
        .env("SYSTEMD_COLORS", "0")
        .args(["calendar", "--iterations", &FIRES.to_string(), "--base-time", "2026-01-01 00:00:00 UTC", text])
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let times = text.lines().filter_map(|line| {
        let (label, rest) = line.split_once(": ")?;
        (label.trim() == "Next elapse" || label.trim().starts_with("Iter. #")).then_some(())?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let [_, date, time, "UTC"] = words[..] else { return None };
        format!("{date}T{time}Z").parse().ok()
    });
    Some(times.collect())
}

#[test]
fn it_agrees_with_systemd_itself() {
    if systemd("daily").is_none() {
        eprintln!("SKIPPED: systemd-analyze is not installed");
        return;
    }
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    for text in EXPRESSIONS {
        let expression = Expression::parse(text, Dialect::OnCalendar, None).unwrap();
        let schedule = Schedule::new(expression.pattern, Zone::utc(), Dialect::OnCalendar.dst());
        let ours: Vec<Timestamp> = schedule.fires(start).take(FIRES).collect();
        assert_eq!(Some(ours), systemd(text), "{text}");
    }
    for text in REFUSED {
        assert_eq!(systemd(text), None, "{text}");
        assert!(Expression::parse(text, Dialect::OnCalendar, None).is_err(), "{text}");
    }
}
