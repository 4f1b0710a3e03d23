//! The owner of a partition: applies its messages in the order of the stream, appends what began or ended, keeps snapshots.
//!
//! Whatever it writes that counts is conditional: events on the last sequence of their subject, the snapshot on the revision of the partition's entry. An
//! owner that was paused and has lost the partition is refused at its next write, and ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, consumer};
use futures_util::StreamExt;
use shared::error::Result;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use super::broker::{Broker, failed, json};
use super::event::{Entry, Event};
use super::lease::{Holding, SnapshotAt};
use super::partition::word;
use super::read::content;
use super::state::{Content, Partition};
use super::summary::Summary;
use crate::run::delivery::duration;

/// Messages that are applied before anything else is looked at.
const BATCH: usize = 500;

/// A snapshot is kept after so many messages, besides the interval: the next owner reads them all again.
const MESSAGES_BETWEEN: u64 = 100_000;

/// A summary is published so often at the most, and takes a tenth of the time at the most.
const SUMMARY_EVERY: Duration = Duration::from_secs(2);
/// All partitions together publish one so often at the most, since all replicas read all of them.
const SUMMARY_TURN: Duration = Duration::from_millis(50);
const SUMMARY_SHARE: u32 = 10;

/// How long to wait before the broker is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Makes the state of a partition that nobody has seen, and gives the settings of this replica to one that was.
pub(super) type Fresh = dyn Fn(Option<&[u8]>) -> Result<Partition> + Send + Sync;

/// What an owner is given.
pub(super) struct Owner {
    pub(super) broker: Broker,
    pub(super) name: String,
    pub(super) partition: u32,
    /// The entry by which it owns it, and its revision.
    pub(super) holding: Holding,
    pub(super) revision: u64,
    pub(super) fresh: Arc<Fresh>,
    pub(super) snapshot_every: Duration,
    /// Cancelled when it is to give the partition back.
    pub(super) stop: CancellationToken,
}

/// Why a write did not happen.
enum Refusal {
    /// Another replica owns the partition.
    Lost,
    /// The broker could not do it now.
    Later(shared::Error),
}

impl From<shared::Error> for Refusal {
    fn from(error: shared::Error) -> Self {
        Self::Later(error)
    }
}

/// The last word of a partition in the log.
#[derive(Debug, Clone, Copy)]
struct Tail {
    sequence: u64,
    count: u64,
    epoch: u64,
}

struct Work {
    owner: Owner,
    state: Partition,
    tail: Tail,
    unsaid: VecDeque<Event>,
    kept: (u64, Instant),
    shown: (Option<Instant>, Duration),
    /// When a message last came, and whether the quiet since then was marked.
    quiet: (Instant, bool),
    behind: u64,
}

impl Owner {
    /// Works until it is told to stop or has lost the partition.
    pub(super) async fn run(self) {
        let (stop, partition) = (self.stop.clone(), self.partition);
        let mut owner = Some(self);
        let mut work = loop {
            let Some(mine) = owner.take() else { return };
            match mine.begin().await {
                Ok(work) => break work,
                Err((_, Refusal::Lost)) => return tracing::warn!(partition, "lost before it was begun"),
                Err((mine, Refusal::Later(error))) => {
                    tracing::error!(partition, %error, "cannot begin yet");
                    owner = Some(*mine);
                }
            }
            if pause(&stop).await {
                return;
            }
        };
        loop {
            match work.follow().await {
                Err(Refusal::Lost) => {
                    return tracing::warn!(partition, epoch = work.owner.holding.epoch, "lost to another replica");
                }
                Err(Refusal::Later(error)) => tracing::error!(partition, %error, "the broker is tried again"),
                Ok(()) => {}
            }
            if stop.is_cancelled() || pause(&stop).await {
                return work.end().await;
            }
        }
    }

