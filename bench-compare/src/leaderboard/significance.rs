//! What of a ranking is more than luck, tested on one value for each task, or each family of tasks: the log of the
//! relative error, or its mean over the family.
//!
//! Against the baseline, and between neighbours in the ranking: Wilcoxon's signed-rank test and the sign test, two-sided,
//! Holm's correction within each of the four sets. Over the whole field: Friedman with Iman and Davenport's F, Nemenyi's
//! critical difference with the groups of models that it does not tell apart, and the model confidence set.

use std::collections::BTreeMap;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use shared::stats::matrix::Losses;
use shared::stats::mcs::{Statistic, model_confidence_set};
use shared::stats::multiple::{Correction, adjust};
use shared::stats::rank::{friedman, nemenyi_critical_difference};
use shared::stats::resample::Plan;
use shared::stats::sign::sign_test;
use shared::stats::wilcoxon::{self, Zeros};
use shared::stats::{Alternative, Undefined};

use super::grid::Grid;
use super::output::known;
use super::units::Units;

/// Up to this many models the confidence set compares every pair, whose work grows with the cube of their number; beyond,
/// each with the mean of those that remain.
const MODELS_BY_PAIRS: usize = 50;

/// The tests of a leaderboard.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Tests {
    /// Level.
    pub alpha: f64,
    /// Tasks, or families, that the tests rest on.
    pub n: usize,
    /// `tasks` or `families`.
    pub unit: String,
    /// Every other model against the baseline, best first.
    pub against_baseline: Vec<PairTest>,
    /// Every model against the next in the ranking.
    pub neighbours: Vec<PairTest>,
    /// All models at once.
    pub friedman: Option<FriedmanTest>,
    /// Which models are told apart by mean rank.
    pub nemenyi: Option<Nemenyi>,
    /// Which models may be the best.
    pub model_confidence_set: Option<ConfidenceSet>,
    /// Tests that are undefined here, and why.
    pub undefined: Vec<String>,
}

/// Two models on the same tasks, two-sided.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PairTest {
    /// The first model.
    pub model_1: String,
    /// The second model.
    pub model_2: String,
    /// 1 - geometric mean of first / second: positive where the first has the smaller errors.
    pub skill_score: Option<f64>,
    /// Tasks that the first wins.
    pub wins: usize,
    /// Tasks that the second wins.
    pub losses: usize,
    /// Tasks with equal errors.
    pub ties: usize,
    /// Signed-rank statistic: the smaller of the two rank sums, zeros by Pratt.
    pub wilcoxon_statistic: f64,
    /// Its p-value.
    pub wilcoxon_p: f64,
    /// Adjusted by Holm within the set.
    pub wilcoxon_p_holm: f64,
    /// p-value of the sign test, ties left out.
    pub sign_p: f64,
    /// Adjusted by Holm within the set.
    pub sign_p_holm: f64,
    /// Whether the adjusted signed-rank p-value is at most alpha.
    pub significant: bool,
}

/// Friedman's test.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FriedmanTest {
    /// χ², corrected for ties.
    pub statistic: f64,
    /// Its p-value.
    pub p_value: f64,
    /// Iman and Davenport's F; null where all tasks agree fully.
    pub iman_davenport_f: Option<f64>,
    /// Its p-value.
    pub iman_davenport_p: f64,
    /// Kendall's W, 0 to 1.
    pub kendall_w: f64,
}

/// The data of a critical-difference diagram (Demšar 2006).
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Nemenyi {
    /// Mean ranks further apart than this differ at level alpha.
    pub critical_difference: f64,
    /// Models by mean rank, best first.
    pub ranks: Vec<MeanRank>,
    /// Longest runs of models, as positions in `ranks`, that are not told apart.
    pub groups: Vec<Vec<usize>>,
}

/// A model's mean rank.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MeanRank {
    /// The model.
    pub model_name: String,
    /// Its mean rank over tasks, 1 the best.
    pub mean_rank: f64,
}

/// The model confidence set (Hansen, Lunde & Nason 2011): with probability 1 - alpha it holds the model of the smallest
/// expected log relative error.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConfidenceSet {
    /// `R` (every pair) or `max` (each model with the mean).
    pub statistic: String,
    /// Bootstrap resamples of tasks or families.
    pub resamples: usize,
    /// The models in the set, by name.
    pub members: Vec<String>,
    /// For each model, by name, the smallest level at which it is left out.
    pub p_values: BTreeMap<String, f64>,
}

