//! Distributions against `SciPy` 1.17.1 and statsmodels 0.15.0 (`tests/data/reference/statistics/stats_reference.json`).

#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test fails by panicking; some values are exact")]

use serde_json::Value;
use shared::stats::power::{paired_t_power, pairs_for_power};
use shared::stats::special::{
    chi2_quantile, chi2_sf, f_quantile, f_sf, normal_quantile, normal_sf, studentised_range_quantile,
    studentised_range_sf, t_quantile, t_sf,
};

fn reference() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/statistics/stats_reference.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn rows(table: &str) -> Vec<Vec<f64>> {
    let reference = reference();
    let rows = reference["distributions"][table].as_array().unwrap();
    assert!(!rows.is_empty());
    let number = |cell: &Value| cell.as_f64().unwrap_or(f64::INFINITY);
    rows.iter().map(|row| row.as_array().unwrap().iter().map(number).collect()).collect()
}

fn close(ours: f64, theirs: f64, relative: f64, what: &str) {
    assert!(
        (ours / theirs - 1.0).abs() <= relative,
        "{what}: {ours:e} for {theirs:e}, off by {:e}",
        ours / theirs - 1.0
    );
}

#[test]
fn tails_agree_with_scipy() {
    for row in rows("t_sf") {
        close(t_sf(row[0], row[1]), row[2], 1e-12, &format!("t {row:?}"));
    }
    for row in rows("F_sf") {
        close(f_sf(row[0], row[1], row[2]), row[3], 1e-12, &format!("F {row:?}"));
    }
    for row in rows("chi2_sf") {
        close(chi2_sf(row[0], row[1]), row[2], 1e-12, &format!("chi2 {row:?}"));
    }
    for row in rows("norm") {
        close(normal_sf(row[0]), row[1], 1e-12, &format!("normal {row:?}"));
    }
}

// Upper tails computed with 60 digits by mpmath 1.3/1.4 (betainc, gammainc, erfc), and their inverses by its findroot.
#[test]
#[expect(clippy::unreadable_literal, clippy::excessive_precision, reason = "as mpmath prints them")]
fn tails_and_quantiles_agree_with_mpmath() {
    let t = [
        (0.3, 0.5, 0.42242957606524541001),
        (3.0, 0.5, 0.1836540779929717241),
        (1000000.0, 0.5, 0.00032070097541419884777),
        (2.5, 1.7, 0.075590887194520602446),
        (60.0, 3.3, 1.9784585600499267181e-6),
        (12.0, 29.5, 3.5498683290606380095e-13),
        (1.2, 200.25, 0.11577854961122007958),
        (38.0, 400.0, 4.0946960478957246733e-135),
        (5.0, 100000.0, 2.8713508393208364266e-7),
        (9.0, 1000000.0, 1.1304865167464301865e-19),
        (3.0, 100000000.0, 0.0013498983640187471935),
        (0.001, 17.0, 0.49960687833936713999),
    ];
    let f = [
        (0.2, 1.5, 7.25, 0.7627970987599714257),
        (300.0, 3.0, 8.0, 1.4776822323390056091e-8),
        (1.01, 1000.0, 2000.0, 0.42550810072308110849),
        (2.5, 40.5, 100000.0, 4.1591603888909341638e-7),
    ];
    let chi2 = [
        (0.001, 0.5, 0.83504024923158716309),
        (3.0, 2.5, 0.30584962944581791427),
        (1000.0, 300.0, 3.7293204855680023841e-76),
        (100.0, 1000.0, 1.0),
        (1100.0, 1000.5, 0.015026858113824808319),
        (900.0, 1.0, 9.8134278542963741191e-198),
    ];
    let normal = [
        (-3.0, 0.99865010196836990547),
        (0.7, 0.24196365222307302862),
        (2.2, 0.013903447513498604313),
        (15.0, 3.6709661993127508858e-51),
        (30.0, 4.9067139271481870595e-198),
    ];
    let quantiles = [
        (1e-10, 0.5, 10_284_911_563_163_400_000.0),
        (0.025, 0.5, 164.55767348048851485),
        (0.025, 1.5, 6.0166631044279316927),
        (0.3, 2.5, 0.59730773825231749483),
        (0.05, 4.0, 2.131846786326650269),
        (1e-08, 19.0, 9.1944758843842031179),
        (0.45, 33.3, 0.1266233570057870577),
        (0.005, 10000.0, 2.5763210466685288854),
    ];
    let normal_quantiles = [
        (1e-300, 37.047096299361199237),
        (1e-20, 9.2623400897984075796),
        (0.001, 3.0902323061678135354),
        (0.025, 1.9599639845400542118),
        (0.3, 0.52440051270804081597),
        (0.4999, 0.00025066283008800749239),
    ];
    for (x, df, p) in t {
        close(t_sf(x, df), p, 2e-13, &format!("t {x} {df}"));
        close(t_sf(-x, df), 1.0 - p, 2e-13, &format!("t -{x} {df}"));
    }
    for (x, df1, df2, p) in f {
        close(f_sf(x, df1, df2), p, 2e-12, &format!("F {x} {df1} {df2}"));
    }
    for (x, df, p) in chi2 {
        close(chi2_sf(x, df), p, 2e-13, &format!("chi2 {x} {df}"));
    }
    for (z, p) in normal {
        close(normal_sf(z), p, 2e-13, &format!("normal {z}"));
    }
    for (p, df, x) in quantiles {
        close(-t_quantile(p, df), x, 1e-12, &format!("t quantile {p} {df}"));
    }
    for (p, z) in normal_quantiles {
        close(-normal_quantile(p), z, 1e-13, &format!("normal quantile {p}"));
    }
}

