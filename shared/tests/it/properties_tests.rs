//! What must hold of every test, whatever the numbers: p-values are probabilities, swapping the methods mirrors the answer, the unit of
//! the losses does not matter, and nothing panics.

use proptest::prelude::*;
use shared::stats::diebold_mariano::{Answer, Question, Variance, diebold_mariano};
use shared::stats::direction::pesaran_timmermann;
use shared::stats::giacomini_white::giacomini_white;
use shared::stats::matrix::Losses;
use shared::stats::mcs::{Statistic, model_confidence_set};
use shared::stats::multiple::{Correction, adjust};
use shared::stats::rank::{average_ranks, friedman};
use shared::stats::resample::{Plan, Scheme};
use shared::stats::sign::sign_test;
use shared::stats::spa::superior_predictive_ability;
use shared::stats::special::{chi2_sf, f_sf, t_quantile, t_sf};
use shared::stats::wilcoxon::{self, Method, Zeros};
use shared::stats::{Alternative, Undefined};

/// Pairs of numbers, many of them tied or zero.
fn pairs() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let number = || prop_oneof![(-8_i32..8).prop_map(|whole| f64::from(whole) / 2.0), -1e3_f64..1e3];
    prop::collection::vec((number(), number()), 1..40)
}

fn split(pairs: &[(f64, f64)]) -> (Vec<f64>, Vec<f64>) {
    pairs.iter().copied().unzip()
}

fn mirrored(alternative: Alternative) -> Alternative {
    match alternative {
        Alternative::TwoSided => Alternative::TwoSided,
        Alternative::Less => Alternative::Greater,
        Alternative::Greater => Alternative::Less,
    }
}

fn alternatives() -> impl Strategy<Value = Alternative> {
    prop_oneof![Just(Alternative::TwoSided), Just(Alternative::Less), Just(Alternative::Greater)]
}

