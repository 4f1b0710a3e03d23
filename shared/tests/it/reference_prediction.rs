//! Pesaran-Timmermann and Giacomini-White against the values computed from their formulas in `stats_reference.json`.

use crate::common::{absolute, close, errors, json};
use shared::stats::direction::pesaran_timmermann;
use shared::stats::giacomini_white::giacomini_white;

#[test]
fn pesaran_timmermann_agrees() {
    let reference = &json("stats_reference.json")["formula_based"];
    let cases = [
        ("A_ar_n100", "pesaran_timmermann/A(e1 as realised change, e2 as predicted change)"),
        ("B_t3_n30", "pesaran_timmermann/B"),
    ];
    for (series, key) in cases {
        let (realised, predicted) = errors(series);
        let (ours, theirs) = (pesaran_timmermann(&realised, &predicted).unwrap(), &reference[key]);
        close(ours.hit_rate, theirs["P"].as_f64().unwrap(), 1e-12, series);
        close(ours.expected_rate, theirs["P_star"].as_f64().unwrap(), 1e-12, series);
        close(ours.statistic, theirs["z"].as_f64().unwrap(), 1e-9, series);
        close(ours.p_value, theirs["p_one_sided"].as_f64().unwrap(), 1e-9, series);
    }
}

#[test]
fn giacomini_white_agrees() {
    let reference = &json("stats_reference.json")["formula_based"];
    for series in ["A_ar_n100", "B_t3_n30"] {
        let (first, second) = errors(series);
        let ours = giacomini_white(&absolute(&first), &absolute(&second), 1).unwrap();
        let theirs = &reference[format!("giacomini_white_conditional/{series}/abs/tau1")];
        close(ours.statistic, theirs["stat"].as_f64().unwrap(), 1e-9, series);
        close(ours.p_value, theirs["p_chi2_2"].as_f64().unwrap(), 1e-9, series);
        assert_eq!(theirs["n_used"].as_u64(), Some(ours.used as u64));
    }
}

#[test]
fn what_does_not_vary_has_no_answer() {
    let refused = pesaran_timmermann(&[1.0, -1.0, 2.0, -3.0], &[1.0; 4]).unwrap_err();
    assert!(!refused.is_bad_input());
    assert!(!giacomini_white(&[1.0; 10], &[1.0; 10], 1).unwrap_err().is_bad_input());
    assert!(!giacomini_white(&[2.0; 10], &[1.0; 10], 1).unwrap_err().is_bad_input());
    assert!(giacomini_white(&[1.0, 2.0], &[2.0, 1.0], 1).is_err());
    assert!(giacomini_white(&[1.0, 2.0], &[2.0, 1.0], 0).unwrap_err().is_bad_input());
    assert!(pesaran_timmermann(&[f64::INFINITY, 1.0], &[1.0, 1.0]).unwrap_err().is_bad_input());
}
