//! A leaderboard from a table: pure, no files, no clock.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rayon::prelude::*;
use shared::Result;
use shared::format::input::Tool;

use super::bootstrap::{Draws, Estimate};
use super::grid::median;
use super::output::{Echo, FailedResult, FevRow, GiftRow, Leaderboard, PairRow, Rows, SCHEMA, bounds, known};
use super::pairs::{Pair, pairwise};
use super::settings::{Args, Rule, Settings};
use super::settle::{Settled, for_pairs, relative};
use super::significance::{Question, Tests, tests};
use super::statistics::{Ranks, geometric_means, mean_ranks, skill_scores, win_rates};
use super::units::Units;
use crate::load::results::ResultTable;

/// How many failed results are listed one by one.
const LISTED_FAILURES: usize = 1000;

/// Computes the leaderboard that the flags ask for.
///
/// # Errors
/// If a model is not there, the baseline lacks a task, or results failed under `--missing error`.
pub fn board(table: &ResultTable, args: &Args) -> Result<Leaderboard> {
    let settings = args.settings(table)?;
    let settled =
        (0..table.metrics.len()).map(|metric| relative(table, metric, &settings)).collect::<Result<Vec<_>>>()?;
    let field = Field { table, settings: &settings };
    let rows = match settings.rule {
        Rule::Fev => Rows::Fev(field.fev_rows(&settled[0])),
        Rule::GiftEval => Rows::Gift(field.gift_rows(&settled)),
    };
    let order = order_of(table, &rows);
    Ok(Leaderboard {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "bench-compare".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        complete: true,
        settings: field.echo(&settled),
        pairwise: args.pairwise.then(|| field.pairs()).transpose()?,
        tests: args.tests.then(|| field.tests(&settled[0], &order)),
        notes: field.notes(&settled),
        failures: field.failures(),
        inputs: table.inputs.clone(),
        rows,
    })
}

fn order_of(table: &ResultTable, rows: &Rows) -> Vec<usize> {
    let names: Vec<&String> = match rows {
        Rows::Fev(rows) => rows.iter().map(|row| &row.model_name).collect(),
        Rows::Gift(rows) => rows.iter().map(|row| &row.model_name).collect(),
    };
    names.into_iter().filter_map(|name| table.model(name)).collect()
}

/// The table with the settings in force.
struct Field<'a> {
    table: &'a ResultTable,
    settings: &'a Settings,
}

