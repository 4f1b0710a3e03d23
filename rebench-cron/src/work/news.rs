//! What is to be told after a run, or without one: which alerts begin, and which end. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use shared::alert::{Alert, Severity};
use shared::digest;

use crate::job::Job;
use crate::store::{AlertRow, AlertState, NewAlert, Outcome};

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// No attempt at a run succeeded, or its result cannot be judged.
    Failed,
    /// Runs were missed, and are not caught up.
    Missed,
    /// The data are too old, or not there.
    StaleData,
    /// The baseline no longer gives the results that were recorded.
    NotReproducible,
    /// In this run the model was worse.
    Worse,
    /// Over all runs the model no longer wins.
    NoLongerWins,
    /// The model is better than what it is held against.
    Better,
}

/// What is new of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// Those that hold now, each with a sentence.
    pub holds: BTreeMap<Kind, String>,
    /// Those of which this says something: others stay as they are.
    pub speaks_of: Vec<Kind>,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Failed,
        Self::Missed,
        Self::StaleData,
        Self::NotReproducible,
        Self::Worse,
        Self::NoLongerWins,
        Self::Better,
    ];

    /// Its name, as receivers see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "RebenchFailed",
            Self::Missed => "RebenchMissed",
            Self::StaleData => "RebenchDataStale",
            Self::NotReproducible => "BaselineNotReproducible",
            Self::Worse => "RebenchRegressed",
            Self::NoLongerWins => "ModelNoLongerWins",
            Self::Better => "RebenchImproved",
        }
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::NoLongerWins => Severity::Critical,
            Self::Better => Severity::Info,
            _ => Severity::Warning,
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl News {
    /// Of a slot that was given up.
    pub fn failed(why: &str) -> Self {
        Self { holds: BTreeMap::from([(Kind::Failed, why.to_owned())]), speaks_of: vec![Kind::Failed] }
    }

    /// Of slots that were missed and are not caught up.
    pub fn missed(why: &str) -> Self {
        Self { holds: BTreeMap::from([(Kind::Missed, why.to_owned())]), speaks_of: vec![Kind::Missed] }
    }

    /// Of data that are too old.
    pub fn stale_data(why: &str) -> Self {
        Self {
            holds: BTreeMap::from([(Kind::StaleData, why.to_owned())]),
            speaks_of: vec![Kind::StaleData, Kind::Missed],
        }
    }

    /// Of a verdict; `alarm` says that the evidence over all runs is beyond its threshold, and why.
    pub fn verdict(outcome: Outcome, reason: &str, alarm: Option<&str>) -> Self {
        let mut holds = BTreeMap::new();
        let kind = match outcome {
            Outcome::Invalid => Some(Kind::Failed),
            Outcome::NotReproducible => Some(Kind::NotReproducible),
            Outcome::Regressed => Some(Kind::Worse),
            Outcome::Improved => Some(Kind::Better),
            Outcome::Holds | Outcome::Inconclusive | Outcome::NoNewData => None,
        };
        holds.extend(kind.map(|kind| (kind, reason.to_owned())));
        holds.extend(alarm.map(|why| (Kind::NoLongerWins, why.to_owned())));
        Self { holds, speaks_of: spoken_of(outcome) }
    }

    /// The transitions that this leads to, given what fires.
    pub fn transitions(&self, job: &Job, firing: &[AlertRow], at: Timestamp) -> Vec<NewAlert> {
        let fires = |kind: Kind| firing.iter().find(|row| Kind::named(&row.alert.kind) == Some(kind));
        let begin =
            self.holds.iter().filter(|(kind, _)| fires(**kind).is_none()).map(|(kind, why)| begin(job, *kind, why, at));
        let over = |kind: &&Kind| !self.holds.contains_key(*kind);
        let end = self.speaks_of.iter().filter(over).filter_map(|kind| end(fires(*kind)?, at));
        begin.chain(end).collect()
    }
}

/// What a verdict says something of. An undecided one does not end a warning.
fn spoken_of(outcome: Outcome) -> Vec<Kind> {
    let ran = [Kind::Failed, Kind::Missed];
    let judged = [Kind::StaleData, Kind::NotReproducible, Kind::NoLongerWins];
    match outcome {
        Outcome::NoNewData => ran.to_vec(),
        Outcome::Invalid => vec![Kind::Missed],
        Outcome::NotReproducible => [&ran[..], &[Kind::StaleData]].concat(),
        Outcome::Inconclusive => [&ran[..], &judged].concat(),
        Outcome::Holds | Outcome::Regressed | Outcome::Improved => {
            [&ran[..], &judged, &[Kind::Worse, Kind::Better]].concat()
        }
    }
}

fn begin(job: &Job, kind: Kind, why: &str, at: Timestamp) -> NewAlert {
    let id = digest::of_bytes(format!("{}\0{}\0{at}", job.name, kind.name()).as_bytes());
    let mut labels = BTreeMap::from([("job".to_owned(), job.name.clone())]);
    labels.extend(job.model.iter().map(|model| ("model".to_owned(), model.clone())));
    let alert = Alert {
        id: id.clone(),
        name: kind.name().to_owned(),
        severity: kind.severity(),
        labels,
        summary: format!("{}: {why}", job.name),
        annotations: BTreeMap::new(),
        starts_at: at,
        ends_at: None,
    };
    let (job, kind) = (job.name.clone(), kind.name().to_owned());
    NewAlert { id, job, kind, state: AlertState::Firing, body: json!(alert) }
}

fn end(row: &AlertRow, at: Timestamp) -> Option<NewAlert> {
    let mut alert: Alert = serde_json::from_value(row.alert.body.clone()).ok()?;
    alert.ends_at = Some(at.max(alert.starts_at));
    Some(NewAlert { state: AlertState::Resolved, body: json!(alert), ..row.alert.clone() })
}