/// What the tests are asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Names of the columns.
    pub names: &'a [String],
    /// The baseline.
    pub baseline: usize,
    /// The ranking, best first.
    pub order: &'a [usize],
    /// Level.
    pub alpha: f64,
    /// Resamples of the confidence set, and their seed.
    pub resamples: (usize, u64),
}

/// Runs all tests on the errors, whose rows are grouped into `units`.
pub fn tests(errors: &Grid, units: &Units, question: Question<'_>) -> Tests {
    let logs = Logs::new(errors, units);
    let (order, baseline) = (question.order, question.baseline);
    let against: Vec<_> = order.iter().filter(|&&model| model != baseline).map(|&model| (model, baseline)).collect();
    let next: Vec<_> = order.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let mut undefined = Vec::new();
    let against = note(logs.compare(&against, &question), "against the baseline", &mut undefined);
    let next = note(logs.compare(&next, &question), "between neighbours", &mut undefined);
    let (friedman, nemenyi) = note(logs.field(&question), "Friedman and Nemenyi", &mut undefined).unzip();
    let model_confidence_set = note(logs.confidence_set(&question), "model confidence set", &mut undefined);
    Tests {
        alpha: question.alpha,
        n: units.len(),
        unit: if units.are_tasks() { "tasks" } else { "families" }.to_owned(),
        against_baseline: against.unwrap_or_default(),
        neighbours: next.unwrap_or_default(),
        friedman,
        nemenyi,
        model_confidence_set,
        undefined,
    }
}

fn note<T>(outcome: Result<T, Undefined>, what: &str, undefined: &mut Vec<String>) -> Option<T> {
    outcome.map_err(|error| undefined.push(format!("{what}: {error}"))).ok()
}

/// Logs of relative errors, in columns.
struct Logs {
    columns: Vec<Vec<f64>>,
}

impl Logs {
    fn new(errors: &Grid, units: &Units) -> Self {
        let column = |model| units.means(errors.column(model).iter().map(|value| value.ln()));
        Self { columns: (0..errors.models()).map(column).collect() }
    }

    fn compare(&self, pairs: &[(usize, usize)], question: &Question<'_>) -> Result<Vec<PairTest>, Undefined> {
        let tests = pairs.par_iter().map(|&pair| self.pair(pair, question.names)).collect::<Result<Vec<_>, _>>()?;
        corrected(tests, question.alpha)
    }

    fn pair(&self, (first, second): (usize, usize), names: &[String]) -> Result<PairTest, Undefined> {
        let (left, right) = (&self.columns[first], &self.columns[second]);
        let question = wilcoxon::Question { zeros: Zeros::Pratt, ..wilcoxon::Question::default() };
        let (ranked, signs) =
            (wilcoxon::wilcoxon(left, right, &question)?, sign_test(left, right, Alternative::TwoSided)?);
        let mean = left.iter().zip(right).map(|(a, b)| a - b).sum::<f64>() / left.len() as f64;
        Ok(PairTest {
            model_1: names[first].clone(),
            model_2: names[second].clone(),
            skill_score: known(1.0 - mean.exp()),
            wins: signs.wins,
            losses: signs.losses,
            ties: signs.ties,
            wilcoxon_statistic: ranked.statistic,
            wilcoxon_p: ranked.p_value,
            wilcoxon_p_holm: ranked.p_value,
            sign_p: signs.p_value,
            sign_p_holm: signs.p_value,
            significant: false,
        })
    }

    fn losses(&self) -> Result<Losses, Undefined> {
        let rows = self.columns.first().map_or(0, Vec::len);
        let by_row = (0..rows).flat_map(|row| self.columns.iter().map(move |column| column[row]));
        Losses::new(self.columns.len(), by_row.collect())
    }

