//! Every report of every fixture against the file that was looked at. `UPDATE_GOLDEN=1 cargo test -p bench-compare golden`
//! rewrites the files; look at the difference before committing it.

use std::path::Path;

use shared::format::verdict::Verdict;
use shared::fsio;

use super::fixtures;
use super::{Lenience, html, junit, markdown, terminal};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

fn check(name: &str, found: &str) {
    let path = Path::new(FOLDER).join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fsio::create_folder(Path::new(FOLDER)).unwrap();
        return fsio::write_atomic(&path, found.as_bytes()).unwrap();
    }
    let expected = String::from_utf8(fsio::read(&path).unwrap()).unwrap();
    let differs = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
    assert!(found == expected, "{}: differs from line {}", path.display(), differs.map_or(0, |line| line + 1));
}

fn check_all(name: &str, verdict: &Verdict) {
    check(&format!("{name}.txt"), &terminal(verdict, 100, false));
    check(&format!("{name}.md"), &markdown(verdict));
    check(&format!("{name}.xml"), &junit(verdict, Lenience::default()));
    check(&format!("{name}.html"), &html(verdict).unwrap());
}

#[test]
fn golden_promote() {
    check_all("promote", &fixtures::promote());
}

#[test]
fn golden_reject() {
    check_all("reject", &fixtures::reject());
}

#[test]
fn golden_inconclusive() {
    check_all("inconclusive", &fixtures::inconclusive());
    check(
        "inconclusive_lenient.xml",
        &junit(&fixtures::inconclusive(), Lenience { inconclusive: true, identical: false }),
    );
}

#[test]
fn golden_identical() {
    check_all("identical", &fixtures::identical());
}

#[test]
fn golden_hostile() {
    check_all("hostile", &fixtures::hostile());
}

#[test]
fn golden_wide() {
    check("wide.txt", &terminal(&fixtures::wide(), 140, false));
    check("wide.md", &markdown(&fixtures::wide()));
    check("wide.html", &html(&fixtures::wide()).unwrap());
}

/// Overlapping groups that cannot be told apart, a long name, and one that would be markup.
#[test]
fn golden_critical_difference() {
    let names = ["chronos_bolt", "theta", "<b>ets</b>", "seasonal_naive", "a_model_with_a_very_long_name_indeed"];
    let names = names.map(str::to_owned);
    check("critical_difference.svg", &shared::plot::critical_difference(&names, &[1.4, 2.3, 2.9, 4.6, 3.8], 1.36));
}
