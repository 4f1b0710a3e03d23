//! Jitter: jobs that are due at once start apart, each always at the same place of its span.

use std::time::Duration;

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

/// The part of `span` by which runs of the job start later: the same in each run and on each machine.
pub fn of(job: &str, span: Duration) -> SignedDuration {
    let span = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    let hash = Sha256::digest(format!("jitter\0{job}").as_bytes());
    let part = u64::from_be_bytes(std::array::from_fn(|place| hash[place]));
    let micros = (u128::from(part) * u128::from(span)) >> 64;
    SignedDuration::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_spread_evenly_and_stay_in_their_span() {
        let span = Duration::from_mins(10);
        let mut sixths = [0_u32; 6];
        for job in 0..6_000 {
            let jitter = of(&format!("job{job}"), span);
            sixths[usize::try_from(jitter.as_secs() / 100).unwrap()] += 1;
        }
        // 1,000 each; the standard deviation of a binomial count is 29.
        assert!(sixths.iter().all(|count| (880..1_120).contains(count)), "{sixths:?}");
        assert_eq!(of("walmart", Duration::ZERO), SignedDuration::ZERO);
        assert_eq!(of("walmart", span), of("walmart", span));
    }
}