    fn field(&self, question: &Question<'_>) -> Result<(FriedmanTest, Nemenyi), Undefined> {
        let losses = self.losses()?;
        let test = friedman(&losses)?;
        let critical_difference = nemenyi_critical_difference(losses.columns(), losses.rows(), question.alpha)?;
        let ranks = by_rank(&test.mean_ranks, question.names);
        let groups = groups(&ranks, critical_difference);
        let friedman = FriedmanTest {
            statistic: test.chi2,
            p_value: test.p_value,
            iman_davenport_f: known(test.iman_davenport_f),
            iman_davenport_p: test.iman_davenport_p,
            kendall_w: test.kendall_w,
        };
        Ok((friedman, Nemenyi { critical_difference, ranks, groups }))
    }

    fn confidence_set(&self, question: &Question<'_>) -> Result<ConfidenceSet, Undefined> {
        let statistic = if self.columns.len() > MODELS_BY_PAIRS { Statistic::Max } else { Statistic::Range };
        let (resamples, seed) = question.resamples;
        let set = model_confidence_set(&self.losses()?, statistic, &Plan::independent(resamples, seed))?;
        let name = |model: usize| question.names[model].clone();
        Ok(ConfidenceSet {
            statistic: statistic.name().to_owned(),
            resamples,
            members: set.members(question.alpha).into_iter().map(name).collect(),
            p_values: set.p_values.iter().enumerate().map(|(model, &p)| (name(model), p)).collect(),
        })
    }
}

/// Holm within the set, for either test.
fn corrected(mut tests: Vec<PairTest>, alpha: f64) -> Result<Vec<PairTest>, Undefined> {
    let p_values = |of: fn(&PairTest) -> f64| tests.iter().map(of).collect::<Vec<_>>();
    let ranked = adjust(&p_values(|test| test.wilcoxon_p), Correction::Holm)?;
    let signs = adjust(&p_values(|test| test.sign_p), Correction::Holm)?;
    for (test, (ranked, signs)) in tests.iter_mut().zip(ranked.into_iter().zip(signs)) {
        (test.wilcoxon_p_holm, test.sign_p_holm, test.significant) = (ranked, signs, ranked <= alpha);
    }
    Ok(tests)
}

fn by_rank(mean_ranks: &[f64], names: &[String]) -> Vec<MeanRank> {
    let named = mean_ranks.iter().zip(names);
    let mut ranks: Vec<MeanRank> =
        named.map(|(&mean_rank, name)| MeanRank { model_name: name.clone(), mean_rank }).collect();
    ranks.sort_by(|a, b| a.mean_rank.total_cmp(&b.mean_rank).then_with(|| a.model_name.cmp(&b.model_name)));
    ranks
}

/// The longest runs of at least two whose ends lie within the critical difference.
fn groups(ranks: &[MeanRank], critical_difference: f64) -> Vec<Vec<usize>> {
    let (mut groups, mut reached) = (Vec::new(), 0);
    for first in 0..ranks.len() {
        let near = |rank: &MeanRank| rank.mean_rank - ranks[first].mean_rank <= critical_difference;
        let end = first + ranks[first..].partition_point(near);
        if end > reached && end - first > 1 {
            groups.push((first..end).collect());
        }
        reached = reached.max(end);
    }
    groups
}

#[cfg(test)]
mod tests_of_tests {
    use super::*;

    fn ranks(values: &[f64]) -> Vec<MeanRank> {
        values.iter().map(|&mean_rank| MeanRank { model_name: String::new(), mean_rank }).collect()
    }

    #[test]
    fn groups_are_the_longest_runs() {
        assert_eq!(groups(&ranks(&[1.0, 1.5, 2.2, 4.0]), 1.0), [vec![0, 1], vec![1, 2]]);
        assert_eq!(groups(&ranks(&[1.0, 3.0]), 1.0), Vec::<Vec<usize>>::new());
        assert_eq!(groups(&ranks(&[1.0, 1.1, 1.2]), 1.0), [vec![0, 1, 2]]);
    }

    #[test]
    fn what_is_undefined_says_why() {
        let names = ["a".to_owned(), "b".to_owned()];
        let zero = Grid::new(2, vec![1.0, 1.0, 0.0, 0.5]);
        let question = Question { names: &names, baseline: 0, order: &[1, 0], alpha: 0.05, resamples: (100, 1) };
        let found = tests(&zero, &Units::tasks(2), question);
        assert!(found.against_baseline.is_empty() && found.friedman.is_none());
        assert_eq!(found.undefined.len(), 4, "{:?}", found.undefined);
    }
}
