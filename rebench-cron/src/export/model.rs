//! When an engine fires.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::schedule::{Dst, Pattern, Schedule, Zone, written};

/// When an engine fires.
#[derive(Debug, Clone)]
pub enum Model {
    /// Whenever one of these does.
    Any(Vec<Schedule>),
    /// As Airflow steps from run to run on the wall.
    Airflow(Steps),
}

/// Airflow's rule: the next time on the wall, then the instant. A time in a gap comes as much later as the gap is long, one
/// that comes twice is meant the second time; schedules of every hour go on by the time that passes.
#[derive(Debug, Clone)]
pub struct Steps {
    /// Times on the wall, as if that were UTC.
    wall: Schedule,
    tz: TimeZone,
}

impl Steps {
    /// For a pattern in a zone.
    pub fn new(pattern: Pattern, zone: &Zone) -> Self {
        Self { wall: Schedule::new(pattern, Zone::utc(), Dst::Instant), tz: zone.tz().clone() }
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let now = after.to_zoned(self.tz.clone()).datetime();
        let naive = now.to_zoned(TimeZone::UTC).ok()?.timestamp();
        let next = self.wall.next(naive)?;
        if written::has_every_hour(&self.wall) {
            return after.checked_add(next.duration_since(naive)).ok();
        }
        let at = self.tz.to_ambiguous_zoned(next.to_zoned(TimeZone::UTC).datetime());
        Some(at.later().ok()?.timestamp())
    }
}

impl Model {
    /// The first fire strictly after `after`.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Any(schedules) => schedules.iter().filter_map(|schedule| schedule.next(after)).min(),
            Self::Airflow(steps) => steps.next(after),
        }
    }

    /// All fires strictly after `after`, in order.
    pub fn fires(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next(after), |last| self.next(*last))
    }
}
