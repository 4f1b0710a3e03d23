//! Which alerts Alertmanager has to hear of now: what changed, and what it would forget otherwise.
//!
//! Alertmanager keeps an alert until its `endsAt`, and loses all of them when it loses its disk. So a firing alert is posted
//! when it changes and again at every interval, each time with an end three intervals ahead; one that has ended is posted
//! with its end, and again for some minutes, in case the first of these posts was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::digest;

use super::{Alert, Outgoing};

/// How often a firing alert is posted again.
pub const DEFAULT_RESEND: Duration = Duration::from_mins(1);

/// For how long an alert that has ended is posted again.
pub const DEFAULT_RESOLVED_RESEND: Duration = Duration::from_mins(5);

/// After how many intervals without a post an alert ends by itself.
const INTERVALS_TO_LIVE: i32 = 3;

/// What one Alertmanager was told, and when: pure, without clock or socket. Each server needs one of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resender {
    resend: SignedDuration,
    resolved_resend: SignedDuration,
    sent: BTreeMap<String, Sent>,
}

/// What was said of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    /// When the last time.
    at: Timestamp,
    /// When its end was said for the first time.
    ended: Option<Timestamp>,
    /// Digest of what was said, but for the end of a firing alert, which moves.
    content: String,
}

impl Default for Resender {
    fn default() -> Self {
        Self::new(DEFAULT_RESEND, DEFAULT_RESOLVED_RESEND)
    }
}

impl Resender {
    /// Nothing was said yet: after a restart all that fires is due at once.
    pub fn new(resend: Duration, resolved_resend: Duration) -> Self {
        let signed = |time: Duration| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        Self { resend: signed(resend), resolved_resend: signed(resolved_resend), sent: BTreeMap::new() }
    }

    /// What has to be posted at `now`: alerts that fire or ended lately, each as often as it is given.
    ///
    /// An end counts from when it is first posted, so that one that data bring late is said too, if it was said to fire.
    pub fn due(&self, alerts: &[Alert], now: Timestamp) -> Vec<Outgoing> {
        alerts.iter().filter(|alert| self.is_due(alert, now)).map(|alert| self.outgoing(alert, now)).collect()
    }

    /// Notes that `posted` was posted at `now`, and forgets alerts that are not among `alerts` any more.
    pub fn sent(&mut self, alerts: &[Alert], posted: &[Outgoing], now: Timestamp) {
        let posted: BTreeSet<&str> = posted.iter().map(|outgoing| outgoing.id.as_str()).collect();
        let mut earlier = std::mem::take(&mut self.sent);
        for alert in alerts {
            let known = earlier.remove(&alert.id);
            let now_known = if posted.contains(alert.id.as_str()) { Some(said(alert, known, now)) } else { known };
            if let Some(sent) = now_known {
                self.sent.insert(alert.id.clone(), sent);
            }
        }
    }

    /// When something is due next if no alert changes; nothing if nothing is.
    pub fn next(&self) -> Option<Timestamp> {
        let again = |sent: &Sent| {
            let time = later(sent.at, self.resend);
            sent.ended.is_none_or(|ended| within(ended, time, self.resolved_resend)).then_some(time)
        };
        self.sent.values().filter_map(again).min()
    }

    fn is_due(&self, alert: &Alert, now: Timestamp) -> bool {
        let Some(sent) = self.sent.get(&alert.id) else {
            return alert.ends_at.is_none_or(|end| within(end, now, self.resolved_resend));
        };
        let waited = !within(sent.at, now, self.resend);
        let over = sent.ended.is_some_and(|ended| !within(ended, now, self.resolved_resend));
        sent.content != content(alert) || (waited && !over)
    }

    /// Ends in the future would fire on at Alertmanager, and a beginning in the future is before no end: both become now.
    fn outgoing(&self, alert: &Alert, now: Timestamp) -> Outgoing {
        let starts_at = alert.starts_at.min(now);
        let ends_at = alert.ends_at.map(|end| end.min(now));
        let horizon = later(now, self.resend.saturating_mul(INTERVALS_TO_LIVE));
        Outgoing::new(&Alert { starts_at, ends_at, ..alert.clone() }, horizon)
    }
}

fn said(alert: &Alert, earlier: Option<Sent>, now: Timestamp) -> Sent {
    let ended = alert.ends_at.map(|_| earlier.and_then(|sent| sent.ended).unwrap_or(now));
    Sent { at: now, ended, content: content(alert) }
}

fn content(alert: &Alert) -> String {
    digest::of_bytes(format!("{alert:?}").as_bytes())
}

