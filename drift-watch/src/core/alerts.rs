//! The life of alerts: pending, firing, resolved; hysteresis and patience.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::alert::{Alert, Severity};
use shared::digest;

use super::time::{Micros, timestamp};
use crate::view::{AlertKind, DriverView, MeasureView};

/// Hexadecimal digits of an identifier.
const ID_DIGITS: usize = 24;

/// What the alert is about that says that the state cannot be kept.
const STATE: &str = "state";

/// Alerts that have ended and are still shown, of feeds and of the rest each.
const MOST_ENDED: usize = 1000;

/// What makes it one alert: kind, model, version, and what it is about (a metric, a rule, a feed).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What it is about.
    pub kind: AlertKind,
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The metric, the rule's name, or the feed.
    pub subject: String,
}

/// A detector that found something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// `model`, `segment` or `series`.
    pub level: String,
    /// The segment or the series; empty for the model.
    pub group: String,
    /// The bucket of horizons.
    pub horizon: String,
    /// `above` or `below`.
    pub side: String,
    /// The evidence, as a power of ten.
    pub evidence_log10: f64,
    /// Where it became an alarm.
    pub limit_log10: f64,
}

/// An alert that fires or has fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Hash of key and beginning.
    pub id: String,
    /// What it is about.
    pub key: Key,
    /// When it began, on the clock of observations (of the wall for feeds).
    pub fired_at: Micros,
    /// The step that made it fire.
    pub target: Option<Micros>,
    /// Since when the evidence grows.
    pub change_since: Option<Micros>,
    /// When it ended.
    pub ended_at: Option<Micros>,
    /// Why, in a sentence.
    pub reason: String,
    /// What was found when it fired.
    pub findings: Vec<Finding>,
    /// Where the change sits.
    pub drivers: Vec<DriverView>,
    /// Metrics of the model from the beginning of the change to the step that made it fire.
    pub metrics: Vec<MeasureView>,
    /// Whether an alert on feeds kept it from being sent.
    pub inhibited: bool,
}

/// What an alert says when it begins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cause {
    /// The step that made it fire.
    pub target: Option<Micros>,
    /// Since when the evidence grows.
    pub change_since: Option<Micros>,
    /// Why, in a sentence.
    pub reason: String,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Where the change sits.
    pub drivers: Vec<DriverView>,
    /// Metrics of the model in that time.
    pub metrics: Vec<MeasureView>,
}

/// How patient an alert is, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Steps in a row for which the condition must hold.
    pub hold: u32,
    /// Quiet steps before it ends.
    pub keep: u32,
    /// Steps after its end in which it does not fire again.
    pub cooldown: u32,
}

/// What a step says of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It holds.
    Holds,
    /// It does not, but the all-clear is not reached either.
    Between,
    /// All clear.
    Clear,
}

/// Where a condition is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It holds, not for long enough yet.
    Pending {
        /// Since when.
        since: Micros,
        /// For how many steps.
        steps: u32,
    },
    /// Its alert fires.
    Firing {
        /// Quiet steps in a row.
        quiet: u32,
    },
    /// Its alert has ended, and may not fire again yet.
    Cooling {
        /// Steps that are left.
        left: u32,
    },
}

/// An alert that begins or ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Transition {
    /// It begins.
    Fired(Record),
    /// It has ended.
    Resolved(Record),
}

/// All alerts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Alerts {
    #[serde(with = "pairs")]
    phases: BTreeMap<Key, Phase>,
    firing: BTreeMap<String, Record>,
    ended: Vec<Record>,
    total_fired: u64,
}

/// Maps with structured keys, as lists of pairs.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}

