//! MLflow: live metrics go there by way of the outbox, and metrics that others log there are watched.

mod sink;
mod source;

pub use sink::{LiveMetric, Sink};
pub use source::{ExternalPoint, Polled, Seen, Watched, poll};