/// Whether less than `time` has passed since `from`.
fn within(from: Timestamp, now: Timestamp, time: SignedDuration) -> bool {
    now.duration_since(from) < time
}

fn later(from: Timestamp, time: SignedDuration) -> Timestamp {
    from.checked_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Severity;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn alert(id: &str, ends_at: Option<i64>) -> Alert {
        Alert {
            id: id.to_owned(),
            name: "ForecastDrift".to_owned(),
            severity: Severity::Warning,
            labels: BTreeMap::from([("series".to_owned(), id.to_owned())]),
            summary: "s".to_owned(),
            annotations: BTreeMap::new(),
            starts_at: at(1_000),
            ends_at: ends_at.map(at),
        }
    }

    /// Posts what is due at each of the times, and says what that was: identifier and end.
    fn run(resender: &mut Resender, alerts: &[Alert], times: &[i64]) -> Vec<(i64, String, i64)> {
        let post = |&now: &i64| {
            let due = resender.due(alerts, at(now));
            resender.sent(alerts, &due, at(now));
            due.into_iter().map(move |outgoing| (now, outgoing.id, outgoing.ends_at.as_second())).collect::<Vec<_>>()
        };
        times.iter().flat_map(post).collect()
    }

    fn times(posts: &[(i64, String, i64)]) -> Vec<i64> {
        posts.iter().map(|(now, ..)| *now).collect()
    }

    #[test]
    fn a_firing_alert_is_posted_at_every_interval_with_an_end_three_intervals_ahead() {
        let mut resender = Resender::default();
        let posts = run(&mut resender, &[alert("a", None)], &[1_000, 1_001, 1_059, 1_060, 1_061, 1_125, 1_184, 1_185]);
        let ends: Vec<(i64, i64)> = posts.iter().map(|(now, _, end)| (*now, *end)).collect();
        assert_eq!(ends, [(1_000, 1_180), (1_060, 1_240), (1_125, 1_305), (1_185, 1_365)]);
        assert_eq!(resender.next(), Some(at(1_245)));
    }

    #[test]
    fn a_change_is_posted_at_once() {
        let mut resender = Resender::default();
        run(&mut resender, &[alert("a", None), alert("b", None)], &[1_000]);
        let changed = Alert { summary: "worse".to_owned(), ..alert("b", None) };
        let posts = run(&mut resender, &[alert("a", None), changed], &[1_001]);
        assert_eq!(posts, [(1_001, "b".to_owned(), 1_181)]);
    }

    #[test]
    fn an_end_is_posted_for_five_minutes_and_then_no_more() {
        let mut resender = Resender::default();
        run(&mut resender, &[alert("a", None)], &[1_000]);
        let every_half_minute: Vec<i64> = (0..20).map(|step| 1_010 + 30 * step).collect();
        let posts = run(&mut resender, &[alert("a", Some(1_005))], &every_half_minute);
        assert_eq!(times(&posts), [1_010, 1_070, 1_130, 1_190, 1_250]);
        assert!(posts.iter().all(|(_, _, end)| *end == 1_005), "{posts:?}");
        assert_eq!(resender.next(), None);
        assert_eq!(run(&mut resender, &[alert("a", Some(1_005))], &[1_310, 9_999]), []);
    }

    #[test]
    fn an_end_that_data_bring_late_is_said_where_the_alert_was_said_to_fire() {
        let mut resender = Resender::default();
        run(&mut resender, &[alert("a", None)], &[50_000]);
        let ended = [alert("a", Some(2_000)), alert("never said", Some(2_000)), alert("just ended", Some(49_990))];
        let posts = run(&mut resender, &ended, &[50_010]);
        assert_eq!(posts, [(50_010, "a".to_owned(), 2_000), (50_010, "just ended".to_owned(), 49_990)]);
    }

    #[test]
    fn a_failed_post_is_due_again() {
        let resender = Resender::default();
        let alerts = [alert("a", None)];
        assert_eq!(resender.due(&alerts, at(1_000)).len(), 1);
        assert_eq!(resender.due(&alerts, at(1_001)).len(), 1);
    }

    #[test]
    fn times_of_the_future_become_now() {
        let due = Resender::default().due(&[alert("a", Some(5_000)), alert("b", None)], at(500));
        let times: Vec<_> = due.iter().map(|out| (out.starts_at.as_second(), out.ends_at.as_second())).collect();
        assert_eq!(times, [(500, 500), (500, 680)]);
    }

    #[test]
    fn alerts_that_are_gone_are_forgotten() {
        let mut resender = Resender::default();
        run(&mut resender, &[alert("a", None)], &[1_000]);
        run(&mut resender, &[], &[1_001]);
        assert_eq!(resender, Resender::default());
    }
}
