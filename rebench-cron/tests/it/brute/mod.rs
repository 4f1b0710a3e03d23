//! An oracle that shares no code with the product: it looks at every minute of a stretch of time, asks jiff what the clocks
//! show, and applies the rules for changes of the clocks as a daemon would live through them.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rebench_cron::schedule::Dst;

/// What a clock on the wall shows, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wall {
    /// Minutes since 1970 as if there were no zones.
    pub(crate) minutes: i64,
    pub(crate) year: i16,
    pub(crate) month: i8,
    pub(crate) day: i8,
    /// Days of the month.
    pub(crate) length: i8,
    /// 0 is Sunday.
    pub(crate) weekday: i8,
    pub(crate) hour: i8,
    pub(crate) minute: i8,
}

impl Wall {
    pub(crate) fn of(at: DateTime) -> Self {
        let date = at.date();
        let days = i64::from(date.since(jiff::civil::date(1970, 1, 1)).unwrap().get_days());
        Self {
            minutes: days * 1_440 + i64::from(at.hour()) * 60 + i64::from(at.minute()),
            year: date.year(),
            month: date.month(),
            day: date.day(),
            length: date.days_in_month(),
            weekday: date.weekday().to_sunday_zero_offset(),
            hour: at.hour(),
            minute: at.minute(),
        }
    }

    /// What stands on the wall a minute later.
    fn later(self) -> Self {
        if self.minute < 59 {
            return Self { minutes: self.minutes + 1, minute: self.minute + 1, ..self };
        }
        let minutes = self.minutes + 1;
        let date = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(minutes.div_euclid(1_440));
        let hour = i8::try_from(minutes.rem_euclid(1_440) / 60).unwrap();
        Self::of(date.at(hour, 0, 0, 0))
    }
}

/// A schedule as the oracle knows it: which minutes on the wall, which seconds in them.
pub(crate) struct Wanted<'a> {
    pub(crate) minute: &'a dyn Fn(&Wall) -> bool,
    pub(crate) seconds: &'a [i64],
    pub(crate) dst: Dst,
    /// Whether Vixie's rule takes it for an interval job.
    pub(crate) wild: bool,
}

/// The minutes of a stretch of time in a zone.
pub(crate) struct Scan {
    start: i64,
    walls: Vec<Wall>,
    /// Whether the clock showed this before, or will show it again.
    seen: Vec<bool>,
    to_come: Vec<bool>,
    /// Fires are told from here on; what is before is for the memory of what was seen.
    from: i64,
}

impl Scan {
    /// From `from` until `to`, both whole minutes in seconds since 1970, with `memory` minutes before and after.
    pub(crate) fn new(tz: &TimeZone, from: i64, to: i64, memory: i64) -> Self {
        let start = from - memory * 60;
        let end = to + memory * 60;
        let walls: Vec<Wall> = (start..end)
            .step_by(60)
            .map(|second| Wall::of(tz.to_datetime(Timestamp::from_second(second).unwrap())))
            .collect();
        let mut last: HashMap<i64, usize> = HashMap::with_capacity(walls.len());
        let mut seen = vec![false; walls.len()];
        let mut to_come = vec![false; walls.len()];
        for (index, wall) in walls.iter().enumerate() {
            if let Some(before) = last.insert(wall.minutes, index) {
                seen[index] = true;
                to_come[before] = true;
            }
        }
        let mut scan = Self { start, walls, seen, to_come, from };
        scan.walls.truncate(usize::try_from((to - start) / 60).unwrap());
        scan
    }

    /// All fires of the stretch, in seconds since 1970.
    pub(crate) fn fires(&self, wanted: &Wanted<'_>) -> Vec<i64> {
        let mut fires = Vec::new();
        for (index, wall) in self.walls.iter().enumerate() {
            let at = self.start + i64::try_from(index).unwrap() * 60;
            if at < self.from {
                continue;
            }
            let made_up = index > 0 && self.makes_up(wanted, index);
            if made_up {
                fires.push(at);
            }
            if self.counts(wanted, index) && (wanted.minute)(wall) {
                let seconds = wanted.seconds.iter().map(|second| at + second);
                fires.extend(seconds.filter(|fire| !made_up || *fire != at));
            }
        }
        fires
    }

    fn counts(&self, wanted: &Wanted<'_>, index: usize) -> bool {
        match wanted.dst {
            Dst::Instant => true,
            Dst::Vixie => wanted.wild || !self.seen[index],
            Dst::Skip => !self.seen[index],
            Dst::Later => !self.to_come[index],
        }
    }

    /// Whether the clock jumped over a wanted minute just before this one, by less than three hours.
    fn makes_up(&self, wanted: &Wanted<'_>, index: usize) -> bool {
        let (before, now) = (self.walls[index - 1], self.walls[index]);
        let left_out = now.minutes - before.minutes - 1;
        if wanted.dst != Dst::Vixie || wanted.wild || left_out <= 0 || left_out >= 180 {
            return false;
        }
        let mut wall = before;
        (0..left_out).any(|_| {
            wall = wall.later();
            (wanted.minute)(&wall)
        })
    }
}
