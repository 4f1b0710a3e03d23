//! The loop that does the work: rows become durable, then known, then alerts.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use shared::error::{Error, Result};
use shared::format::live::{Kind, Record, is_blank, parse_json};
use shared::systemd::Systemd;
use tokio::sync::{oneshot, watch};

use super::args::Args;
use super::delivery::{Delivery, duration};
use super::events::Events;
use super::frame::{Gathered, Origin};
use super::intake::Intake;
use super::saved::Saved;
use super::tracking::Tracking;
use super::trouble::{Trouble, Writer};
use crate::core::alerts::Transition;
use crate::core::external::External;
use crate::core::feeds::{self, Live};
use crate::core::summary::alert_view;
use crate::core::time::Micros;
use crate::serve::{IngestBatch, IngestReply};
use crate::source::watch::Watch;
use crate::state::store::Store;
use crate::view::View;

/// A view is made at most so often, unless an alert has changed.
const VIEW_EVERY: Duration = Duration::from_millis(500);

/// A view takes so much of the time at the most: where it is dear to make, it is made less often.
const VIEW_SHARE: u32 = 10;

/// Frames of files that are taken before anything else is looked at.
const FRAMES_AT_ONCE: usize = 16;

/// What the loop is asked to do.
pub enum Order {
    /// Take records in.
    Ingest(IngestBatch),
    /// Take rows of standard input in: a whole frame. Its reader goes on when it has the answer.
    Rows(Gathered, Kind, Sender<()>),
    /// Standard input has ended.
    InputEnded,
    /// Use another configuration: flags, and the name of the project.
    Reload(Box<(Args, Option<String>)>, oneshot::Sender<std::result::Result<(), String>>),
    /// End.
    Stop,
}

/// Everything that the loop owns.
pub struct Watcher {
    /// The flags.
    pub args: Args,
    /// The durable state.
    pub store: Store,
    /// The state.
    pub saved: Saved,
    /// The files.
    pub intake: Intake,
    /// What goes out.
    pub delivery: Delivery,
    /// What goes to `MLflow`.
    pub tracking: Tracking,
    /// The event log.
    pub events: Events,
    /// Hints of the file system, and of whoever sends an order.
    pub hints: Watch,
    /// Orders.
    pub orders: Receiver<Order>,
    /// Who wants to see.
    pub view: watch::Sender<Arc<View>>,
    /// Whom to tell that this lives.
    pub systemd: Systemd,
    /// Whether the state can be kept.
    pub trouble: Trouble,
    /// Rows of standard input that wait for the disk.
    pub pushed: Option<(Vec<u8>, Sender<()>)>,
    /// Whether standard input may bring more.
    pub input_open: bool,
    /// Since when rows have been read, for the idle time of feeds.
    pub started: Instant,
}

/// Times that the loop keeps.
struct Clock {
    view: Option<Instant>,
    view_cost: Duration,
    snapshot: Instant,
    alive: Instant,
    arrived: Instant,
}

impl Watcher {
    /// Works until it is asked to stop, then leaves everything as a later start wants it.
    ///
    /// # Errors
    /// If the last snapshot cannot be written.
    pub fn run(mut self) -> Result<()> {
        let now = Instant::now();
        let mut clock = Clock { view: None, view_cost: Duration::ZERO, snapshot: now, alive: now, arrived: now };
        loop {
            let stop = self.take_orders(&mut clock);
            self.push_again();
            let more = self.take_files(&mut clock);
            self.take_points();
            self.tick();
            self.trouble.look(&self.args.state, wall());
            self.write_events();
            self.send();
            self.show(&mut clock, false);
            self.keep(&mut clock);
            self.live(&mut clock);
            if stop || (self.args.until_caught_up && !more && self.is_caught_up()) {
                break;
            }
            if !more {
                self.hints
                    .wait(duration(self.args.poll_interval).clamp(Duration::from_millis(10), Duration::from_hours(1)));
            }
        }
        self.end(&mut clock)
    }

    fn is_caught_up(&self) -> bool {
        self.intake.is_caught_up() && !self.input_open && self.pushed.is_none() && !self.trouble.is_on()
    }

    fn end(mut self, clock: &mut Clock) -> Result<()> {
        self.systemd.stopping("writing the state");
        self.send();
        self.show(clock, true);
        let kept = self.snapshot();
        self.delivery.stop();
        self.tracking.stop();
        kept
    }

    /// Does what was asked for; whether to stop.
    fn take_orders(&mut self, clock: &mut Clock) -> bool {
        let mut batches = Vec::new();
        let mut stop = false;
        loop {
            match self.orders.try_recv() {
                Ok(Order::Ingest(batch)) => batches.push(batch),
                Ok(Order::Rows(gathered, kind, done)) => {
                    clock.arrived = Instant::now();
                    let frame = gathered.frame(Origin::Pushed(kind), None);
                    self.pushed = frame.ok().map(|frame| (frame, done));
                    self.push();
                }
                Ok(Order::InputEnded) => self.input_open = false,
                Ok(Order::Reload(configuration, reply)) => {
                    let (args, project) = *configuration;
                    let outcome = self.reload(args, project.as_deref()).map_err(|error| error.to_string());
                    // Who asked may be gone.
                    _ = reply.send(outcome);
                }
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => stop = true,
                Err(TryRecvError::Empty) => break,
            }
            if stop {
                break;
            }
        }
        if !batches.is_empty() {
            clock.arrived = Instant::now();
            self.ingest(batches);
        }
        stop
    }

