//! `drift-watch run`: the daemon.
//!
//! One thread owns the state ([`watcher`]); the server and the signals send it orders, receivers have threads of their own. Records are durable
//! ([`frame`], `state`) before they are known or acknowledged.

pub mod args;
pub mod delivery;
pub mod events;
pub mod evidence;
pub mod frame;
pub mod intake;
pub mod saved;
pub mod tracking;
pub mod trouble;
pub mod watcher;

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use jiff::Timestamp;
use shared::Exit;
use shared::cli::{Context, note, parse_from};
use shared::error::{Error, Result};
use shared::format::live::Kind;
use shared::systemd::Systemd;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::args::{Cli, Command};
use crate::replay::names_of;
use crate::serve::{self, IngestToken, Options, ReloadRequest, Reloads, Secret, Server};
use crate::source::Lines;
use crate::source::watch::{Waker, Watch};
use crate::state::store::Store;
use crate::view::View;
use args::Args;
use delivery::Delivery;
use events::Events;
use frame::Gathered;
use intake::Intake;
use saved::{Loaded, Saved};
use tracking::Tracking;
use trouble::Trouble;
use watcher::{Order, Watcher};

/// Batches that may wait for the loop.
const WAITING_BATCHES: usize = 64;

/// How long requests under way may take to end.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Runs the command.
///
/// # Errors
/// On bad configuration, or where the state folder or the address cannot be had.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    if args.nats.nats_url.is_some() {
        crate::fleet::run(args, context)?;
        return Ok(Exit::Ok);
    }
    if args.predictions.is_empty() && args.actuals.is_empty() && args.no_listen {
        return Err(Error::usage("no source of records", "--predictions and --actuals, --listen, or --nats-url").into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Error::Environment { what: format!("no runtime: {error}"), help: None })?;
    runtime.block_on(daemon(args, context))?;
    runtime.shutdown_timeout(GRACE);
    Ok(Exit::Ok)
}

async fn daemon(args: &Args, context: &Context) -> Result<()> {
    let options = options(args)?;
    let listener = listen(args, &options).await?;
    let (view, seen) = watch::channel(Arc::new(View { not_ready: vec!["starting".to_owned()], ..View::default() }));
    let (orders, inbox) = channel();
    let systemd = Systemd::from_env();
    // Reads a journal, and makes clients that block.
    let watcher = tokio::task::block_in_place(|| prepare(args, context, inbox, view, systemd))?;
    let waker = watcher.hints.waker();
    // Before anything is acknowledged: a signal to end would end the process without draining.
    let end = Ends::new()?;
    let stop = CancellationToken::new();
    let reloads = Arc::new(Reloads::started(Timestamp::now()));
    read_stdin(args, &orders, &waker)?;
    let (ingest, batches) = mpsc::channel(WAITING_BATCHES);
    let (reload, requests) = mpsc::channel(1);
    let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let server = listener.map(|listener| {
        let server = Server { view: seen, ingest, reload: reload.clone(), reloads: Arc::clone(&reloads), options };
        tokio::spawn(serve::run(listener, server, stop.clone()))
    });
    let work = std::thread::Builder::new().name("watcher".to_owned()).spawn(move || watcher.run());
    let work = work.map_err(|error| Error::Environment { what: format!("no thread: {error}"), help: None })?;
    let started = args.clone();
    let to = To { orders: orders.clone(), waker: waker.clone() };
    let jobs = [
        tokio::spawn(forward(batches, to.clone())),
        tokio::spawn(reload_when_asked(requests, to.clone(), started, Arc::clone(&reloads), systemd)),
        tokio::spawn(hang_up(reload)?),
    ];
    let place = address.map_or_else(|| "no server".to_owned(), |address| format!("http://{address}"));
    note(&format!("drift-watch: state in {}, {place}", args.state.display()));
    systemd.ready(&place);
    let ended = end.wait(&work).await;
    if !ended {
        to.send(Order::Stop);
    }
    stop.cancel();
    let outcome = tokio::task::spawn_blocking(move || work.join()).await;
    jobs.iter().for_each(tokio::task::JoinHandle::abort);
    if let Some(server) = server {
        // A server that failed to end in time is ended with the process.
        _ = tokio::time::timeout(GRACE, server).await;
    }
    match outcome {
        Ok(Ok(outcome)) => outcome,
        _ => Err(Error::Environment { what: "the watcher ended unexpectedly".to_owned(), help: None }),
    }
}

