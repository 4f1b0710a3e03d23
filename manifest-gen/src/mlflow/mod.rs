//! MLflow: what a promotion or rollback tells a tracking server, by way of the outbox, so that no server can hold it up.
//!
//! [`queue`] puts a message into `ROOT/.outbox/mlflow/`; [`deliver`] sends what waits there: a run with parameters, metrics and
//! artefacts, a registered model, a version, an alias. All of it can be repeated: run and version carry the digest of the
//! manifest and are looked for by it.

mod parcel;
#[cfg(feature = "http")]
mod release;
mod report;
#[cfg(feature = "http")]
mod send;
pub mod sync;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::mlflow::Config;
use shared::outbox::Outbox;
use shared::{Error, Result, clock};

use crate::store::{Store, Stored};
use crate::version::ModelVersion;

pub use parcel::{Kind, Parcel};
pub use report::{Line, Report};

/// The experiment where none is named and the project has no name.
pub const DEFAULT_EXPERIMENT: &str = "forecast-promotion";

/// How long a promotion waits for a server, all requests together.
pub const PROMOTION_PATIENCE: Duration = Duration::from_secs(20);

/// How long any delivery waits for a connection.
#[cfg(feature = "http")]
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// Flags of the commands that tell MLflow something.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct MlflowArgs {
    /// The MLflow server; `MLFLOW_TRACKING_URI` if absent. User, password or token come from the environment
    #[arg(long, value_name = "URI")]
    pub tracking_uri: Option<String>,
    /// The experiment of the run; `MLFLOW_EXPERIMENT_NAME`, else the project's name if absent
    #[arg(long, value_name = "NAME")]
    pub experiment: Option<String>,
}

/// Where things go.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The server; `MLFLOW_TRACKING_URI` if absent.
    pub tracking_uri: Option<String>,
    /// The experiment.
    pub experiment: String,
}

impl MlflowArgs {
    /// The settings; `project` is what `promotion.toml` calls it.
    pub fn settings(&self, project: Option<&str>) -> Settings {
        let variable = || std::env::var("MLFLOW_EXPERIMENT_NAME").ok().filter(|name| !name.trim().is_empty());
        let experiment = self.experiment.clone().or_else(variable).or_else(|| project.map(str::to_owned));
        Settings {
            tracking_uri: self.tracking_uri.clone(),
            experiment: experiment.unwrap_or_else(|| DEFAULT_EXPERIMENT.to_owned()),
        }
    }
}

/// The outbox of a folder of models.
pub fn outbox(store: &Store) -> Outbox {
    Outbox::new(store.root.join(".outbox").join("mlflow"))
}

/// What MLflow is to be told of a change; kept in the journal of the change, so that a crash does not lose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    name: String,
    version: String,
    alias: String,
    experiment: String,
    is_release: bool,
}

impl Announcement {
    /// That `alias` is set to a release.
    pub fn of(release: &Stored, alias: &str, kind: Kind, settings: &Settings) -> Self {
        Self {
            name: release.manifest.name.clone(),
            version: release.manifest.version.clone(),
            alias: alias.to_owned(),
            experiment: settings.experiment.clone(),
            is_release: kind == Kind::Release,
        }
    }

    /// Puts it into the outbox, once.
    ///
    /// # Errors
    /// As [`queue`].
    pub fn queue(&self, store: &Store) -> Result<()> {
        let release = store.manifest(&self.name, &ModelVersion::parse(&self.version)?)?;
        let settings = Settings { tracking_uri: None, experiment: self.experiment.clone() };
        match self.is_release {
            true => queue(store, &release, &self.alias, &settings),
            false => queue_alias(store, &release, &self.alias, &settings),
        }
    }
}

/// Queues a promotion: the release as a run, a version and an alias. Call it when the registry has the promotion; calling it
/// again for the same event queues nothing.
///
/// # Errors
/// If the registry cannot be read, or the outbox cannot be written or is full.
pub fn queue(store: &Store, release: &Stored, alias: &str, settings: &Settings) -> Result<()> {
    put(store, release, alias, settings, Kind::Release)
}

/// Queues a rollback: the alias moves to a release that is sent too, should the server not have it.
///
/// # Errors
/// As [`queue`].
pub fn queue_alias(store: &Store, release: &Stored, alias: &str, settings: &Settings) -> Result<()> {
    put(store, release, alias, settings, Kind::Alias)
}

fn put(store: &Store, release: &Stored, alias: &str, settings: &Settings, kind: Kind) -> Result<()> {
    let registry = store.registry()?;
    let now = clock::now()?.to_string();
    let parcel = Parcel::new(&registry, release, alias, &settings.experiment, &now);
    outbox(store).put(&parcel.message(kind)?).map(drop)
}

/// Sends what waits, within `patience`. It never fails: what cannot be sent waits, and the report says why.
pub fn deliver(store: &Store, settings: &Settings, patience: Duration) -> Report {
    let outbox = outbox(store);
    match attempt(store, &outbox, settings, patience) {
        Ok(report) => report,
        Err(error) => Report::failed(&outbox, &error),
    }
}

#[cfg(feature = "http")]
fn attempt(store: &Store, outbox: &Outbox, settings: &Settings, patience: Duration) -> Result<Report> {
    let (waiting, damaged) = outbox.pending()?;
    if waiting.is_empty() {
        return Report::idle(outbox, damaged);
    }
    let limits = shared::mlflow::Limits { connect: CONNECT_PATIENCE, total: patience };
    let tracker = shared::mlflow::Tracker::new(&config(settings)?, limits)?;
    let mut sender = send::Sender::new(store, &tracker);
    let delivery = outbox.deliver(|message| sender.send(message))?;
    Ok(Report::of(tracker.base(), damaged, delivery))
}

#[cfg(not(feature = "http"))]
fn attempt(_: &Store, outbox: &Outbox, settings: &Settings, _: Duration) -> Result<Report> {
    let (waiting, damaged) = outbox.pending()?;
    if waiting.is_empty() {
        return Report::idle(outbox, damaged);
    }
    config(settings)?;
    Err(Error::usage("this build has no HTTP", "one with the feature `http`")
        .with_help("build with `--features http`; what waits is kept"))
}

/// The environment's configuration, with the server that a flag names.
fn config(settings: &Settings) -> Result<Config> {
    let uri = settings.tracking_uri.as_deref();
    if uri.is_some_and(|uri| uri.contains('@')) {
        return Err(Error::usage("a login in --tracking-uri", "the address alone").with_help(
            "put user name and password into MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or …_FILE)",
        ));
    }
    Config::from_variables(|name| match (name, uri) {
        ("MLFLOW_TRACKING_URI", Some(uri)) => Some(uri.to_owned()),
        _ => std::env::var(name).ok(),
    })
}