    /// Rows of standard input cannot be read again: they wait until they are durable, and its reader waits with them.
    fn push(&mut self) {
        let Some((frame, done)) = self.pushed.take() else { return };
        match self.commit(&frame, Writer::Input) {
            // A reader that is gone reads no more.
            Ok(()) => _ = done.send(()),
            Err(error) => {
                tracing::error!(%error, "rows of standard input wait for the disk");
                self.pushed = Some((frame, done));
            }
        }
    }

    fn push_again(&mut self) {
        if !self.trouble.must_wait() {
            self.push();
        }
    }

    /// Makes batches durable, each kind in one frame, and answers.
    fn ingest(&mut self, batches: Vec<IngestBatch>) {
        for batch in batches {
            let mut gathered = Gathered::default();
            let reply = match rows(&batch, &mut gathered) {
                Err(reply) => reply,
                Ok(rejected) if gathered.is_empty() => IngestReply::Accepted { records: 0, rejected },
                Ok(rejected) => {
                    let records = gathered.records;
                    let kept = gathered
                        .frame(Origin::Pushed(batch.kind), None)
                        .and_then(|frame| self.commit(&frame, Writer::Other));
                    match kept {
                        Ok(()) => IngestReply::Accepted { records, rejected },
                        Err(error) => IngestReply::Unavailable(error.to_string()),
                    }
                }
            };
            // A client that hung up sends again, and its rows are known.
            _ = batch.reply.send(reply);
        }
    }

    /// Makes what was appended to files durable and known; whether there may be more.
    fn take_files(&mut self, clock: &mut Clock) -> bool {
        if self.trouble.must_wait() {
            return false;
        }
        for _ in 0..FRAMES_AT_ONCE {
            let next = match self.intake.next_frame() {
                Ok(Some(next)) => next,
                Ok(None) => return false,
                Err(error) => {
                    self.failed(&error);
                    return false;
                }
            };
            clock.arrived = Instant::now();
            if let Err(error) = self.commit(&next.frame, Writer::Files) {
                self.failed(&error);
                return false;
            }
        }
        true
    }

    fn failed(&mut self, error: &Error) {
        self.intake.rewind(&self.saved.positions);
        tracing::error!(%error, "records wait for the disk");
    }

    /// Makes a frame durable, then gives it to the engine.
    fn commit(&mut self, frame: &[u8], writer: Writer) -> Result<()> {
        if let Err(error) = self.store.append(frame) {
            self.trouble.failed(writer, frame.len(), &error.to_string(), wall());
            return Err(error);
        }
        self.trouble.kept(writer, wall());
        let first = self.saved.events;
        let transitions = self.saved.apply(frame)?;
        self.note(&transitions, first);
        Ok(())
    }

    /// Writes down what began or ended.
    fn note(&mut self, transitions: &[Transition], first: u64) {
        for transition in transitions {
            match transition {
                Transition::Fired(record) => {
                    tracing::info!(id = record.id, alert = record.name(), reason = record.reason, "fired");
                }
                Transition::Resolved(record) => tracing::info!(id = record.id, alert = record.name(), "resolved"),
            }
        }
        self.events.add(transitions, first);
        self.write_events();
    }

    /// Writes what waits for the event log.
    fn write_events(&mut self) {
        if let Err(error) = self.events.write() {
            tracing::error!(%error, "the event log cannot be written; what it lacks is written later");
        }
    }

    /// Values that `MLflow` gave.
    fn take_points(&mut self) {
        let mut gathered = Gathered::default();
        for point in self.tracking.points() {
            let found = External { value: point.value, time: point.time.as_microsecond(), step: point.step };
            gathered.external(&point.name, found);
        }
        if gathered.is_empty() {
            return;
        }
        match gathered.frame(Origin::Tracking, None).and_then(|frame| self.commit(&frame, Writer::Other)) {
            Ok(()) => self.tracking.kept(),
            Err(error) => tracing::error!(%error, "values of MLflow wait for the disk"),
        }
    }

    /// Lets the wall clock speak of feeds; what it says is made durable first, so that a restart does not say it again.
    fn tick(&mut self) {
        let engine = &self.saved.engine;
        let wall = wall();
        let mut alerts = engine.alerts.clone();
        let live = Live { predictions: true, actuals: true };
        let gaps = &engine.observation_gaps;
        if feeds::stale(&engine.boards, gaps, engine.time, &mut alerts, &engine.settings, wall, live).is_empty() {
            return;
        }
        if let Ok(frame) = Gathered::default().frame(Origin::Clock(wall), None)
            && let Err(error) = self.commit(&frame, Writer::Other)
        {
            tracing::error!(%error, "an alert on feeds waits for the disk");
        }
    }

