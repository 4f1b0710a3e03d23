//! Records to the broker: each to the partition of its series, acknowledged before it counts as sent.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use shared::digest;
use shared::error::Result;
use shared::format::live::{Kind, Record, to_json};

use super::broker::{Broker, failed};
use super::partition::{partition_of, word};
use crate::run::frame::Gathered;
use crate::run::watcher::rows;
use crate::serve::{IngestBatch, IngestReply};

/// Rows of a message.
const ROWS: usize = 100;

/// Bytes of a message of several rows: half of what a broker takes that nobody has told otherwise.
const MOST_BYTES: usize = 512 << 10;

/// How often a message is sent again that was not acknowledged; its identifier keeps it from counting twice.
const TRIES: u32 = 60;

/// How long to wait before that.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends records.
pub(super) struct Sender {
    broker: Broker,
    waiting: BTreeMap<(u32, Kind), Vec<String>>,
    /// One message of each partition waits for its acknowledgement, so that one that is sent again comes before those after it.
    in_flight: BTreeMap<u32, (PublishAckFuture, String, Vec<u8>)>,
}

impl Sender {
    pub(super) fn new(broker: Broker) -> Self {
        Self { broker, waiting: BTreeMap::new(), in_flight: BTreeMap::new() }
    }

    /// Takes a record; it is sent when its message is full, or with [`Self::finish`].
    pub(super) async fn put(&mut self, record: &Record<'_>) -> Result<()> {
        let (kind, series) = match record {
            Record::Prediction(prediction) => (Kind::Predictions, &prediction.series),
            Record::Actual(actual) => (Kind::Actuals, &actual.series),
        };
        let key = (partition_of(series, self.broker.args.nats_partitions), kind);
        let row = to_json(record);
        let length = |rows: &Vec<String>| rows.iter().map(|row| row.len() + 1).sum::<usize>();
        if self.waiting.get(&key).is_some_and(|rows| length(rows) + row.len() > MOST_BYTES) {
            self.flush(key.0).await?;
        }
        let rows = self.waiting.entry(key).or_default();
        rows.push(row);
        if rows.len() >= ROWS {
            // A prediction is sent before the actual that decides its step.
            self.flush(key.0).await?;
        }
        Ok(())
    }

    async fn flush(&mut self, partition: u32) -> Result<()> {
        for kind in [Kind::Predictions, Kind::Actuals] {
            if let Some(rows) = self.waiting.remove(&(partition, kind)) {
                self.send(partition, kind, rows.join("\n").into_bytes()).await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, partition: u32, kind: Kind, bytes: Vec<u8>) -> Result<()> {
        let kind = if kind == Kind::Predictions { "predictions" } else { "actuals" };
        let subject = format!("{}.{}.{kind}", self.broker.args.nats_prefix, word(partition));
        self.settle(partition).await?;
        let sent = self.publish(&subject, &bytes).await?;
        self.in_flight.insert(partition, (sent, subject, bytes));
        Ok(())
    }

    async fn publish(&self, subject: &str, bytes: &[u8]) -> Result<PublishAckFuture> {
        let mut id = digest::of_bytes(bytes);
        id.truncate(32);
        let message = PublishMessage::build().payload(bytes.to_vec().into()).message_id(id);
        let sent = self.broker.context.send_publish(subject.to_owned(), message).await;
        sent.map_err(|error| failed("records cannot be sent", &error))
    }

    /// Waits until what was sent to a partition is acknowledged; what is not is sent again.
    async fn settle(&mut self, partition: u32) -> Result<()> {
        let Some((sent, subject, bytes)) = self.in_flight.remove(&partition) else { return Ok(()) };
        let mut outcome = sent.await.map_err(|error| failed("records are not acknowledged", &error));
        for _ in 0..TRIES {
            if outcome.is_ok() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            outcome = match self.publish(&subject, &bytes).await {
                Ok(sent) => sent.await.map_err(|error| failed("records are not acknowledged", &error)),
                Err(error) => Err(error),
            };
        }
        outcome.map(drop)
    }

    /// Sends what waits, and waits until all is acknowledged.
    pub(super) async fn finish(&mut self) -> Result<()> {
        let partitions: Vec<u32> = self.waiting.keys().map(|(partition, _)| *partition).collect();
        for partition in partitions {
            self.flush(partition).await?;
        }
        let unsettled: Vec<u32> = self.in_flight.keys().copied().collect();
        for partition in unsettled {
            self.settle(partition).await?;
        }
        Ok(())
    }

    /// Sends the records of a request.
    pub(super) async fn batch(&mut self, batch: &IngestBatch) -> Result<IngestReply> {
        let mut gathered = Gathered::default();
        let rejected = match rows(batch, &mut gathered) {
            Err(reply) => return Ok(reply),
            Ok(rejected) => rejected,
        };
        for line in batch.body.split(|byte| *byte == b'\n') {
            if let Ok(parsed) = shared::format::live::parse_json(batch.kind, line, None) {
                self.put(&parsed.record).await?;
            }
        }
        self.finish().await?;
        Ok(IngestReply::Accepted { records: gathered.records, rejected })
    }
}
