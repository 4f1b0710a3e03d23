//! The common crate of the forecast-promotion tools.
//!
//! - [`alert`]: alerts, and (feature `http`) the clients that carry them.
//! - [`clock`]: the time of day.
//! - [`config`](mod@config): the file `promotion.toml`.
//! - [`error`] and [`exit`]: what goes wrong, where, and the exit status it means.
//! - [`fsio`] and [`digest`]: files opened with their path in the error, written atomically, hashed.
//! - [`format`](mod@format): the files that the tools exchange.
//! - [`cli`] (feature `cli`): flags, error text and exit status that all tools share.
//! - [`metric`]: accuracy metrics, computed from sums.
//! - [`predicate`]: the slice language.
//! - [`suggest`]: the known name nearest to a mistyped one.
//! - [`systemd`] (feature `daemon`): what a daemon tells its service manager.
//! - [`mlflow`]: runs of MLflow, read from a file store or (feature `http`) read from and written to a tracking server.
//! - [`outbox`]: what goes out over a network waits here until it has arrived.
//! - [`plot`]: SVG pieces for reports and pages.
//! - [`program`]: what every program that a tool starts has in common.
//! - [`secret`]: texts that no message shows.
//! - [`serve`] (feature `daemon`): what HTTP servers of daemons have in common.
//! - [`span`]: lengths of time as flags and files have them.
//! - [`stats`]: statistics, slices in and numbers out.

pub mod alert;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
pub mod config;
pub mod digest;
pub mod error;
pub mod exit;
pub mod format;
pub mod fsio;
pub mod metric;
pub mod mlflow;
pub mod outbox;
pub mod plot;
pub mod predicate;
pub mod program;
pub mod secret;
#[cfg(feature = "daemon")]
pub mod serve;
pub mod span;
pub mod stats;
pub mod suggest;
#[cfg(feature = "daemon")]
pub mod systemd;

pub use error::{Error, Place, Problem, Result};
pub use exit::Exit;
