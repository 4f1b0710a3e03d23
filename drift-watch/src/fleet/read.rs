//! A partition as it is by now, for whoever only looks.

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use futures_util::StreamExt;
use shared::error::Result;
use shared::format::live::Kind;

use super::broker::{Broker, failed};
use super::lease::Holding;
use super::owner::read_snapshot;
use super::partition::word;
use super::state::{Content, Partition};

/// What a message is, by its subject.
pub(super) fn content(subject: &str, payload: &[u8]) -> Option<Content> {
    match subject.rsplit('.').next() {
        Some("predictions") => Some(Content::Records(Kind::Predictions)),
        Some("actuals") => Some(Content::Records(Kind::Actuals)),
        Some("marks") => Some(Content::Mark(String::from_utf8_lossy(payload).parse().unwrap_or(0))),
        _ => None,
    }
}

/// The state of a partition: its newest snapshot, and what the stream holds after it.
pub(super) async fn partition(
    broker: &Broker,
    place: u32,
    fresh: &dyn Fn(Option<&[u8]>) -> Result<Partition>,
) -> Result<Partition> {
    let entry = broker.entries.get(format!("partition.{}", word(place))).await;
    let entry = entry.map_err(|error| failed("the entry of a partition", &error))?;
    let holding: Holding = entry.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let mut state = match &holding.snapshot {
        None => fresh(None)?,
        Some(at) => fresh(Some(&read_snapshot(broker, at).await?))?,
    };
    let config = pull::OrderedConfig {
        filter_subject: format!("{}.{}.>", broker.args.nats_prefix, word(place)),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: state.sequence + 1 },
        ..Default::default()
    };
    let consumer = broker.stream().await?.create_consumer(config).await;
    let mut consumer = consumer.map_err(|error| failed("a partition cannot be read", &error))?;
    let mut left = consumer.info().await.map_err(|error| failed("a partition cannot be read", &error))?.num_pending;
    let mut messages = consumer.messages().await.map_err(|error| failed("a partition cannot be read", &error))?;
    while left > 0 {
        let Some(message) = messages.next().await else { break };
        let message = message.map_err(|error| failed("a partition cannot be read on", &error))?;
        let info = message.info().map_err(|error| failed("a message of the stream", &error))?;
        left = info.pending;
        if let Some(content) = content(&message.subject, &message.payload) {
            state.apply(info.stream_sequence, content, &message.payload, broker.args.nats_lateness)?;
        }
    }
    Ok(state)
}

/// All entries of the log, as they are.
pub(super) async fn log(broker: &Broker) -> Result<Vec<String>> {
    let consumer = broker.log().await?.create_consumer(pull::OrderedConfig::default()).await;
    let mut consumer = consumer.map_err(|error| failed("the log cannot be read", &error))?;
    let mut left = consumer.info().await.map_err(|error| failed("the log cannot be read", &error))?.num_pending;
    let mut messages = consumer.messages().await.map_err(|error| failed("the log cannot be read", &error))?;
    let mut lines = Vec::new();
    while left > 0 {
        let Some(message) = messages.next().await else { break };
        let message = message.map_err(|error| failed("the log cannot be read on", &error))?;
        left = message.info().map_err(|error| failed("an entry of the log", &error))?.pending;
        lines.push(String::from_utf8_lossy(&message.payload).into_owned());
    }
    Ok(lines)
}
