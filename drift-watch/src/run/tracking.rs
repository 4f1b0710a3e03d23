//! The daemon and `MLflow`: metrics of closed steps go there, metrics of others come from there, each on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use shared::alert::ReceiverView;
use shared::error::Result;
use shared::metric::Metric;
use shared::mlflow::{Config, Deliverer, LIMITS, Tracker};
use shared::outbox::Outbox;

use super::args::Args;
use super::delivery::duration;
use crate::core::board::Board;
use crate::core::engine::Engine;
use crate::core::external::Externals;
use crate::core::rule::Operand;
use crate::core::step::EVERYONE;
use crate::core::time::timestamp;
use crate::mlflow::{ExternalPoint, LiveMetric, Seen, Sink, Watched, poll};

/// The metrics that are logged for each closed step and bucket of horizons.
const LOGGED: [Metric; 7] =
    [Metric::Mape, Metric::Wape, Metric::Mae, Metric::Rmse, Metric::Bias, Metric::Da, Metric::Coverage];

/// The longest sleep of a thread that may be asked to stop.
const LOOK: Duration = Duration::from_millis(200);

/// What goes to `MLflow` and what comes from it.
pub struct Tracking {
    sink: Option<(Sink, Deliverer)>,
    /// Steps of each version that were put into the queue.
    logged: BTreeMap<(String, String), u64>,
    points: Option<Receiver<Vec<ExternalPoint>>>,
    /// Points that are not durable yet.
    waiting: Vec<ExternalPoint>,
    threads: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Tracking {
    /// Starts what is configured; metrics are asked for what is newer than the values that are known.
    ///
    /// # Errors
    /// If a metric to watch is none, or there is no server where one is needed.
    pub fn start(args: &Args, known: &Externals) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut all = Self {
            sink: None,
            logged: BTreeMap::new(),
            points: None,
            waiting: Vec::new(),
            threads: Vec::new(),
            stop: Arc::clone(&stop),
        };
        let watched = watched(args)?;
        if args.mlflow_experiment.is_none() && watched.is_empty() {
            return Ok(all);
        }
        let config = Config::from_env()?;
        // Says at once where no server is named.
        Tracker::new(&config, LIMITS)?;
        if let Some(experiment) = &args.mlflow_experiment {
            let sink = Sink::new(Outbox::new(args.state.join("mlflow")), experiment.clone());
            let own = sink.clone();
            let deliverer = Deliverer::start(config.clone(), move |tracker| own.deliver(tracker))?;
            all.sink = Some((sink, deliverer));
        }
        if !watched.is_empty() {
            let (sender, points) = channel();
            let interval = duration(args.mlflow_interval).max(Duration::from_secs(1));
            let seen = seen(known);
            all.spawn("from mlflow", move || ask(&watched, &config, interval, seen, &sender, &stop));
            all.points = Some(points);
        }
        Ok(all)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) {
        self.threads.extend(std::thread::Builder::new().name(name.to_owned()).spawn(run).ok());
    }

    /// Queues the metrics of steps that were closed since.
    ///
    /// # Errors
    /// If the queue cannot be written; they are queued the next time.
    pub fn log(&mut self, engine: &Engine) -> Result<()> {
        let Some((sink, deliverer)) = &self.sink else { return Ok(()) };
        for board in &engine.boards {
            let key = (board.model.clone(), board.version.clone());
            let done = self.logged.get(&key).copied().unwrap_or(0);
            if board.n_closed > done {
                sink.put(&values(board, done))?;
                self.logged.insert(key, board.n_closed);
                deliverer.wake();
            }
        }
        Ok(())
    }

    /// How the server fares that metrics are logged to.
    pub fn health(&self) -> Option<ReceiverView> {
        self.sink.as_ref().map(|(_, deliverer)| deliverer.health())
    }

    /// What has come and is not kept yet.
    pub fn points(&mut self) -> &[ExternalPoint] {
        self.waiting.extend(self.points.iter().flat_map(Receiver::try_iter).flatten());
        &self.waiting
    }

    /// Notes that what has come is kept.
    pub fn kept(&mut self) {
        self.waiting.clear();
    }

    /// Ends the threads; what waits stays in the queue.
    pub fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some((_, deliverer)) = self.sink {
            deliverer.stop();
        }
        // A thread that failed has said so.
        self.threads.into_iter().for_each(|thread| drop(thread.join()));
    }
}

/// The values of the steps closed after the first `done`.
fn values(board: &Board, done: u64) -> Vec<LiveMetric> {
    let fresh = usize::try_from(board.n_closed - done).unwrap_or(usize::MAX);
    let steps = board.newest(fresh);
    let first = board.n_closed - steps.len() as u64;
    let mut all = Vec::new();
    for (target, number) in steps.into_iter().zip(first..) {
        for bucket in board.buckets.keys() {
            let found = LOGGED
                .iter()
                .filter_map(|metric| Some((metric, board.at_step(target, Some(*bucket), EVERYONE, *metric)?)));
            all.extend(found.map(|(metric, value)| LiveMetric {
                model: board.model.clone(),
                version: board.version.clone(),
                metric: format!("live/{}/h{bucket}", metric.key()),
                value,
                time: timestamp(target),
                step: i64::try_from(number).unwrap_or(i64::MAX),
            }));
        }
    }
    all
}

/// The metrics that are asked for: those of the flags, and those that rules watch.
///
/// # Errors
/// If one of them is none.
pub fn watched(args: &Args) -> Result<Vec<Watched>> {
    let of_rules = args.watch.rule.iter().filter_map(|rule| match &rule.operand {
        Operand::Mlflow(name) => Some(name),
        Operand::Metric(_) => None,
    });
    let names: BTreeSet<&String> = args.mlflow_metric.iter().chain(of_rules).collect();
    names.into_iter().map(|name| Watched::parse(name)).collect()
}

fn seen(known: &Externals) -> Seen {
    let mut seen = Seen::default();
    known.iter().for_each(|(name, found)| seen.note(name, found.time / 1000, found.step));
    seen
}

fn ask(
    watched: &[Watched],
    config: &Config,
    interval: Duration,
    mut seen: Seen,
    sender: &Sender<Vec<ExternalPoint>>,
    stop: &AtomicBool,
) {
    let mut left = Duration::ZERO;
    while !stop.load(Ordering::SeqCst) {
        if !left.is_zero() {
            std::thread::sleep(LOOK.min(left));
            left = left.saturating_sub(LOOK);
            continue;
        }
        left = interval;
        let Ok(tracker) = Tracker::new(config, LIMITS) else { continue };
        let polled = poll(watched, &seen, &tracker);
        for (name, why) in &polled.failures {
            tracing::warn!(metric = name, why, "a metric of MLflow cannot be read");
        }
        seen = polled.seen;
        if !polled.points.is_empty() && sender.send(polled.points).is_err() {
            return;
        }
    }
}
