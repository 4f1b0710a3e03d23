//! Posts alerts to Alertmanager over version 2 of its interface; version 1 is gone since 0.27.
//!
//! Alertmanager answers 400 to a whole batch where one alert of it is bad, and 0.25 keeps the good ones all the same. So what
//! it would refuse is left out before, and a refused batch is halved until the bad ones are found. That posts good alerts
//! more than once, which changes nothing: the same labels are the same alert.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::secret::Secret;

use super::Outgoing;
use super::endpoint::{Answer, Endpoint, Network};

const PATH: &str = "/api/v2/alerts";

/// Alerts in one request.
const BATCH: usize = 64;

/// How long all requests of one call may take together, so that a server that refuses all of them slowly holds up nobody.
const MOST_TIME: Duration = Duration::from_mins(1);

/// How to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Not at all, or by user and password in the address.
    None,
    /// A bearer token.
    Bearer(Secret),
    /// User name and password.
    Basic(String, Secret),
}

/// One Alertmanager. Those of a cluster are posted to one by one.
#[derive(Clone)]
pub struct Alertmanager {
    endpoint: Endpoint,
    auth: Auth,
}

/// What became of alerts that were posted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How many it took.
    pub accepted: usize,
    /// Those that it does not take, or would mishandle.
    pub refused: Vec<Refusal>,
}

/// An alert that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its identifier.
    pub id: String,
    /// Its name, if it has one.
    pub name: String,
    /// Why.
    pub why: String,
}

impl Refusal {
    fn new(alert: &Outgoing, why: String) -> Self {
        let name = alert.labels.get("alertname").cloned().unwrap_or_default();
        Self { id: alert.id.clone(), name, why }
    }
}

impl Alertmanager {
    /// The server at `base`, such as `http://alertmanager:9093` or `https://host/prefix`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Usage`] if the address is none that may be used or already names the interface, or the token is empty.
    pub fn new(base: &str, auth: Auth, network: Network) -> Result<Self> {
        if matches!(&auth, Auth::Bearer(token) if token.is_empty()) {
            return Err(Error::usage("alertmanager: an empty token", "a token, or none"));
        }
        let endpoint = Endpoint::new("alertmanager", &Secret::new(base), network)?;
        if endpoint.path().contains("/api/v") {
            let found = format!("{}: an address with /api/v… in its path", endpoint.origin());
            return Err(Error::usage(found, "the address of the server")
                .with_help(format!("leave out /api/v… : {PATH} is added to it")));
        }
        Ok(Self { endpoint: endpoint.below(PATH), auth })
    }

    /// Scheme and host of its address, the only part that may be shown.
    pub fn origin(&self) -> &str {
        self.endpoint.origin()
    }

    /// Posts alerts. What is refused stands in the report; the others have arrived.
    ///
    /// # Errors
    /// [`Error::Environment`] if the server cannot be reached, fails or lets nobody in: some alerts may have arrived, and
    /// posting all of them again is right.
    pub fn post(&self, alerts: &[Outgoing]) -> Result<Report> {
        let mut report = Report::default();
        let mut good = Vec::with_capacity(alerts.len());
        for alert in alerts {
            match alert.fault() {
                None => good.push(alert),
                Some(fault) => report.refused.push(Refusal::new(alert, fault)),
            }
        }
        let started = Instant::now();
        good.chunks(BATCH).try_for_each(|batch| self.post_batch(batch, started, &mut report))?;
        Ok(report)
    }

    fn post_batch(&self, batch: &[&Outgoing], started: Instant, report: &mut Report) -> Result<()> {
        if started.elapsed() > MOST_TIME {
            let how = format!("not all alerts could be posted within {} s", MOST_TIME.as_secs());
            return Err(self.endpoint.failed(&how));
        }
        let answer = self.request(batch)?;
        match (answer.status, batch) {
            _ if answer.is_success() => report.accepted += batch.len(),
            (400 | 413 | 422, [alert]) => report.refused.push(Refusal::new(alert, self.said(&answer))),
            (400 | 413 | 422, _) => {
                let (first, second) = batch.split_at(batch.len() / 2);
                self.post_batch(first, started, report)?;
                self.post_batch(second, started, report)?;
            }
            _ => return Err(self.failure(&answer)),
        }
        Ok(())
    }

    fn request(&self, batch: &[&Outgoing]) -> Result<Answer> {
        let body = serde_json::to_vec(batch)
            .map_err(|error| self.endpoint.failed(&format!("alerts cannot be written as JSON: {error}")))?;
        self.endpoint.post(body, |request| match &self.auth {
            Auth::None => request,
            Auth::Bearer(token) => request.bearer_auth(token.expose()),
            Auth::Basic(user, password) => request.basic_auth(user, Some(password.expose())),
        })
    }

    fn said(&self, answer: &Answer) -> String {
        let secrets: &[&Secret] = match &self.auth {
            Auth::None => &[],
            Auth::Bearer(secret) | Auth::Basic(_, secret) => &[secret],
        };
        self.endpoint.quoted(answer, secrets)
    }

    fn failure(&self, answer: &Answer) -> Error {
        let help = match answer.status {
            401 | 403 => "configure the token, or user and password, that this Alertmanager asks for",
            404 | 405 => "see whether the address is that of an Alertmanager of 0.16 or newer, with its path prefix",
            300..=399 => "redirects are not followed: configure the address that it leads to",
            _ => "see the log of Alertmanager; it is tried again",
        };
        Error::Environment { what: self.said(answer), help: Some(help.to_owned()) }
    }
}

impl std::fmt::Debug for Alertmanager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Alertmanager({})", self.origin())
    }
}
