//! drift-watch as a fleet: many replicas share the work on NATS `JetStream`, and give the answer of one process.
//!
//! - Series are spread over a fixed number of partitions ([`partition`]); a partition's records lie in one stream, in an order that the broker
//!   fixes. Its state ([`state`]) is a function of these records in this order, whoever applies them.
//! - Records are put into the order of their times before the engine sees them ([`order`]), so that bounded disorder does not show.
//! - Who owns a partition stands in one entry of a bucket, changed by compare-and-swap only ([`lease`]). Snapshots are named by that entry, and
//!   what began or ended is appended to a log under the expected sequence ([`event`]), so that an owner that was paused can write nothing.
//! - Alerts of the whole fleet are a fold over that log ([`grouped`]), numbers of the whole fleet a sum of what partitions publish ([`summary`]).

pub mod args;
#[cfg(feature = "nats")]
mod broker;
#[cfg(feature = "nats")]
mod coordinate;
#[cfg(feature = "nats")]
mod daemon;
pub mod dump;
pub mod event;
pub mod grouped;
#[cfg(feature = "nats")]
mod leader;
pub mod lease;
pub mod order;
#[cfg(feature = "nats")]
mod owner;
pub mod partition;
pub mod publish;
#[cfg(feature = "nats")]
mod read;
#[cfg(feature = "nats")]
mod send;
pub mod state;
pub mod summary;

use shared::cli::Context;
use shared::error::Result;

use crate::run::args::Args;

/// Runs a replica.
///
/// # Errors
/// On bad configuration, or where the broker cannot be used.
#[cfg(feature = "nats")]
pub fn run(args: &Args, context: &Context) -> Result<()> {
    daemon::run(args, context)
}

/// Says that this program cannot run a replica.
///
/// # Errors
/// Always.
#[cfg(not(feature = "nats"))]
pub fn run(_: &Args, _: &Context) -> Result<()> {
    Err(without())
}

/// What a program says that was built without the feature.
#[cfg(not(feature = "nats"))]
fn without() -> shared::Error {
    let error = shared::Error::usage("--nats-url", "a drift-watch that was built with NATS");
    error.with_help("build with the feature `nats`")
}
