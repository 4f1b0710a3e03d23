//! When did it change, and what changed then? Pure.
//!
//! The beginning of a shift in a series of effects is the one that makes the series most likely, where all effects before it have one mean
//! and all from it on another (Hinkley 1970): with weights `w = 1 / se²` and `d` the difference of the two weighted means, twice the
//! logarithm of the likelihood ratio is `d² / (1 / W_before + 1 / W_after)`. The beginnings that hold 95 % of the sum of all likelihoods are given with it: where the evidence lies, no
//! more than that. Whether there was a shift is not asked here but of the evidence in [`history`](super::history), which is why these are given only for an alarm or a warning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::history::Look;

/// How much of the likelihood the range holds.
const HELD: f64 = 0.95;

/// A shift of the mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The index of the first verdict after it.
    pub at: usize,
    /// The earliest and the latest index at which it may have begun.
    pub range: (usize, usize),
    /// The mean effect before it.
    pub before: f64,
    /// The mean effect from it on.
    pub after: f64,
}

/// The most likely beginning of a shift in a series of looks, oldest first, each with the index of its verdict; nothing in a series of fewer than two.
pub fn change(looks: &[(usize, Look)]) -> Option<Change> {
    let splits: Vec<Split> = (1..looks.len()).map(|at| Split::new(looks, at)).collect();
    let best = splits.iter().max_by(|a, b| a.log_likelihood.total_cmp(&b.log_likelihood))?;
    let (first, last) = range(&splits, best.log_likelihood);
    Some(Change {
        at: looks[best.at].0,
        range: (looks[first].0, looks[last].0),
        before: best.before,
        after: best.after,
    })
}

/// A series cut in two.
struct Split {
    at: usize,
    before: f64,
    after: f64,
    log_likelihood: f64,
}

impl Split {
    fn new(looks: &[(usize, Look)], at: usize) -> Self {
        let ((before, below), (after, above)) = (mean(&looks[..at]), mean(&looks[at..]));
        let log_likelihood = (after - before).powi(2) / (1.0 / below + 1.0 / above) / 2.0;
        Self { at, before, after, log_likelihood }
    }
}

/// The weighted mean and the sum of the weights.
fn mean(looks: &[(usize, Look)]) -> (f64, f64) {
    let weight = |look: &Look| look.standard_error.powi(-2);
    let total: f64 = looks.iter().map(|(_, look)| weight(look)).sum();
    (looks.iter().map(|(_, look)| weight(look) * look.effect).sum::<f64>() / total, total)
}

/// The first and last of the most likely splits that together hold enough of the likelihood.
fn range(splits: &[Split], best: f64) -> (usize, usize) {
    let mut likelihoods: Vec<(usize, f64)> =
        splits.iter().map(|split| (split.at, (split.log_likelihood - best).exp())).collect();
    likelihoods.sort_by(|a, b| b.1.total_cmp(&a.1));
    let needed = HELD * likelihoods.iter().map(|(_, likelihood)| likelihood).sum::<f64>();
    let mut held = 0.0;
    let mut kept: Vec<usize> = Vec::new();
    for (at, likelihood) in likelihoods {
        if held < needed {
            kept.push(at);
        }
        held += likelihood;
    }
    (kept.iter().copied().min().unwrap_or(0), kept.iter().copied().max().unwrap_or(0))
}

/// Under what circumstances a run took place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Circumstances {
    /// The commit of the code.
    pub commit: Option<String>,
    /// The digest of the data.
    pub data: Option<String>,
    /// All else by name: packages with their versions, CPU, time-zone database.
    pub environment: BTreeMap<String, String>,
}

/// Something that differs between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What: `commit`, `data`, or a name of the environment.
    pub what: String,
    /// What it was; nothing where it was not there.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

/// What differs between the last run before a change and the first after it.
pub fn differences(before: &Circumstances, after: &Circumstances) -> Vec<Difference> {
    let (old, new) = (named(before), named(after));
    let mut names: Vec<&str> = old.keys().chain(new.keys()).copied().collect();
    names.sort_by_key(|name| (!matches!(*name, "commit" | "data"), *name));
    names.dedup();
    let get = |all: &BTreeMap<&str, &str>, name: &str| all.get(name).map(|value| (*value).to_owned());
    let difference = |name: &str| Difference { what: name.to_owned(), before: get(&old, name), after: get(&new, name) };
    names.into_iter().map(difference).filter(|difference| difference.before != difference.after).collect()
}

fn named(circumstances: &Circumstances) -> BTreeMap<&str, &str> {
    let environment = circumstances.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let own = [("commit", &circumstances.commit), ("data", &circumstances.data)];
    environment.chain(own.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(effects: &[f64]) -> Vec<(usize, Look)> {
        let look = |effect: &f64| Look { effect: *effect, standard_error: 1.0, df: 11.0 };
        effects.iter().enumerate().map(|(index, effect)| (index + 3, look(effect))).collect()
    }

    #[test]
    fn the_most_likely_beginning_by_hand() {
        // d² / (1/3 + 1/2): the cut before the fourth gives (5 - 0)² · 6/5 = 30, its neighbours (10/3)² · 6/5 = 13.3 and (15/4)² · 4/5 = 11.25.
        let found = change(&series(&[0.0, 0.0, 0.0, 5.0, 5.0])).unwrap();
        assert_eq!(found, Change { at: 6, range: (6, 6), before: 0.0, after: 5.0 });
        assert!((Split::new(&series(&[0.0, 0.0, 0.0, 5.0, 5.0]), 2).log_likelihood - 13.0 / 1.95).abs() < 0.01);
    }

    #[test]
    fn a_small_shift_may_have_begun_at_several_looks() {
        let found = change(&series(&[0.0, 0.2, -0.1, 0.9, 1.1, 1.0])).unwrap();
        assert_eq!(found.at, 6);
        assert!(found.range.0 < 6 && found.range.1 > 6, "{found:?}");
    }

    #[test]
    fn looks_weigh_by_their_precision() {
        let mut looks = series(&[0.0, 4.0, 0.0, 3.0, 3.0]);
        looks[1].1.standard_error = 10.0;
        assert_eq!(change(&looks).unwrap().at, 6);
    }

    #[test]
    fn one_look_has_no_change() {
        assert_eq!((change(&[]), change(&series(&[1.0]))), (None, None));
    }

    #[test]
    fn what_differs_is_named_commit_and_data_first() {
        let of = |commit: &str, pandas: Option<&str>| Circumstances {
            commit: Some(commit.to_owned()),
            data: Some("d1".to_owned()),
            environment: [("cpu", Some("x86")), ("pandas", pandas)]
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
                .collect(),
        };
        let found = differences(&of("c1", None), &of("c2", Some("3.0")));
        let (what, text) = (|what: &str| what.to_owned(), |text: &str| Some(text.to_owned()));
        let expected = [
            Difference { what: what("commit"), before: text("c1"), after: text("c2") },
            Difference { what: what("pandas"), before: None, after: text("3.0") },
        ];
        assert_eq!(found, expected);
    }
}
