//! Delivers what waits in the queue of one receiver, and says how long to wait before the next round.

use std::path::Path;
use std::time::Duration;

use crate::error::Result;
use crate::outbox::{Delivered, Delivery, Outbox};

use super::receiver::{Outcome, Receiver};

/// The longest pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause of all.
const MOST_PAUSE: Duration = Duration::from_mins(5);

/// How long to wait after this many failures in a row: between nothing and a limit that doubles up to five minutes, at
/// random ("full jitter"), so that many senders do not come back at once. The same seed and number give the same pause.
pub fn backoff(failures: u32, seed: u64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let limit = FIRST_PAUSE.saturating_mul(1 << doublings).min(MOST_PAUSE);
    if failures == 0 { Duration::ZERO } else { limit.mul_f64(uniform(seed, failures)) }
}

/// A number in [0, 1) from a seed and a counter: `SplitMix64` (Steele, Lea, Flood 2014), its upper 53 bits.
fn uniform(seed: u64, counter: u32) -> f64 {
    let mut z = seed.wrapping_add(u64::from(counter).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let upper = (z ^ (z >> 31)) >> 11;
    upper as f64 / (1_u64 << 53) as f64
}

/// What carries the messages of one receiver; one for each thread that delivers.
#[derive(Debug)]
pub struct Courier {
    receiver: Receiver,
    outbox: Outbox,
    failures: u32,
    seed: u64,
}

/// What a round did.
#[derive(Debug)]
pub struct Round {
    /// What was delivered, refused, waits.
    pub delivery: Delivery,
    /// How long to wait before the next round; nothing if no message waits.
    pub wait: Option<Duration>,
}

impl Courier {
    /// A courier for a receiver whose queue lies below `queues`. The seed spreads the pauses.
    pub fn new(receiver: Receiver, queues: &Path, seed: u64) -> Self {
        Self { outbox: receiver.outbox(queues), receiver, failures: 0, seed }
    }

    /// Whom it delivers to.
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// The queue, for putting messages into it.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Delivers what waits, in order, until all is delivered, one message has to wait, or `stop` says so.
    ///
    /// # Errors
    /// Those of [`Outbox::deliver`]; a receiver that fails is none, its messages wait.
    pub fn round(&mut self, stop: &dyn Fn() -> bool) -> Result<Round> {
        let (mut after, mut failed, mut progress) = (None, false, false);
        let delivery = self.outbox.deliver(|message| {
            if stop() {
                return Ok(Delivered::Later("stopped as asked".to_owned()));
            }
            let outcome = self.receiver.send(message);
            if let Outcome::Later { after: asked, .. } = &outcome {
                (after, failed) = (*asked, true);
            }
            progress |= !matches!(outcome, Outcome::Later { .. });
            outcome.into()
        })?;
        let before = if progress { 0 } else { self.failures };
        self.failures = if failed { before.saturating_add(1) } else { 0 };
        let pause = backoff(self.failures, self.seed).max(after.unwrap_or_default());
        Ok(Round { wait: (!delivery.waiting.is_empty()).then_some(pause), delivery })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_differ_by_seed() {
        assert_eq!(backoff(0, 1), Duration::ZERO);
        for (failures, limit) in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (u32::MAX, 300)] {
            let pauses: Vec<f64> = (0..4_000).map(|seed| backoff(failures, seed).as_secs_f64()).collect();
            let (limit, mean) = (f64::from(limit), pauses.iter().sum::<f64>() / 4_000.0);
            assert!(pauses.iter().all(|pause| (0.0..limit).contains(pause)), "{failures}");
            // The mean of a uniform is half the limit; its standard error here is 0.0046 of it.
            assert!((mean / limit - 0.5).abs() < 0.025, "{failures}: {mean}");
        }
        assert_eq!(backoff(5, 7), backoff(5, 7));
        assert_ne!(backoff(5, 7), backoff(5, 8));
    }
}
