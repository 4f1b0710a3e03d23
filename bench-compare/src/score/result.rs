//! The output of `score`: the metrics of each model, over all rows, by level and by slice.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use shared::format::input::{Input, Tool};
use shared::format::sufficient::{Checks, Group, Sufficient};
use shared::metric::{Metric, Totals};

use crate::load::forecasts::{Loaded, Request};

/// The `schema` of the output.
pub const SCHEMA: &str = "bench-compare/score/1";

/// What `score` says.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Score {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// Whether every metric that was asked for could be computed for some model.
    pub complete: bool,
    /// What could not, and why.
    pub missing: Vec<String>,
    /// The metrics of each model over all paired rows.
    pub models: Models,
    /// For each `--by` column the metrics by level.
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Models>>")]
    #[serde(serialize_with = "columns")]
    pub groups: Vec<Column>,
    /// The metrics of each slice.
    #[schemars(with = "BTreeMap<String, Models>")]
    #[serde(serialize_with = "named")]
    pub slices: Vec<(String, Models)>,
    /// Level of the intervals behind coverage and pinball, in percent.
    pub level_percent: Option<f64>,
    /// Seasonal lag of the scales, in rows.
    pub season: u32,
    /// Series with paired rows.
    pub n_series: usize,
    /// Forecast steps of the longest window.
    pub horizon: u32,
    /// First and last target time.
    pub span: Option<(String, String)>,
    /// What was read and what was left out.
    pub checks: Checks,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// The files read.
    pub inputs: Vec<Input>,
    /// What is told beside the output.
    #[serde(skip)]
    pub remarks: Vec<String>,
    /// The metrics, in the order asked for.
    #[serde(skip)]
    pub metrics: Vec<Metric>,
    /// What `benchmark_results.json` holds, where it was asked for.
    #[serde(skip)]
    pub(super) benchmark: Models,
}

/// The metrics of `benchmark_results.json`.
pub(super) const BENCHMARK_METRICS: [Metric; 3] = [Metric::Mape, Metric::Rmse, Metric::Mae];

/// A `--by` column and its levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The column.
    pub name: String,
    /// Level and metrics, in order.
    pub levels: Vec<(String, Models)>,
}

/// The metrics of several models, in the order asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Models(pub Vec<(String, Values)>);

/// The metrics of one model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// Paired rows.
    pub rows: u64,
    /// Each metric asked for; `None` where no row defines it.
    pub metrics: Vec<(Metric, Option<f64>)>,
}

impl Values {
    fn new(totals: &Totals, metrics: &[Metric], level: Option<f64>) -> Self {
        let values = metrics.iter().map(|&metric| (metric, metric.value(totals, level)));
        Self { rows: totals.rows, metrics: values.collect() }
    }

    /// A metric's value.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.metrics.iter().find(|(known, _)| *known == metric).and_then(|(_, value)| *value)
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.metrics.len() + 1))?;
        map.serialize_entry("n", &self.rows)?;
        for (metric, value) in &self.metrics {
            map.serialize_entry(metric.key(), value)?;
        }
        map.end()
    }
}

impl Serialize for Models {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        named(&self.0, serializer)
    }
}

impl JsonSchema for Models {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Models".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, BTreeMap<String, Option<f64>>>::json_schema(generator)
    }
}

fn named<T: Serialize, S: Serializer>(entries: &[(String, T)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(entries.iter().map(|(name, value)| (name, value)))
}

fn columns<S: Serializer>(columns: &[Column], serializer: S) -> Result<S::Ok, S::Error> {
    let levels = |column: &Column| Named(column.levels.clone());
    serializer.collect_map(columns.iter().map(|column| (&column.name, levels(column))))
}

/// Levels as an object.
struct Named(Vec<(String, Models)>);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        named(&self.0, serializer)
    }
}

impl Score {
    /// Computes the metrics from the sums.
    pub fn new(loaded: &Loaded, metrics: &[Metric], level: Option<f64>, request: &Request) -> Self {
        let sufficient = &loaded.sufficient;
        let of_group = |group: &Group| of_group_with(group, sufficient, metrics, level);
        let (all, others) = sufficient.groups.split_at(1.min(sufficient.groups.len()));
        let (slices, levels) = others.split_at(request.slices.len().min(others.len()));
        let models = all.first().map(of_group).unwrap_or_default();
        let totals = |group: &Group| of_group_with(group, sufficient, &BENCHMARK_METRICS, level);
        let benchmark = all.first().map(totals).unwrap_or_default();
        let missing = missing(&models, metrics, request);
        Self {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "bench-compare".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            complete: missing.is_empty(),
            missing,
            models,
            groups: by_column(levels, &request.by, of_group),
            slices: slices.iter().map(|group| (group.name.clone(), of_group(group))).collect(),
            level_percent: level,
            season: request.season,
            n_series: sufficient.series.len(),
            horizon: sufficient.horizon,
            span: sufficient.span.clone(),
            checks: sufficient.checks.clone(),
            notes: sufficient.notes.clone(),
            inputs: loaded.inputs.clone(),
            remarks: loaded.remarks.clone(),
            metrics: metrics.to_vec(),
            benchmark,
        }
    }
}

fn of_group_with(group: &Group, sufficient: &Sufficient, metrics: &[Metric], level: Option<f64>) -> Models {
    let totals = Totals::of_panel(&group.panel, sufficient.models.len(), &sufficient.measures);
    let values = totals.iter().map(|totals| Values::new(totals, metrics, level));
    Models(sufficient.models.iter().cloned().zip(values).collect())
}

/// The groups, named `column=level`, under their columns.
fn by_column(groups: &[Group], by: &[String], of_group: impl Fn(&Group) -> Models) -> Vec<Column> {
    let mut rest = groups;
    let mut columns = Vec::new();
    for name in by {
        let prefix = format!("{name}=");
        let count = rest.iter().take_while(|group| group.name.starts_with(&prefix)).count();
        let (own, others) = rest.split_at(count);
        let levels = own.iter().map(|group| (group.name[prefix.len()..].to_owned(), of_group(group))).collect();
        columns.push(Column { name: name.clone(), levels });
        rest = others;
    }
    columns
}

fn missing(models: &Models, metrics: &[Metric], request: &Request) -> Vec<String> {
    let is_missing = |metric: &&Metric| models.0.iter().all(|(_, values)| values.get(**metric).is_none());
    metrics
        .iter()
        .filter(is_missing)
        .map(|metric| format!("{metric} cannot be computed: {}", why(*metric, request)))
        .collect()
}

fn why(metric: Metric, request: &Request) -> &'static str {
    match metric {
        Metric::Mase | Metric::Rmsse if request.train.is_none() => "it needs the history of the series (--train)",
        Metric::Da | Metric::DaTie if request.train.is_none() => "it needs the last actuals (--train)",
        Metric::Mase | Metric::Rmsse => "no series has a scale up to its cutoffs",
        Metric::Da | Metric::DaTie => "no last actual at a cutoff is known",
        Metric::Coverage => "no model has an interval",
        Metric::Mape | Metric::Wape | Metric::Bias => "all actuals are zero",
        _ => "no row defines it",
    }
}
