//! Flags of `drift-watch run`.

use std::net::SocketAddr;
use std::path::PathBuf;

use shared::alert::AlertArgs;

use crate::core::time::Micros;
use crate::fleet::args::NatsArgs;
use crate::span;
use crate::watch::WatchArgs;

/// The state folder where none is named.
pub const STATE: &str = "drift-watch-state";

const SOURCES: &str = "Sources";
const SERVER: &str = "Server";
const ALERTS: &str = AlertArgs::HEADING;
const TRACKING: &str = "MLflow";
const DAEMON: &str = "Daemon";

/// Flags of `drift-watch run`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Files of predictions that grow and rotate: paths and patterns, JSON Lines or CSV; `-` is standard input
    #[arg(long, value_name = "PATTERN", num_args = 1.., help_heading = SOURCES)]
    pub predictions: Vec<String>,
    /// Files of actuals, in the same way
    #[arg(long, value_name = "PATTERN", num_args = 1.., help_heading = SOURCES)]
    pub actuals: Vec<String>,
    /// Look for new rows so often, besides events of the file system
    #[arg(long, value_name = "SPAN", default_value = "2s", value_parser = span::parse, help_heading = SOURCES)]
    pub poll_interval: Micros,
    /// Use no events of the file system, which network mounts do not give
    #[arg(long, help_heading = SOURCES)]
    pub poll: bool,
    /// Append rows that cannot be read to this file [default: dead-letters.jsonl in the state folder]
    #[arg(long, value_name = "FILE", help_heading = SOURCES)]
    pub write_dead_letters: Option<PathBuf>,

    /// Where metrics, status page and ingest are served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9464", help_heading = SERVER)]
    pub listen: SocketAddr,
    /// Serve nothing
    #[arg(long, help_heading = SERVER)]
    pub no_listen: bool,
    /// Who may send records: `FILE` with a token, or `MODEL=FILE` for predictions of that model only
    #[arg(long, value_name = "MODEL=FILE", help_heading = SERVER)]
    pub ingest_token_file: Vec<String>,
    /// Who may read status and metrics: a file with a token
    #[arg(long, value_name = "FILE", help_heading = SERVER)]
    pub read_token_file: Option<PathBuf>,
    /// A further name by which clients on this machine call the server
    #[arg(long, value_name = "HOST", help_heading = SERVER)]
    pub host_name: Vec<String>,

    /// Where alerts are sent
    #[command(flatten)]
    pub alerts: AlertArgs,
    /// A program to run where a model drifts, and its arguments, as `rebench-cron trigger {model} --reason drift --key {id} --evidence {evidence}`
    #[arg(long, value_name = "WORD", allow_hyphen_values = true, help_heading = ALERTS)]
    pub rebench: Vec<String>,
    /// Append every transition to this file [default: events.jsonl in the state folder]
    #[arg(long, value_name = "FILE", help_heading = ALERTS)]
    pub write_events: Option<PathBuf>,

    /// Log the metrics of each closed step to this experiment of the server in `MLFLOW_TRACKING_URI`
    #[arg(long, value_name = "EXPERIMENT", help_heading = TRACKING)]
    pub mlflow_experiment: Option<String>,
    /// A metric of a run to watch, polled: `RUN_ID/METRIC`
    #[arg(long, value_name = "RUN/METRIC", help_heading = TRACKING)]
    pub mlflow_metric: Vec<String>,
    /// Poll these so often
    #[arg(long, value_name = "SPAN", default_value = "1m", value_parser = span::parse, help_heading = TRACKING)]
    pub mlflow_interval: Micros,

    /// Where the state is kept
    #[arg(long, value_name = "STATE_DIR", default_value = STATE, help_heading = DAEMON)]
    pub state: PathBuf,
    /// Keep a snapshot of the state so often
    #[arg(long, value_name = "SPAN", default_value = "15m", value_parser = span::parse, help_heading = DAEMON)]
    pub snapshot_interval: Micros,
    /// End when the files are read to their ends and everything is delivered or queued
    #[arg(long, help_heading = DAEMON)]
    pub until_caught_up: bool,

    /// The broker, where many replicas share the work
    #[command(flatten)]
    pub nats: NatsArgs,
    /// What is watched and how
    #[command(flatten)]
    pub watch: WatchArgs,
}
