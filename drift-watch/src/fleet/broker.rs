//! The broker: what of it a fleet uses, and whether it can be used.

use std::time::Duration;

use async_nats::jetstream::{self, Context, consumer, kv, object_store, stream};
use async_nats::{Client, ConnectOptions};
use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};

use super::args::{Login, NatsArgs};
use super::partition::word;
use crate::core::time::Micros;
use crate::run::delivery::duration;

/// Durable pull consumers that die when nobody uses them, object stores and conditional appends need this version.
const LEAST: (i64, i64, i64) = (2, 9, 0);

/// How long the broker remembers identifiers of messages.
const DUPLICATES: Duration = Duration::from_mins(2);

/// A pull consumer of a partition.
pub(super) type Pull = consumer::Consumer<consumer::pull::Config>;

/// What all who use the stream must agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Agreed {
    partitions: u32,
    lateness: Micros,
}

/// A connection, and the places of the fleet.
#[derive(Clone)]
pub(super) struct Broker {
    pub(super) context: Context,
    pub(super) args: NatsArgs,
    pub(super) entries: kv::Store,
    pub(super) snapshots: object_store::ObjectStore,
}

impl Broker {
    /// Connects, checks the server's version, makes what is not there yet, and checks that all agree.
    pub(super) async fn connect(args: &NatsArgs) -> Result<Self> {
        args.check()?;
        let client = connect(args).await?;
        check_version(&client)?;
        let context = jetstream::new(client);
        for config in streams(args) {
            let made = context.get_or_create_stream(config).await;
            made.map_err(|error| failed("a stream cannot be made", &error))?;
        }
        let entries = entries(&context, args).await?;
        let snapshots = snapshots(&context, args).await?;
        let broker = Self { context, args: args.clone(), entries, snapshots };
        broker.agree().await?;
        Ok(broker)
    }

    /// The first one says how many partitions there are, for ever.
    async fn agree(&self) -> Result<()> {
        let agreed = Agreed { partitions: self.args.nats_partitions, lateness: self.args.nats_lateness };
        let bytes = json(&agreed)?;
        if self.entries.update("agreed", bytes.into(), 0).await.is_ok() {
            return Ok(());
        }
        let known = self.entries.get("agreed").await.map_err(|error| failed("the bucket cannot be read", &error))?;
        let known: Option<Agreed> = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match known {
            Some(known) if known == agreed => Ok(()),
            Some(known) => Err(Error::usage(
                format!("{} partitions and a lateness of {} s", agreed.partitions, agreed.lateness / 1_000_000),
                format!("those of the stream: {} and {} s", known.partitions, known.lateness / 1_000_000),
            )
            .with_help("another number needs another --nats-stream and --nats-prefix")),
            None => Err(failed("the bucket holds another `agreed`", &"it cannot be read")),
        }
    }

    /// The consumer of a partition from a message on. Each epoch has its own, so that an earlier owner takes nothing away from a later one.
    pub(super) async fn consumer(&self, partition: u32, epoch: u64, from: u64) -> Result<Pull> {
        let stream = self.stream().await?;
        let name = |epoch: u64| format!("{}-e{epoch}", word(partition));
        for old in [epoch.saturating_sub(1), epoch] {
            // It may have died by itself.
            _ = stream.delete_consumer(&name(old)).await;
        }
        let config = consumer::pull::Config {
            durable_name: Some(name(epoch)),
            filter_subject: format!("{}.{}.>", self.args.nats_prefix, word(partition)),
            deliver_policy: consumer::DeliverPolicy::ByStartSequence { start_sequence: from.max(1) },
            ack_policy: consumer::AckPolicy::All,
            ack_wait: Duration::from_mins(1),
            max_ack_pending: 20_000,
            inactive_threshold: duration(self.args.nats_lease).max(Duration::from_mins(5)),
            num_replicas: self.args.nats_replicas as usize,
            ..Default::default()
        };
        stream.create_consumer(config).await.map_err(|error| failed("a consumer cannot be made", &error))
    }

    pub(super) async fn stream(&self) -> Result<stream::Stream> {
        let stream = self.context.get_stream(&self.args.nats_stream).await;
        stream.map_err(|error| failed("the stream cannot be had", &error))
    }