#[test]
fn quantiles_invert_the_tails() {
    for df in [0.5, 0.7, 1.0, 2.5, 4.0, 29.0, 1e3, 1e6] {
        for p in [1e-12, 1e-5, 0.025, 0.2, 0.26, 0.4, 0.499] {
            let t = t_quantile(p, df);
            close(t_sf(-t, df), p, 1e-11, &format!("t df {df} p {p}"));
            close(f_sf(f_quantile(1.0 - p, df, 3.3), df, 3.3), 1.0 - (1.0 - p), 1e-11, &format!("F {df} {p}"));
            close(chi2_sf(chi2_quantile(1.0 - p, df), df), 1.0 - (1.0 - p), 1e-11, &format!("chi2 {df} {p}"));
        }
    }
    assert_eq!(t_quantile(0.5, 3.0), 0.0);
    assert_eq!(t_quantile(1.0, 3.0), f64::INFINITY);
    assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
}

#[test]
fn the_studentised_range_agrees_with_scipy() {
    for row in rows("studentized_range_sf") {
        let groups = format!("{}", row[1]).parse().unwrap();
        // From 100,000 degrees of freedom on SciPy computes the infinite case; we compute what was asked.
        let df = if row[2] >= 1e5 { f64::INFINITY } else { row[2] };
        close(studentised_range_sf(row[0], groups, df), row[3], 1e-9, &format!("{row:?}"));
    }
    // scipy.stats.studentized_range.sf(2, 10, 99999), SciPy 1.17.1.
    close(studentised_range_sf(2.0, 10, 99_999.0), 0.923_210_950_398_923_6, 1e-9, "a large df");
    let finite = studentised_range_quantile(0.05, 4, 12.0);
    close(studentised_range_sf(finite, 4, 12.0), 0.05, 1e-12, "a finite df");
    for (table, alpha) in [("nemenyi_q_0.05", 0.05), ("nemenyi_q_0.10", 0.10)] {
        for (groups, expected) in reference()["distributions"][table].as_object().unwrap() {
            let q = studentised_range_quantile(alpha, groups.parse().unwrap(), f64::INFINITY);
            close(q / 2_f64.sqrt(), expected.as_f64().unwrap(), 1e-10, &format!("{table} {groups}"));
        }
    }
}

#[test]
fn power_agrees_with_statsmodels() {
    let reference = &reference()["formula_based"];
    for effect in [0.1, 0.2, 0.5] {
        let number = |key: String| reference[&key].as_f64().unwrap();
        let pairs = pairs_for_power(effect, 0.8, 0.05, true).unwrap();
        // statsmodels stops its search early: at its own n for 0.5 its power is 0.8000000279.
        close(pairs, number(format!("n_for_80pct_power/d{effect}/two-sided")), 1e-7, &format!("pairs for {effect}"));
        let power = paired_t_power(effect, 50.0, 0.05, false);
        close(power, number(format!("power/d{effect}/n50/larger")), 1e-9, &format!("power for {effect}"));
    }
    assert!(pairs_for_power(0.0, 0.8, 0.05, true).is_err());
    assert!(pairs_for_power(-0.5, 0.8, 0.05, false).is_err());
    assert!(pairs_for_power(f64::NAN, 0.8, 0.05, true).is_err());
}