    /// Takes over: the last word in the log, then the snapshot.
    async fn begin(self) -> std::result::Result<Work, (Box<Self>, Refusal)> {
        let read = async {
            let tail = self.first_word().await?;
            let state = self.load().await?;
            Ok::<_, Refusal>((tail, state))
        };
        let outcome = read.await;
        match outcome {
            Err(refusal) => Err((Box::new(self), refusal)),
            Ok((tail, state)) => {
                tracing::info!(
                    partition = self.partition,
                    epoch = self.holding.epoch,
                    sequence = state.sequence,
                    "owned"
                );
                let now = Instant::now();
                let kept = (state.sequence, now);
                Ok(Work {
                    owner: self,
                    state,
                    tail,
                    unsaid: VecDeque::new(),
                    kept,
                    shown: (None, Duration::ZERO),
                    quiet: (now, false),
                    behind: 0,
                })
            }
        }
    }

    async fn first_word(&self) -> std::result::Result<Tail, Refusal> {
        let tail = self.tail().await?;
        if tail.epoch >= self.holding.epoch {
            return if tail.epoch == self.holding.epoch { Ok(tail) } else { Err(Refusal::Lost) };
        }
        let entry = Entry::of_owner(Some(self.partition), self.holding.epoch, tail.count);
        append(&self.broker, Some(self.partition), &entry, tail.sequence).await.map(|sequence| Tail {
            sequence,
            epoch: entry.epoch,
            ..tail
        })
    }

    async fn tail(&self) -> Result<Tail> {
        let last = last_entry(&self.broker, Some(self.partition)).await?;
        Ok(last.map_or(Tail { sequence: 0, count: 0, epoch: 0 }, |(sequence, entry)| Tail {
            sequence,
            count: entry.count,
            epoch: entry.epoch,
        }))
    }

    async fn load(&self) -> Result<Partition> {
        let Some(at) = &self.holding.snapshot else { return (self.fresh)(None) };
        let bytes = read_snapshot(&self.broker, at).await?;
        tokio::task::block_in_place(|| (self.fresh)(Some(&bytes)))
    }
}

impl Work {
    /// Reads the partition until something fails or it is told to stop.
    async fn follow(&mut self) -> std::result::Result<(), Refusal> {
        let owner = &self.owner;
        let consumer = owner.broker.consumer(owner.partition, owner.holding.epoch, self.state.sequence + 1).await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(BATCH)
            .heartbeat(Duration::from_secs(2))
            .expires(Duration::from_secs(10))
            .messages()
            .await;
        let messages = messages.map_err(|error| failed("the partition cannot be read", &error))?;
        let mut batches = messages.ready_chunks(BATCH);
        let mut look = tokio::time::interval(Duration::from_millis(200));
        let mut delivered = 0;
        loop {
            tokio::select! {
                () = self.owner.stop.cancelled() => return Ok(()),
                batch = batches.next() => {
                    let Some(batch) = batch else { return Ok(()) };
                    self.take(batch, &mut delivered).await?;
                }
                _ = look.tick() => {}
            }
            self.say().await?;
            self.show().await;
            self.mark().await?;
            if self.is_time() {
                self.keep(&self.owner.name.clone()).await?;
            }
        }
    }