/// Loads the state and starts what works with it.
fn prepare(
    args: &Args,
    context: &Context,
    orders: std::sync::mpsc::Receiver<Order>,
    view: watch::Sender<Arc<View>>,
    systemd: Systemd,
) -> Result<Watcher> {
    let profiles = args.watch.profiles(&|name| names_of(context, name))?;
    if profiles.is_empty() && args.watch.warm_up.is_none() {
        note(
            "warning: nothing says what is usual of the models' errors (--profile, --manifest or --warm-up): metrics and rules only",
        );
    }
    let (store, start) = Store::open(&args.state)?;
    for repair in &start.repairs {
        note(&format!("warning: {repair}"));
    }
    let settings = args.watch.settings();
    let fresh = || Saved::new(settings.clone(), profiles);
    let loaded = saved::load(start, &args.state, Some(settings.clone()), fresh)?;
    let Loaded { saved, transitions, first_event, is_settled } = loaded;
    let mut events = Events::open(&Watcher::events_path(args))?;
    events.add(&transitions, first_event);
    events.write()?;
    let patterns: Vec<String> =
        args.predictions.iter().chain(&args.actuals).filter(|pattern| *pattern != "-").cloned().collect();
    let mut watcher = Watcher {
        intake: Intake::new(args, &saved.positions)?,
        delivery: Delivery::start(args, context.config.project.as_deref())?,
        tracking: Tracking::start(args, &saved.engine.external)?,
        hints: Watch::new(&patterns, args.poll),
        args: args.clone(),
        store,
        saved,
        events,
        orders,
        view,
        systemd,
        trouble: Trouble::default(),
        pushed: None,
        input_open: args.predictions.iter().chain(&args.actuals).any(|pattern| pattern == "-"),
        started: std::time::Instant::now(),
    };
    if !is_settled {
        watcher.settle();
    }
    Ok(watcher)
}

/// The way to the loop.
#[derive(Clone)]
struct To {
    orders: Sender<Order>,
    waker: Waker,
}

impl To {
    /// Sends an order; whether somebody is there to take it.
    fn send(&self, order: Order) -> bool {
        let sent = self.orders.send(order).is_ok();
        self.waker.wake();
        sent
    }
}

async fn forward(mut batches: mpsc::Receiver<serve::IngestBatch>, to: To) {
    while let Some(batch) = batches.recv().await {
        if !to.send(Order::Ingest(batch)) {
            return;
        }
    }
}

/// Reads the configuration again when asked to; a bad one leaves the old one in place and is said.
async fn reload_when_asked(
    mut requests: mpsc::Receiver<ReloadRequest>,
    to: To,
    started: Args,
    reloads: Arc<Reloads>,
    systemd: Systemd,
) {
    while let Some(request) = requests.recv().await {
        systemd.reloading();
        let outcome = match again(&started) {
            Err(error) => Err(error.to_string()),
            Ok(configuration) => {
                let (reply, answer) = oneshot::channel();
                to.send(Order::Reload(Box::new(configuration), reply));
                answer.await.unwrap_or_else(|_| Err("the daemon is about to stop".to_owned()))
            }
        };
        if let Err(error) = &outcome {
            note(&format!("drift-watch: the configuration stays as it was: {error}"));
        }
        reloads.note(outcome.is_ok(), Timestamp::now());
        systemd.ready(if outcome.is_ok() { "reloaded" } else { "reload failed; the old configuration stays" });
        // Who asked may be gone.
        _ = request.reply.send(outcome);
    }
}

/// The flags and the name of the project, read anew with the file.
fn again(started: &Args) -> anyhow::Result<(Args, Option<String>)> {
    let words: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let parsed = parse_from::<Cli>(&words, &|name| std::env::var_os(name))?;
    match parsed.arguments.command {
        Command::Run(args) => {
            stays(started, &args)?;
            check(&args)?;
            Ok((*args, parsed.context.config.project))
        }
        _ => anyhow::bail!("the command line is not that of a daemon"),
    }
}

/// What a running daemon cannot change must be as it was: to leave it silently as it was would be a surprise.
fn stays(started: &Args, args: &Args) -> Result<()> {
    let same = [
        ("state", started.state == args.state),
        ("listen", (started.listen, started.no_listen) == (args.listen, args.no_listen)),
        ("ingest-token-file", started.ingest_token_file == args.ingest_token_file),
        ("read-token-file", started.read_token_file == args.read_token_file),
        ("host-name", started.host_name == args.host_name),
    ];
    match same.into_iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((flag, _)) => {
            Err(Error::usage(format!("another --{flag}"), "the one that it was started with; a restart changes it"))
        }
    }
}