    fn send(&mut self) {
        if let Err(error) = self.delivery.tell(&self.saved.engine.alerts, self.trouble.alert()) {
            tracing::error!(%error, "an alert cannot be queued");
        }
        if let Err(error) = self.tracking.log(&self.saved.engine) {
            tracing::error!(%error, "metrics cannot be queued for MLflow");
        }
    }

    /// Shows the state to whoever looks, not too often.
    fn show(&mut self, clock: &mut Clock, at_once: bool) {
        let pause = VIEW_EVERY.max(clock.view_cost * VIEW_SHARE);
        if !at_once && clock.view.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        let start = Instant::now();
        let mut view = self.saved.engine.view();
        view.feeds = self.intake.feeds();
        for feed in &mut view.feeds {
            feed.idle_seconds = Some(clock.arrived.elapsed().as_secs_f64());
        }
        view.receivers = self.delivery.health().chain(self.tracking.health()).collect();
        view.alerts.splice(0..0, self.trouble.alert().map(alert_view));
        view.not_ready = self.trouble.reason().map(str::to_owned).into_iter().chain(self.events.trouble()).collect();
        if !self.intake.is_caught_up() {
            view.not_ready.push("the sources are not read to their ends".to_owned());
        }
        view.ready = view.not_ready.is_empty();
        self.view.send_replace(Arc::new(view));
        (clock.view, clock.view_cost) = (Some(Instant::now()), start.elapsed());
    }

    fn keep(&mut self, clock: &mut Clock) {
        if clock.snapshot.elapsed() >= duration(self.args.snapshot_interval) {
            clock.snapshot = Instant::now();
            if let Err(error) = self.snapshot() {
                tracing::error!(%error, "no snapshot could be kept; the journal has it all");
            }
        }
    }

    fn snapshot(&mut self) -> Result<()> {
        let last = self.store.last();
        // What the event log lacks is made again from the frames after a snapshot.
        if self.events.trouble().is_some() {
            return Ok(());
        }
        self.store.snapshot_with(last, |out| self.saved.write_to(out))
    }

    fn live(&mut self, clock: &mut Clock) {
        if self.systemd.alive_every().is_some_and(|every| clock.alive.elapsed() >= every / 2) {
            clock.alive = Instant::now();
            self.systemd.alive();
        }
    }

    /// Keeps the settings with the state, before there is anything that they judge.
    pub fn settle(&mut self) {
        if let Err(error) = self.snapshot() {
            tracing::error!(%error, "the settings wait for the disk");
        }
    }

    /// Takes another configuration; what was wrong with it leaves the old one in place.
    fn reload(&mut self, args: Args, project: Option<&str>) -> Result<()> {
        let intake = Intake::new(&args, &self.saved.positions)?;
        let delivery = Delivery::start(&args, project)?;
        let tracking = Tracking::start(&args, &self.saved.engine.external)?;
        if let Some(what) = self.events.trouble() {
            return Err(Error::Environment { what, help: Some("make room for it, and reload again".to_owned()) });
        }
        // Frames are judged by the settings that held when they came, also after a crash, and by whoever reads the folder.
        let old = std::mem::replace(&mut self.saved.engine.settings, args.watch.settings());
        if let Err(error) = self.snapshot() {
            self.saved.engine.settings = old;
            return Err(error);
        }
        std::mem::replace(&mut self.delivery, delivery).stop();
        std::mem::replace(&mut self.tracking, tracking).stop();
        self.intake = intake;
        self.args = args;
        Ok(())
    }

    /// Where the event log stands.
    pub fn events_path(args: &Args) -> PathBuf {
        args.write_events.clone().unwrap_or_else(|| args.state.join("events.jsonl"))
    }
}

/// The time of the wall clock.
fn wall() -> Micros {
    Timestamp::now().as_microsecond()
}

/// Reads the rows of a batch; the lines that are none, with why, or the answer to a client that may not send them.
pub(crate) fn rows(
    batch: &IngestBatch,
    gathered: &mut Gathered,
) -> std::result::Result<Vec<(u64, String)>, IngestReply> {
    let mut rejected = Vec::new();
    for (line, number) in batch.body.split(|byte| *byte == b'\n').zip(1..) {
        if is_blank(line) {
            continue;
        }
        let parsed = parse_json(batch.kind, line, None);
        match &parsed {
            Ok(row) => {
                if let (Record::Prediction(prediction), Some(allowed)) = (&row.record, &batch.allowed_models)
                    && !allowed.iter().any(|model| *model == prediction.model)
                {
                    return Err(IngestReply::Forbidden(format!(
                        "line {number}: model {:?} is not this token's",
                        prediction.model
                    )));
                }
                gathered.add(batch.kind, &parsed);
            }
            Err(bad) => rejected.push((number, bad.to_string())),
        }
    }
    Ok(rejected)
}
