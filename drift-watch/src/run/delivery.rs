//! What goes out: the event log, a queue and a thread for each receiver, Alertmanagers, re-benchmarks.
//!
//! Everything is driven by the alerts as they are, and everything can be repeated: a message is known by alert and status.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Inbox, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::alert::{
    Alert, Alertmanager, Auth, Channel, Command, Courier, Format, Limits, Network, Outcome, Receiver, Resender,
    Transition, Webhook,
};
use shared::error::Result;
use shared::fsio;
use shared::outbox::{Message, Outbox};
use shared::secret::Secret;

use super::args::Args;
use super::evidence::Evidence;
use super::health::{Attempt, Health};
use crate::core::alerts::{Alerts, Record};
use crate::core::time::Micros;
use crate::view::{AlertKind, ReceiverView};

/// The longest that a thread sleeps before it looks for work.
const LOOK: Duration = Duration::from_millis(500);

/// What cannot wait in a queue is tried again so often.
const URGENT: Duration = Duration::from_secs(5);

/// So much of it is kept, the newest.
const MOST_URGENT: usize = 16;

/// The tool, as receivers know it.
const SOURCE: &str = "drift-watch";

/// The receiver that asks for re-benchmarks.
const REBENCH: &str = "rebench";

/// The label with the name of the project.
const PROJECT: &str = "project";

/// The labels that arguments of hooks may name.
const LABELS: [&str; 6] = [PROJECT, "model", "version", "metric", "rule", "feed"];

/// What goes out.
pub struct Delivery {
    couriers: Vec<Runner>,
    managers: Vec<Manager>,
    evidence: PathBuf,
    project: Option<String>,
    put: Put,
    stop: Arc<AtomicBool>,
}

/// A receiver with its queue and its thread.
struct Runner {
    name: String,
    outbox: Outbox,
    health: Health,
    /// Says that something waits, or what cannot wait in the queue.
    wake: Sender<Option<Message>>,
    thread: Option<JoinHandle<()>>,
}

/// An Alertmanager with its thread.
struct Manager {
    alerts: Arc<Mutex<Vec<Alert>>>,
    health: Health,
    wake: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Delivery {
    /// Starts the threads of the configured receivers; queues lie in the state folder. Alerts carry the name of the project.
    ///
    /// # Errors
    /// If a receiver is not one.
    pub fn start(args: &Args, project: Option<&str>) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let queues = args.state.join("outbox");
        let receivers = receivers(args)?;
        let managers = managers(args)?;
        let courier =
            |(receiver, seed): (Receiver, u64)| Runner::start(Courier::new(receiver, &queues, seed), Arc::clone(&stop));
        let resend = duration(args.resend);
        Ok(Self {
            couriers: receivers.into_iter().zip(1..).map(courier).collect(),
            managers: (managers.into_iter().zip(1..))
                .map(|(manager, number)| Manager::start(manager, number, resend, Arc::clone(&stop)))
                .collect(),
            evidence: absolute(&args.state.join("evidence")),
            project: project.map(ToOwned::to_owned),
            put: Put::default(),
            stop,
        })
    }

    /// Queues what receivers are not told yet. Alerts that feeds inhibit wait until these are healthy again. The alert `of_state` says that the
    /// state folder, in which the queues lie, cannot be written: it goes past them.
    ///
    /// # Errors
    /// If a queue cannot be written; what is left is queued the next time.
    pub fn tell(&mut self, alerts: &Alerts, of_state: Option<&Record>) -> Result<()> {
        let now = Timestamp::now();
        self.show_managers(alerts, of_state);
        if let Some(record) = of_state {
            self.say_at_once(record, now)?;
        }
        let firing = alerts
            .firing()
            .filter(|record| record.key.kind == AlertKind::Feed || !alerts.is_inhibited(&record.key.model));
        for record in firing.chain(alerts.ended()) {
            if self.put.has(record) {
                continue;
            }
            if record.ended_at.is_none() || self.was_told(record, now)? {
                self.queue(record, alerts, now)?;
            }
            self.put.note(record);
        }
        Ok(())
    }

    fn say_at_once(&mut self, record: &Record, now: Timestamp) -> Result<()> {
        if self.put.has(record) {
            return Ok(());
        }
        self.put.note(record);
        let evidence = Evidence::of(record, self.project.as_deref());
        let transition = Transition::new(SOURCE, self.alert(record), self.payload(&evidence));
        for runner in self.couriers.iter().filter(|runner| runner.name != REBENCH) {
            _ = runner.wake.send(Some(transition.message(&runner.name, now)?));
        }
        Ok(())
    }

