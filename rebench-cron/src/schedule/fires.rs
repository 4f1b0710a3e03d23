//! A schedule: a pattern of times on the wall, in a zone, under a rule for changes of the clocks.

use std::sync::Arc;

use jiff::Timestamp;

use super::calendar::Calendar;
use super::civil::DAY;
use super::dialect::Dst;
use super::zone::{Span, Zone};

/// Jumps of this length and more are no daylight saving: what they leave out is not caught up.
const LONGEST_CAUGHT_UP_SECONDS: i32 = 3 * 3_600;

/// Nowhere do two times on the wall for one instant differ by more.
const WIDEST_SECONDS: i64 = 2 * DAY;

/// What an expression means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Times on the wall.
    Calendar(Calendar),
    /// Every so many seconds, counted from 1970-01-01T00:00:00Z, whatever clocks do.
    Every {
        /// At least 1.
        seconds: u32,
    },
}

/// When a job is due: small, so that many fit into memory, and free of clocks.
#[derive(Debug, Clone)]
pub struct Schedule {
    pattern: Pattern,
    zone: Arc<Zone>,
    dst: Dst,
}

impl Schedule {
    /// From its parts. What the engine of a dialect does where clocks change is [`super::Dialect::dst`].
    pub fn new(pattern: Pattern, zone: Arc<Zone>, dst: Dst) -> Self {
        Self { pattern, zone, dst }
    }

    /// What the expression means.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The zone of its times.
    pub fn zone(&self) -> &Arc<Zone> {
        &self.zone
    }

    /// Its rule for changes of the clocks.
    pub fn dst(&self) -> Dst {
        self.dst
    }

    /// The first fire strictly after `after`; none if the years of the expression are over.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let from = after.as_second() - i64::from(after.subsec_nanosecond() < 0) + 1;
        let second = match &self.pattern {
            Pattern::Calendar(calendar) => self.next_of(calendar, from),
            Pattern::Every { seconds } => {
                let seconds = i64::from(*seconds);
                Some(((from - 1).div_euclid(seconds) + 1) * seconds)
            }
        };
        Timestamp::from_second(second?).ok()
    }

    /// The last fire strictly before `before`.
    pub fn prev(&self, before: Timestamp) -> Option<Timestamp> {
        let to = before.as_second() + i64::from(before.subsec_nanosecond() > 0) - 1;
        let second = match &self.pattern {
            Pattern::Calendar(calendar) => self.prev_of(calendar, to),
            Pattern::Every { seconds } => Some(to.div_euclid(i64::from(*seconds)) * i64::from(*seconds)),
        };
        Timestamp::from_second(second?).ok()
    }

    /// All fires strictly after `after`, in order.
    pub fn fires(&self, after: Timestamp) -> Fires<'_> {
        Fires { schedule: self, last: Some(after) }
    }

    /// The first fire at second `from` or later.
    fn next_of(&self, calendar: &Calendar, from: i64) -> Option<i64> {
        let mut from = from;
        let mut span = self.zone.span(from);
        let mut whole = false;
        loop {
            if from == span.start && self.catches_up(calendar, &span) {
                return Some(from);
            }
            let offset = i64::from(span.offset);
            let first = self.first_wall(&span, calendar).max(from + offset);
            let wall = calendar.at_or_after(first);
            if let Some(wall) = wall.filter(|wall| *wall < self.end_wall(&span, calendar)) {
                return Some(wall - offset);
            }
            if span.end == i64::MAX || (whole && wall.is_none()) {
                return None;
            }
            // Once a whole span is known to hold nothing, all up to shortly before the next match can be passed over.
            let far = wall.filter(|_| whole).map_or(i64::MIN, |wall| wall - WIDEST_SECONDS);
            from = span.end.max(far);
            span = self.zone.span(from);
            whole = true;
        }
    }

    /// The last fire at second `to` or earlier.
    fn prev_of(&self, calendar: &Calendar, to: i64) -> Option<i64> {
        let mut to = to;
        let mut span = self.zone.span(to);
        let mut whole = false;
        loop {
            let offset = i64::from(span.offset);
            let last = (self.end_wall(&span, calendar).saturating_sub(1)).min(to + offset);
            let wall = calendar.at_or_before(last);
            if let Some(wall) = wall.filter(|wall| *wall >= self.first_wall(&span, calendar)) {
                return Some(wall - offset);
            }
            if self.catches_up(calendar, &span) {
                return Some(span.start);
            }
            if span.start == i64::MIN || (whole && wall.is_none()) {
                return None;
            }
            let far = wall.filter(|_| whole).map_or(i64::MAX, |wall| wall + WIDEST_SECONDS);
            to = (span.start - 1).min(far);
            span = self.zone.span(to);
            whole = true;
        }
    }

    /// How this schedule treats what clocks show twice.
    fn repeats(&self, calendar: &Calendar) -> Repeats {
        match self.dst {
            Dst::Instant => Repeats::Both,
            Dst::Skip => Repeats::First,
            Dst::Later => Repeats::Second,
            Dst::Vixie if calendar.is_wild() => Repeats::Both,
            Dst::Vixie => Repeats::First,
        }
    }

    /// The first time on the wall that counts within a span.
    fn first_wall(&self, span: &Span, calendar: &Calendar) -> i64 {
        let offset = match self.repeats(calendar) {
            Repeats::First => span.offset.max(span.before),
            Repeats::Both | Repeats::Second => span.offset,
        };
        span.start.saturating_add(i64::from(offset))
    }

    /// The time on the wall at which a span ends to count.
    fn end_wall(&self, span: &Span, calendar: &Calendar) -> i64 {
        let offset = match self.repeats(calendar) {
            Repeats::Second => span.offset.min(span.after),
            Repeats::Both | Repeats::First => span.offset,
        };
        span.end.saturating_add(i64::from(offset))
    }

    /// Whether the gap at the start of a span swallowed a time that is made up for when the gap ends.
    fn catches_up(&self, calendar: &Calendar, span: &Span) -> bool {
        let missing = span.offset - span.before;
        if self.dst != Dst::Vixie || missing <= 0 || missing >= LONGEST_CAUGHT_UP_SECONDS || calendar.is_wild() {
            return false;
        }
        let gap = span.start + i64::from(span.before);
        calendar.at_or_after(gap).is_some_and(|wall| wall < gap + i64::from(missing))
    }
}

/// Which pass of an overlap counts.
#[derive(Debug, Clone, Copy)]
enum Repeats {
    First,
    Second,
    Both,
}

/// Fires in order: see [`Schedule::fires`].
#[derive(Debug, Clone)]
pub struct Fires<'a> {
    schedule: &'a Schedule,
    last: Option<Timestamp>,
}

impl Iterator for Fires<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        self.last = self.schedule.next(self.last?);
        self.last
    }
}
