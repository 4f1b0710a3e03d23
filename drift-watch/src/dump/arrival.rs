//! What a dump shows beside the canonical state: what depends on when and in which order records arrived, and what the engine was told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::BY_ARRIVAL;
use crate::core::engine::Engine;
use crate::core::summary::alert_view;
use crate::core::time::text;
use crate::view::{AlertKind, AlertView};

/// What depends on arrival, on the wall clock and on the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Arrival {
    /// Series in the order in which they were first seen.
    pub series: Vec<String>,
    /// Versions of models in the order in which they were first seen.
    pub models: Vec<ModelArrival>,
    /// Alerts on feeds.
    pub feed_alerts: Vec<AlertView>,
    /// Identifiers of alerts on accuracy that an alert on feeds kept from being sent.
    pub inhibited: Vec<String>,
    /// Counts that the order of arrival decides.
    pub faults: BTreeMap<String, u64>,
    /// Values from elsewhere that rules may watch.
    pub external: BTreeMap<String, f64>,
    /// What the engine was told.
    pub settings: serde_json::Value,
}

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelArrival {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Newest issue time.
    pub last_issued: Option<String>,
    /// Forecasts of target times that are not closed.
    pub open_predictions: u64,
    /// Whether its baseline came from a profile.
    pub from_profile: bool,
}

/// What an engine has of this.
pub(super) fn of(engine: &Engine) -> Arrival {
    let records = engine.alerts.all();
    let is_feed = |kind: AlertKind| kind == AlertKind::Feed;
    let inhibited = records.iter().filter(|record| record.inhibited && !is_feed(record.key.kind));
    Arrival {
        series: engine.names.clone().into(),
        models: models(engine),
        feed_alerts: records
            .iter()
            .filter(|record| is_feed(record.key.kind))
            .map(|record| alert_view(record))
            .collect(),
        inhibited: inhibited.map(|record| record.id.clone()).collect(),
        faults: engine.faults().into_iter().filter(|(name, _)| BY_ARRIVAL.contains(&name.as_str())).collect(),
        external: engine.external.iter().map(|(name, found)| (name.to_owned(), found.value)).collect(),
        settings: serde_json::to_value(&engine.settings).unwrap_or_default(),
    }
}

fn models(engine: &Engine) -> Vec<ModelArrival> {
    let one = |board: &crate::core::board::Board| ModelArrival {
        model: board.model.clone(),
        version: board.version.clone(),
        last_issued: board.last_issued.map(text),
        open_predictions: board.open,
        from_profile: board.from_profile,
    };
    engine.boards.iter().map(one).collect()
}
