//! `drift-watch run --nats-url`: a replica of the fleet.

use std::sync::Arc;

use rand::Rng;
use shared::cli::{Context, note};
use shared::error::{Error, Result};
use shared::systemd::Systemd;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::broker::Broker;
use super::coordinate::{Coordinator, Duty};
use super::dump::beginning;
use super::grouped::Grouped;
use super::leader::Leader;
use super::owner::Fresh;
use super::send::Sender;
use super::state::Partition;
use crate::run::args::Args;
use crate::run::delivery::duration;
use crate::run::{Ends, GRACE, listen, options};
use crate::serve::{self, IngestBatch, IngestReply, Reloads, Server};
use crate::view::View;

/// Batches that may wait.
const WAITING_BATCHES: usize = 64;

/// Runs a replica until a signal ends it.
pub(super) fn run(args: &Args, context: &Context) -> Result<()> {
    check(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Environment { what: format!("no runtime: {error}"), help: None })?;
    let outcome = runtime.block_on(replica(args, context));
    runtime.shutdown_timeout(GRACE);
    outcome
}

/// What a replica does not do.
fn check(args: &Args) -> Result<()> {
    args.nats.check()?;
    if !args.predictions.is_empty() || !args.actuals.is_empty() {
        return Err(Error::usage("files beside --nats-url", "records from the broker only")
            .with_help("`drift-watch publish FILE` puts them there"));
    }
    if args.mlflow_experiment.is_some() || !args.mlflow_metric.is_empty() || args.until_caught_up {
        return Err(Error::usage(
            "--mlflow-experiment, --mlflow-metric or --until-caught-up beside --nats-url",
            "a single daemon for these",
        ));
    }
    Ok(())
}

async fn replica(args: &Args, context: &Context) -> Result<()> {
    let options = options(args)?;
    let listener = listen(args, &options).await?;
    let end = Ends::new()?;
    let broker = Broker::connect(&args.nats).await?;
    let name = format!("{:016x}", rand::rng().next_u64());
    let stop = CancellationToken::new();
    let (view, seen) = watch::channel(Arc::new(View { not_ready: vec!["starting".to_owned()], ..View::default() }));
    let (duty, duties) = watch::channel(Duty::default());
    let (grouped, alerts) = watch::channel(Arc::new(Grouped::default()));
    let (receivers, health) = watch::channel(Vec::new());
    let fresh = fresh(args, context)?;
    let every = duration(args.snapshot_interval);
    let coordinator =
        Coordinator::new(broker.clone(), name.clone(), fresh, every, args.watch.fdr, view, duty, alerts, health);
    let leader = Leader {
        broker: broker.clone(),
        args: args.clone(),
        project: context.config.project.clone(),
        duty: duties,
        grouped,
        receivers,
    };
    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let (ingest, batches) = mpsc::channel(WAITING_BATCHES);
    let (reload, mut requests) = mpsc::channel::<serve::ReloadRequest>(1);
    let reloads = Arc::new(Reloads::started(jiff::Timestamp::now()));
    let server = listener.map(|listener| {
        let server = Server { view: seen, ingest, reload, reloads, options };
        tokio::spawn(serve::run(listener, server, stop.clone()))
    });
    let jobs = [
        tokio::spawn(leader.run()),
        tokio::spawn(forward(batches, Sender::new(broker.clone()))),
        tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                // Who asked may be gone.
                _ = request.reply.send(Err("a replica of a fleet is restarted to change its configuration".to_owned()));
            }
        }),
    ];
    let work = tokio::spawn(coordinator.run(stop.clone()));
    let place = address.map_or_else(|| "no server".to_owned(), |address| format!("http://{address}"));
    note(&format!("drift-watch: replica {name}, state in the stream {}, {place}", args.nats.nats_stream));
    let systemd = Systemd::from_env();
    systemd.ready(&place);
    let pulse = tokio::spawn(async move {
        while let Some(every) = systemd.alive_every() {
            systemd.alive();
            tokio::time::sleep(every / 2).await;
        }
    });
    end.signalled().await;
    systemd.stopping("giving partitions back");
    stop.cancel();
    // It ends by itself, or has failed to.
    _ = work.await;
    jobs.iter().for_each(tokio::task::JoinHandle::abort);
    pulse.abort();
    if let Some(server) = server {
        // A server that failed to end in time is ended with the process.
        _ = tokio::time::timeout(GRACE, server).await;
    }
    Ok(())
}

/// How states of partitions begin at this replica, and go on from a snapshot.
fn fresh(args: &Args, context: &Context) -> Result<Arc<Fresh>> {
    let (settings, profiles) = beginning(&args.watch, &args.nats, context)?;
    if profiles.is_empty() && args.watch.warm_up.is_none() {
        note(
            "warning: nothing says what is usual of the models' errors (--profile, --manifest or --warm-up): metrics and rules only",
        );
    }
    Ok(Arc::new(move |bytes: Option<&[u8]>| match bytes {
        None => Ok(Partition::new(settings.clone(), profiles.clone())),
        Some(bytes) => Partition::from_bytes(bytes, settings.clone()),
    }))
}

/// Hands records that came over HTTP to the broker; they are acknowledged when they are there.
async fn forward(mut batches: mpsc::Receiver<IngestBatch>, mut sender: Sender) {
    while let Some(batch) = batches.recv().await {
        let reply = match sender.batch(&batch).await {
            Ok(reply) => reply,
            Err(error) => IngestReply::Unavailable(error.to_string()),
        };
        // A client that hung up sends again, and its rows are known.
        _ = batch.reply.send(reply);
    }
}
