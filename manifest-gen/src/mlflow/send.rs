//! Sending one message: experiment, run, artefacts, registered model, version, alias, in this order.

use shared::mlflow::{ArtifactPath, Courier, Failure, ModelVersion, Outcome, Run, Tracker};
use shared::outbox::{Delivered, Message};
use shared::{Error, Result};

use crate::store::{Store, Stored};

use super::parcel::Parcel;
use super::release;

/// Sends messages to one server.
pub(super) struct Sender<'a> {
    store: &'a Store,
    tracker: &'a Tracker,
    courier: Courier,
}

/// Why a message was not sent.
enum Fault {
    /// The release is not there any more or is another one.
    Release(Error),
    Server(Failure),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Server(failure)
    }
}

impl<'a> Sender<'a> {
    pub(super) fn new(store: &'a Store, tracker: &'a Tracker) -> Self {
        Self { store, tracker, courier: Courier::default() }
    }

    /// One message, as the outbox asks for it.
    pub(super) fn send(&mut self, message: &Message) -> Result<Delivered> {
        if let Some(not_tried) = self.courier.gave_up() {
            return Ok(not_tried);
        }
        match self.deliver(message) {
            Ok(()) => Ok(Delivered::Done),
            Err(Fault::Release(error)) => refused_or_later(error),
            Err(Fault::Server(failure)) => self.courier.failed(failure),
        }
    }

    fn deliver(&self, message: &Message) -> Result<(), Fault> {
        let parcel = Parcel::of(message).map_err(Fault::Release)?;
        let release = parcel.release(self.store).map_err(Fault::Release)?;
        let version = match self.tracker.find_version(&parcel.name, tag(&release)) {
            Ok(Some(version)) => version,
            Ok(None) => self.create(&release, &parcel)?,
            Err(failure) => return Err(failure.into()),
        };
        Ok(self.tracker.set_alias(&parcel.name, &parcel.alias, &version.number)?)
    }

    fn create(&self, release: &Stored, parcel: &Parcel) -> Result<ModelVersion, Fault> {
        let run = self.run(release, parcel)?;
        self.tracker.register(&parcel.name)?;
        let folder = ArtifactPath::new(release::MODEL_FOLDER).map_err(Fault::Release)?;
        let tags = release::tags(release, parcel);
        Ok(self.tracker.create_version(&parcel.name, &run, &folder, &tags)?)
    }

    /// The run of the release, complete and ended.
    fn run(&self, release: &Stored, parcel: &Parcel) -> Result<Run, Fault> {
        let uploads = release::uploads(self.store, release, parcel).map_err(Fault::Release)?;
        let run = self.open_run(release, parcel)?;
        if run.finished {
            return Ok(run);
        }
        self.tracker.log(&run, &release::batch(self.store, release, parcel))?;
        for upload in uploads {
            self.tracker.upload(&run, &upload.to, &upload.from, &upload.sha256)?;
        }
        let mlmodel = release::mlmodel(release, run.id.as_str(), &parcel.at);
        let path = ArtifactPath::new(&format!("{}/MLmodel", release::MODEL_FOLDER)).map_err(Fault::Release)?;
        self.tracker.upload_text(&run, &path, &mlmodel)?;
        self.tracker.finish(&run, release::milliseconds(&parcel.at))?;
        Ok(run)
    }

    fn open_run(&self, release: &Stored, parcel: &Parcel) -> Outcome<Run> {
        let experiment = self.tracker.experiment(&parcel.experiment)?;
        if let Some(run) = self.tracker.find_run(&experiment, tag(release))? {
            return Ok(run);
        }
        let name = format!("{} {}", parcel.name, parcel.version);
        let tags = release::tags(release, parcel);
        self.tracker.create_run(&experiment, &name, release::milliseconds(&parcel.at), &tags)
    }
}

fn tag(release: &Stored) -> (&'static str, &str) {
    (release::MANIFEST_TAG, &release.sha256)
}

/// A release that changed or is gone stays so; a disk that fails may recover.
fn refused_or_later(error: Error) -> Result<Delivered> {
    match error.exit() {
        shared::Exit::Environment => Err(error),
        _ => Ok(Delivered::Refused(error.to_string())),
    }
}