    /// Applies a batch. A gap in what was delivered means that a message was lost on its way: the partition is read again from there.
    async fn take(
        &mut self,
        batch: Vec<std::result::Result<jetstream::Message, consumer::pull::MessagesError>>,
        delivered: &mut u64,
    ) -> std::result::Result<(), Refusal> {
        let mut last = None;
        let mut outcome = Ok(());
        for message in batch {
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    outcome = Err(failed("the partition cannot be read on", &error).into());
                    break;
                }
            };
            let info = message.info().map_err(|error| failed("a message of the stream", &error))?;
            let (sequence, place, is_new) = (info.stream_sequence, info.consumer_sequence, info.delivered <= 1);
            self.behind = info.pending;
            if sequence > self.state.sequence && (!is_new || place != *delivered + 1) {
                outcome = Err(failed("messages were lost on their way", &"they are read again").into());
                break;
            }
            *delivered = place;
            self.one(sequence, &message)?;
            last = Some(message);
        }
        if let Some(message) = last {
            // What is not acknowledged comes again, and is known.
            _ = message.ack().await;
        }
        outcome
    }

    fn one(&mut self, sequence: u64, message: &jetstream::Message) -> Result<()> {
        let Some(content) = content(&message.subject, &message.payload) else { return Ok(()) };
        if let Content::Records(_) = content {
            self.quiet = (Instant::now(), false);
        }
        let lateness = self.owner.broker.args.nats_lateness;
        let state = &mut self.state;
        self.unsaid.extend(tokio::task::block_in_place(|| state.apply(sequence, content, &message.payload, lateness))?);
        Ok(())
    }

    /// Appends what is not in the log yet.
    async fn say(&mut self) -> std::result::Result<(), Refusal> {
        while let Some(event) = self.unsaid.front() {
            if event.number < self.tail.count {
                self.unsaid.pop_front();
                continue;
            }
            let (partition, epoch) = (Some(self.owner.partition), self.owner.holding.epoch);
            let entry = Entry::of_event(partition, epoch, event.clone());
            match append(&self.owner.broker, partition, &entry, self.tail.sequence).await {
                Ok(sequence) => self.tail = Tail { sequence, count: entry.count, epoch },
                Err(refusal) => {
                    // It may be there although its acknowledgement was lost.
                    let tail = self.owner.tail().await?;
                    if tail.epoch != epoch {
                        return Err(Refusal::Lost);
                    }
                    self.tail = tail;
                    if let Refusal::Later(error) = refusal {
                        return Err(Refusal::Later(error));
                    }
                }
            }
        }
        Ok(())
    }

    /// Publishes a summary, not too often.
    async fn show(&mut self) {
        let turns = SUMMARY_TURN * self.owner.broker.args.nats_partitions;
        let pause = SUMMARY_EVERY.max(turns).max(self.shown.1 * SUMMARY_SHARE);
        if self.shown.0.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        let start = Instant::now();
        let state = &self.state;
        let n_partitions = self.owner.broker.args.nats_partitions;
        let mut summary = tokio::task::block_in_place(|| Summary::of(self.owner.partition, n_partitions, state));
        (summary.epoch, summary.owner, summary.behind) =
            (self.owner.holding.epoch, self.owner.name.clone(), self.behind);
        if let Ok(bytes) = json(&summary) {
            // The next one comes soon.
            _ = self.owner.broker.entries.put(format!("view.{}", word(self.owner.partition)), bytes.into()).await;
        }
        self.shown = (Some(Instant::now()), start.elapsed());
    }

    /// Marks a long quiet in the stream, so that what waits for later records waits no longer, for whoever reads the partition.
    async fn mark(&mut self) -> std::result::Result<(), Refusal> {
        let broker = &self.owner.broker;
        let is_quiet = self.quiet.0.elapsed() >= duration(broker.args.nats_settle) && self.behind == 0;
        if self.quiet.1 || !is_quiet || self.state.order.is_empty() {
            return Ok(());
        }
        self.quiet.1 = true;
        let subject = format!("{}.{}.marks", broker.args.nats_prefix, word(self.owner.partition));
        let sent = broker.context.publish(subject, self.state.sequence.to_string().into()).await;
        let sent = sent.map_err(|error| failed("a mark", &error))?;
        sent.await.map(drop).map_err(|error| failed("a mark", &error).into())
    }

    fn is_time(&self) -> bool {
        let (sequence, when) = self.kept;
        let new = self.state.sequence - sequence;
        self.unsaid.is_empty() && new > 0 && (new >= MESSAGES_BETWEEN || when.elapsed() >= self.owner.snapshot_every)
    }

    /// Keeps a snapshot, and names it in the partition's entry, which only its owner can change. `owner` is who owns it from here on.
    async fn keep(&mut self, owner: &str) -> std::result::Result<(), Refusal> {
        let mine = &self.owner;
        let name = format!("{}-e{}-{:020}", word(mine.partition), mine.holding.epoch, self.state.sequence);
        let state = &self.state;
        let bytes = tokio::task::block_in_place(|| state.to_bytes())?;
        let put = mine.broker.snapshots.put(name.as_str(), &mut bytes.as_slice()).await;
        put.map_err(|error| failed("a snapshot", &error))?;
        let snapshot = Some(SnapshotAt { name, sequence: self.state.sequence });
        let earlier = std::mem::replace(&mut self.owner.holding.snapshot, snapshot);
        self.enter(owner).await?;
        self.kept = (self.state.sequence, Instant::now());
        if let Some(earlier) =
            earlier.filter(|earlier| Some(&earlier.name) != self.owner.holding.snapshot.as_ref().map(|at| &at.name))
        {
            // What is left over is only room.
            _ = self.owner.broker.snapshots.delete(&earlier.name).await;
        }
        Ok(())
    }

    async fn enter(&mut self, owner: &str) -> std::result::Result<(), Refusal> {
        let mine = &mut self.owner;
        let key = format!("partition.{}", word(mine.partition));
        let bytes = json(&Holding { owner: owner.to_owned(), ..mine.holding.clone() })?;
        for _ in 0..2 {
            if let Ok(revision) = mine.broker.entries.update(&key, bytes.clone().into(), mine.revision).await {
                mine.revision = revision;
                return Ok(());
            }
            // The entry may have been written although its acknowledgement was lost.
            let entry =
                mine.broker.entries.entry(&key).await.map_err(|error| failed("the entry of a partition", &error))?;
            let found =
                entry.and_then(|entry| Some((entry.revision, serde_json::from_slice::<Holding>(&entry.value).ok()?)));
            match found {
                Some((revision, found)) if found.epoch == mine.holding.epoch && found.owner == mine.name => {
                    mine.revision = revision;
                }
                _ => return Err(Refusal::Lost),
            }
        }
        Err(failed("the entry of a partition", &"it cannot be written").into())
    }

    /// Gives the partition back with all that is known of it.
    async fn end(mut self) {
        let partition = self.owner.partition;
        if let Err(Refusal::Later(error)) = self.say().await {
            return tracing::error!(partition, %error, "given up without its last events; the next owner appends them");
        }
        if let Err(Refusal::Later(error)) = self.keep("").await {
            tracing::error!(partition, %error, "given up without a snapshot; the next owner reads more of the stream");
        }
    }
}

