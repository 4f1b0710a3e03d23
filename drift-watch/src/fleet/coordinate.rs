//! A replica among others: says that it lives, sees what the bucket says, takes and gives back partitions, shows the fleet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::kv;
use futures_util::StreamExt;
use shared::error::Result;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::broker::{Broker, failed, json};
use super::grouped::Grouped;
use super::lease::{Holding, Known, Seen, Step};
use super::owner::{Fresh, Owner};
use super::partition::word;
use super::summary::{Summary, merged};
use crate::core::summary::alert_view;
use crate::run::delivery::duration;
use crate::view::{AlertView, FeedView, View};

/// A lease is renewed so often within its length.
const RENEWALS: u32 = 5;

/// Ended alerts that a view lists.
const ENDED_SHOWN: usize = 20;

/// The entry of the replica that tells receivers.
const LEADER: &str = "leader";

/// What the replica that tells receivers is told by its coordinator.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Duty {
    /// The epoch of its office; nothing where another replica holds it.
    pub(super) epoch: Option<u64>,
    /// Partitions that nobody has read for two leases.
    pub(super) orphans: Vec<u32>,
}

struct Running {
    epoch: u64,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// A replica among others.
pub(super) struct Coordinator {
    pub(super) broker: Broker,
    pub(super) name: String,
    pub(super) fresh: Arc<Fresh>,
    pub(super) snapshot_every: Duration,
    pub(super) fdr_ratio: f64,
    pub(super) view: watch::Sender<Arc<View>>,
    pub(super) duty: watch::Sender<Duty>,
    pub(super) grouped: watch::Receiver<Arc<Grouped>>,
    /// How receivers fare, where this replica tells them.
    pub(super) receivers: watch::Receiver<Vec<crate::view::ReceiverView>>,
    known: Known,
    leader: Option<Seen<Holding>>,
    running: BTreeMap<u32, Running>,
    summaries: BTreeMap<u32, Summary>,
    unread: BTreeMap<u32, Instant>,
    heard: Option<Instant>,
}

impl Coordinator {
    #[expect(clippy::too_many_arguments, reason = "what a replica is made of")]
    pub(super) fn new(
        broker: Broker,
        name: String,
        fresh: Arc<Fresh>,
        snapshot_every: Duration,
        fdr_ratio: f64,
        view: watch::Sender<Arc<View>>,
        duty: watch::Sender<Duty>,
        grouped: watch::Receiver<Arc<Grouped>>,
        receivers: watch::Receiver<Vec<crate::view::ReceiverView>>,
    ) -> Self {
        Self {
            broker,
            name,
            fresh,
            snapshot_every,
            fdr_ratio,
            view,
            duty,
            grouped,
            receivers,
            known: Known::default(),
            leader: None,
            running: BTreeMap::new(),
            summaries: BTreeMap::new(),
            unread: BTreeMap::new(),
            heard: None,
        }
    }

    fn lease(&self) -> Duration {
        duration(self.broker.args.nats_lease)
    }

