//! When a run that failed is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{jitter, later};
use crate::job::{Job, Retry};

/// The pauses are spread by up to this share, so that jobs that failed together do not come back together.
const SPREAD: f64 = 0.2;

/// When attempt `attempt` of a slot, counted from 1, is followed by another one after it failed at `now`: none if it was the last, or if
/// the next regular slot comes first.
pub fn at(job: &Job, attempt: u32, now: Timestamp) -> Option<Timestamp> {
    if attempt > job.retry.times {
        return None;
    }
    let pause = pause(job.retry, attempt);
    let spread = jitter::of(&format!("{}\0{attempt}", job.name), pause.mul_f64(SPREAD));
    let at = later(later(now, SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX)), spread);
    let next = job.enabled.then(|| job.schedule.next(now)).flatten();
    next.is_none_or(|next| at < next).then_some(at)
}

fn pause(retry: Retry, attempt: u32) -> Duration {
    let doubled = retry.delay.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    doubled.min(retry.most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let retry = Retry { times: 9, delay: Duration::from_mins(1), most: Duration::from_mins(10) };
        let pauses: Vec<u64> = (1..=6).map(|attempt| pause(retry, attempt).as_secs()).collect();
        assert_eq!(pauses, [60, 120, 240, 480, 600, 600]);
        assert_eq!(pause(retry, u32::MAX), Duration::from_mins(10));
    }
}
