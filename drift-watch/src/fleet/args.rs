//! Flags of the broker.

use std::path::PathBuf;

use shared::error::{Error, Result};
use shared::secret::Secret;

use crate::core::time::{Micros, SECOND};
use crate::span;

const BROKER: &str = "NATS";

/// The most partitions that there can be.
const MOST_PARTITIONS: u32 = 4096;

/// Flags of the broker, and of how the work is shared out.
#[derive(Debug, Clone, PartialEq, clap::Args)]
pub struct NatsArgs {
    /// The broker, `nats://HOST:4222` or `tls://HOST:4222`; several with commas
    #[arg(long, value_name = "URL", help_heading = BROKER)]
    pub nats_url: Option<String>,
    /// The stream of records; what belongs to it is named after it
    #[arg(long, value_name = "NAME", default_value = "DRIFT_WATCH", help_heading = BROKER)]
    pub nats_stream: String,
    /// What subjects begin with: PREFIX.p03.predictions, PREFIX.p03.actuals
    #[arg(long, value_name = "PREFIX", default_value = "drift-watch", help_heading = BROKER)]
    pub nats_prefix: String,
    /// Partitions that series are spread over; the same for all producers and replicas, and for ever
    #[arg(long, value_name = "N", default_value_t = 64, help_heading = BROKER)]
    pub nats_partitions: u32,
    /// Copies that the broker keeps of what it is given, where it is a cluster: 1, 3 or 5
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = BROKER)]
    pub nats_replicas: u32,
    /// A replica that has not been heard of for so long has lost its partitions
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = span::parse, help_heading = BROKER)]
    pub nats_lease: Micros,
    /// How far records may be out of order: each comes before an actual that was observed so much later
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = span::parse, help_heading = BROKER)]
    pub nats_lateness: Micros,
    /// Records that wait for later ones are taken as they are when a partition has been quiet for so long
    #[arg(long, value_name = "SPAN", default_value = "1m", value_parser = span::parse, help_heading = BROKER)]
    pub nats_settle: Micros,
    /// A file with credentials (JWT and key), as `nsc` writes it
    #[arg(long, value_name = "FILE", help_heading = BROKER)]
    pub nats_credentials_file: Option<PathBuf>,
    /// A file with a token
    #[arg(long, value_name = "FILE", conflicts_with = "nats_credentials_file", help_heading = BROKER)]
    pub nats_token_file: Option<PathBuf>,
    /// Certificates that the broker's is checked with [default: those of the system]
    #[arg(long, value_name = "FILE", help_heading = BROKER)]
    pub nats_ca_file: Option<PathBuf>,
}

/// How a client shows who it is.
#[derive(Debug, Clone)]
pub enum Login {
    /// Not at all.
    Nobody,
    /// By a token.
    Token(Secret),
    /// By a JWT and a key.
    Credentials(Secret),
}

impl NatsArgs {
    /// The address of the broker.
    ///
    /// # Errors
    /// If there is none, or it carries a password.
    pub fn url(&self) -> Result<&str> {
        let url = self.nats_url.as_deref().ok_or_else(|| Error::usage("no broker", "--nats-url URL"))?;
        match url.contains('@') {
            true => Err(Error::usage("an address with a user or password", "--nats-url without one")
                .with_help("--nats-token-file or --nats-credentials-file keep it out of what processes show")),
            false => Ok(url),
        }
    }

    /// Whether the numbers and names can be used.
    ///
    /// # Errors
    /// What cannot.
    pub fn check(&self) -> Result<()> {
        self.url()?;
        let is_name =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let wrong = |found: String, expected: &str| Err(Error::usage(found, expected.to_owned()));
        if !is_name(&self.nats_stream) {
            return wrong(format!("--nats-stream {:?}", self.nats_stream), "letters, digits, - and _");
        }
        if !self.nats_prefix.split('.').all(is_name) {
            return wrong(
                format!("--nats-prefix {:?}", self.nats_prefix),
                "words of letters, digits, - and _, with dots between",
            );
        }
        if !(1..=MOST_PARTITIONS).contains(&self.nats_partitions) {
            return wrong(format!("--nats-partitions {}", self.nats_partitions), "a number from 1 to 4096");
        }
        if self.nats_lease < SECOND {
            return wrong(format!("--nats-lease of {} microseconds", self.nats_lease), "a second at the least");
        }
        self.login().map(drop)
    }

    /// How this client shows who it is.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn login(&self) -> Result<Login> {
        Ok(match (&self.nats_credentials_file, &self.nats_token_file) {
            (Some(path), _) => Login::Credentials(Secret::from_file(path)?),
            (None, Some(path)) => Login::Token(Secret::from_file(path)?),
            (None, None) => Login::Nobody,
        })
    }
}
