//! What goes out: alerts with their evidence to receivers and Alertmanagers, requests for re-benchmarks.
//!
//! Everything is driven by the alerts as they are, and everything can be repeated: a message is known by alert and status.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::alert::{Alert, Carriers, Receiver, ReceiverView, Transition};
use shared::error::Result;
use shared::fsio;

use super::args::Args;
use super::evidence::Evidence;
use crate::core::alerts::{Alerts, Record};
use crate::core::time::Micros;
use crate::view::AlertKind;

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
    carriers: Carriers,
    evidence: PathBuf,
    project: Option<String>,
    put: Put,
}

impl Delivery {
    /// Starts the threads of the configured receivers; queues lie in the state folder. Alerts carry the name of the project.
    ///
    /// # Errors
    /// If a receiver is not one.
    pub fn start(args: &Args, project: Option<&str>) -> Result<Self> {
        let (receivers, managers) = (receivers(args)?, args.alerts.managers()?);
        Ok(Self {
            carriers: Carriers::start(receivers, managers, &args.state.join("outbox"), args.alerts.resend),
            evidence: absolute(&args.state.join("evidence")),
            project: project.map(ToOwned::to_owned),
            put: Put::default(),
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

    /// Takes these alerts, as they are, for told: by whoever told receivers before.
    pub fn assume(&mut self, alerts: &Alerts) {
        alerts.firing().chain(alerts.ended()).for_each(|record| self.put.note(record));
    }

    /// Messages that wait in queues.
    ///
    /// # Errors
    /// If these cannot be read.
    pub fn n_queued(&self) -> Result<usize> {
        self.carriers.n_queued()
    }

    fn say_at_once(&mut self, record: &Record, now: Timestamp) -> Result<()> {
        if self.put.has(record) {
            return Ok(());
        }
        self.put.note(record);
        let evidence = Evidence::of(record, self.project.as_deref());
        let transition = Transition::new(SOURCE, self.alert(record), self.payload(&evidence));
        self.carriers.say_at_once(&transition, now, is_told_all)
    }

    fn queue(&self, record: &Record, alerts: &Alerts, now: Timestamp) -> Result<()> {
        let is_first = self.is_first(record, alerts)?;
        self.queue_as(record, now, |name| is_told_all(name) || is_first)
    }

    fn queue_as(&self, record: &Record, now: Timestamp, wants: impl Fn(&str) -> bool) -> Result<()> {
        let evidence = Evidence::of(record, self.project.as_deref());
        self.keep(&evidence)?;
        let transition = Transition::new(SOURCE, self.alert(record), self.payload(&evidence));
        self.carriers.queue(&transition, now, wants)
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
        Ok(self.carriers.is_done(REBENCH, &key)? || self.carriers.is_waiting(REBENCH, &key)?)
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
            return self.queue_as(&beginning, now, is_told_all).map(|()| true);
        }
        for name in self.carriers.names() {
            if self.carriers.is_done(name, &key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An Alertmanager is shown everything, since one that is no longer shown ends there; its own rules inhibit.
    fn show_managers(&self, alerts: &Alerts, of_state: Option<&Record>) {
        if self.carriers.has_managers() {
            let all = alerts.firing().chain(alerts.ended()).chain(of_state);
            self.carriers.show(&all.map(|record| self.alert(record)).collect::<Vec<_>>());
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
        self.carriers.health()
    }

    /// Ends the threads; what waits stays in its queue.
    pub fn stop(self) {
        self.carriers.stop();
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

fn receivers(args: &Args) -> Result<Vec<Receiver>> {
    let mut all = args.alerts.receivers(&LABELS)?;
    all.extend(args.alerts.program(REBENCH, &args.rebench, &LABELS)?);
    Ok(all)
}

/// Whether the receivers could be set up; starts nothing.
///
/// # Errors
/// What is wrong with them.
pub fn check(args: &Args) -> Result<usize> {
    Ok(receivers(args)?.len() + args.alerts.managers()?.len())
}

/// Whether a receiver is told of all alerts, not only where a model drifts.
fn is_told_all(name: &str) -> bool {
    name != REBENCH
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