    fn queue(&self, record: &Record, alerts: &Alerts, now: Timestamp) -> Result<()> {
        let is_first = self.is_first(record, alerts)?;
        self.queue_as(record, now, |runner| runner.name != REBENCH || is_first)
    }

    fn queue_as(&self, record: &Record, now: Timestamp, wants: impl Fn(&Runner) -> bool) -> Result<()> {
        let evidence = Evidence::of(record, self.project.as_deref());
        self.keep(&evidence)?;
        let transition = Transition::new(SOURCE, self.alert(record), self.payload(&evidence));
        for runner in self.couriers.iter().filter(|runner| wants(runner)) {
            runner.outbox.put(&transition.message(&runner.name, now)?)?;
            _ = runner.wake.send(None);
        }
        Ok(())
    }

    /// Re-benchmarks are asked for where a model drifts, once however many of its metrics show it.
    fn is_first(&self, record: &Record, alerts: &Alerts) -> Result<bool> {
        if record.key.kind != AlertKind::Drift || record.ended_at.is_some() {
            return Ok(false);
        }
        for earlier in alerts.firing().chain(alerts.ended()).filter(|other| is_of_same_drift(other, record)) {
            // One that ended while feeds hid it, or before anybody looked, has asked for nothing.
            if earlier.ended_at.is_none() || self.has_asked(earlier)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether this alert has asked for a re-benchmark, in this life of the daemon or in an earlier one.
    fn has_asked(&self, record: &Record) -> Result<bool> {
        let key = key(&Alert { ends_at: None, ..record.to_alert() });
        let Some(runner) = self.couriers.iter().find(|runner| runner.name == REBENCH) else { return Ok(false) };
        Ok(runner.outbox.done(&key)? || runner.outbox.pending()?.0.iter().any(|message| message.key == key))
    }

    /// Whether receivers are told that an alert fired which has ended. One that began and ended unseen, as while the daemon was down, is told
    /// now; one that feeds inhibited ends in silence, unless it was told in this life of the daemon or in an earlier one.
    fn was_told(&self, record: &Record, now: Timestamp) -> Result<bool> {
        let beginning = Record { ended_at: None, ..record.clone() };
        if self.put.has(&beginning) {
            return Ok(true);
        }
        let key = key(&beginning.to_alert());
        if !record.inhibited {
            // Where it is known, it is not queued again.
            return self.queue_as(&beginning, now, |runner| runner.name != REBENCH).map(|()| true);
        }
        for runner in &self.couriers {
            if runner.outbox.done(&key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An Alertmanager is shown everything, since one that is no longer shown ends there; its own rules inhibit.
    fn show_managers(&self, alerts: &Alerts, of_state: Option<&Record>) {
        if self.managers.is_empty() {
            return;
        }
        let all = alerts.firing().chain(alerts.ended()).chain(of_state);
        let current: Vec<Alert> = all.map(|record| self.alert(record)).collect();
        for manager in &self.managers {
            let mut shown = manager.alerts.lock().unwrap_or_else(PoisonError::into_inner);
            if *shown != current {
                shown.clone_from(&current);
                _ = manager.wake.send(());
            }
        }
    }

    /// The alert as receivers take it.
    fn alert(&self, record: &Record) -> Alert {
        let mut alert = record.to_alert();
        alert.labels.extend(self.project.iter().map(|project| (PROJECT.to_owned(), project.clone())));
        alert
    }

    /// What receivers are told besides the alert.
    fn payload(&self, evidence: &Evidence) -> Value {
        let mut value = json!(evidence);
        if evidence.kind != AlertKind::Feed {
            value["evidence"] = json!(self.path_of(evidence));
        }
        value
    }

    /// Writes the evidence bundle that a re-benchmark is given.
    fn keep(&self, evidence: &Evidence) -> Result<()> {
        let path = self.path_of(evidence);
        if evidence.kind == AlertKind::Feed || path.exists() {
            return Ok(());
        }
        fsio::create_folder(&self.evidence)?;
        fsio::write_atomic(&path, format!("{:#}\n", json!(evidence)).as_bytes())
    }

    fn path_of(&self, evidence: &Evidence) -> PathBuf {
        self.evidence.join(format!("{}.json", evidence.alert_id))
    }

    /// How the receivers fare.
    pub fn health(&self) -> impl Iterator<Item = ReceiverView> {
        let managers = self.managers.iter().map(|manager| manager.health.view());
        managers.chain(self.couriers.iter().map(|runner| runner.health.view()))
    }

    /// Ends the threads; what waits stays in its queue.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.couriers.iter().for_each(|runner| _ = runner.wake.send(None));
        self.managers.iter().for_each(|manager| _ = manager.wake.send(()));
        let runners = self.couriers.iter_mut().map(|runner| &mut runner.thread);
        for thread in runners.chain(self.managers.iter_mut().map(|manager| &mut manager.thread)) {
            // A thread that failed has said so.
            _ = thread.take().map(JoinHandle::join);
        }
    }
}

/// The identifiers of what receivers were told, or need not be; asked at every turn of the loop.
#[derive(Debug, Default)]
struct Put {
    fired: BTreeSet<String>,
    ended: BTreeSet<String>,
}

impl Put {
    fn has(&self, record: &Record) -> bool {
        let known = if record.ended_at.is_some() { &self.ended } else { &self.fired };
        known.contains(&record.id)
    }

    fn note(&mut self, record: &Record) {
        let known = if record.ended_at.is_some() { &mut self.ended } else { &mut self.fired };
        known.insert(record.id.clone());
    }
}

impl Runner {
    fn start(courier: Courier, stop: Arc<AtomicBool>) -> Self {
        let (wake, inbox) = channel();
        let (name, outbox) = (courier.receiver().name().to_owned(), courier.outbox().clone());
        let health = Health::new(&name);
        let own = health.clone();
        let thread =
            std::thread::Builder::new().name(format!("to {name}")).spawn(move || deliver(courier, &own, &inbox, &stop));
        Self { name, outbox, health, wake, thread: thread.ok() }
    }
}

fn deliver(mut courier: Courier, health: &Health, inbox: &Inbox<Option<Message>>, stop: &AtomicBool) {
    let stopped = || stop.load(Ordering::SeqCst);
    let mut urgent = VecDeque::new();
    loop {
        say(&courier, &mut urgent);
        let wait = match courier.round(&stopped) {
            Ok(round) => {
                for message in &round.delivery.waiting {
                    tracing::warn!(receiver = courier.receiver().name(), error = message.last_error, "an alert waits");
                }
                for message in &round.delivery.refused {
                    tracing::error!(
                        receiver = courier.receiver().name(),
                        error = message.last_error,
                        "an alert was refused"
                    );
                }
                health.note(Attempt::of(&round.delivery), Timestamp::now());
                round.wait
            }
            Err(error) => {
                health.failed(&error.to_string(), 0);
                tracing::error!(receiver = courier.receiver().name(), %error, "the queue cannot be read");
                Some(Duration::from_secs(5))
            }
        };
        let wait = if urgent.is_empty() { wait } else { Some(wait.unwrap_or(URGENT).min(URGENT)) };
        if stopped() {
            return;
        }
        match sleep(inbox, wait) {
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(Some(message)) => urgent.push_back(message),
            Ok(None) | Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Sends what cannot wait in the queue; what its receiver does not take is tried again.
fn say(courier: &Courier, urgent: &mut VecDeque<Message>) {
    while let Some(message) = urgent.front() {
        match courier.receiver().send(message) {
            Outcome::Delivered => {}
            Outcome::Refused(why) => {
                tracing::error!(receiver = courier.receiver().name(), error = why, "an alert was refused");
            }
            Outcome::Later { error, .. } => {
                tracing::warn!(receiver = courier.receiver().name(), %error, "an alert waits");
                urgent.drain(..urgent.len().saturating_sub(MOST_URGENT));
                return;
            }
        }
        urgent.pop_front();
    }
}

/// Sleeps until there is something to do.
fn sleep<T>(inbox: &Inbox<T>, wait: Option<Duration>) -> std::result::Result<T, RecvTimeoutError> {
    match wait {
        Some(wait) => inbox.recv_timeout(wait),
        None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

impl Manager {
    fn start(client: Alertmanager, number: usize, resend: Duration, stop: Arc<AtomicBool>) -> Self {
        let (wake, inbox) = channel();
        let alerts = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&alerts);
        let health = Health::new(&format!("alertmanager-{number}"));
        let own = health.clone();
        let resender = Resender::new(resend, shared::alert::DEFAULT_RESOLVED_RESEND);
        let run = move || post(&client, resender, &shown, &own, &inbox, &stop);
        let thread = std::thread::Builder::new().name("to alertmanager".to_owned()).spawn(run);
        Self { alerts, health, wake, thread: thread.ok() }
    }
}

fn post(
    client: &Alertmanager,
    mut resender: Resender,
    shown: &Mutex<Vec<Alert>>,
    health: &Health,
    inbox: &Inbox<()>,
    stop: &AtomicBool,
) {
    loop {
        let alerts = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = Timestamp::now();
        let due = resender.due(&alerts, now);
        let mut wait = LOOK;
        if !due.is_empty() {
            match client.post(&due) {
                Ok(report) => {
                    for refusal in &report.refused {
                        tracing::error!(manager = client.origin(), ?refusal, "an alert was refused");
                    }
                    let (delivered, refused) = (report.accepted as u64, report.refused.len() as u64);
                    health.note(Attempt { delivered, refused, ..Attempt::default() }, now);
                    resender.sent(&alerts, &due, now);
                }
                Err(error) => {
                    tracing::warn!(manager = client.origin(), %error, "alerts wait");
                    health.failed(&error.to_string(), due.len() as u64);
                    wait = Duration::from_secs(5);
                }
            }
        }
        let is_over = stop.load(Ordering::SeqCst);
        if is_over || sleep(inbox, Some(wait)) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

fn receivers(args: &Args) -> Result<Vec<Receiver>> {
    let network = network(args);
    let signing = args.webhook_secret_file.as_deref().map(Secret::from_file).transpose()?;
    let mut all = Vec::new();
    let mut webhook = |name: String, url: Option<&Secret>, format: Format| -> Result<()> {
        all.push(Receiver::new(&name, Channel::Webhook(Webhook::new(url, format, signing.as_ref(), network)?))?);
        Ok(())
    };
    for (url, number) in args.webhook.iter().zip(1..) {
        webhook(format!("webhook-{number}"), Some(&Secret::new(url.clone())), Format::Generic)?;
    }
    for (path, number) in args.slack_url_file.iter().zip(1..) {
        webhook(format!("slack-{number}"), Some(&Secret::from_file(path)?), Format::Slack)?;
    }
    for (path, number) in args.pagerduty_key_file.iter().zip(1..) {
        webhook(format!("pagerduty-{number}"), None, Format::PagerDuty { routing_key: Secret::from_file(path)? })?;
    }
    for (name, argv) in [("command", &args.on_alert), (REBENCH, &args.rebench)] {
        if !argv.is_empty() {
            let command =
                Command::new(argv.clone(), args.hook_env.clone(), Limits::default())?.with_placeholders(&LABELS)?;
            all.push(Receiver::new(name, Channel::Command(command))?);
        }
    }
    Ok(all)
}

fn managers(args: &Args) -> Result<Vec<Alertmanager>> {
    let token = args.alertmanager_token_file.as_deref().map(Secret::from_file).transpose()?;
    let auth = token.map_or(Auth::None, Auth::Bearer);
    args.alertmanager.iter().map(|url| Alertmanager::new(url, auth.clone(), network(args))).collect()
}

fn network(args: &Args) -> Network {
    Network { allow_link_local: args.allow_link_local, ..Network::default() }
}

/// Whether the receivers could be set up; starts nothing.
///
/// # Errors
/// What is wrong with them.
pub fn check(args: &Args) -> Result<usize> {
    Ok(receivers(args)?.len() + managers(args)?.len())
}

/// A length of time for the clocks of threads.
pub fn duration(micros: Micros) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Whether the other alert began before this one and still fired then, on the same version of a model.
fn is_of_same_drift(other: &Record, record: &Record) -> bool {
    let of = |record: &Record| (record.key.kind, record.key.model.clone(), record.key.version.clone());
    let is_earlier = (other.fired_at, &other.key) < (record.fired_at, &record.key);
    is_earlier && of(other) == of(record) && other.ended_at.is_none_or(|end| end >= record.fired_at)
}

/// What makes a transition the same one.
fn key(alert: &Alert) -> String {
    Transition::new(SOURCE, alert.clone(), Value::Null).key()
}

/// A program of the team may work in another folder.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
