//! The flags of `bench-compare leaderboard`, and what they mean once the table is known.

use std::path::PathBuf;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;
use shared::config::Models;
use shared::{Error, Result};

use super::grid::{Clip, Missing};
use crate::load::results::{Layout, Map, Options, ResultTable};

/// Flags of `bench-compare leaderboard`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Result tables: CSV, JSON Lines or Parquet, in the fev or GIFT-Eval layout or as --map says
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The column of scores, lower is better [default: what the layout's own board shows]
    #[arg(long, value_name = "COLUMN")]
    pub metric: Vec<String>,
    /// What errors are relative to [default: the seasonal naive model]
    #[arg(long, value_name = "MODEL")]
    pub baseline_model: Option<String>,
    /// What happens to failed results
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub missing: Missing,
    /// Whose results stand in where a model was trained on the task's data
    #[arg(long, value_name = "MODEL")]
    pub leakage_model: Option<String>,
    /// Bounds of relative errors: LOW,HIGH, either may be `none` [default: 0.01,100; none under gift-eval]
    #[arg(long, value_name = "LOW,HIGH")]
    pub clip: Option<Clip>,
    /// Whose definitions [default: the layout's]
    #[arg(long, value_enum, value_name = "RULE")]
    pub rule: Option<Rule>,
    /// Bootstrap resamples; 0 for no intervals
    #[arg(long, default_value_t = 1000, value_name = "N", help_heading = "Intervals")]
    pub resamples: usize,
    /// Seed of the resamples, drawn as numpy's default generator draws them
    #[arg(long, default_value_t = 123, value_name = "N", help_heading = "Intervals")]
    pub seed: u64,
    /// Coverage of the intervals, a proportion
    #[arg(long, default_value_t = 0.95, value_parser = proportion, value_name = "P", help_heading = "Intervals")]
    pub confidence: f64,
    /// Resample families of tasks instead of tasks: a column, or `auto` for the stem of the dataset's name
    #[arg(long, value_name = "COLUMN", help_heading = "Intervals")]
    pub families: Option<String>,
    /// Compare every pair of models too
    #[arg(long, help_heading = "Comparisons")]
    pub pairwise: bool,
    /// Test what of the ranking is more than luck
    #[arg(long, help_heading = "Comparisons")]
    pub tests: bool,
    /// Write the critical-difference diagram of the tests to this file, as SVG
    #[arg(long, value_name = "FILE", requires = "tests", help_heading = "Comparisons")]
    pub diagram: Option<PathBuf>,
    /// Level of the tests
    #[arg(long, default_value_t = 0.05, value_parser = proportion, value_name = "P", help_heading = "Comparisons")]
    pub alpha: f64,
    /// Only this model; may be given several times
    #[arg(long, value_name = "MODEL", conflicts_with = "exclude_model", help_heading = "Reading")]
    pub include_model: Vec<String>,
    /// Not this model; may be given several times
    #[arg(long, value_name = "MODEL", help_heading = "Reading")]
    pub exclude_model: Vec<String>,
    /// Read one model name as another
    #[arg(long, value_name = "OLD=NEW", value_parser = renaming, help_heading = "Reading")]
    pub rename: Vec<(String, String)>,
    /// Where the columns are: model=C,task=C+C,metric=C (a row for each task and model) or task=C,models=A+B (a column for each model)
    #[arg(long, value_name = "MAP", help_heading = "Reading")]
    pub map: Option<Map>,
    /// Accept a second result of a model on a task where it equals the first
    #[arg(long, help_heading = "Reading")]
    pub allow_identical: bool,
}

/// Whose definitions a leaderboard follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Win rate and skill score
    Fev,
    /// Normalised geometric means and mean ranks
    GiftEval,
}

fn proportion(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| *value > 0.0 && *value < 1.0);
    value.ok_or_else(|| "expected a proportion between 0 and 1, such as 0.95".to_owned())
}

fn renaming(text: &str) -> Result<(String, String), String> {
    let (old, new) = text.split_once('=').ok_or("expected OLD=NEW")?;
    if old.is_empty() || new.is_empty() {
        Err("a name is empty".to_owned())
    } else {
        Ok((old.to_owned(), new.to_owned()))
    }
}

impl Args {
    /// The same flags under a configuration that gives one model several names: all of them mean the first.
    #[must_use]
    pub fn under(&self, models: &Models) -> Self {
        let known = |name: &String| models.identity(name).to_owned();
        let all = models.all();
        let aliases = all.iter().flat_map(|(name, aliases)| aliases.iter().map(move |alias| (alias, name)));
        let renamed = aliases.filter(|(alias, name)| alias != name).map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        Self {
            baseline_model: self.baseline_model.as_ref().map(known),
            leakage_model: self.leakage_model.as_ref().map(known),
            include_model: self.include_model.iter().map(known).collect(),
            exclude_model: self.exclude_model.iter().map(known).collect(),
            rename: self.rename.iter().cloned().chain(renamed).collect(),
            ..self.clone()
        }
    }

    /// What to take from the files.
    pub fn options(&self) -> Options {
        Options {
            metrics: self.metric.clone(),
            map: self.map.clone(),
            family_column: self.families.clone().filter(|name| name != "auto"),
            include: self.include_model.clone(),
            exclude: self.exclude_model.clone(),
            rename: self.rename.clone(),
            allow_identical: self.allow_identical,
        }
    }

    /// The settings in force for this table.
    ///
    /// # Errors
    /// If a model named by a flag is not there, or no baseline is found.
    pub fn settings(&self, table: &ResultTable) -> Result<Settings> {
        let rule = self.rule.unwrap_or(if table.layout == Layout::GiftEval { Rule::GiftEval } else { Rule::Fev });
        let leakage = self.leakage_model.as_deref().map(|name| named(table, name, "--leakage-model")).transpose()?;
        Ok(Settings {
            rule,
            baseline: baseline(table, self.baseline_model.as_deref())?,
            leakage,
            missing: self.missing,
            clip: self.clip.unwrap_or(if rule == Rule::Fev { Clip::FEV } else { Clip::NONE }),
            resamples: self.resamples,
            seed: self.seed,
            confidence: self.confidence,
            families: self.families.is_some(),
            alpha: self.alpha,
        })
    }
}

/// The flags, with models as indices of the table.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose definitions.
    pub rule: Rule,
    /// What errors are relative to.
    pub baseline: usize,
    /// Whose results stand in for leaked ones.
    pub leakage: Option<usize>,
    /// What happens to failed results.
    pub missing: Missing,
    /// Bounds of relative errors.
    pub clip: Clip,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Their seed.
    pub seed: u64,
    /// Coverage of the intervals.
    pub confidence: f64,
    /// Whether families are resampled.
    pub families: bool,
    /// Level of the tests.
    pub alpha: f64,
}

fn named(table: &ResultTable, name: &str, flag: &str) -> Result<usize> {
    table.model(name).ok_or_else(|| {
        Error::usage(format!("{flag} {name:?} has no result"), format!("one of {}", table.models.join(", ")))
    })
}

/// The model asked for; else the only one whose name reads `seasonal naive`, however it is written.
fn baseline(table: &ResultTable, name: Option<&str>) -> Result<usize> {
    if let Some(name) = name {
        return named(table, name, "--baseline-model");
    }
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let seasonal = |&model: &usize| letters(&table.models[model]) == "seasonalnaive";
    let found: Vec<usize> = (0..table.models.len()).filter(seasonal).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        _ => Err(Error::usage("no baseline", format!("--baseline-model, one of {}", table.models.join(", ")))),
    }
}
