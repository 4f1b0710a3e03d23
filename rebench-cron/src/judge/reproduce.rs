//! Does the baseline still give its recorded results? Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::noise::Noise;
use super::outcome::{Judgement, Outcome};
use crate::expect::Measured;

/// What became of the recorded results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reproduced {
    /// Whether all are there, and differ by no more than is allowed.
    pub holds: bool,
    /// The largest relative difference; nothing where results are missing, or there is no ratio.
    pub largest: Option<f64>,
    /// What is allowed.
    pub allowed: f64,
    /// The sentence that says so, with the worst result.
    pub reason: String,
}

impl Reproduced {
    /// The judgement of a run whose baseline does not give its recorded results; nothing where it does.
    pub fn judgement(&self) -> Option<Judgement> {
        (!self.holds).then(|| Judgement::without_numbers(Outcome::NotReproducible, &self.reason))
    }
}

/// Compares the results of a model by a metric, dataset by dataset and window by window. They may differ by the share `within`, or by what chance is known to make
/// of the largest of so many differences.
pub fn compare(
    recorded: &[Measured],
    reproduced: &[Measured],
    (model, metric): (&str, &str),
    within: f64,
    noise: Option<&Noise>,
) -> Reproduced {
    let (old, new) = (by_task(recorded, model, metric), by_task(reproduced, model, metric));
    let allowed = noise.map_or(within, |noise| noise.floor_of_largest(old.len()).max(within));
    let differs = |reason: String| Reproduced { holds: false, largest: None, allowed, reason };
    if let Some(reason) = missing(&old, &new, model, metric) {
        return differs(reason);
    }
    let differences = old.iter().map(|(task, was)| (task, *was, new[task], relative(*was, new[task])));
    let Some((task, was, is, largest)) = differences.max_by(|a, b| a.3.total_cmp(&b.3)) else {
        return differs(format!("the recorded file has no {metric} of {model}"));
    };
    let (found, most) = (100.0 * largest, 100.0 * allowed);
    let on = named(task);
    let reason =
        format!("{model} on {on}: {metric} {is} where {was} is recorded, {found:.2} % apart ({most:.2} % are allowed)");
    Reproduced { holds: largest <= allowed, largest: Some(largest).filter(|x| x.is_finite()), allowed, reason }
}

type Task<'a> = (&'a str, Option<&'a str>);

fn by_task<'a>(rows: &'a [Measured], model: &str, metric: &str) -> BTreeMap<Task<'a>, f64> {
    let own = rows.iter().filter(|row| row.model == model && row.metric == metric);
    own.map(|row| ((row.dataset.as_str(), row.window.as_deref()), row.value)).collect()
}

fn missing(old: &BTreeMap<Task<'_>, f64>, new: &BTreeMap<Task<'_>, f64>, model: &str, metric: &str) -> Option<String> {
    let lacks = |a: &BTreeMap<Task<'_>, f64>, b: &BTreeMap<Task<'_>, f64>| {
        a.keys().find(|task| !b.contains_key(*task)).map(|task| named(task))
    };
    let of = |task: String, where_from: &str| format!("no {metric} of {model} on {task} in the {where_from} file");
    lacks(old, new).map(|task| of(task, "reproduced")).or_else(|| lacks(new, old).map(|task| of(task, "recorded")))
}

fn named((dataset, window): &Task<'_>) -> String {
    window.map_or_else(|| (*dataset).to_owned(), |window| format!("{dataset}@{window}"))
}

/// The relative difference; infinite where one of both is no number, or only the recorded one is 0.
fn relative(was: f64, is: f64) -> f64 {
    if was == is {
        return 0.0;
    }
    let difference = ((is - was) / was).abs();
    if difference.is_nan() { f64::INFINITY } else { difference }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(dataset: &str, window: Option<&str>, value: f64) -> Measured {
        let (dataset, window) = (dataset.to_owned(), window.map(str::to_owned));
        Measured { model: "a".to_owned(), dataset, window, metric: "mape".to_owned(), value, n: None }
    }

    fn recorded() -> Vec<Measured> {
        vec![row("x", None, 10.0), row("y", Some("1"), 20.0), row("y", Some("2"), 4.0)]
    }

    fn compared(reproduced: &[Measured], noise: Option<&Noise>) -> Reproduced {
        compare(&recorded(), reproduced, ("a", "mape"), 0.02, noise)
    }

    #[test]
    fn the_worst_result_is_named() {
        let found = compared(&[row("x", None, 10.1), row("y", Some("1"), 20.0), row("y", Some("2"), 3.8)], None);
        assert!(!found.holds && (found.largest.unwrap() - 0.05).abs() < 1e-12);
        let expected = "a on y@2: mape 3.8 where 4 is recorded, 5.00 % apart (2.00 % are allowed)";
        assert_eq!(found.reason, expected);
        assert_eq!(found.judgement().unwrap().outcome, Outcome::NotReproducible);
    }

    #[test]
    fn what_is_allowed_or_explained_by_chance_holds() {
        assert!(compared(&[row("x", None, 10.2), row("y", Some("1"), 20.0), row("y", Some("2"), 4.0)], None).holds);
        let far = [row("x", None, 10.9), row("y", Some("1"), 20.0), row("y", Some("2"), 4.0)];
        let noise = Noise { sd: 0.03, df: f64::INFINITY };
        // z(1 - 0.025 / 3) = 2.394; times sqrt(2) and 0.03 it is 10.16 %.
        let found = compared(&far, Some(&noise));
        assert!(found.holds && (found.allowed - 0.1016).abs() < 1e-4, "{found:?}");
        assert!(!compared(&far, None).holds && compared(&recorded(), None).judgement().is_none());
    }

    #[test]
    fn a_result_that_only_one_file_has_is_not_reproduced() {
        let fewer = compared(&recorded()[..2], None);
        assert_eq!((fewer.holds, fewer.reason.as_str()), (false, "no mape of a on y@2 in the reproduced file"));
        let more = compared(&[recorded(), vec![row("z", None, 1.0)]].concat(), None);
        assert_eq!((more.holds, more.reason.as_str()), (false, "no mape of a on z in the recorded file"));
        assert!(!compare(&[], &[], ("a", "mape"), 0.02, None).holds);
    }

    #[test]
    fn what_has_no_ratio_differs() {
        let zero = [row("x", None, 0.0)];
        assert!(compare(&zero, &zero, ("a", "mape"), 0.02, None).holds);
        assert!(!compare(&zero, &[row("x", None, 1.0)], ("a", "mape"), 0.02, None).holds);
        assert!(!compare(&[row("x", None, 1.0)], &[row("x", None, f64::NAN)], ("a", "mape"), 0.02, None).holds);
    }
}