impl Alerts {
    /// Takes in what a step says of a condition; what comes of it, if anything does.
    pub fn observe(
        &mut self,
        key: &Key,
        condition: Condition,
        patience: Patience,
        now: Micros,
        cause: impl FnOnce() -> Cause,
    ) -> Option<Transition> {
        let phase = self.phases.get(key).copied();
        let next = match (phase, condition) {
            (Some(Phase::Firing { .. }), Condition::Holds | Condition::Between) => Some(Phase::Firing { quiet: 0 }),
            (Some(Phase::Firing { quiet }), Condition::Clear) if quiet + 1 < patience.keep.max(1) => {
                Some(Phase::Firing { quiet: quiet + 1 })
            }
            (Some(Phase::Firing { .. }), Condition::Clear) => return self.end(key, patience, now),
            (Some(Phase::Cooling { left }), _) if left > 1 => Some(Phase::Cooling { left: left - 1 }),
            (Some(Phase::Cooling { .. }), _) | (_, Condition::Between | Condition::Clear) => None,
            (Some(Phase::Pending { since, steps }), Condition::Holds) => {
                Some(Phase::Pending { since, steps: steps + 1 })
            }
            (None, Condition::Holds) => Some(Phase::Pending { since: now, steps: 1 }),
        };
        match next {
            Some(Phase::Pending { steps, .. }) if steps >= patience.hold.max(1) => {
                return Some(self.begin(key, now, cause()));
            }
            Some(phase) => self.phases.insert(key.clone(), phase),
            None => self.phases.remove(key),
        };
        None
    }

    fn begin(&mut self, key: &Key, now: Micros, cause: Cause) -> Transition {
        self.phases.insert(key.clone(), Phase::Firing { quiet: 0 });
        let inhibited = key.kind != AlertKind::Feed && self.is_inhibited(&key.model);
        let record = Record::new(key.clone(), now, cause, inhibited);
        self.total_fired += 1;
        self.firing.insert(record.id.clone(), record.clone());
        Transition::Fired(record)
    }

    fn end(&mut self, key: &Key, patience: Patience, now: Micros) -> Option<Transition> {
        match patience.cooldown {
            0 => self.phases.remove(key),
            left => self.phases.insert(key.clone(), Phase::Cooling { left }),
        };
        let id = self.firing.iter().find(|(_, record)| record.key == *key).map(|(id, _)| id.clone())?;
        let mut record = self.firing.remove(&id)?;
        record.ended_at = Some(now);
        self.keep_ended(record.clone());
        Some(Transition::Resolved(record))
    }

    /// Alerts on feeds, which the wall clock drives, do not push others out.
    fn keep_ended(&mut self, record: Record) {
        let is_feed = record.key.kind == AlertKind::Feed;
        let is_alike = |known: &Record| (known.key.kind == AlertKind::Feed) == is_feed;
        if self.ended.iter().filter(|known| is_alike(known)).count() >= MOST_ENDED {
            let oldest = self.ended.iter().position(is_alike);
            oldest.map(|place| self.ended.remove(place));
        }
        self.ended.push(record);
    }

    /// Whether an alert on feeds speaks for this model, or for all. What is about no model, such as a metric of `MLflow`, does not
    /// come from feeds.
    pub fn is_inhibited(&self, model: &str) -> bool {
        let speaks = |key: &Key| key.kind == AlertKind::Feed && (key.model.is_empty() || key.model == model);
        !model.is_empty() && self.firing.values().any(|record| speaks(&record.key))
    }

    /// Whether the alert of this key fires.
    pub fn fires(&self, key: &Key) -> bool {
        matches!(self.phases.get(key), Some(Phase::Firing { .. }))
    }

    /// Those that fire.
    pub fn firing(&self) -> impl Iterator<Item = &Record> {
        self.firing.values()
    }

    /// Those that wait to fire, with the time since when their condition holds.
    pub fn pending(&self) -> impl Iterator<Item = (&Key, Micros)> {
        self.phases.iter().filter_map(|(key, phase)| match phase {
            Phase::Pending { since, .. } => Some((key, *since)),
            _ => None,
        })
    }

    /// Where each condition is that is not all clear.
    pub fn phases(&self) -> impl Iterator<Item = (&Key, Phase)> {
        self.phases.iter().map(|(key, phase)| (key, *phase))
    }

    /// Those that have ended, oldest first.
    pub fn ended(&self) -> &[Record] {
        &self.ended
    }

    /// All that ever fired, in the order in which they began.
    pub fn all(&self) -> Vec<&Record> {
        let mut all: Vec<&Record> = self.ended.iter().chain(self.firing.values()).collect();
        all.sort_by(|a, b| (a.fired_at, &a.key).cmp(&(b.fired_at, &b.key)));
        all
    }
}

