//! Which column of a file is what: fev-bench and GIFT-Eval are recognised by their columns, others are mapped.

use schemars::JsonSchema;
use serde::Serialize;
use shared::{Error, Place, Result};

use super::Options;
use super::key::{FEV_KEY, FEV_OLD_NAMES, Kind};
use super::map::{Map, Models};
use super::source::Source;

/// The layout of a result table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Evaluation summaries of fev.
    Fev,
    /// `all_results.csv` of GIFT-Eval.
    GiftEval,
    /// Any other, by `--map`.
    Mapped,
}

/// GIFT-Eval's column for what its board calls CRPS.
const GIFT_CRPS: &str = "eval_metrics/mean_weighted_sum_quantile_loss";
const GIFT_PREFIX: &str = "eval_metrics/";

/// Where everything is in one file.
pub(super) struct Columns {
    pub(super) layout: Layout,
    /// The columns of the key; `None` where the file has none, which reads as missing.
    pub(super) key: Vec<(Option<usize>, Kind)>,
    pub(super) key_names: Vec<String>,
    pub(super) label: Vec<usize>,
    pub(super) results: Results,
    pub(super) leaked: Option<usize>,
    pub(super) training: Option<usize>,
    pub(super) inference: Option<usize>,
    pub(super) family: Option<usize>,
    pub(super) fev_version: Option<usize>,
    pub(super) fingerprint: Option<usize>,
}

/// Where the scores are.
pub(super) enum Results {
    /// A column names the model; one column for each metric.
    Long { model: usize, metrics: Vec<usize> },
    /// One column for each model.
    Wide { models: Vec<(String, usize)> },
}

impl Columns {
    /// Finds the columns of a file.
    ///
    /// # Errors
    /// If the layout is not recognised or a column is missing.
    pub(super) fn find(source: &Source, options: &Options) -> Result<Self> {
        let mut columns = match (&options.map, recognise(source)) {
            (Some(map), _) => mapped(source, map, options),
            (None, Some(Layout::Fev)) => fev(source, options),
            (None, Some(_)) => gift(source, options),
            (None, None) => Err(unknown(source)),
        }?;
        columns.family = options.family_column.as_deref().map(|name| required(source, name)).transpose()?;
        Ok(columns)
    }
}

fn recognise(source: &Source) -> Option<Layout> {
    let has = |name: &str| source.column(name).is_some();
    if has("model_name") && has("dataset_path") && has("horizon") {
        return Some(Layout::Fev);
    }
    let scores = source.header.iter().any(|name| name.starts_with(GIFT_PREFIX));
    (has("dataset") && has("model") && scores).then_some(Layout::GiftEval)
}

fn unknown(source: &Source) -> Error {
    let found = format!("columns {} of no known layout", listed(&source.header));
    let expected = "fev (model_name, dataset_path, horizon, …) or GIFT-Eval (dataset, model, eval_metrics/…)";
    Error::input(Place::line(&source.path, 1), found, expected)
        .with_help("say where things are: --map model=COLUMN,task=COLUMN+COLUMN,metric=COLUMN, or task=COLUMN,models=*")
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}

fn required(source: &Source, name: &str) -> Result<usize> {
    source.column(name).ok_or_else(|| {
        let found = format!("no column {name:?}");
        Error::input(Place::line(&source.path, 1), found, format!("one of {}", listed(&source.header)))
    })
}

fn fev(source: &Source, options: &Options) -> Result<Columns> {
    let metrics = metric_names(options, Layout::Fev);
    let metrics = metrics.iter().map(|name| required(source, name)).collect::<Result<_>>()?;
    let label = source.column("task_name").or_else(|| source.column("dataset_config"));
    Ok(Columns {
        layout: Layout::Fev,
        key: FEV_KEY.iter().map(|(name, kind)| (fev_column(source, name), *kind)).collect(),
        key_names: FEV_KEY.iter().map(|(name, _)| (*name).to_owned()).collect(),
        label: label.into_iter().collect(),
        results: Results::Long { model: required(source, "model_name")?, metrics },
        leaked: source.column("trained_on_this_dataset"),
        training: source.column("training_time_s"),
        inference: source.column("inference_time_s"),
        family: None,
        fev_version: source.column("fev_version"),
        fingerprint: source.column("dataset_fingerprint"),
    })
}