    /// Works until it is told to stop, then gives everything back.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.follow(&stop).await {
                tracing::error!(%error, "the broker is tried again");
                tokio::time::sleep(self.lease() / RENEWALS / 2).await;
            }
        }
        self.leave().await;
    }

    /// Sees all entries and each change of them, until that fails.
    async fn follow(&mut self, stop: &CancellationToken) -> Result<()> {
        self.renew().await?;
        let watch = self.broker.entries.watch_with_history(">").await;
        let mut changes = watch.map_err(|error| failed("the bucket cannot be watched", &error))?;
        let mut renewal = tokio::time::interval(self.lease() / RENEWALS);
        renewal.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let opened = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                change = changes.next() => match change {
                    Some(Ok(entry)) => self.see(entry),
                    Some(Err(error)) => return Err(failed("the bucket cannot be watched", &error)),
                    None => return Err(failed("the bucket cannot be watched", &"its changes have ended")),
                },
                _ = renewal.tick() => {
                    self.renew().await?;
                    if !self.hears() && opened.elapsed() > self.lease() {
                        return Err(failed("the bucket cannot be watched", &"its changes do not come"));
                    }
                    self.turn().await;
                }
            }
        }
    }

    async fn renew(&self) -> Result<()> {
        let put = self.broker.entries.put(format!("member.{}", self.name), "alive".into());
        match tokio::time::timeout(self.lease(), put).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failed("the lease cannot be renewed", &error)),
            Err(_) => Err(failed("the lease cannot be renewed", &"no answer")),
        }
    }

    /// Whether what others say arrives here: this replica's own words do.
    fn hears(&self) -> bool {
        self.heard.is_some_and(|heard| heard.elapsed() < self.lease() / 2)
    }

    fn see(&mut self, entry: kv::Entry) {
        let now = Instant::now();
        let gone = entry.operation != kv::Operation::Put;
        let (class, word) = entry.key.split_once('.').unwrap_or((&entry.key, ""));
        match class {
            "member" if gone => drop(self.known.members.remove(word)),
            "member" => self.see_member(word.to_owned(), entry.revision, now),
            "partition" => {
                if let (Some(place), Ok(value)) = (number(word), serde_json::from_slice(&entry.value)) {
                    self.known.partitions.insert(place, Seen { value, revision: entry.revision, since: now });
                    self.adjust(place);
                }
            }
            "view" => {
                if let Ok(summary) = serde_json::from_slice::<Summary>(&entry.value) {
                    self.summaries.insert(summary.partition, summary);
                }
            }
            LEADER => {
                let value = serde_json::from_slice(&entry.value).unwrap_or_default();
                self.leader = Some(Seen { value, revision: entry.revision, since: now });
            }
            _ => {}
        }
    }

    fn see_member(&mut self, name: String, revision: u64, now: Instant) {
        if name == self.name {
            if !self.hears() {
                // Nothing was heard of anybody for a while, which says nothing of the others.
                self.known.members.values_mut().for_each(|seen| seen.since = now);
            }
            self.heard = Some(now);
        }
        self.known.members.insert(name, Seen { value: (), revision, since: now });
    }

    /// Starts to work at a partition that is this replica's, and stops at one that is no longer.
    fn adjust(&mut self, place: u32) {
        let Some(seen) = self.known.partitions.get(&place) else { return };
        let is_mine = seen.value.owner == self.name;
        if let Some(running) = self.running.get(&place) {
            if is_mine && running.epoch == seen.value.epoch {
                return;
            }
            if !running.stop.is_cancelled() {
                running.task.abort();
            }
        }
        self.running.remove(&place);
        if is_mine {
            let stop = CancellationToken::new();
            let (holding, revision, epoch) = (seen.value.clone(), seen.revision, seen.value.epoch);
            let owner = Owner {
                broker: self.broker.clone(),
                name: self.name.clone(),
                partition: place,
                holding,
                revision,
                fresh: Arc::clone(&self.fresh),
                snapshot_every: self.snapshot_every,
                stop: stop.clone(),
            };
            self.running.insert(place, Running { epoch, stop, task: tokio::spawn(owner.run()) });
        }
    }

    /// Takes and gives back what it should, and shows how things are.
    async fn turn(&mut self) {
        if self.hears() {
            let n = self.broker.args.nats_partitions;
            let first = self.name.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            for step in self.known.plan(&self.name, n, first, self.lease(), Instant::now()) {
                self.take(step).await;
            }
            self.stand().await;
        }
        self.note_unread();
        let now = Instant::now();
        let is_leader = |seen: &&Seen<Holding>| seen.value.owner == self.name;
        let epoch = self.leader.as_ref().filter(is_leader).filter(|_| self.hears()).map(|seen| seen.value.epoch);
        let orphans = self
            .unread
            .iter()
            .filter(|(_, since)| now.duration_since(**since) > 2 * self.lease())
            .map(|(place, _)| *place)
            .collect();
        let duty = Duty { epoch, orphans };
        self.duty.send_if_modified(|known| {
            let is_new = *known != duty;
            *known = duty;
            is_new
        });
        let view = tokio::task::block_in_place(|| self.shown());
        self.view.send_replace(Arc::new(view));
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Take(place, holding, revision) => {
                // Who was first owns it; the bucket says who was.
                if let Ok(bytes) = json(&holding) {
                    _ = self.broker.entries.update(format!("partition.{}", word(place)), bytes.into(), revision).await;
                }
            }
            Step::Release(place) => {
                if let Some(running) = self.running.get(&place) {
                    running.stop.cancel();
                }
            }
        }
    }

    /// Takes the office of telling receivers where nobody holds it who is alive.
    async fn stand(&mut self) {
        let (before, revision) =
            self.leader.as_ref().map_or((Holding::default(), 0), |seen| (seen.value.clone(), seen.revision));
        if before.owner == self.name || self.known.is_alive(&before.owner, self.lease(), Instant::now()) {
            return;
        }
        let mine = Holding { owner: self.name.clone(), epoch: before.epoch + 1, snapshot: None };
        if let Ok(bytes) = json(&mine) {
            // Who was first holds it.
            _ = self.broker.entries.update(LEADER, bytes.into(), revision).await;
        }
    }

    /// Notes since when partitions have had no owner who lives and reads them.
    fn note_unread(&mut self) {
        let (n, now) = (self.broker.args.nats_partitions, Instant::now());
        let orphans = self.known.orphans(n, self.lease(), now);
        let is_read = |place: &u32| {
            let epoch = self.known.partitions.get(place).map(|seen| seen.value.epoch);
            !orphans.contains(place) && self.summaries.get(place).map(|summary| summary.epoch) == epoch
        };
        let unread: Vec<u32> = (0..n).filter(|place| !is_read(place)).collect();
        self.unread.retain(|place, _| unread.contains(place));
        unread.into_iter().for_each(|place| _ = self.unread.entry(place).or_insert(now));
    }

    fn shown(&self) -> View {
        let summaries: Vec<Summary> = self.summaries.values().cloned().collect();
        let mut view = merged(&summaries, self.fdr_ratio);
        let grouped = self.grouped.borrow().clone();
        view.alerts = alerts(&grouped);
        for feed in &mut view.feeds {
            feed.healthy = !self.unread.keys().any(|place| feed.name.ends_with(&word(*place)));
        }
        let named: Vec<String> = view.feeds.iter().map(|feed| feed.name.clone()).collect();
        let absent =
            self.unread.keys().map(|place| format!("nats {}", word(*place))).filter(|name| !named.contains(name));
        let absent: Vec<FeedView> = absent
            .map(|name| FeedView {
                name,
                kind: "partition".to_owned(),
                reason: "no owner".to_owned(),
                ..FeedView::default()
            })
            .collect();
        view.feeds.extend(absent);
        view.receivers.clone_from(&self.receivers.borrow());
        view.not_ready = if self.hears() { Vec::new() } else { vec!["the broker is not heard".to_owned()] };
        view.ready = view.not_ready.is_empty();
        view
    }

    /// Gives everything back.
    async fn leave(mut self) {
        self.running.values().for_each(|running| running.stop.cancel());
        for (_, running) in std::mem::take(&mut self.running) {
            // One that hangs is ended with the process; its partition is free after a lease.
            _ = tokio::time::timeout(self.lease().max(Duration::from_secs(10)), running.task).await;
        }
        if let Some(seen) = self.leader.as_ref().filter(|seen| seen.value.owner == self.name)
            && let Ok(bytes) = json(&Holding { owner: String::new(), ..seen.value.clone() })
        {
            _ = self.broker.entries.update(LEADER, bytes.into(), seen.revision).await;
        }
        // Where this fails, the others find out after a lease.
        _ = self.broker.entries.delete(format!("member.{}", self.name)).await;
    }
}

fn number(word: &str) -> Option<u32> {
    word.strip_prefix('p')?.parse().ok()
}

fn alerts(grouped: &Grouped) -> Vec<AlertView> {
    let ended = grouped.alerts.ended().iter().rev().take(ENDED_SHOWN);
    grouped.alerts.firing().chain(ended).map(alert_view).collect()
}