fn identifier(key: &Key, now: Micros) -> String {
    let text = format!("{:?}\u{1f}{}\u{1f}{}\u{1f}{}\u{1f}{now}", key.kind, key.model, key.version, key.subject);
    let mut digest = digest::of_bytes(text.as_bytes());
    digest.truncate(ID_DIGITS);
    digest
}

impl Record {
    /// The alert of a daemon that cannot keep its state. No engine has it: what cannot be kept is not known.
    pub fn of_state(now: Micros, reason: String) -> Self {
        let key =
            Key { kind: AlertKind::Feed, model: String::new(), version: String::new(), subject: STATE.to_owned() };
        Self::new(key, now, Cause { reason, ..Cause::default() }, false)
    }

    fn new(key: Key, now: Micros, cause: Cause, inhibited: bool) -> Self {
        Self {
            id: identifier(&key, now),
            key,
            fired_at: now,
            target: cause.target,
            change_since: cause.change_since,
            ended_at: None,
            reason: cause.reason,
            findings: cause.findings,
            drivers: cause.drivers,
            metrics: cause.metrics,
            inhibited,
        }
    }

    /// The name, as the label `alertname` has it.
    pub fn name(&self) -> &'static str {
        match self.key.kind {
            AlertKind::Drift => "ForecastDrift",
            AlertKind::Rule => "ForecastRule",
            AlertKind::Feed if self.is_of_state() => "StateNotKept",
            AlertKind::Feed => "FeedStale",
        }
    }

    /// Feeds of models have their names; the state has no model.
    fn is_of_state(&self) -> bool {
        self.key.model.is_empty() && self.key.subject == STATE
    }

    /// The alert as receivers take it.
    pub fn to_alert(&self) -> Alert {
        let named = |name: &str, value: &str| (!value.is_empty()).then(|| (name.to_owned(), value.to_owned()));
        let subject = match self.key.kind {
            AlertKind::Drift => "metric",
            AlertKind::Rule => "rule",
            AlertKind::Feed => "feed",
        };
        let labels =
            [named("model", &self.key.model), named("version", &self.key.version), named(subject, &self.key.subject)];
        let drivers: Vec<String> = self.drivers.iter().filter(|driver| driver.named).map(DriverView::label).collect();
        Alert {
            id: self.id.clone(),
            name: self.name().to_owned(),
            severity: match self.key.kind == AlertKind::Drift || self.is_of_state() {
                true => Severity::Critical,
                false => Severity::Warning,
            },
            labels: labels.into_iter().flatten().collect(),
            summary: self.reason.clone(),
            annotations: named("drivers", &drivers.join(", ")).into_iter().collect(),
            starts_at: timestamp(self.fired_at),
            ends_at: self.ended_at.map(timestamp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { hold: 2, keep: 2, cooldown: 2 };

    fn key(kind: AlertKind) -> Key {
        Key { kind, model: "m".into(), version: "1".into(), subject: "mape".into() }
    }

    #[test]
    fn an_alert_waits_fires_and_ends_with_hysteresis() {
        use Condition::{Between, Clear, Holds};
        let mut alerts = Alerts::default();
        let steps = [Holds, Clear, Holds, Holds, Clear, Between, Clear, Clear, Holds, Holds, Holds, Holds];
        let found: Vec<char> = steps
            .iter()
            .zip(1..)
            .map(|(&condition, now)| {
                match alerts.observe(&key(AlertKind::Rule), condition, PATIENCE, now, Cause::default) {
                    Some(Transition::Fired(_)) => 'F',
                    Some(Transition::Resolved(_)) => 'R',
                    None => '.',
                }
            })
            .collect();
        assert_eq!(String::from_iter(found), "...F...R...F");
        let ids: Vec<&str> = alerts.all().iter().map(|record| record.id.as_str()).collect();
        assert!(ids.len() == 2 && ids[0] != ids[1]);
    }

    #[test]
    fn feeds_inhibit_the_alerts_of_their_model() {
        let once = Patience { hold: 1, keep: 1, cooldown: 0 };
        let mut alerts = Alerts::default();
        alerts.observe(&key(AlertKind::Feed), Condition::Holds, once, 1, Cause::default);
        let fired = alerts.observe(&key(AlertKind::Drift), Condition::Holds, once, 2, Cause::default);
        assert!(matches!(fired, Some(Transition::Fired(record)) if record.inhibited));
        assert!(!alerts.is_inhibited("other"));
    }
}
