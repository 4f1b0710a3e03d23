//! Friedman, Nemenyi and the multiplicity corrections against `SciPy`, scikit-posthocs, autorank and statsmodels
//! (`stats_reference.json`, the first 40 rows of `loss_matrix.csv`).

use crate::common::{close, json, loss_matrix};
use serde_json::Value;
use shared::stats::matrix::Losses;
use shared::stats::multiple::{Correction, adjust};
use shared::stats::rank::{Friedman, friedman, nemenyi_critical_difference, nemenyi_p_values};
use shared::stats::wilcoxon::{Question, wilcoxon};

fn reference() -> Value {
    json("stats_reference.json")["friedman"].take()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn check_ranks(ours: &Friedman, theirs: &Value) {
    for (index, rank) in ours.mean_ranks.iter().enumerate() {
        close(*rank, number(&theirs[format!("m{index}")]), 1e-12, "mean rank");
    }
}

#[test]
fn friedman_and_its_relatives_agree() {
    let (ours, theirs) = (friedman(&loss_matrix(40)).unwrap(), reference());
    check_ranks(&ours, &theirs["mean_ranks"]);
    close(ours.chi2, number(&theirs["chi2"]), 1e-9, "chi2");
    close(ours.p_value, number(&theirs["p"]), 1e-9, "p");
    close(ours.iman_davenport_f, number(&theirs["iman_davenport_F"]), 1e-9, "F");
    close(ours.iman_davenport_p, number(&theirs["iman_davenport_p"]), 1e-9, "p of F");
    close(ours.kendall_w, number(&theirs["kendall_W"]), 1e-9, "W");
}

#[test]
fn ties_are_corrected_for() {
    let rounded: Vec<Vec<f64>> = loss_matrix(40)
        .each_row()
        .map(|row| row.iter().map(|loss| (loss * 10.0).round_ties_even() / 10.0).collect())
        .collect();
    let (ours, reference) = (friedman(&Losses::from_rows(&rounded).unwrap()).unwrap(), reference());
    let theirs = &reference["ties_rounded_1dp"];
    check_ranks(&ours, &theirs["mean_ranks"]);
    close(ours.chi2, number(&theirs["chi2"]), 1e-9, "chi2");
    close(ours.p_value, number(&theirs["p"]), 1e-9, "p");
}

#[test]
fn nemenyi_agrees() {
    let (ours, theirs) = (friedman(&loss_matrix(40)).unwrap(), reference());
    let difference = nemenyi_critical_difference(5, 40, 0.05).unwrap();
    close(difference, number(&theirs["nemenyi_cd_0.05"]), 1e-9, "critical difference");
    for (i, row) in nemenyi_p_values(&ours.mean_ranks, 40).iter().enumerate() {
        for (j, p) in row.iter().enumerate() {
            close(*p, number(&theirs["nemenyi_p"][format!("m{i}")][format!("m{j}")]), 1e-9, &format!("m{i} m{j}"));
        }
    }
}

#[test]
fn corrections_of_pairwise_wilcoxon_tests_agree() {
    let (losses, theirs) = (loss_matrix(40), reference());
    let pairs: Vec<(usize, usize)> = (0..5).flat_map(|i| (i + 1..5).map(move |j| (i, j))).collect();
    let p = |&(i, j): &(usize, usize)| {
        wilcoxon(&losses.column(i), &losses.column(j), &Question::default()).unwrap().p_value
    };
    let p_values: Vec<f64> = pairs.iter().map(p).collect();
    let compare = |ours: &[f64], table: &str| {
        for ((i, j), ours) in pairs.iter().zip(ours) {
            close(*ours, number(&theirs[table][format!("m{i}|m{j}")]), 1e-9, &format!("{table} m{i} m{j}"));
        }
    };
    compare(&p_values, "wilcoxon_exact_p");
    compare(&adjust(&p_values, Correction::Bonferroni).unwrap(), "adj_bonferroni");
    compare(&adjust(&p_values, Correction::Holm).unwrap(), "adj_holm");
    compare(&adjust(&p_values, Correction::Hochberg).unwrap(), "adj_simes-hochberg");
    compare(&adjust(&p_values, Correction::BenjaminiHochberg).unwrap(), "adj_fdr_bh");
    compare(&adjust(&p_values, Correction::BenjaminiYekutieli).unwrap(), "adj_fdr_by");
}

/// statsmodels 0.15.0, multipletests: the reference file's corrected values are mostly 1.
#[test]
#[expect(clippy::unreadable_literal, reason = "as statsmodels prints them")]
fn corrections_agree_with_statsmodels() {
    let p_values = [0.01, 0.04, 0.03, 0.005, 0.04, 0.9, 0.0001];
    let cases = [
        (Correction::Bonferroni, [0.07, 0.28, 0.21, 0.035, 0.28, 1.0, 0.0007]),
        (Correction::Holm, [0.05, 0.12, 0.12, 0.03, 0.12, 0.9, 0.0007]),
        (Correction::Hochberg, [0.05, 0.08, 0.08, 0.03, 0.08, 0.9, 0.0007]),
        (
            Correction::BenjaminiHochberg,
            [
                0.023333333333333334,
                0.04666666666666667,
                0.04666666666666667,
                0.0175,
                0.04666666666666667,
                0.9,
                0.0007000000000000001,
            ],
        ),
        (Correction::BenjaminiYekutieli, [0.0605, 0.121, 0.121, 0.045375, 0.121, 1.0, 0.001815]),
    ];
    for (correction, expected) in cases {
        for (ours, theirs) in adjust(&p_values, correction).unwrap().iter().zip(expected) {
            close(*ours, theirs, 1e-12, &format!("{correction:?}"));
        }
    }
}

/// Trap: the denominator of F is 0 where all tasks agree.
#[test]
fn full_agreement_gives_an_infinite_f() {
    let test = friedman(&Losses::from_rows(&[[1.0, 2.0, 3.0]; 6]).unwrap()).unwrap();
    assert_eq!((test.iman_davenport_f, test.iman_davenport_p), (f64::INFINITY, 0.0));
    close(test.kendall_w, 1.0, 1e-12, "W");
}

#[test]
fn nothing_to_rank_is_refused() {
    let tied = Losses::from_rows(&[[1.0, 1.0]; 4]).unwrap();
    assert!(!friedman(&tied).unwrap_err().is_bad_input());
    assert!(friedman(&Losses::from_rows(&[[1.0], [2.0]]).unwrap()).is_err());
    assert!(Losses::from_rows(&[[1.0, f64::NAN]]).unwrap_err().is_bad_input());
    assert!(nemenyi_critical_difference(5, 40, 0.0).is_err());
    assert!(adjust(&[0.5, f64::NAN], Correction::Holm).is_err());
}
