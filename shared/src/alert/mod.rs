//! Alerts, and the clients that carry them: Alertmanager, webhooks (generic, Slack, `PagerDuty`), commands.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Someone should look at it.
    Warning,
    /// Someone must act.
    Critical,
}

/// An alert that fires, or has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// What makes it the same alert when it is sent again: hash of rule, labels and the time when it began.
    pub id: String,
    /// Its name, the label `alertname` of Alertmanager: `ForecastDrift`.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: model, version, metric, horizon, …; without `alertname` and `severity`.
    pub labels: BTreeMap<String, String>,
    /// One line for a person.
    pub summary: String,
    /// Further texts, by name.
    pub annotations: BTreeMap<String, String>,
    /// When it began.
    #[schemars(with = "String")]
    pub starts_at: Timestamp,
    /// When it ended; absent while it fires.
    #[schemars(with = "Option<String>")]
    pub ends_at: Option<Timestamp>,
}

impl Severity {
    /// Its name, as a label has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}
