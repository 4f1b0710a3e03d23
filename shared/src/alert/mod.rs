//! Alerts, and the clients that carry them: Alertmanager, webhooks (generic, Slack, `PagerDuty`), commands.
//!
//! Alertmanager is told the *state*, over and over: [`Resender`] says which alerts are due, [`Alertmanager`] posts them.
//! Webhooks and commands are told each *transition* once: a [`Transition`] waits in the outbox of its [`Receiver`], and a
//! [`Courier`] delivers it. The clients block; call them from a thread of their own, not from an asynchronous task.
//! [`Carriers`] are these threads, for a tool that runs on; `AlertArgs` (feature `cli`) are the flags that set them up. A
//! [`Ping`] tells a monitor of each run, so that it notices when they stay away.

#[cfg(feature = "http")]
mod alertmanager;
#[cfg(feature = "http")]
mod carriers;
#[cfg(feature = "http")]
mod command;
#[cfg(feature = "http")]
mod courier;
#[cfg(feature = "http")]
mod endpoint;
#[cfg(all(feature = "http", feature = "cli"))]
mod flags;
#[cfg(feature = "http")]
mod formats;
mod health;
#[cfg(feature = "http")]
mod manager;
mod outgoing;
#[cfg(feature = "http")]
mod ping;
#[cfg(feature = "http")]
mod receiver;
mod resend;
#[cfg(feature = "http")]
mod runner;
#[cfg(feature = "http")]
mod sign;
mod text;
mod transition;
#[cfg(feature = "http")]
mod webhook;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(feature = "http")]
pub use alertmanager::{Alertmanager, Auth, Refusal, Report};
#[cfg(feature = "http")]
pub use carriers::Carriers;
#[cfg(feature = "http")]
pub use command::{Command, INHERITED, Limits, Run};
#[cfg(feature = "http")]
pub use courier::{Courier, Round, backoff};
#[cfg(feature = "http")]
pub use endpoint::Network;
#[cfg(all(feature = "http", feature = "cli"))]
pub use flags::AlertArgs;
pub use health::{Attempt, Health, ReceiverView};
pub use outgoing::Outgoing;
#[cfg(feature = "http")]
pub use ping::{MOST_PING_BYTES, Ping, run_id};
#[cfg(feature = "http")]
pub use receiver::{Channel, Outcome, Receiver};
pub use resend::{DEFAULT_RESEND, DEFAULT_RESOLVED_RESEND, Resender};
#[cfg(feature = "http")]
pub use sign::{Signature, SigningKey};
pub use transition::{KIND, MOST_PAYLOAD_BYTES, SCHEMA, Status, Transition};
#[cfg(feature = "http")]
pub use webhook::{Format, Webhook};

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
