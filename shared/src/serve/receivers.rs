//! How receivers fare, as metrics.

use std::borrow::Cow;

use jiff::Timestamp;

use super::exposition::{Exposition, Labels};
use crate::alert::ReceiverView;

/// Adds how each receiver fares; the names of the metrics begin with `prefix`.
pub fn receivers(out: &mut Exposition, prefix: &str, receivers: &[ReceiverView]) {
    let mut gauge = |name: &str, help: &str, value: fn(&ReceiverView) -> Option<f64>| {
        out.gauges(
            &format!("{prefix}_{name}"),
            help,
            receivers.iter().filter_map(|one| Some((receiver(one), value(one)?))),
        );
    };
    let help = "Whether the latest attempt to deliver to a receiver succeeded.";
    gauge("receiver_healthy", help, |one| Some(f64::from(one.healthy)));
    let help = "Messages that wait for a later attempt.";
    gauge("receiver_waiting_messages", help, |one| Some(one.waiting as f64));
    let help = "Messages that a receiver refused for good, and that lie aside.";
    gauge("receiver_refused_messages", help, |one| Some(one.refused as f64));
    let help = "When a message last arrived.";
    gauge("receiver_last_delivered_timestamp_seconds", help, |one| seconds(one.last_delivered.as_deref()));
    let delivered = receivers.iter().map(|one| (receiver(one), one.delivered as f64));
    out.counters(&format!("{prefix}_receiver_delivered_total"), "Messages that arrived.", delivered);
    let failures = receivers.iter().map(|one| (receiver(one), one.failures as f64));
    out.counters(&format!("{prefix}_receiver_failures_total"), "Attempts to deliver that failed.", failures);
}

fn receiver(one: &ReceiverView) -> Labels<'_> {
    vec![("receiver", Cow::from(&one.name))]
}

fn seconds(time: Option<&str>) -> Option<f64> {
    let time: Timestamp = time?.parse().ok()?;
    Some(time.as_millisecond() as f64 / 1000.0)
}
