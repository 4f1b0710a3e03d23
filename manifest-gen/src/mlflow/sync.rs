//! `manifest-gen sync`: deliver what waits for MLflow.

use std::time::Duration;

use shared::cli::{Context, Format};
use shared::{Error, Exit};

use crate::store::StoreArgs;

use super::{Settings, deliver, outbox};

/// Flags of `manifest-gen sync`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The MLflow server; `MLFLOW_TRACKING_URI` if absent. User, password or token come from the environment
    #[arg(long, value_name = "URI")]
    pub tracking_uri: Option<String>,
    /// The longest time that all of it may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub max_seconds: u64,
    /// Try again what the server refused for good
    #[arg(long)]
    pub retry_refused: bool,
}

/// Runs the command.
///
/// # Errors
/// If the format is not offered or the outbox cannot be read.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if !matches!(context.format, Format::Text | Format::Json) {
        return Err(Error::usage("a table of deliveries", "--format text or json").into());
    }
    let store = args.store.store();
    if args.retry_refused {
        outbox(&store).retry_refused()?;
    }
    let settings = Settings { tracking_uri: args.tracking_uri.clone(), ..Settings::default() };
    let report = deliver(&store, &settings, Duration::from_secs(args.max_seconds));
    context.emit(&if context.format == Format::Json { report.json() } else { report.text() })?;
    Ok(report.exit())
}
