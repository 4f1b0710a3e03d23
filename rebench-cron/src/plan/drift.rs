//! Whether a run that drift asks for may run: not too soon after the last one, and not too often.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::span;

use super::later;
use crate::job::Drift;

/// What is known of the runs of a job that drift asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earlier {
    /// When the last one was asked for.
    pub last: Option<Timestamp>,
    /// How many there were within the span of the budget.
    pub count: u64,
}

/// Why such a run is refused; none if it may run.
pub fn refusal(policy: &Drift, earlier: Earlier, now: Timestamp) -> Option<String> {
    let until = earlier.last.map(|last| later(last, signed(policy.cooldown)));
    if let (Some(last), Some(until)) = (earlier.last, until.filter(|until| *until > now)) {
        return Some(format!("drift asked for a run at {last}; until {until} that one is the answer"));
    }
    let spent = earlier.count >= u64::from(policy.budget);
    spent.then(|| format!("drift has asked for {} runs in {}, the budget", earlier.count, span::text(policy.span)))
}

fn signed(span: Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drifting_model_does_not_ask_without_end() {
        let hour = |hour: i64| Timestamp::from_second(hour * 3_600).unwrap();
        let day = Duration::from_hours(24);
        let policy = Drift { cooldown: day, coalesce: 0.2, budget: 4, span: day * 30 };
        let with = |last, count| Earlier { last, count };
        assert_eq!(refusal(&policy, with(None, 0), hour(0)), None);
        assert_eq!(refusal(&policy, with(Some(hour(0)), 1), hour(24)), None);
        assert!(refusal(&policy, with(Some(hour(0)), 1), hour(23)).unwrap().contains("1970-01-02T00:00:00Z"));
        assert!(refusal(&policy, with(Some(hour(0)), 4), hour(100)).unwrap().contains("4 runs in 30d"));
    }
}