fn is_probability(p: f64) -> bool {
    (0.0..=1.0).contains(&p)
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

/// The statistic and p-value of an answer, the statistic 0 where there is none.
fn summary(answer: &Result<Answer, Undefined>) -> Option<(f64, f64)> {
    match answer {
        Ok(Answer::Tested(tested)) => Some((tested.statistic, tested.p_value)),
        Ok(Answer::Dominance { p_value, .. }) => Some((0.0, *p_value)),
        Ok(Answer::Identical) => Some((0.0, 1.0)),
        Err(_) => None,
    }
}

proptest! {
    #[test]
    fn diebold_mariano_mirrors_and_ignores_the_unit(
        pairs in pairs(), horizon in 1_usize..6, acf: bool, alternative in alternatives(), exponent in -40_i32..40,
    ) {
        let (first, second) = split(&pairs);
        let variance = if acf { Variance::Acf } else { Variance::Bartlett };
        let question = Question { horizon, power: 2.0, variance, alternative };
        let answer = summary(&diebold_mariano(&first, &second, &question));
        let swapped = Question { alternative: mirrored(alternative), ..question };
        let mirror = summary(&diebold_mariano(&second, &first, &swapped));
        let unit = f64::from(exponent).exp2();
        let scaled: (Vec<f64>, Vec<f64>) = pairs.iter().map(|(a, b)| (a * unit, b * unit)).unzip();
        let other_unit = summary(&diebold_mariano(&scaled.0, &scaled.1, &question));
        prop_assert_eq!(answer.is_some(), mirror.is_some());
        prop_assert_eq!(answer.is_some(), other_unit.is_some());
        if let (Some(answer), Some(mirror), Some(other_unit)) = (answer, mirror, other_unit) {
            prop_assert!(is_probability(answer.1) && answer.0.is_finite());
            prop_assert!(near(answer.0, -mirror.0) && near(answer.1, mirror.1));
            prop_assert!(near(answer.0, other_unit.0) && near(answer.1, other_unit.1));
        }
    }

    #[test]
    fn wilcoxon_and_sign_mirror(pairs in pairs(), alternative in alternatives(), zeros in 0_usize..3, method in 0_usize..4) {
        let (first, second) = split(&pairs);
        let zeros = [Zeros::Wilcox, Zeros::Pratt, Zeros::Split][zeros];
        let method = [Method::Exact, Method::Tabulated, Method::Approx { corrected: false }, Method::Approx { corrected: true }][method];
        let p = |a: &[f64], b: &[f64], alternative| {
            wilcoxon::wilcoxon(a, b, &wilcoxon::Question { zeros, method, alternative }).map(|test| test.p_value)
        };
        let (one, other) = (p(&first, &second, alternative), p(&second, &first, mirrored(alternative)));
        prop_assert!(one.as_ref().is_ok_and(|p| is_probability(*p)), "{one:?}");
        // SciPy's "exact" with Pratt's zeros is not symmetric: that is what is wrong with it.
        if method != Method::Tabulated || zeros != Zeros::Pratt {
            prop_assert!(near(one.unwrap_or(-1.0), other.unwrap_or(-2.0)));
        }
        let sign = sign_test(&first, &second, alternative).map_or(-1.0, |test| test.p_value);
        let mirror = sign_test(&second, &first, mirrored(alternative)).map_or(-2.0, |test| test.p_value);
        prop_assert!(is_probability(sign) && near(sign, mirror));
    }

    #[test]
    fn direction_and_conditional_tests_give_probabilities_or_reasons(pairs in pairs(), horizon in 1_usize..4) {
        let (first, second) = split(&pairs);
        if let Ok(test) = pesaran_timmermann(&first, &second) {
            prop_assert!(is_probability(test.p_value) && test.statistic.is_finite());
        }
        if let Ok(test) = giacomini_white(&first, &second, horizon) {
            prop_assert!(is_probability(test.p_value) && test.statistic.is_finite());
        }
    }

    #[test]
    fn ranks_sum_to_what_they_must(values in prop::collection::vec(-3_i32..3, 1..30)) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let n = values.len() as f64;
        prop_assert!(near(average_ranks(&values).iter().sum(), n * (n + 1.0) / 2.0));
    }

    #[test]
    fn tests_of_many_methods_give_probabilities_or_reasons(
        rows in prop::collection::vec(prop::array::uniform4(-3_i32..3), 2..12), seed: u64,
    ) {
        let rows: Vec<[f64; 4]> = rows.into_iter().map(|row| row.map(f64::from)).collect();
        let Ok(losses) = Losses::from_rows(&rows) else { return Err(TestCaseError::fail("finite losses")) };
        if let Ok(test) = friedman(&losses) {
            prop_assert!(is_probability(test.p_value) && is_probability(test.kendall_w) && is_probability(test.iman_davenport_p));
        }
        let plan = Plan { scheme: Scheme::Stationary, block: 2, replicates: 30, seed };
        for statistic in [Statistic::Range, Statistic::Max] {
            let set = model_confidence_set(&losses, statistic, &plan);
            prop_assert!(set.is_ok_and(|set| set.p_values.iter().all(|p| is_probability(*p))));
        }
        if let Ok(spa) = superior_predictive_ability(&losses, 0, 0.05, &plan) {
            let p = spa.studentised.p_values;
            prop_assert!(p.lower <= p.consistent && p.consistent <= p.upper && is_probability(p.upper));
        }
    }

    #[test]
    fn adjusted_p_values_keep_their_order(p_values in prop::collection::vec(0.0_f64..=1.0, 0..20)) {
        use Correction::{BenjaminiHochberg, BenjaminiYekutieli, Bonferroni, Hochberg, Holm};
        for correction in [Bonferroni, Holm, Hochberg, BenjaminiHochberg, BenjaminiYekutieli] {
            let adjusted = adjust(&p_values, correction).unwrap_or_default();
            prop_assert_eq!(adjusted.len(), p_values.len());
            for (i, p) in p_values.iter().enumerate() {
                prop_assert!(is_probability(adjusted[i]) && adjusted[i] >= *p);
                prop_assert!(p_values.iter().zip(&adjusted).all(|(q, b)| q < p || *b >= adjusted[i]));
            }
        }
    }

    #[test]
    fn distributions_are_monotone_and_inverted(x in -50.0_f64..50.0, df in 0.5_f64..500.0, p in 1e-9_f64..0.999) {
        prop_assert!(is_probability(t_sf(x, df)) && t_sf(x, df) >= t_sf(x + 0.1, df));
        prop_assert!(near(t_sf(x, df) + t_sf(-x, df), 1.0));
        prop_assert!(is_probability(chi2_sf(x, df)) && is_probability(f_sf(x, df, 3.3)));
        prop_assert!(near(f_sf(x * x, 1.0, df), 2.0 * t_sf(x.abs(), df)));
        prop_assert!((t_sf(-t_quantile(p, df), df) / p - 1.0).abs() < 1e-10);
    }

    #[test]
    fn what_is_not_finite_is_refused(pairs in pairs(), place: prop::sample::Index, bad in 0_usize..3) {
        let (mut first, second) = split(&pairs);
        let place = place.index(first.len());
        first[place] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][bad];
        let refused = |reason: Option<Undefined>| reason.is_some_and(|reason| reason.is_bad_input());
        prop_assert!(refused(diebold_mariano(&first, &second, &Question::default()).err()));
        prop_assert!(refused(sign_test(&first, &second, Alternative::Less).err()));
        prop_assert!(refused(wilcoxon::wilcoxon(&first, &second, &wilcoxon::Question::default()).err()));
        prop_assert!(refused(pesaran_timmermann(&first, &second).err()));
        prop_assert!(refused(giacomini_white(&first, &second, 1).err()));
    }
}
