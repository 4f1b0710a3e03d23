//! `systemd-analyze calendar`, where it is installed: in UTC, and around changes of clocks.

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

/// Zones, each with a time shortly before each kind of change.
const CHANGES: [(&str, [&str; 2]); 6] = [
    ("America/New_York", ["2026-03-08 00:00:00", "2026-10-31 20:00:00"]),
    ("Europe/Berlin", ["2026-03-28 18:00:00", "2026-10-24 18:00:00"]),
    ("Australia/Lord_Howe", ["2026-10-03 06:00:00", "2026-04-04 06:00:00"]),
    ("America/Santiago", ["2026-09-05 12:00:00", "2026-04-04 12:00:00"]),
    ("Antarctica/Troll", ["2026-03-28 12:00:00", "2026-10-24 12:00:00"]),
    ("Europe/Dublin", ["2026-03-28 18:00:00", "2026-10-24 18:00:00"]),
];
const AT_NIGHT: [&str; 6] =
    ["*-*-* *:0/30", "*-*-* 0..4:10,40", "*-*-* 02:30:00", "*-*-* 01:30", "*-*-* 00:00", "*-*-* 23:30"];
const FIRES_AT_NIGHT: usize = 30;

fn systemd(text: &str, base: &str, fires: usize) -> Option<Vec<Timestamp>> {
    let output = Command::new("systemd-analyze")
        .env("TZ", "UTC")
        .env("SYSTEMD_COLORS", "0")
        .args(["calendar", "--iterations", &fires.to_string(), "--base-time", &format!("{base} UTC"), text])
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

fn ours(text: &str, base: &str, fires: usize) -> Option<Vec<Timestamp>> {
    let expression = Expression::parse(text, Dialect::OnCalendar, None).ok()?;
    let zone = expression.zone.map_or_else(Zone::utc, |name| Zone::named(&name).unwrap());
    let schedule = Schedule::new(expression.pattern, zone, Dialect::OnCalendar.dst());
    let start = format!("{}Z", base.replace(' ', "T")).parse().unwrap();
    Some(schedule.fires(start).take(fires).collect())
}

fn is_installed() -> bool {
    let installed = systemd("daily", "2026-01-01 00:00:00", 1).is_some();
    if !installed {
        eprintln!("SKIPPED: systemd-analyze is not installed");
    }
    installed
}

#[test]
fn it_reads_as_systemd_does() {
    if !is_installed() {
        return;
    }
    let base = "2026-01-01 00:00:00";
    for text in EXPRESSIONS {
        let theirs = systemd(text, base, FIRES);
        assert!(theirs.as_ref().is_some_and(|fires| !fires.is_empty()), "{text}");
        assert_eq!(ours(text, base, FIRES), theirs, "{text}");
    }
    for text in REFUSED {
        assert_eq!(systemd(text, base, FIRES), None, "{text}");
        assert_eq!(ours(text, base, FIRES), None, "{text}");
    }
}

#[test]
fn it_changes_clocks_as_systemd_does() {
    if !is_installed() {
        return;
    }
    for (zone, bases) in CHANGES {
        for (base, text) in bases.iter().flat_map(|base| AT_NIGHT.map(|text| (base, format!("{text} {zone}")))) {
            let theirs = systemd(&text, base, FIRES_AT_NIGHT);
            assert!(theirs.as_ref().is_some_and(|fires| fires.len() == FIRES_AT_NIGHT), "{text}");
            assert_eq!(ours(&text, base, FIRES_AT_NIGHT), theirs, "{text} {base}");
        }
    }
}
