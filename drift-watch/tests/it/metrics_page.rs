//! `docs/METRICS.md` and what is served say the same: families, types, labels, and the metrics behind `METRIC`.

use std::collections::{BTreeMap, BTreeSet};

use crate::served::{Served, drifted};
use drift_watch::core::summary::METRICS;
use drift_watch::serve::Options;
use drift_watch::view::View;

const PAGE: &str = include_str!("../../../docs/METRICS.md");

/// Where families get their names.
const SOURCES: [&str; 2] =
    [include_str!("../../src/serve/metrics/families.rs"), include_str!("../../src/serve/metrics/mod.rs")];

/// Type and labels.
type Family = (String, BTreeSet<String>);

/// The cells of the rows of tables with so many columns, without their heads.
fn rows(columns: usize) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = PAGE.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let rows =
        lines.filter(|line| line.starts_with(" `")).map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    rows.filter(move |cells| cells.len() == columns)
}

fn quoted(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(ToOwned::to_owned)
}

fn documented() -> BTreeMap<String, Family> {
    let family =
        |cells: Vec<&str>| (quoted(cells[0]).next().unwrap(), (cells[1].to_owned(), quoted(cells[3]).collect()));
    rows(5).map(family).filter(|(name, _)| name.starts_with("drift_watch_")).collect()
}

/// The family of a metric, where it has one for itself.
fn family_of(name: &str) -> String {
    let of = |prefix: &str| {
        let metric = name.strip_prefix(prefix)?;
        METRICS.iter().any(|known| known.key() == metric).then(|| format!("{prefix}METRIC"))
    };
    of("drift_watch_live_").or_else(|| of("drift_watch_baseline_")).unwrap_or_else(|| name.to_owned())
}

/// A view that leaves no family out.
fn full() -> View {
    let mut view = drifted();
    for metric in &mut view.models[0].metrics {
        metric.baseline = Some(0.1);
    }
    view
}

fn served() -> BTreeMap<String, Family> {
    let served = Served::start(full(), Options::default());
    let get = |path: &str| reqwest::blocking::get(served.url(path)).unwrap().text().unwrap();
    get("/-/healthy");
    let page = get("/metrics");
    let mut all: BTreeMap<String, Family> = BTreeMap::new();
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kind.clone_into(&mut all.entry(family_of(name)).or_default().0);
        } else if !line.starts_with('#') {
            let (name, labels) = line.split_once('{').unwrap_or((line.split(' ').next().unwrap(), ""));
            let names =
                labels.split("\",").filter_map(|label| label.split_once("=\"")).map(|(name, _)| name.to_owned());
            all.get_mut(&family_of(name)).unwrap().1.extend(names);
        }
    }
    all
}

#[test]
fn the_page_and_the_code_name_the_same_families() {
    let (documented, served) = (documented(), served());
    let only = |here: &BTreeMap<String, Family>, there: &BTreeMap<String, Family>| -> Vec<(String, Family)> {
        here.iter()
            .filter(|(name, family)| there.get(*name) != Some(family))
            .map(|(n, f)| (n.clone(), f.clone()))
            .collect()
    };
    let (on_page, in_code) = (only(&documented, &served), only(&served, &documented));
    assert!(on_page.is_empty() && in_code.is_empty(), "on the page: {on_page:#?}\nserved: {in_code:#?}");
}

#[test]
fn names_say_types_and_units() {
    for cells in rows(5) {
        let name = quoted(cells[0]).next().unwrap();
        let ends = |with: &str| name.ends_with(with);
        assert_eq!(ends("_total"), cells[1] == "counter", "{name}");
        let unit = match () {
            () if ends("_timestamp_seconds") => "seconds since 1970",
            () if ends("_seconds") => "seconds",
            () if ends("_bytes") => "bytes",
            () if ends("_ratio") => "ratio",
            () if ends("_log10") => "power of ten",
            () => continue,
        };
        assert_eq!(cells[2], unit, "{name}");
    }
}

#[test]
fn no_family_escapes_this_test() {
    let in_code: BTreeSet<&str> = SOURCES
        .iter()
        .flat_map(|source| source.split('"').filter(|text| text.starts_with("drift_watch_") && !text.contains('{')))
        .collect();
    let documented = documented();
    let missing: Vec<&&str> = in_code.iter().filter(|name| !documented.contains_key(**name)).collect();
    assert!(in_code.len() > 30 && missing.is_empty(), "{missing:?}");
}

#[test]
fn the_page_lists_each_metric() {
    let listed: BTreeSet<String> = rows(3).filter_map(|cells| quoted(cells[0]).next()).collect();
    assert_eq!(listed, METRICS.iter().map(|metric| metric.key().to_owned()).collect());
}
