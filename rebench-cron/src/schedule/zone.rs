//! A time zone as stretches of time in which its clocks are not changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use jiff::tz::{self, TimeZone};
use shared::error::{Error, Result};
use shared::suggest;

/// Changes from the beginning of 1970 to the end of 2100 are kept at hand; others are asked for.
const KEPT: std::ops::Range<i64> = 0..4_133_980_800;

/// A stretch of time between two changes of a zone's clocks, in seconds since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first second.
    pub(super) start: i64,
    /// The first second after it.
    pub(super) end: i64,
    /// Seconds that the clocks are ahead of UTC before it, in it and after it.
    pub(super) before: i32,
    pub(super) offset: i32,
    pub(super) after: i32,
}

impl Span {
    /// The same time on the wall for ever.
    fn endless(offset: i32) -> Self {
        Self { start: i64::MIN, end: i64::MAX, before: offset, offset, after: offset }
    }

    pub(super) fn contains(&self, second: i64) -> bool {
        self.start <= second && second < self.end
    }
}

/// A time zone, made to be asked often.
#[derive(Debug)]
pub struct Zone {
    name: String,
    tz: TimeZone,
    /// What lies within [`KEPT`], in order and without holes.
    spans: Vec<Span>,
    /// The span of the last answer: the next question is about the same one, as a rule.
    last: AtomicUsize,
}

impl Zone {
    /// The zone of an IANA name, as the system knows it, else as this program was built with it.
    ///
    /// # Errors
    /// [`Error::Usage`] if neither knows the name.
    pub fn named(name: &str) -> Result<Arc<Self>> {
        let found = tz::db().get(name).map_err(|_| unknown(name))?;
        Ok(Self::of(found.iana_name().unwrap_or(name), &found))
    }

    /// Coordinated universal time.
    pub fn utc() -> Arc<Self> {
        Self::of("UTC", &TimeZone::UTC)
    }

    /// The zone that jiff knows, by a name.
    pub fn of(name: &str, tz: &TimeZone) -> Arc<Self> {
        let mut zone = Self { name: name.to_owned(), tz: tz.clone(), spans: Vec::new(), last: AtomicUsize::new(0) };
        let mut span = zone.ask(KEPT.start);
        zone.spans.push(span);
        while span.end < KEPT.end {
            span = zone.following(&span);
            zone.spans.push(span);
        }
        Arc::new(zone)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone as jiff knows it.
    pub fn tz(&self) -> &TimeZone {
        &self.tz
    }

    /// The span that holds a second.
    pub(super) fn span(&self, second: i64) -> Span {
        let last = self.last.load(Ordering::Relaxed);
        if let Some(span) = self.spans.get(last).filter(|span| span.contains(second)) {
            return *span;
        }
        let index = self.spans.partition_point(|span| span.end <= second);
        match self.spans.get(index).filter(|span| span.contains(second)) {
            Some(span) => {
                self.last.store(index, Ordering::Relaxed);
                *span
            }
            None => self.ask(second),
        }
    }

    /// The span that holds a second, from the time zone data.
    fn ask(&self, second: i64) -> Span {
        let Ok(at) = Timestamp::from_second(second) else { return self.beyond(second) };
        let offset = self.tz.to_offset(at).seconds();
        let mut span = Span::endless(offset);
        // A change of the name or of the flag alone moves no clock.
        let earlier = self.tz.preceding(at.saturating_add(jiff::Span::new().seconds(1)).unwrap_or(at));
        for change in earlier {
            span.start = change.timestamp().as_second();
            span.before = self.offset_before(span.start);
            if span.before != offset {
                break;
            }
            span.start = i64::MIN;
        }
        let later = self.tz.following(at).find(|change| change.offset().seconds() != offset);
        if let Some(change) = later {
            span.end = change.timestamp().as_second();
            span.after = change.offset().seconds();
        }
        span
    }

    fn offset_before(&self, second: i64) -> i32 {
        Timestamp::from_second(second - 1).map_or(0, |at| self.tz.to_offset(at).seconds())
    }

    /// Before or after all the time that can be named.
    fn beyond(&self, second: i64) -> Span {
        let edge = if second < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Span::endless(self.tz.to_offset(edge).seconds())
    }

    /// The span after one that ends.
    fn following(&self, span: &Span) -> Span {
        let offset = span.after;
        let mut next = Span { start: span.end, end: i64::MAX, before: span.offset, offset, after: offset };
        let Ok(at) = Timestamp::from_second(span.end) else { return next };
        if let Some(change) = self.tz.following(at).find(|change| change.offset().seconds() != offset) {
            next.end = change.timestamp().as_second();
            next.after = change.offset().seconds();
        }
        next
    }
}

fn unknown(name: &str) -> Error {
    let error = Error::usage(format!("time zone {name:?} is not known"), "an IANA name, such as Europe/Berlin or UTC");
    let names: Vec<String> = tz::db().available().map(|known| known.to_string()).collect();
    match suggest::nearest(name, names.iter().map(String::as_str)) {
        Some(known) => error.with_help(format!("did you mean {known}?")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_lie_between_the_changes_of_berlin() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        // Summer time of 2026: from 29 March 01:00 UTC to 25 October 01:00 UTC.
        let span = zone.span(1_782_000_000);
        assert_eq!((span.start, span.end), (1_774_746_000, 1_792_890_000));
        assert_eq!((span.before, span.offset, span.after), (3_600, 7_200, 3_600));
        assert_eq!(zone.span(span.end).start, span.end);
        assert_eq!(zone.span(span.start - 1).end, span.start);
    }

    #[test]
    fn what_is_kept_is_what_is_asked() {
        for name in ["Europe/Berlin", "Africa/Casablanca", "Australia/Lord_Howe", "Pacific/Apia", "UTC"] {
            let zone = Zone::named(name).unwrap();
            for second in (-3_000_000_000..5_000_000_000_i64).step_by(7_654_321) {
                assert_eq!(zone.span(second), zone.ask(second), "{name} {second}");
            }
        }
    }

    #[test]
    fn an_unknown_zone_is_refused_with_the_nearest_name() {
        let error = Zone::named("Europe/Berlni").unwrap_err();
        assert_eq!(error.help(), Some("did you mean Europe/Berlin?"));
    }
}