/// Whether everything that the flags name could be used; starts nothing and changes nothing.
///
/// # Errors
/// What is wrong with them.
pub fn check(args: &Args) -> Result<()> {
    args.watch.profiles(&|name| vec![name.to_owned()])?;
    let options = options(args)?;
    if !args.no_listen {
        serve::check_bind(args.listen, options.has_token())?;
    }
    delivery::check(args)?;
    tracking::watched(args)?;
    Intake::new(args, &std::collections::BTreeMap::new()).map(drop)
}

/// Hands hang-up signals on as requests to reload.
fn hang_up(reload: mpsc::Sender<ReloadRequest>) -> Result<impl Future<Output = ()>> {
    let mut hang_ups = signal(SignalKind::hangup()).map_err(|error| no_signals(&error))?;
    Ok(async move {
        while hang_ups.recv().await.is_some() {
            let (reply, _) = oneshot::channel();
            if reload.send(ReloadRequest { reply }).await.is_err() {
                return;
            }
        }
    })
}

/// Signals to end.
pub(crate) struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    pub(crate) fn new() -> Result<Self> {
        let terminate = signal(SignalKind::terminate()).map_err(|error| no_signals(&error))?;
        let interrupt = signal(SignalKind::interrupt()).map_err(|error| no_signals(&error))?;
        Ok(Self { terminate, interrupt })
    }

    /// Waits for one.
    #[cfg(feature = "nats")]
    pub(crate) async fn signalled(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for one, or for the loop to end by itself; whether it has.
    async fn wait(mut self, work: &std::thread::JoinHandle<Result<()>>) -> bool {
        let mut look = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return false,
                _ = self.interrupt.recv() => return false,
                _ = look.tick() => if work.is_finished() { return true },
            }
        }
    }
}

fn no_signals(error: &std::io::Error) -> Error {
    Error::Environment { what: format!("signals cannot be waited for: {error}"), help: None }
}

pub(crate) async fn listen(args: &Args, options: &Options) -> Result<Option<TcpListener>> {
    if args.no_listen {
        return Ok(None);
    }
    serve::check_bind(args.listen, options.has_token())?;
    let bound = TcpListener::bind(args.listen).await.map_err(|error| Error::Environment {
        what: format!("{}: cannot listen: {error}", args.listen),
        help: Some("--listen ADDRESS takes another address, --no-listen none".to_owned()),
    })?;
    Ok(Some(bound))
}

pub(crate) fn options(args: &Args) -> Result<Options> {
    let token = |text: &String| -> Result<IngestToken> {
        let (models, path) = match text.split_once('=') {
            Some((model, path)) => (Some(vec![model.to_owned()]), path),
            None => (None, text.as_str()),
        };
        Ok(IngestToken { token: Secret::read(path.as_ref())?, models })
    };
    Ok(Options {
        ingest_tokens: args.ingest_token_file.iter().map(token).collect::<Result<_>>()?,
        read_token: args.read_token_file.as_deref().map(Secret::read).transpose()?,
        host_names: args.host_name.clone(),
        ..Options::default()
    })
}

/// Reads standard input, if a source is `-`, on a thread of its own.
fn read_stdin(args: &Args, orders: &Sender<Order>, waker: &Waker) -> Result<()> {
    let kind = match (args.predictions.iter().any(|path| path == "-"), args.actuals.iter().any(|path| path == "-")) {
        (false, false) => return Ok(()),
        (true, false) => Kind::Predictions,
        (false, true) => Kind::Actuals,
        (true, true) => return Err(Error::usage("standard input twice", "`-` for predictions or for actuals")),
    };
    let to = To { orders: orders.clone(), waker: waker.clone() };
    let zone = args.watch.zone.clone();
    let read = move || {
        let mut lines = Lines::new(kind, zone, std::io::stdin());
        while let Ok(true) = push(&mut lines, kind, &to) {}
        to.send(Order::InputEnded);
    };
    let started = std::thread::Builder::new().name("stdin".to_owned()).spawn(read);
    started.map(drop).map_err(|error| Error::Environment { what: format!("no thread: {error}"), help: None })
}

/// Reads a piece of standard input and waits until it is durable, so that no more than that is in memory; whether there may be more.
fn push(lines: &mut Lines<std::io::Stdin>, kind: Kind, to: &To) -> Result<bool> {
    let mut gathered = Gathered::default();
    let more = lines.read(&mut |line| gathered.add(kind, &line.parsed));
    let more = more.inspect_err(|error| tracing::error!(%error, "standard input ends"))?;
    if gathered.is_empty() {
        return Ok(more);
    }
    let (done, durable) = channel();
    Ok(to.send(Order::Rows(gathered, kind, done)) && durable.recv().is_ok() && more)
}
