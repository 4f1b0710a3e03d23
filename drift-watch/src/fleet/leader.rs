//! Who tells receivers: one replica at a time, of what the log says, so that each knows an alert by the same identifier whoever tells it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use shared::error::Result;
use tokio::sync::watch;

use super::broker::{Broker, failed, json};
use super::coordinate::Duty;
use super::event::{Began, Entry};
use super::grouped::Grouped;
use super::owner::append_fleet;
use super::partition::word;
use crate::core::alerts::{Alerts, Cause, Condition, Key, Patience, Transition};
use crate::run::args::Args;
use crate::run::delivery::Delivery;
use crate::view::{AlertKind, ReceiverView};

/// The key of how far the log has been told.
const TOLD: &str = "told";

/// How often deliveries are looked at.
const LOOK: Duration = Duration::from_millis(500);

const AT_ONCE: Patience = Patience { hold: 1, keep: 1, cooldown: 0 };

/// What alerts about the fleet itself carry as their model.
const FLEET: &str = "fleet";

/// How far the log has been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Told {
    sequence: u64,
}

/// Folds the log for whoever wants to see, and tells receivers where this replica is to.
pub(super) struct Leader {
    pub(super) broker: Broker,
    pub(super) args: Args,
    pub(super) project: Option<String>,
    pub(super) duty: watch::Receiver<Duty>,
    pub(super) grouped: watch::Sender<Arc<Grouped>>,
    pub(super) receivers: watch::Sender<Vec<ReceiverView>>,
}

/// What this replica tells while it holds the office.
struct Office {
    epoch: u64,
    delivery: Delivery,
    told: Told,
    revision: u64,
}

impl Leader {
    /// Works for ever.
    pub(super) async fn run(mut self) {
        let mut all = Grouped::default();
        let mut office = None;
        loop {
            if let Err(error) = self.follow(&mut all, &mut office).await {
                tracing::error!(%error, "the log is tried again");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn follow(&mut self, all: &mut Grouped, office: &mut Option<Office>) -> Result<()> {
        let start_sequence = all.sequence + 1;
        let config = pull::OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            ..Default::default()
        };
        let consumer = self.broker.log().await?.create_consumer(config).await;
        let consumer = consumer.map_err(|error| failed("the log cannot be read", &error))?;
        let messages = consumer.messages().await.map_err(|error| failed("the log cannot be read", &error))?;
        let mut batches = messages.ready_chunks(1000);
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                batch = batches.next() => {
                    for message in batch.unwrap_or_default() {
                        let message = message.map_err(|error| failed("the log cannot be read on", &error))?;
                        let sequence = message.info().map_err(|error| failed("an entry of the log", &error))?.stream_sequence;
                        match serde_json::from_slice::<Entry>(&message.payload) {
                            Ok(entry) => all.apply(sequence, &entry),
                            Err(error) => tracing::error!(sequence, %error, "an entry of the log that this version does not understand"),
                        }
                    }
                    self.grouped.send_replace(Arc::new(all.clone()));
                }
                _ = look.tick() => {
                    self.hold_office(office).await?;
                    if let Some(office) = office {
                        self.watch_over(all, office.epoch).await?;
                        self.tell(all, office).await?;
                    }
                }
            }
        }
    }

    /// Takes up the office or lays it down, as the bucket says.
    async fn hold_office(&mut self, office: &mut Option<Office>) -> Result<()> {
        let epoch = self.duty.borrow().epoch;
        if office.as_ref().map(|office| office.epoch) == epoch {
            return Ok(());
        }
        if let Some(office) = office.take() {
            tokio::task::block_in_place(|| office.delivery.stop());
            self.receivers.send_replace(Vec::new());
        }
        if let Some(epoch) = epoch {
            *office = Some(self.take_up(epoch).await?);
        }
        Ok(())
    }

    async fn take_up(&self, epoch: u64) -> Result<Office> {
        let entry =
            self.broker.entries.entry(TOLD).await.map_err(|error| failed("the bucket cannot be read", &error))?;
        let (told, revision) = entry.map_or((Told::default(), 0), |entry| {
            (serde_json::from_slice(&entry.value).unwrap_or_default(), entry.revision)
        });
        let before =
            if told.sequence > 0 { fold_until(&self.broker, told.sequence).await? } else { Grouped::default() };
        let delivery = tokio::task::block_in_place(|| Delivery::start(&self.args, self.project.as_deref()))?;
        let mut office = Office { epoch, delivery, told, revision };
        office.delivery.assume(&before.alerts);
        tracing::info!(epoch, told = told.sequence, "tells receivers");
        Ok(office)
    }

    async fn tell(&self, all: &Grouped, office: &mut Office) -> Result<()> {
        let outcome = tokio::task::block_in_place(|| {
            office.delivery.tell(&all.alerts, None)?;
            office.delivery.n_queued()
        });
        self.receivers.send_replace(office.delivery.health().collect());
        if outcome? > 0 || office.told.sequence == all.sequence {
            return Ok(());
        }
        let told = Told { sequence: all.sequence };
        let updated = self.broker.entries.update(TOLD, json(&told)?.into(), office.revision).await;
        office.revision = updated.map_err(|error| failed("how far the log was told", &error))?;
        office.told = told;
        Ok(())
    }

    /// Says where a partition has nobody who reads it.
    async fn watch_over(&self, all: &Grouped, epoch: u64) -> Result<()> {
        let orphans = self.duty.borrow().orphans.clone();
        for partition in 0..self.broker.args.nats_partitions {
            let key = Key {
                kind: AlertKind::Feed,
                model: FLEET.to_owned(),
                version: String::new(),
                subject: format!("partition {}", word(partition)),
            };
            let (is_orphan, fires) = (orphans.contains(&partition), all.alerts.fires(&key));
            if is_orphan != fires
                && let Some(began) = turned(&all.alerts, &key, is_orphan)
            {
                append_fleet(&self.broker, epoch, began).await?;
            }
        }
        Ok(())
    }
}

fn turned(alerts: &Alerts, key: &Key, is_orphan: bool) -> Option<Began> {
    let condition = if is_orphan { Condition::Holds } else { Condition::Clear };
    let reason = format!("no replica reads {}", key.subject);
    let now = jiff::Timestamp::now().as_microsecond();
    let cause = || Cause { reason, ..Cause::default() };
    let transition: Option<Transition> = alerts.clone().observe(key, condition, AT_ONCE, now, cause);
    transition.map(Began::of)
}

/// The alerts as they were after a message of the log.
pub(super) async fn fold_until(broker: &Broker, last: u64) -> Result<Grouped> {
    let mut all = Grouped::default();
    let log = broker.log().await?;
    let consumer = log.create_consumer(pull::OrderedConfig::default()).await;
    let consumer = consumer.map_err(|error| failed("the log cannot be read", &error))?;
    let mut messages = consumer.messages().await.map_err(|error| failed("the log cannot be read", &error))?;
    while all.sequence < last {
        let Some(message) = messages.next().await else { break };
        let message = message.map_err(|error| failed("the log cannot be read on", &error))?;
        let info = message.info().map_err(|error| failed("an entry of the log", &error))?;
        let (sequence, pending) = (info.stream_sequence, info.pending);
        if let Ok(entry) = serde_json::from_slice::<Entry>(&message.payload) {
            all.apply(sequence, &entry);
        }
        if pending == 0 {
            break;
        }
    }
    Ok(all)
}
