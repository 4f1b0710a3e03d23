//! How long a job may take, and how late it may start, as engines want to know it.

use std::time::Duration;

use jiff::Timestamp;
use shared::span;

use crate::job::Job;

/// What `once` itself needs around its runs: records, judgement, alerts.
const AROUND: Duration = Duration::from_mins(5);

/// Without a key for it, a missed run is caught up for so long at most.
const OLDEST: Duration = Duration::from_hours(10 * 24);

/// The longest that `once` can take: all attempts with their pauses; none if there is no limit.
///
/// It is a second fence around the job's own limit, which ends each attempt and records why.
pub(super) fn longest(job: &Job) -> Option<Duration> {
    if job.timeout >= span::NEVER || job.grace >= span::NEVER {
        return None;
    }
    let repeats = job.judge.as_ref().map_or(1, |judge| judge.repeats.max(1));
    let attempts = job.retry.times.checked_add(1)?.checked_mul(repeats)?;
    let runs = job.timeout.checked_add(job.grace)?.checked_mul(attempts)?;
    runs.checked_add(pauses(job)?)?.checked_add(AROUND).filter(|sum| *sum < span::NEVER)
}

/// Each pause doubles the last, up to the longest.
fn pauses(job: &Job) -> Option<Duration> {
    let mut pause = job.retry.delay.min(job.retry.most);
    let mut sum = Duration::ZERO;
    for left in (1..=job.retry.times).rev() {
        if pause >= job.retry.most {
            return sum.checked_add(pause.checked_mul(left)?);
        }
        sum = sum.checked_add(pause)?;
        pause = pause.saturating_mul(2).min(job.retry.most);
    }
    Some(sum)
}

/// The time between two runs.
pub(super) fn period(job: &Job, now: Timestamp) -> Option<Duration> {
    let mut fires = job.schedule.fires(now);
    let (one, two) = (fires.next()?, fires.next()?);
    Duration::try_from(two.duration_since(one)).ok()
}

/// How late a missed run may be.
pub(super) fn missed_age(job: &Job, now: Timestamp) -> Duration {
    let usual = period(job, now).map_or(OLDEST, |period| (period * 3 / 7).min(OLDEST));
    job.missed.age.unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests_support::job;

    #[test]
    fn all_attempts_and_their_pauses_fit() {
        // 3 attempts of 1 h and 30 s, pauses of 1 and 2 minutes, 5 minutes around them.
        let usual = job("schedule = \"0 3 * * 1\"\ntimeout = \"1h\"");
        assert_eq!(longest(&usual), Some(Duration::from_secs(3 * 3_630 + 60 + 120 + 300)));
        // Pauses of 40, 60, 60, 60 minutes.
        let many = job("schedule = \"0 3 * * 1\"\ntimeout = \"1h\"\nretries = 4\nretry-delay = \"40m\"");
        assert_eq!(longest(&many), Some(Duration::from_secs(5 * 3_630 + 220 * 60 + 300)));
        assert_eq!(longest(&job("schedule = \"0 3 * * 1\"\ntimeout = \"never\"")), None);
    }

    #[test]
    fn a_missed_run_is_caught_up_for_three_sevenths_of_the_period() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(missed_age(&job("schedule = \"0 3 * * 1\""), now), Duration::from_hours(72));
        assert_eq!(missed_age(&job("schedule = \"0 3 1 * *\""), now), Duration::from_hours(240));
        assert_eq!(missed_age(&job("schedule = \"0 3 1 * *\"\nmissed-age = \"2d\""), now), Duration::from_hours(48));
    }
}