fn fev_column(source: &Source, name: &str) -> Option<usize> {
    let old = FEV_OLD_NAMES.iter().find(|(new, _)| *new == name).and_then(|(_, old)| source.column(old));
    source.column(name).or(old)
}

fn gift(source: &Source, options: &Options) -> Result<Columns> {
    let metrics = metric_names(options, Layout::GiftEval);
    let metrics = metrics.iter().map(|name| gift_column(source, name)).collect::<Result<_>>()?;
    let dataset = required(source, "dataset")?;
    let results = Results::Long { model: required(source, "model")?, metrics };
    Ok(plain(Layout::GiftEval, vec![("dataset".to_owned(), dataset)], results))
}

/// `MASE`, `MASE[0.5]` and `eval_metrics/MASE[0.5]` are one column; so are `CRPS` and the one that the board calls so.
fn gift_column(source: &Source, name: &str) -> Result<usize> {
    if name == "CRPS" {
        return required(source, GIFT_CRPS);
    }
    let short = |column: &str| {
        let bare = column.strip_prefix(GIFT_PREFIX)?;
        Some(bare == name || bare.split('[').next() == Some(name))
    };
    let matching: Vec<usize> =
        (0..source.header.len()).filter(|&index| short(&source.header[index]).unwrap_or(false)).collect();
    match (source.column(name), matching.as_slice()) {
        (Some(column), _) => Ok(column),
        (None, [column]) => Ok(*column),
        _ => required(source, name),
    }
}

fn mapped(source: &Source, map: &Map, options: &Options) -> Result<Columns> {
    let named = |name: &String| required(source, name).map(|column| (name.clone(), column));
    let key = map.task.iter().map(named).collect::<Result<Vec<_>>>()?;
    let optional = |name: &Option<String>| name.as_deref().map(|name| required(source, name)).transpose();
    let (leaked, training, inference) = (optional(&map.leaked)?, optional(&map.training)?, optional(&map.inference)?);
    let mut taken: Vec<usize> = key.iter().map(|(_, column)| *column).collect();
    taken.extend([leaked, training, inference].into_iter().flatten());
    let results = match &map.model {
        Some(model) => Results::Long { model: required(source, model)?, metrics: long_metrics(source, options)? },
        None => Results::Wide { models: wide_models(source, map, &taken)? },
    };
    Ok(Columns { leaked, training, inference, ..plain(Layout::Mapped, key, results) })
}

fn long_metrics(source: &Source, options: &Options) -> Result<Vec<usize>> {
    let names = metric_names(options, Layout::Mapped);
    if names.is_empty() {
        return Err(Error::usage("no metric", "--metric COLUMN, or metric=COLUMN in --map"));
    }
    names.iter().map(|name| required(source, name)).collect()
}

fn wide_models(source: &Source, map: &Map, taken: &[usize]) -> Result<Vec<(String, usize)>> {
    match &map.models {
        Some(Models::Named(names)) => {
            names.iter().map(|name| required(source, name).map(|column| (name.clone(), column))).collect()
        }
        _ => Ok((0..source.header.len())
            .filter(|column| !taken.contains(column))
            .map(|column| (source.header[column].clone(), column))
            .collect()),
    }
}

fn plain(layout: Layout, key: Vec<(String, usize)>, results: Results) -> Columns {
    Columns {
        layout,
        label: key.iter().map(|(_, column)| *column).collect(),
        key: key.iter().map(|(_, column)| (Some(*column), Kind::Text)).collect(),
        key_names: key.into_iter().map(|(name, _)| name).collect(),
        results,
        leaked: None,
        training: None,
        inference: None,
        family: None,
        fev_version: None,
        fingerprint: None,
    }
}

/// The metrics asked for, or those that the layout's own board shows.
pub(super) fn metric_names(options: &Options, layout: Layout) -> Vec<String> {
    let of_map = || options.map.as_ref().map(|map| map.metrics.clone()).unwrap_or_default();
    match layout {
        _ if !options.metrics.is_empty() => options.metrics.clone(),
        Layout::Fev => vec!["test_error".to_owned()],
        Layout::GiftEval => vec!["MASE".to_owned(), "CRPS".to_owned()],
        Layout::Mapped => match options.map.as_ref().is_some_and(|map| map.models.is_some()) && of_map().is_empty() {
            true => vec!["score".to_owned()],
            false => of_map(),
        },
    }
}
