//! The flags that say where alerts are sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Place, Result};
use crate::secret::Secret;
use crate::span;

use super::{Alertmanager, Auth, Channel, Command, Format, Limits, Network, Receiver, Webhook};

/// Name of the receiver that runs the program of `--on-alert`.
const COMMAND: &str = "command";

/// Flags that say where alerts are sent.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = Self::HEADING)]
pub struct AlertArgs {
    /// An Alertmanager
    #[arg(long, value_name = "URL")]
    pub alertmanager: Vec<String>,
    /// A file with the bearer token of the Alertmanagers
    #[arg(long, value_name = "FILE")]
    pub alertmanager_token_file: Option<PathBuf>,
    /// Say again to Alertmanagers what fires, so often
    #[arg(long, value_name = "SPAN", default_value = "1m", value_parser = span::parse)]
    pub resend: Duration,
    /// A webhook that takes transitions as JSON
    #[arg(long, value_name = "URL")]
    pub webhook: Vec<String>,
    /// A file with the key that signs what webhooks are sent (Standard Webhooks)
    #[arg(long, value_name = "FILE")]
    pub webhook_secret_file: Option<PathBuf>,
    /// A file with the address of a Slack webhook
    #[arg(long, value_name = "FILE")]
    pub slack_url_file: Vec<PathBuf>,
    /// A file with the integration key of a `PagerDuty` service
    #[arg(long, value_name = "FILE")]
    pub pagerduty_key_file: Vec<PathBuf>,
    /// A program to run for each transition, and its arguments, one flag each; `{id}`, `{status}` and labels as `{model}` stand for those of the alert
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub on_alert: Vec<String>,
    /// A variable of the environment that such programs inherit
    #[arg(long, value_name = "NAME")]
    pub hook_env: Vec<String>,
    /// Let receivers have link-local addresses
    #[arg(long)]
    pub allow_link_local: bool,
}

impl AlertArgs {
    /// The heading of these flags in help; a tool's own flags on alerts stand under it too.
    pub const HEADING: &str = "Alerts";

    /// The receivers: webhooks, Slack, `PagerDuty`, the program. `labels` are those that arguments of the program may name.
    ///
    /// # Errors
    /// If a receiver is not one, or a file with a secret cannot be read.
    pub fn receivers(&self, labels: &[&str]) -> Result<Vec<Receiver>> {
        let mut all = self.webhooks()?;
        all.extend(self.program(COMMAND, &self.on_alert, labels)?);
        Ok(all)
    }

    /// The receiver of this name that runs a program, as `--on-alert` does; none where there are no words.
    ///
    /// # Errors
    /// If an argument names something else than these labels, or a variable of the environment is none.
    pub fn program(&self, name: &str, words: &[String], labels: &[&str]) -> Result<Option<Receiver>> {
        if words.is_empty() {
            return Ok(None);
        }
        let command = Command::new(words.to_vec(), self.hook_env.clone(), Limits::default())?;
        Receiver::new(name, Channel::Command(command.with_placeholders(labels)?)).map(Some)
    }

    /// The Alertmanagers.
    ///
    /// # Errors
    /// If an address is none that may be used, or the file with the token cannot be read.
    pub fn managers(&self) -> Result<Vec<Alertmanager>> {
        let token = self.alertmanager_token_file.as_deref().map(Secret::from_file).transpose()?;
        let auth = token.map_or(Auth::None, Auth::Bearer);
        self.alertmanager.iter().map(|url| Alertmanager::new(url, auth.clone(), self.network())).collect()
    }

    /// How the network is used.
    pub fn network(&self) -> Network {
        Network { allow_link_local: self.allow_link_local, ..Network::default() }
    }

    fn webhooks(&self) -> Result<Vec<Receiver>> {
        let signing = self.webhook_secret_file.as_deref().map(Secret::from_file).transpose()?;
        let webhook = |name: String, url: Option<&Secret>, format: Format| {
            let webhook = Webhook::new(url, format, signing.as_ref(), self.network())?;
            Receiver::new(&name, Channel::Webhook(webhook))
        };
        let mut all = Vec::new();
        for (url, number) in self.webhook.iter().zip(1..) {
            all.push(webhook(format!("webhook-{number}"), Some(&Secret::new(url.clone())), Format::Generic)?);
        }
        for (path, number) in self.slack_url_file.iter().zip(1..) {
            let slack = webhook(format!("slack-{number}"), Some(&Secret::from_file(path)?), Format::Slack);
            all.push(slack.map_err(|error| in_file(path, &error))?);
        }
        for (path, number) in self.pagerduty_key_file.iter().zip(1..) {
            let format = Format::PagerDuty { routing_key: Secret::from_file(path)? };
            all.push(webhook(format!("pagerduty-{number}"), None, format)?);
        }
        Ok(all)
    }
}

/// An error about what a file says, which names the file and not what it says.
fn in_file(path: &Path, error: &Error) -> Error {
    Error::input(Place::file(path), error.to_string(), "a file with the address alone")
}
