//! `drift-watch publish`: records of files to the broker.

#[cfg(feature = "nats")]
use std::path::Path;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use shared::Exit;
use shared::cli::Context;
#[cfg(feature = "nats")]
use shared::error::{Error, Place, Result};
#[cfg(feature = "nats")]
use shared::format::live::{BadRow, Parsed};

use super::args::NatsArgs;
#[cfg(feature = "nats")]
use crate::read::Rows;
#[cfg(feature = "nats")]
use crate::replay::owned;
use crate::watch::zone;

/// Flags of `drift-watch publish`.
#[derive(Debug, Clone, clap::Args)]
pub struct PublishArgs {
    /// Predictions and actuals, JSON Lines or CSV; `-` is standard input. A row with `y_hat` is a prediction
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Time zone of times without an offset, such as `America/New_York`
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub zone: Option<TimeZone>,
    /// The broker
    #[command(flatten)]
    pub nats: NatsArgs,
}

/// Runs the command.
///
/// # Errors
/// On bad input, or where the broker does not acknowledge.
#[cfg(feature = "nats")]
pub fn run(args: &PublishArgs, context: &Context) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Error::Environment { what: format!("no runtime: {error}"), help: None })?;
    let sent = runtime.block_on(publish(args))?;
    context.emit(&format!("{sent} records are with the broker\n"))?;
    Ok(Exit::Ok)
}

/// Says that this program cannot publish.
///
/// # Errors
/// Always.
#[cfg(not(feature = "nats"))]
pub fn run(_: &PublishArgs, _: &Context) -> anyhow::Result<Exit> {
    Err(super::without().into())
}

#[cfg(feature = "nats")]
async fn publish(args: &PublishArgs) -> Result<u64> {
    let mut sender = super::send::Sender::new(super::broker::Broker::connect(&args.nats).await?);
    let (mut sent, mut bad) = (0, Bad::default());
    for path in &args.files {
        let mut rows = Rows::open_either(path, args.zone.clone())?;
        loop {
            let mut record = None;
            let take = |row: std::result::Result<Parsed<'_>, BadRow>, line| match row {
                Ok(parsed) => record = Some(owned(parsed.record)),
                Err(row) => bad.add(path, line, row),
            };
            if !tokio::task::block_in_place(|| rows.next(take))? {
                break;
            }
            if let Some(record) = record {
                sender.put(&record).await?;
                sent += 1;
            }
            if rows.is_drained() {
                sender.finish().await?;
            }
        }
    }
    sender.finish().await?;
    bad.check(sent)?;
    Ok(sent)
}

/// Rows that are none.
#[cfg(feature = "nats")]
#[derive(Default)]
struct Bad {
    n: u64,
    first: Option<(Place, BadRow)>,
}

#[cfg(feature = "nats")]
impl Bad {
    fn add(&mut self, path: &Path, line: u64, row: BadRow) {
        self.n += 1;
        self.first.get_or_insert_with(|| (Place::line(path, line), row));
    }

    fn check(self, sent: u64) -> Result<()> {
        let Some((place, row)) = self.first else { return Ok(()) };
        let found = format!(
            "{}; it is the first of {} rows that are no records; the other {sent} are published",
            row.found, self.n
        );
        Err(Error::input(place, found, row.expected))
    }
}
