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
use crate::core::alerts::{Alerts, Record};
use crate::core::time::{Micros, text};
use crate::view::AlertKind;

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

/// The labels that arguments of hooks may name.
const LABELS: [&str; 5] = ["model", "version", "metric", "rule", "feed"];

/// What goes out.
pub struct Delivery {
    couriers: Vec<Runner>,
    managers: Vec<Manager>,
    evidence: PathBuf,
    put: BTreeSet<String>,
    stop: Arc<AtomicBool>,
}

/// A receiver with its queue and its thread.
struct Runner {
    name: String,
    outbox: Outbox,
    /// Says that something waits, or what cannot wait in the queue.
    wake: Sender<Option<Message>>,
    thread: Option<JoinHandle<()>>,
}

/// An Alertmanager with its thread.
struct Manager {
    alerts: Arc<Mutex<Vec<Alert>>>,
    wake: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Delivery {
    /// Starts the threads of the configured receivers; queues lie in the state folder.
    ///
    /// # Errors
    /// If a receiver is not one.
    pub fn start(args: &Args) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let queues = args.state.join("outbox");
        let receivers = receivers(args)?;
        let managers = managers(args)?;
        let courier =
            |(receiver, seed): (Receiver, u64)| Runner::start(Courier::new(receiver, &queues, seed), Arc::clone(&stop));
        let resend = duration(args.resend);
        Ok(Self {
            couriers: receivers.into_iter().zip(1..).map(courier).collect(),
            managers: managers.into_iter().map(|manager| Manager::start(manager, resend, Arc::clone(&stop))).collect(),
            evidence: absolute(&args.state.join("evidence")),
            put: BTreeSet::new(),
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
            let key = key(record.to_alert());
            if self.put.contains(&key) {
                continue;
            }
            if record.ended_at.is_none() || self.was_told(record, now)? {
                self.queue(record, now)?;
            }
            self.put.insert(key);
        }
        Ok(())
    }

    fn say_at_once(&mut self, record: &Record, now: Timestamp) -> Result<()> {
        if !self.put.insert(key(record.to_alert())) {
            return Ok(());
        }
        let transition = Transition::new(SOURCE, record.to_alert(), payload(record, &self.evidence));
        for runner in self.couriers.iter().filter(|runner| runner.wants(record)) {
            _ = runner.wake.send(Some(transition.message(&runner.name, now)?));
        }
        Ok(())
    }

    fn queue(&self, record: &Record, now: Timestamp) -> Result<()> {
        self.queue_as(record, now, |runner| runner.wants(record))
    }

    fn queue_as(&self, record: &Record, now: Timestamp, wants: impl Fn(&Runner) -> bool) -> Result<()> {
        self.keep_evidence(record)?;
        let transition = Transition::new(SOURCE, record.to_alert(), payload(record, &self.evidence));
        for runner in self.couriers.iter().filter(|runner| wants(runner)) {
            runner.outbox.put(&transition.message(&runner.name, now)?)?;
            _ = runner.wake.send(None);
        }
        Ok(())
    }

    /// Whether receivers are told that an alert fired which has ended. One that began and ended unseen, as while the daemon was down, is told
    /// now; one that feeds inhibited ends in silence, unless it was told in this life of the daemon or in an earlier one.
    fn was_told(&self, record: &Record, now: Timestamp) -> Result<bool> {
        let beginning = Record { ended_at: None, ..record.clone() };
        let key = key(beginning.to_alert());
        if self.put.contains(&key) {
            return Ok(true);
        }
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
        let current: Vec<Alert> = alerts.firing().chain(alerts.ended()).chain(of_state).map(Record::to_alert).collect();
        for manager in &self.managers {
            let mut shown = manager.alerts.lock().unwrap_or_else(PoisonError::into_inner);
            if *shown != current {
                shown.clone_from(&current);
                _ = manager.wake.send(());
            }
        }
    }

    /// Writes the evidence bundle that a re-benchmark is given.
    fn keep_evidence(&self, record: &Record) -> Result<()> {
        let path = evidence_path(&self.evidence, record);
        if record.key.kind == AlertKind::Feed || path.exists() {
            return Ok(());
        }
        fsio::create_folder(&self.evidence)?;
        let bundle = bundle(record);
        let bytes = serde_json::to_vec_pretty(&bundle).unwrap_or_default();
        fsio::write_atomic(&path, &bytes)
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

impl Runner {
    fn start(courier: Courier, stop: Arc<AtomicBool>) -> Self {
        let (wake, inbox) = channel();
        let (name, outbox) = (courier.receiver().name().to_owned(), courier.outbox().clone());
        let thread =
            std::thread::Builder::new().name(format!("to {name}")).spawn(move || deliver(courier, &inbox, &stop));
        Self { name, outbox, wake, thread: thread.ok() }
    }

    /// Re-benchmarks are asked for where a model drifts; all else takes everything.
    fn wants(&self, record: &Record) -> bool {
        self.name != REBENCH || (record.key.kind == AlertKind::Drift && record.ended_at.is_none())
    }
}

fn deliver(mut courier: Courier, inbox: &Inbox<Option<Message>>, stop: &AtomicBool) {
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
                round.wait
            }
            Err(error) => {
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
    fn start(client: Alertmanager, resend: Duration, stop: Arc<AtomicBool>) -> Self {
        let (wake, inbox) = channel();
        let alerts = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&alerts);
        let run =
            move || post(&client, Resender::new(resend, shared::alert::DEFAULT_RESOLVED_RESEND), &shown, &inbox, &stop);
        let thread = std::thread::Builder::new().name("to alertmanager".to_owned()).spawn(run);
        Self { alerts, wake, thread: thread.ok() }
    }
}

fn post(
    client: &Alertmanager,
    mut resender: Resender,
    shown: &Mutex<Vec<Alert>>,
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
                    resender.sent(&alerts, &due, now);
                }
                Err(error) => {
                    tracing::warn!(manager = client.origin(), %error, "alerts wait");
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

/// What receivers are told besides the alert.
fn payload(record: &Record, evidence: &Path) -> Value {
    let mut value = bundle(record);
    if record.key.kind == AlertKind::Drift {
        value["evidence"] = json!(evidence_path(evidence, record));
    }
    value
}

/// What makes a transition the same one.
fn key(alert: Alert) -> String {
    Transition::new(SOURCE, alert, Value::Null).key()
}

/// A program of the team may work in another folder.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn evidence_path(folder: &Path, record: &Record) -> PathBuf {
    folder.join(format!("{}.json", record.id))
}

/// The evidence bundle (format 4.9): what an alarm hands to whoever looks into it.
pub fn bundle(record: &Record) -> Value {
    json!({
        "schema": "drift-watch/evidence/1",
        "alert_id": record.id,
        "model": record.key.model,
        "version": record.key.version,
        "subject": record.key.subject,
        "fired_at": text(record.fired_at),
        "window": {"from": record.change_since.map(text), "to": record.target.map(text)},
        "reason": record.reason,
        "findings": record.findings,
        "attribution": record.drivers,
    })
}
