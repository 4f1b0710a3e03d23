//! What a delivery did, for people and programs.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::format::input::Tool;
use shared::outbox::{Delivery, Message, Outbox};
use shared::{Error, Exit, Result};

/// The `schema` of the JSON output.
pub(super) const SCHEMA: &str = "manifest-gen/sync/1";

/// What a delivery did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `manifest-gen/sync/1`.
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The server, without a login; nothing if none was asked.
    pub server: Option<String>,
    /// What has arrived, in order.
    pub delivered: Vec<Line>,
    /// What still waits, in order.
    pub waiting: Vec<Line>,
    /// What the server refused for good, now or earlier.
    pub refused: Vec<Line>,
    /// Message files that could not be read, where they lie now.
    pub damaged: Vec<PathBuf>,
    /// Why nothing could be sent at all, if so.
    pub problem: Option<String>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// `release` or `alias`.
    pub kind: String,
    /// The model.
    pub name: String,
    /// Strict semantic version.
    pub version: String,
    /// The alias.
    pub alias: String,
    /// How often its delivery failed.
    pub attempts: u32,
    /// Why it waits or was refused.
    pub reason: Option<String>,
}

impl Line {
    fn of(message: &Message) -> Self {
        let text = |key: &str| message.body.get(key).and_then(|value| value.as_str()).unwrap_or("?").to_owned();
        Self {
            kind: message.kind.clone(),
            name: text("name"),
            version: text("version"),
            alias: text("alias"),
            attempts: message.attempts,
            reason: message.last_error.clone(),
        }
    }

    fn text(&self, what: &str) -> String {
        let Self { name, version, alias, .. } = self;
        let reason = self.reason.as_ref().filter(|_| what != "delivered");
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{what} {name} {version} as {alias}{reason}\n")
    }
}

impl Report {
    /// Of what an outbox says it did; `damaged` was found before.
    pub(super) fn of(server: &str, damaged: Vec<PathBuf>, delivery: Delivery) -> Self {
        let lines = |messages: &[Message]| messages.iter().map(Line::of).collect();
        Self {
            schema: SCHEMA.to_owned(),
            tool: crate::print::tool(),
            server: Some(server.to_owned()).filter(|server| !server.is_empty()),
            delivered: lines(&delivery.delivered),
            waiting: lines(&delivery.waiting),
            refused: lines(&delivery.refused),
            damaged: damaged.into_iter().chain(delivery.damaged).collect(),
            problem: None,
        }
    }

    /// When nothing waits.
    pub(super) fn idle(outbox: &Outbox, damaged: Vec<PathBuf>) -> Result<Self> {
        Ok(Self::of("", damaged, Delivery { refused: outbox.refused()?, ..Delivery::default() }))
    }

    /// When nothing could be sent at all.
    pub(super) fn failed(outbox: &Outbox, error: &Error) -> Self {
        let (waiting, damaged) = outbox.pending().unwrap_or_default();
        let refused = outbox.refused().unwrap_or_default();
        let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
        let report = Self::of("", damaged, Delivery { waiting, refused, ..Delivery::default() });
        Self { problem: Some(format!("{error}{help}")), ..report }
    }

    /// Whether all has arrived.
    pub fn complete(&self) -> bool {
        self.exit() == Exit::Ok
    }

    /// 0: nothing is left; 3: something waits; 1: something was refused for good or is damaged.
    pub fn exit(&self) -> Exit {
        match (self.waiting.is_empty() && self.problem.is_none(), self.refused.is_empty() && self.damaged.is_empty()) {
            (false, _) => Exit::Environment,
            (true, false) => Exit::No,
            (true, true) => Exit::Ok,
        }
    }

    /// For people: a line for each message.
    pub fn text(&self) -> String {
        let groups = [("delivered", &self.delivered), ("waiting", &self.waiting), ("refused", &self.refused)];
        let mut text: String =
            groups.iter().flat_map(|(what, lines)| lines.iter().map(|line| line.text(what))).collect();
        text.extend(self.damaged.iter().map(|path| format!("damaged {}: not a message\n", path.display())));
        text.extend(self.problem.iter().map(|problem| format!("nothing was sent: {problem}\n")));
        if text.is_empty() { "nothing waits\n".to_owned() } else { text }
    }

    /// For programs.
    pub fn json(&self) -> String {
        // These types hold nothing that JSON cannot say.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
