//! Wilcoxon and sign tests against `SciPy` 1.17.1 (`stats_reference.json`, on the absolute errors of `dm_inputs.csv`).

#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test fails by panicking; some values are exact")]

use crate::common::{absolute, close, error_series, json};
use serde_json::Value;
use shared::stats::Alternative;
use shared::stats::sign::sign_test;
use shared::stats::wilcoxon::{Method, Question, Wilcoxon, Zeros, wilcoxon};

const ALTERNATIVES: [Alternative; 3] = [Alternative::TwoSided, Alternative::Less, Alternative::Greater];
const ZEROS: [Zeros; 3] = [Zeros::Wilcox, Zeros::Pratt, Zeros::Split];

fn test(first: &[f64], second: &[f64], zeros: Zeros, method: Method, alternative: Alternative) -> Wilcoxon {
    wilcoxon(first, second, &Question { zeros, method, alternative }).unwrap()
}

fn check(ours: Wilcoxon, theirs: &Value, what: &str) {
    close(ours.statistic, theirs[0].as_f64().unwrap(), 1e-12, what);
    close(ours.p_value, theirs[1].as_f64().unwrap(), 1e-9, what);
}

#[test]
fn wilcoxon_agrees_with_scipy() {
    let reference = &json("stats_reference.json")["paired_tests_on_abs_errors"];
    let methods = [
        ("approx", Method::Approx { corrected: false }),
        ("approx/cc", Method::Approx { corrected: true }),
        ("exact", Method::Tabulated),
    ];
    let mut compared = 0;
    for (series, first, second) in error_series().iter().filter(|(name, ..)| !name.starts_with('D')) {
        let (first, second) = (absolute(first), absolute(second));
        for (alternative, zeros) in ALTERNATIVES.iter().flat_map(|a| ZEROS.map(|z| (*a, z))) {
            for (name, method) in methods {
                let key = format!("wilcoxon/{}/{}/{name}", alternative.name(), zeros.name());
                let ours = test(&first, &second, zeros, method, alternative);
                check(ours, &reference[series][&key], &format!("{series} {key}"));
                compared += 1;
                // Without ties and zeros the permutation distribution is the tabulated one.
                if name == "exact" && !ours.has_ties && ours.zeros == 0 {
                    let exact = test(&first, &second, zeros, Method::Exact, alternative);
                    check(exact, &reference[series][&key], &format!("{series} {key} by permutation"));
                }
            }
        }
    }
    assert_eq!(compared, 4 * 27);
}

/// Of identical losses `SciPy` says p = 1.9e-6 (pratt, exact), nothing (approx), or 1; every permutation of them is alike.
#[test]
fn identical_losses_have_p_one() {
    let zeros = [0.0; 20];
    for (alternative, rule) in ALTERNATIVES.iter().flat_map(|a| ZEROS.map(|z| (*a, z))) {
        for method in [Method::Auto, Method::Exact, Method::Tabulated, Method::Approx { corrected: true }] {
            assert_eq!(test(&zeros, &zeros, rule, method, alternative).p_value, 1.0);
        }
    }
}

/// scipy.stats.wilcoxon(d, `zero_method`=…, alternative=…, `method=PermutationMethod(n_resamples=inf)`), `SciPy` 1.17.1:
/// statistic and p for two-sided, less, greater.
#[test]
fn the_exact_distribution_is_that_of_all_permutations() {
    type Expected = [(f64, f64); 3];
    let ties = [1.5, -1.5, 2.0, -2.0, 2.5, -3.0, 3.0, 3.0];
    let zeros = [0.0, 0.0, 1.0, -2.0, 2.0, 3.0, -3.0, 4.0, 0.5];
    let both = [0.0, 1.0, 1.0, 1.0, -1.0, 2.0, 2.0, -3.0];
    let lone = [0.0, 0.0, 0.0, 5.0];
    let of_ties: Expected = [(12.0, 0.484_375), (24.0, 0.820_312_5), (24.0, 0.242_187_5)];
    let cases: [(&[f64], Zeros, Expected); 9] = [
        (&ties, Zeros::Wilcox, of_ties),
        (&ties, Zeros::Pratt, of_ties),
        (&ties, Zeros::Split, of_ties),
        (&zeros, Zeros::Wilcox, [(9.0, 0.468_75), (19.0, 0.812_5), (19.0, 0.234_375)]),
        (&zeros, Zeros::Pratt, [(13.0, 0.406_25), (29.0, 0.835_937_5), (29.0, 0.203_125)]),
        (&zeros, Zeros::Split, [(14.5, 0.406_25), (30.5, 0.835_937_5), (30.5, 0.203_125)]),
        (&both, Zeros::Pratt, [(11.5, 0.468_75), (23.5, 0.796_875), (23.5, 0.234_375)]),
        (&lone, Zeros::Pratt, [(0.0, 1.0), (4.0, 1.0), (4.0, 0.5)]),
        (&lone, Zeros::Split, [(3.0, 1.0), (7.0, 1.0), (7.0, 0.5)]),
    ];
    for (differences, rule, expected) in cases {
        let none = vec![0.0; differences.len()];
        for (alternative, (statistic, p)) in ALTERNATIVES.into_iter().zip(expected) {
            let ours = test(differences, &none, rule, Method::Exact, alternative);
            assert_eq!(ours.statistic, statistic, "{differences:?} {rule:?}");
            close(ours.p_value, p, 1e-12, &format!("{differences:?} {rule:?} {alternative:?}"));
        }
    }
}

#[test]
fn the_sign_test_agrees_with_scipy() {
    let reference = &json("stats_reference.json")["paired_tests_on_abs_errors"];
    for (series, first, second) in error_series().iter().filter(|(name, ..)| !name.starts_with('D')) {
        for alternative in ALTERNATIVES {
            let theirs = &reference[series][format!("sign/{}", alternative.name())];
            let ours = sign_test(&absolute(first), &absolute(second), alternative).unwrap();
            assert_eq!(theirs[0].as_u64(), Some(ours.wins as u64), "{series}");
            close(ours.p_value, theirs[2].as_f64().unwrap(), 1e-12, series);
        }
    }
    let tied = sign_test(&[1.0; 9], &[1.0; 9], Alternative::TwoSided).unwrap();
    assert_eq!((tied.p_value, tied.ties), (1.0, 9));
}

#[test]
fn many_pairs_are_exact_up_to_the_limit_and_approximate_beyond() {
    let first: Vec<f64> = (0..501).map(|i| f64::from(i % 17) + 0.01 * f64::from(i)).collect();
    let second: Vec<f64> = (0..501).map(|i| f64::from((i * 5) % 23) + 0.003).collect();
    let auto = |n: usize| wilcoxon(&first[..n], &second[..n], &Question::default()).unwrap();
    assert_eq!(auto(500).method, Method::Exact);
    assert_eq!(auto(501).method, Method::Approx { corrected: false });
    let normal = Question { method: Method::Approx { corrected: false }, ..Question::default() };
    close(auto(500).p_value, wilcoxon(&first[..500], &second[..500], &normal).unwrap().p_value, 0.005, "at the limit");
    let exact = Question { method: Method::Exact, ..Question::default() };
    assert!(wilcoxon(&first, &second, &exact).unwrap_err().is_bad_input());
}
