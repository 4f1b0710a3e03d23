//! Does the baseline still give its recorded results? Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::expect::Measured;

/// What became of the recorded results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reproduced {
    /// Whether all are there, and differ by no more than is allowed.
    pub holds: bool,
    /// The largest relative difference.
    pub largest: f64,
    /// What is allowed.
    pub allowed: f64,
    /// The sentence that says so, with the worst result.
    pub reason: String,
}

/// Compares results of a metric, model by model, dataset by dataset and window by window. `allowed` is a relative difference.
pub fn compare(recorded: &[Measured], reproduced: &[Measured], model: &str, metric: &str, allowed: f64) -> Reproduced {
    let (old, new) = (by_task(recorded, model, metric), by_task(reproduced, model, metric));
    if let Some(reason) = missing(&old, &new, model, metric) {
        return Reproduced { holds: false, largest: f64::INFINITY, allowed, reason };
    }
    let differences = old.iter().map(|(task, value)| (task, *value, new[task]));
    let worst = differences.max_by(|a, b| relative(a.1, a.2).total_cmp(&relative(b.1, b.2)));
    let Some((task, was, is)) = worst else {
        let reason = format!("the recorded file has no {metric} of {model}");
        return Reproduced { holds: false, largest: f64::INFINITY, allowed, reason };
    };
    let largest = relative(was, is);
    let reason = format!(
        "{model} on {}: {metric} {is} where {was} is recorded, a difference of {:.2} % ({:.2} % are allowed)",
        named(task),
        100.0 * largest,
        100.0 * allowed
    );
    Reproduced { holds: largest <= allowed, largest, allowed, reason }
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
