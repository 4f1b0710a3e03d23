//! What a replay says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::Exit;
use shared::cli::Format;
use shared::error::{Error, Result};
use shared::format::input::{Input, Tool};

use super::{Args, Fold};
use crate::core::alerts::{Finding, Record};
use crate::core::engine::Engine;
use crate::core::summary::alert_view;
use crate::core::time::text;
use crate::view::{AlertKind, AlertView, DriverView, ModelView};

/// The `schema` of a report.
pub const SCHEMA: &str = "drift-watch/replay/1";

/// What a replay says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// Whether some alert on accuracy fired.
    pub decision: Decision,
    /// Why, in a sentence.
    pub reason: String,
    /// The newest `observed_at`.
    pub time: Option<String>,
    /// Every alert that fired, in order.
    pub alerts: Vec<AlertReport>,
    /// Each model and version at the end.
    pub models: Vec<ModelView>,
    /// Records that were left out, corrected or odd, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Files read.
    pub inputs: Vec<Input>,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// No alert on accuracy fired.
    NoDrift,
    /// One fired.
    Drift,
    /// No version was watched for a single step.
    Undecided,
}

/// An alert that fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertReport {
    /// The alert.
    #[serde(flatten)]
    pub alert: AlertView,
    /// The metric, rule or feed.
    pub subject: String,
    /// When it fired, on the clock of observations.
    pub fired_at: String,
    /// The target time whose actuals made it fire.
    pub target_time: Option<String>,
    /// Since when the evidence grows.
    pub change_since: Option<String>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Where the change sits: signed parts that add up.
    pub attribution: Vec<DriverView>,
}

/// The report on an engine that has seen all records.
///
/// # Errors
/// If an input cannot be hashed.
pub(super) fn of(engine: &Engine, args: &Args) -> Result<Report> {
    let view = engine.view();
    let alerts: Vec<AlertReport> = engine.alerts.all().into_iter().map(alert).collect();
    let (decision, reason) = decide(engine, &alerts);
    Ok(Report {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "drift-watch".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        decision,
        reason,
        time: view.time,
        alerts,
        models: view.models,
        faults: view.faults,
        inputs: inputs(args)?,
    })
}

fn decide(engine: &Engine, alerts: &[AlertReport]) -> (Decision, String) {
    let on_accuracy: Vec<&AlertReport> = alerts.iter().filter(|alert| alert.alert.kind != AlertKind::Feed).collect();
    let watched =
        engine.boards.iter().flat_map(|board| board.buckets.values()).map(|watched| watched.watched_steps).max();
    match (on_accuracy.first(), watched.unwrap_or(0)) {
        (Some(first), _) => (Decision::Drift, format!("{}: {}", first.alert.model, first.alert.reason)),
        (None, 0) => {
            let reasons = engine
                .view()
                .models
                .into_iter()
                .map(|model| format!("{} {}: {}", model.model, model.version, model.reason));
            let text = reasons.collect::<Vec<_>>().join("; ");
            (Decision::Undecided, if text.is_empty() { "no predictions".to_owned() } else { text })
        }
        (None, steps) => (Decision::NoDrift, format!("no change beyond chance in {steps} steps watched")),
    }
}

fn alert(record: &Record) -> AlertReport {
    AlertReport {
        alert: alert_view(record),
        subject: record.key.subject.clone(),
        fired_at: text(record.fired_at),
        target_time: record.target.map(text),
        change_since: record.change_since.map(text),
        findings: record.findings.clone(),
        attribution: record.drivers.clone(),
    }
}

fn inputs(args: &Args) -> Result<Vec<Input>> {
    let predictions = args.predictions.iter().map(|path| ("predictions", path.as_path()));
    let actuals = args.actuals.iter().map(|path| ("actuals", path.as_path()));
    let all = predictions.chain(actuals).chain(args.watch.files());
    all.filter(|(_, path)| *path != std::path::Path::new("-")).map(|(role, path)| Input::of_file(role, path)).collect()
}

impl Report {
    /// The exit status.
    pub fn exit(&self, fold: Option<Fold>) -> Exit {
        match (self.decision, fold) {
            (Decision::NoDrift, _) | (Decision::Undecided, Some(Fold::Pass)) => Exit::Ok,
            (Decision::Drift, _) | (Decision::Undecided, Some(Fold::Fail)) => Exit::No,
            (Decision::Undecided, None) => Exit::Undecided,
        }
    }

    /// The report as text.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn render(&self, format: Format) -> Result<String> {
        match format {
            Format::Json => json(self),
            _ => Ok(self.as_text()),
        }
    }

    fn as_text(&self) -> String {
        let mut out = String::new();
        let head = match self.decision {
            Decision::NoDrift => "NO DRIFT",
            Decision::Drift => "DRIFT",
            Decision::Undecided => "TOO LITTLE DATA",
        };
        _ = writeln!(out, "{head}  {}", self.reason);
        for alert in &self.alerts {
            _ = writeln!(out, "\n{}  {} {} {}", alert.fired_at, alert.alert.name, alert.alert.model, alert.subject);
            _ = writeln!(out, "  {}", alert.alert.reason);
            if !alert.alert.drivers.is_empty() {
                _ = writeln!(out, "  driven by {}", alert.alert.drivers.join(", "));
            }
            if let Some(ended) = &alert.alert.ended {
                _ = writeln!(out, "  ended {ended}");
            }
        }
        for model in &self.models {
            _ = writeln!(
                out,
                "\n{} {}: {} steps, {} series, {}",
                model.model, model.version, model.steps, model.series, model.reason
            );
            _ = writeln!(out, "  {}", model.promise);
            let shown =
                model.metrics.iter().filter(|metric| !metric.history.is_empty() && metric.evidence_log10.is_some());
            for metric in shown {
                let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
                _ = writeln!(
                    out,
                    "  {:<16} horizon {:<5} {:>9} over {}, baseline {}",
                    metric.metric,
                    metric.horizon,
                    number(metric.value),
                    metric.window,
                    number(metric.baseline)
                );
            }
        }
        let odd: Vec<String> =
            self.faults.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{name} {n}")).collect();
        if !odd.is_empty() {
            _ = writeln!(out, "\nrecords: {}", odd.join(", "));
        }
        out
    }
}

/// Pretty-printed, with a line end.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n")
        .map_err(|error| Error::Environment { what: format!("cannot be written as JSON: {error}"), help: None })
}