impl Field<'_> {
    fn units(&self, tasks: &[usize]) -> Units {
        match self.settings.families {
            true => Units::families(tasks.iter().map(|&task| self.table.tasks[task].family.as_str())),
            false => Units::tasks(tasks.len()),
        }
    }

    fn draws(&self, tasks: &[usize]) -> Draws {
        Draws::new(self.units(tasks), self.settings.resamples, self.settings.seed, self.settings.confidence)
    }

    /// By win rate, best first; equal ones by name.
    fn fev_rows(&self, settled: &Settled) -> Vec<FevRow> {
        let draws = self.draws(&settled.tasks);
        let ranks = Ranks::new(&settled.errors);
        let (wins, skills) = (win_rates(&ranks, &draws), skill_scores(&settled.errors, &draws));
        let unclipped = skill_scores(&settled.unclipped, &Draws::new(Units::tasks(settled.tasks.len()), 0, 0, 0.5));
        let row = |model: usize| {
            let row = self.fev_row(settled, model, (&wins[model], &skills[model]));
            FevRow { skill_score_unclipped: known(unclipped[model].point), ties: ranks.ties[model], ..row }
        };
        let mut rows: Vec<FevRow> = (0..self.table.models.len()).into_par_iter().map(row).collect();
        rows.sort_by(|a, b| descending(a.win_rate, b.win_rate).then_with(|| a.model_name.cmp(&b.model_name)));
        rows
    }

    fn fev_row(&self, settled: &Settled, model: usize, (win, skill): (&Estimate, &Estimate)) -> FevRow {
        let (win_rate_lower, win_rate_upper) = bounds(win);
        let (skill_score_lower, skill_score_upper) = bounds(skill);
        let (training, inference) = (&self.table.training_seconds, &self.table.inference_seconds);
        let cells = || settled.tasks.iter().map(|&task| model * self.table.tasks.len() + task);
        FevRow {
            model_name: self.table.models[model].clone(),
            win_rate: known(win.point),
            win_rate_lower,
            win_rate_upper,
            skill_score: known(skill.point),
            skill_score_lower,
            skill_score_upper,
            skill_score_unclipped: None,
            median_training_time_s: median(cells().map(|cell| training[cell])),
            median_inference_time_s: median(cells().map(|cell| inference[cell])),
            median_e2e_time_s: median(cells().map(|cell| training[cell] + inference[cell])),
            training_corpus_overlap: share(cells().filter_map(|cell| self.table.leaked[cell])),
            num_failures: settled.failures[model],
            clipped: settled.clipped[model],
            ties: 0,
        }
    }

    /// By the first metric, best first; equal ones by name.
    fn gift_rows(&self, settled: &[Settled]) -> Vec<GiftRow> {
        let mut rows: Vec<GiftRow> = (0..self.table.models.len()).map(|model| self.gift_row(model)).collect();
        for (metric, settled) in self.table.metrics.iter().zip(settled) {
            let (draws, ranks) = (self.draws(&settled.tasks), Ranks::new(&settled.errors));
            let (means, places) = (geometric_means(&settled.errors, &draws), mean_ranks(&ranks, &draws));
            for (model, row) in rows.iter_mut().enumerate() {
                insert(&mut row.measures, &format!("normalised_{metric}"), &means[model]);
                insert(&mut row.measures, &format!("{metric}_rank"), &places[model]);
                row.ties += ranks.ties[model];
            }
        }
        let first = format!("normalised_{}", self.table.metrics[0]);
        let of = |row: &GiftRow| row.measures.get(&first).copied().flatten();
        rows.sort_by(|a, b| descending(of(b), of(a)).then_with(|| a.model_name.cmp(&b.model_name)));
        rows
    }

    fn gift_row(&self, model: usize) -> GiftRow {
        let failed = |task: &usize| (0..self.table.metrics.len()).any(|m| self.table.column(m, model)[*task].is_nan());
        let num_failures = (0..self.table.tasks.len()).filter(failed).count() as u64;
        GiftRow { model_name: self.table.models[model].clone(), measures: BTreeMap::new(), num_failures, ties: 0 }
    }

    fn pairs(&self) -> Result<Vec<PairRow>> {
        let (errors, tasks) = for_pairs(self.table, 0, self.settings)?;
        let pairs = pairwise(&errors, &self.table.models, self.settings.clip, &self.draws(&tasks));
        Ok(pairs.iter().map(|pair| self.pair_row(pair)).collect())
    }

    fn pair_row(&self, pair: &Pair) -> PairRow {
        let (win_rate_lower, win_rate_upper) = bounds(&pair.win_rate);
        let (skill_score_lower, skill_score_upper) = bounds(&pair.skill_score);
        PairRow {
            model_1: self.table.models[pair.first].clone(),
            model_2: self.table.models[pair.second].clone(),
            win_rate: known(pair.win_rate.point),
            win_rate_lower,
            win_rate_upper,
            skill_score: known(pair.skill_score.point),
            skill_score_lower,
            skill_score_upper,
            ties: pair.ties,
            clipped: pair.clipped,
        }
    }

    fn tests(&self, settled: &Settled, order: &[usize]) -> Tests {
        let question = Question {
            names: &self.table.models,
            baseline: self.settings.baseline,
            order,
            alpha: self.settings.alpha,
            resamples: (self.settings.resamples, self.settings.seed),
        };
        tests(&settled.errors, &self.units(&settled.tasks), question)
    }

    fn echo(&self, settled: &[Settled]) -> Echo {
        let (table, settings) = (self.table, self.settings);
        Echo {
            rule: settings.rule,
            metrics: table.metrics.clone(),
            baseline_model: table.models[settings.baseline].clone(),
            missing: settings.missing,
            leakage_model: settings.leakage.map(|model| table.models[model].clone()),
            clip: settings.clip,
            resamples: settings.resamples,
            seed: settings.seed,
            confidence: settings.confidence,
            resampled: self.resampled(),
            n_models: table.models.len(),
            n_tasks: table.tasks.len(),
            n_tasks_used: settled.iter().map(|settled| settled.tasks.len()).min().unwrap_or(0),
        }
    }

    fn resampled(&self) -> String {
        let families = Units::families(self.table.tasks.iter().map(|task| task.family.as_str())).len();
        if self.settings.families { format!("{families} families") } else { "tasks".to_owned() }
    }

    fn notes(&self, settled: &[Settled]) -> Vec<String> {
        let mut notes = self.table.notes.clone();
        for (metric, settled) in self.table.metrics.iter().zip(settled) {
            notes.extend(clipping_note(metric, settled));
            notes.extend(self.dropping_note(metric, settled));
        }
        notes.extend(self.rule_note());
        notes
    }

    fn dropping_note(&self, metric: &str, settled: &Settled) -> Option<String> {
        let all = self.table.tasks.len();
        (settled.tasks.len() < all)
            .then(|| format!("{metric}: {} of {all} tasks left after removing failures", settled.tasks.len()))
    }

    fn rule_note(&self) -> Option<String> {
        let several = self.settings.rule == Rule::Fev && self.table.metrics.len() > 1;
        several.then(|| format!("several metrics: the fev rule ranks by {} alone", self.table.metrics[0]))
    }

    fn failures(&self) -> Vec<FailedResult> {
        let listed = self.table.failures.iter().take(LISTED_FAILURES);
        let one = |failure: &crate::load::results::Failure| FailedResult {
            model_name: self.table.models[failure.model].clone(),
            task: self.table.tasks[failure.task].label.clone(),
            metric: self.table.metrics[failure.metric].clone(),
            place: failure.place.to_string(),
            found: failure.found.clone(),
        };
        listed.map(one).collect()
    }
}

fn clipping_note(metric: &str, settled: &Settled) -> Option<String> {
    let cells: u64 = settled.clipped.iter().sum();
    let models = settled.clipped.iter().filter(|count| **count > 0).count();
    (cells > 0).then(|| format!("{metric}: {cells} relative errors (models affected: {models}) lie outside the bounds and were clipped; skill_score_unclipped is without"))
}

fn insert(measures: &mut BTreeMap<String, Option<f64>>, name: &str, estimate: &Estimate) {
    measures.insert(name.to_owned(), known(estimate.point));
    if let Some((lower, upper)) = estimate.interval {
        measures.insert(format!("{name}_lower"), Some(lower));
        measures.insert(format!("{name}_upper"), Some(upper));
    }
}

fn descending(a: Option<f64>, b: Option<f64>) -> Ordering {
    let number = |value: Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
    number(b).total_cmp(&number(a))
}

fn share(values: impl Iterator<Item = bool>) -> Option<f64> {
    let (mut count, mut yes) = (0_u64, 0_u64);
    for value in values {
        (count, yes) = (count + 1, yes + u64::from(value));
    }
    (count > 0).then(|| yes as f64 / count as f64)
}
