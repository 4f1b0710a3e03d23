//! `profile` on the real table, against its sums.

use bench_compare::args::{Cli, Command};
use bench_compare::profile::profile;
use clap::Parser;
use shared::format::profile::{Profile, Step};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv");

fn bls(more: &[&str]) -> Profile {
    let (cv, train) = (format!("{DATA}/bls_unemployment_cv.csv"), format!("{DATA}/bls_unemployment_train.csv"));
    let line = ["bench-compare", "profile", &cv, "--train", &train, "--season", "12", "--model", "LightGBM"];
    let Command::Profile(args) = Cli::try_parse_from(line.iter().chain(more)).unwrap().command else {
        panic!("profile")
    };
    profile(&args).unwrap()
}

#[test]
fn the_profile_of_the_unemployment_table() {
    let profile = bls(&[]);
    assert!(profile.complete && profile.step == Step::Months { length: 1 } && profile.level_percent == Some(90.0));
    assert_eq!((profile.horizon, profile.n_cutoffs, profile.independent_windows), (6, 23, 12.0));
    assert_eq!(
        profile.cells.iter().map(|cell| (cell.horizon, cell.n)).collect::<Vec<_>>(),
        (1..=6).map(|h| (Some(h), 322)).collect::<Vec<_>>()
    );
    let overall = profile.overall.absolute_percentage_error.as_ref().unwrap();
    assert_eq!((overall.n, (overall.mean * 1000.0).round()), (1932, 182.0));
    let by_horizon: f64 =
        profile.cells.iter().map(|cell| cell.absolute_percentage_error.as_ref().unwrap().mean / 6.0).sum();
    assert!((by_horizon - overall.mean).abs() < 1e-12);
    let interval = profile.overall.interval.unwrap();
    assert_eq!((interval.n, (100.0 * interval.hits as f64 / interval.n as f64).round()), (1932, 65.0));
    assert!(overall.quantiles.windows(2).all(|pair| pair[0].value <= pair[1].value));
    assert_eq!((profile.series.len(), profile.train_span.unwrap().0.as_str()), (14, "2000-01-01"));
}

#[test]
fn by_month_of_the_year() {
    let profile = bls(&["--season-slots", "12"]);
    let slots: u64 = profile.cells.iter().map(|cell| cell.n).sum();
    assert_eq!(slots, 1932);
    // Cutoffs are in January, April, July and October: a month is reached at two horizons.
    let mut january: Vec<_> =
        profile.cells.iter().filter(|cell| cell.season_slot == Some(0)).map(|cell| cell.horizon).collect();
    january.sort_unstable();
    assert_eq!(january, [Some(3), Some(6)]);
}

#[test]
fn profiles_come_back_from_their_json() {
    let profile = bls(&[]);
    let text = serde_json::to_string(&profile).unwrap();
    assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
    assert!(!text.contains("NaN"));
}
