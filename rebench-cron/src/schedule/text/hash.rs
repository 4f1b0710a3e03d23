//! `H`: a value that a job's name picks, so that jobs with the same expression spread out and each keeps its time.

use sha2::{Digest, Sha256};

/// A number below `size`, from the job and what it is for. The same on every machine and in every version.
pub(super) fn pick(job: &str, purpose: &str, size: u8) -> u8 {
    let digest = Sha256::new().chain_update(job).chain_update([0]).chain_update(purpose).finalize();
    let number = digest.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    u8::try_from(number % u64::from(size.max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_keeps_its_place() {
        // printf 'walmart\0minutes' | sha256sum begins with 5b62b0f0870ee8f3, which leaves 59 when divided by 60.
        assert_eq!(pick("walmart", "minutes", 60), 59);
    }

    #[test]
    fn jobs_spread_over_the_hour() {
        let mut minutes: Vec<u8> = (0..600).map(|job| pick(&format!("job-{job}"), "minutes", 60)).collect();
        minutes.sort_unstable();
        minutes.dedup();
        assert_eq!(minutes.len(), 60);
    }
}
