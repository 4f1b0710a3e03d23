//! Limits and tokens.

use std::time::Duration;

use shared::serve::Secret;

/// A token that may send records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestToken {
    /// The token.
    pub token: Secret,
    /// The models whose predictions it may send; all of them if absent.
    pub models: Option<Vec<String>>,
}

/// Limits and tokens of the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Who may send records; anybody on this machine if empty.
    pub ingest_tokens: Vec<IngestToken>,
    /// What opens the status page, metrics and reload; anybody on this machine if absent.
    pub read_token: Option<Secret>,
    /// Names, besides those of the loopback, by which clients may call a server that listens there.
    pub host_names: Vec<String>,
    /// Largest body, as sent.
    pub body_bytes: usize,
    /// Largest body after decompression.
    pub expanded_bytes: usize,
    /// Longest time that sending a body may take.
    pub body_timeout: Duration,
    /// Batches that may be read or waited for at once.
    pub batches: usize,
    /// How long a client waits until its batch is durable.
    pub reply_timeout: Duration,
    /// Requests a second, over all clients; twice as many in a burst.
    pub requests_per_second: u32,
    /// Open connections.
    pub connections: usize,
    /// Open streams of events.
    pub event_clients: usize,
    /// Series of each model that have labels of their own in the metrics: the worst.
    pub worst_series: usize,
    /// Samples with labels in one answer of `/metrics`.
    pub label_budget: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ingest_tokens: Vec::new(),
            read_token: None,
            host_names: Vec::new(),
            body_bytes: 8 << 20,
            expanded_bytes: 64 << 20,
            body_timeout: Duration::from_secs(30),
            batches: 8,
            reply_timeout: Duration::from_secs(30),
            requests_per_second: 500,
            connections: 256,
            event_clients: 32,
            worst_series: 10,
            label_budget: 10_000,
        }
    }
}

impl Options {
    /// Whether any token is set.
    pub fn has_token(&self) -> bool {
        self.read_token.is_some() || !self.ingest_tokens.is_empty()
    }
}