    pub(super) async fn log(&self) -> Result<stream::Stream> {
        let stream = self.context.get_stream(log_name(&self.args)).await;
        stream.map_err(|error| failed("the log cannot be had", &error))
    }

    /// The subject of a partition's events, or of those of the fleet itself.
    pub(super) fn log_subject(&self, partition: Option<u32>) -> String {
        format!("{}-log.{}", self.args.nats_prefix, partition.map_or_else(|| "fleet".to_owned(), word))
    }
}

async fn connect(args: &NatsArgs) -> Result<Client> {
    let options = ConnectOptions::new().name("drift-watch").request_timeout(Some(Duration::from_secs(5)));
    let options = match args.login()? {
        Login::Nobody => options,
        Login::Token(token) => options.token(token.expose().to_owned()),
        Login::Credentials(text) => options.credentials(text.expose()).map_err(|error| {
            Error::usage(format!("credentials that cannot be used: {error}"), "a file that `nsc` wrote")
        })?,
    };
    let options = match &args.nats_ca_file {
        Some(path) => options.add_root_certificates(path.clone()),
        None => options,
    };
    let servers: Vec<&str> = args.url()?.split(',').collect();
    options.connect(servers).await.map_err(|error| Error::Environment {
        what: format!("{}: no connection: {error}", args.nats_url.as_deref().unwrap_or_default()),
        help: Some("see that the broker runs with JetStream: nats-server -js".to_owned()),
    })
}

fn check_version(client: &Client) -> Result<()> {
    let info = client.server_info();
    let least = format!("{}.{}.{} or a later one", LEAST.0, LEAST.1, LEAST.2);
    if !info.jetstream {
        return Err(Error::Environment {
            what: "the broker has no JetStream".to_owned(),
            help: Some("nats-server -js".to_owned()),
        });
    }
    match client.is_server_compatible(LEAST.0, LEAST.1, LEAST.2) {
        true => Ok(()),
        false => Err(Error::Environment {
            what: format!("the broker is nats-server {}; needed is {least}", info.version),
            help: None,
        }),
    }
}

fn log_name(args: &NatsArgs) -> String {
    format!("{}_LOG", args.nats_stream)
}

/// The records, and the log of what began or ended. Both are kept: the operator limits records by age once snapshots are younger.
fn streams(args: &NatsArgs) -> [stream::Config; 2] {
    let one = |name: String, subjects: String| stream::Config {
        name,
        subjects: vec![subjects],
        storage: stream::StorageType::File,
        duplicate_window: DUPLICATES,
        num_replicas: args.nats_replicas as usize,
        ..Default::default()
    };
    [
        one(args.nats_stream.clone(), format!("{}.>", args.nats_prefix)),
        one(log_name(args), format!("{}-log.*", args.nats_prefix)),
    ]
}

async fn entries(context: &Context, args: &NatsArgs) -> Result<kv::Store> {
    let bucket = format!("{}_FLEET", args.nats_stream);
    if let Ok(store) = context.get_key_value(&bucket).await {
        return Ok(store);
    }
    // The client's own call asks for the account first, and cannot read what a server of 2.9 answers.
    let config = stream::Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_messages_per_subject: 1,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        discard: stream::DiscardPolicy::New,
        num_replicas: args.nats_replicas as usize,
        ..Default::default()
    };
    context.create_stream(config).await.map_err(|error| failed("a bucket cannot be made", &error))?;
    context.get_key_value(&bucket).await.map_err(|error| failed("a bucket cannot be made", &error))
}

async fn snapshots(context: &Context, args: &NatsArgs) -> Result<object_store::ObjectStore> {
    let bucket = format!("{}_SNAPSHOTS", args.nats_stream);
    if let Ok(store) = context.get_object_store(&bucket).await {
        return Ok(store);
    }
    let config = object_store::Config { bucket, num_replicas: args.nats_replicas as usize, ..Default::default() };
    context.create_object_store(config).await.map_err(|error| failed("a bucket of snapshots cannot be made", &error))
}

/// What the broker refused, or could not do now.
pub(super) fn failed(what: &str, error: &impl std::fmt::Display) -> Error {
    Error::Environment { what: format!("NATS: {what}: {error}"), help: None }
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| failed("a value cannot be written", &error))
}