/// The newest word of a partition, or of the fleet itself.
pub(super) async fn last_entry(broker: &Broker, partition: Option<u32>) -> Result<Option<(u64, Entry)>> {
    use async_nats::jetstream::stream::LastRawMessageErrorKind;
    let log = broker.log().await?;
    match log.get_last_raw_message_by_subject(&broker.log_subject(partition)).await {
        Ok(message) => {
            let entry =
                serde_json::from_slice(&message.payload).map_err(|error| failed("an entry of the log", &error))?;
            Ok(Some((message.sequence, entry)))
        }
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(failed("the log cannot be read", &error)),
    }
}

/// Appends a word to the log if the last one of its subject is the expected one.
async fn append(
    broker: &Broker,
    partition: Option<u32>,
    entry: &Entry,
    after: u64,
) -> std::result::Result<u64, Refusal> {
    let message = PublishMessage::build().payload(entry.to_bytes()?.into()).expected_last_subject_sequence(after);
    let sent = broker.context.send_publish(broker.log_subject(partition), message).await;
    let sent = sent.map_err(|error| failed("the log", &error))?;
    match sent.await {
        Ok(ack) => Ok(ack.sequence),
        Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Err(Refusal::Lost),
        Err(error) => Err(failed("the log", &error).into()),
    }
}

/// Appends an event of the fleet itself; nothing where another replica was first.
pub(super) async fn append_fleet(broker: &Broker, epoch: u64, what: super::event::Began) -> Result<()> {
    let last = last_entry(broker, None).await?;
    let (after, count) = last.map_or((0, 0), |(sequence, entry)| (sequence, entry.count));
    let entry = Entry::of_event(None, epoch, Event { number: count, what });
    match append(broker, None, &entry, after).await {
        Ok(_) | Err(Refusal::Lost) => Ok(()),
        Err(Refusal::Later(error)) => Err(error),
    }
}

pub(super) async fn read_snapshot(broker: &Broker, at: &SnapshotAt) -> Result<Vec<u8>> {
    let object = broker.snapshots.get(&at.name).await;
    let mut object = object.map_err(|error| failed(&format!("the snapshot {}", at.name), &error))?;
    let mut bytes = Vec::new();
    let read = object.read_to_end(&mut bytes).await;
    read.map_err(|error| failed(&format!("the snapshot {}", at.name), &error))?;
    Ok(bytes)
}

/// Waits; whether it was told to stop.
async fn pause(stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(PAUSE) => false,
    }
}
