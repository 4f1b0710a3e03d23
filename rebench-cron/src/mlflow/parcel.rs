//! A judged run in the queue, and what it becomes at the server.

use serde::{Deserialize, Serialize};
use shared::mlflow::{Batch, distinct_key};
use shared::outbox::Message;
use shared::{Error, Result};

use super::record::{Artefact, RunRecord, Value};

/// The kind of these messages.
const KIND: &str = "judged-run";

/// The tag by which a run is found at the server.
pub const RUN_TAG: &str = "rebench.run";

/// The tag that names files which were deleted before they could be sent.
const GONE_TAG: &str = "rebench.artefacts_gone";

/// What a message says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Parcel {
    pub(super) experiment: String,
    pub(super) record: RunRecord,
}

impl Parcel {
    pub(super) fn of(message: &Message) -> Result<Self, String> {
        let parcel: Self =
            serde_json::from_value(message.body.clone()).map_err(|error| format!("it is no judged run: {error}"))?;
        // It stands between quotes in a search.
        let plain = parcel.record.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if plain { Ok(parcel) } else { Err(format!("{:?} names no run", parcel.record.id)) }
    }

    pub(super) fn message(&self) -> Result<Message> {
        let body = serde_json::to_value(self)
            .map_err(|error| Error::Environment { what: format!("a judged run: {error}"), help: None })?;
        let RunRecord { id, job, ended, .. } = &self.record;
        let key = serde_json::json!([KIND, self.experiment, id]).to_string();
        Ok(Message::new(&key, job, KIND, &ended.to_string(), body))
    }

    /// The name of the run at the server.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.record.job, self.record.slot)
    }

    /// All but the files, of which some are gone.
    pub(super) fn batch(&self, gone: &[&Artefact]) -> Batch {
        let RunRecord { slot, outcome, reason, params, values, ended, .. } = &self.record;
        let mut batch = Batch::default();
        params.iter().for_each(|(name, value)| batch.param(name, value));
        for Value { name, value } in values {
            batch.metric(&distinct_key(name), value.unwrap_or(f64::NAN), ended.as_millisecond(), 0);
        }
        for (name, value) in [("outcome", outcome), ("reason", reason), ("slot", slot)] {
            batch.tag(name, value);
        }
        if !gone.is_empty() {
            let names: Vec<&str> = gone.iter().map(|artefact| artefact.name.as_str()).collect();
            batch.tag(GONE_TAG, &names.join(", "));
        }
        batch
    }
}
