//! One field of a cron expression: a list of values, ranges, steps, and of what only day fields have.

use super::hash;
use super::shape::{Shape, number};
use crate::schedule::calendar::{Calendar, Field};
use crate::schedule::dialect::Dialect;
use crate::schedule::fault::{Parsed, Piece, Wrong};

/// Days that every month has: where an `H` in the days may fall.
const SAFE_DAYS: u8 = 28;

/// What the fields of one expression have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) dialect: Dialect,
    pub(super) job: Option<&'a str>,
}

impl Reader<'_> {
    /// Reads a field into the calendar.
    pub(super) fn field(self, piece: Piece<'_>, shape: &Shape, calendar: &mut Calendar) -> Parsed<()> {
        if piece.text.starts_with(['*', '?']) {
            calendar.stars |= shape.field.bit();
        }
        let mut set = 0;
        for item in piece.items() {
            set |= self.item(item, shape, calendar)?;
        }
        store(set, shape.field, self.dialect, calendar);
        Ok(())
    }

    /// The values of one item of the list.
    fn item(self, piece: Piece<'_>, shape: &Shape, calendar: &mut Calendar) -> Parsed<u64> {
        match piece.text.as_bytes() {
            [] => Err(Wrong::at(piece.offset, format!("an empty item in the {}", shape.name), shape.values())),
            [b'*' | b'?'] => Ok(range(shape.low, shape.high, 1)),
            [b'*' | b'?', b'/', ..] => {
                let step = self.step(piece.slice(2..piece.text.len()), shape, calendar)?;
                Ok(range(shape.low, shape.high, step))
            }
            [b'H' | b'h', ..] => self.hashed(piece, shape, calendar),
            _ if shape.field == Field::Day && piece.text.contains(['L', 'l', 'W', 'w']) => {
                special_day(piece, shape, calendar).map(|()| 0)
            }
            _ if shape.field == Field::Weekday && piece.text.contains(['L', 'l', '#']) => {
                self.special_weekday(piece, shape, calendar)
            }
            _ => self.plain(piece, shape, calendar),
        }
    }

    /// A value, a range, a range with a step; in Quartz also a value with a step.
    fn plain(self, piece: Piece<'_>, shape: &Shape, calendar: &mut Calendar) -> Parsed<u64> {
        let Some((values, step)) = piece.split_once('/') else { return self.range(piece, shape, 1) };
        if values.text.contains('-') {
            let step = self.step(step, shape, calendar)?;
            return self.range(values, shape, step);
        }
        if self.dialect != Dialect::Quartz {
            return Err(lone_step(piece, values, step, shape));
        }
        let low = if values.text.is_empty() { shape.low } else { shape.value(values)? };
        let step = self.step(step, shape, calendar)?;
        Ok(range(low, shape.high, step))
    }

    fn range(self, piece: Piece<'_>, shape: &Shape, step: u8) -> Parsed<u64> {
        let Some((first, last)) = piece.split_once('-') else { return shape.value(piece).map(|value| 1 << value) };
        let (low, high) = (shape.value(first)?, shape.value(last)?);
        match low <= high {
            true => Ok(range(low, high, step)),
            false if self.dialect == Dialect::Quartz => Ok(wrapped(low, high, step, shape)),
            false => Err(backwards(piece, low, high, shape)),
        }
    }

    fn step(self, piece: Piece<'_>, shape: &Shape, calendar: &mut Calendar) -> Parsed<u8> {
        let wrong = || {
            let found = format!("{:?} as a step in the {}", piece.text, shape.name);
            Wrong::at(piece.offset, found, "a whole number from 1")
        };
        let step = number(piece).filter(|step| *step > 0).ok_or_else(wrong)?;
        let most = shape.high - shape.low;
        if step > u32::from(most) {
            if self.dialect == Dialect::Quartz {
                return Err(wrong().hint(format!("the step is larger than the field: at most {most}")));
            }
            calendar.long_steps |= shape.field.bit();
        }
        Ok(u8::try_from(step).unwrap_or(u8::MAX))
    }

    /// `H`, `H/STEP`, `H(LOW-HIGH)`, `H(LOW-HIGH)/STEP`.
    fn hashed(self, piece: Piece<'_>, shape: &Shape, calendar: &mut Calendar) -> Parsed<u64> {
        let Some(job) = self.job else {
            let wrong = shape.bad(piece);
            return Err(wrong.hint("H is hashed from the name of a job: `rebench-cron next JOB --expr …`"));
        };
        let (values, step) = match piece.split_once('/') {
            Some((values, step)) => (values, Some(self.step(step, shape, calendar)?)),
            None => (piece, None),
        };
        let (low, high) = self.hashed_range(values, shape)?;
        calendar.hashed |= shape.field.bit();
        let room = step.unwrap_or(u8::MAX).min(high - low + 1);
        let first = low + hash::pick(job, shape.name, room);
        Ok(range(first, high, step.unwrap_or(u8::MAX)))
    }

    fn hashed_range(self, piece: Piece<'_>, shape: &Shape) -> Parsed<(u8, u8)> {
        let inner = piece.slice(1..piece.text.len());
        if inner.text.is_empty() {
            return Ok(match shape.field {
                Field::Day => (1, SAFE_DAYS),
                Field::Weekday if shape.low == 0 => (0, 6),
                _ => (shape.low, shape.high),
            });
        }
        let wrong =
            || Wrong::at(piece.offset, format!("{:?}", piece.text), "H, H/STEP, H(LOW-HIGH) or H(LOW-HIGH)/STEP");
        let bracket = inner.text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(wrong)?;
        let (first, last) = inner.slice(1..1 + bracket.len()).split_once('-').ok_or_else(wrong)?;
        let (low, high) = (shape.value(first)?, shape.value(last)?);
        if low > high { Err(backwards(piece, low, high, shape)) } else { Ok((low, high)) }
    }

    /// `5L`, the last Friday of the month; `1#2`, its second Monday. In Quartz `L` alone is Saturday.
    fn special_weekday(self, piece: Piece<'_>, shape: &Shape, calendar: &mut Calendar) -> Parsed<u64> {
        if let Some((day, week)) = piece.split_once('#') {
            let weekday = self.weekday(day, shape)?;
            let week = number(week).filter(|week| (1..=5).contains(week)).ok_or_else(|| {
                Wrong::at(week.offset, format!("{:?} after the #", week.text), "1 to 5: which of its kind in the month")
            })?;
            calendar.nth[week as usize - 1] |= 1 << weekday;
            return Ok(0);
        }
        match piece.without("L") {
            Some(day) if day.text.is_empty() && self.dialect == Dialect::Quartz => Ok(1 << 7),
            Some(day) if day.text.is_empty() => {
                Err(shape.bad(piece).hint("the last Friday of the month is 5L, the last day of the week 6"))
            }
            Some(day) => {
                calendar.last_weekdays |= 1 << self.weekday(day, shape)?;
                Ok(0)
            }
            None => self.plain(piece, shape, calendar),
        }
    }

    /// A weekday, from 0 for Sunday.
    fn weekday(self, piece: Piece<'_>, shape: &Shape) -> Parsed<u8> {
        Ok((shape.value(piece)? - shape.low) % 7)
    }
}

/// `L`, `L-3`, `LW`, `L-3W`, `15W`.
fn special_day(piece: Piece<'_>, shape: &Shape, calendar: &mut Calendar) -> Parsed<()> {
    let wrong = || {
        let found = format!("{:?} in the {}", piece.text, shape.name);
        Wrong::at(piece.offset, found, "1 to 31, L, L-DAYS, LW or DAYW, as in 15W")
    };
    let working = piece.without("W");
    let rest = working.unwrap_or(piece);
    let Some(b'L' | b'l') = rest.text.as_bytes().first() else {
        let day = shape.value(rest).map_err(|_| wrong())?;
        calendar.nearest |= 1 << day;
        return Ok(());
    };
    let before = rest.slice(1..rest.text.len());
    let days = match before.text.strip_prefix('-') {
        None if before.text.is_empty() => 0,
        Some(_) => {
            number(before.slice(1..before.text.len())).filter(|days| (1..=30).contains(days)).ok_or_else(wrong)?
        }
        None => return Err(wrong()),
    };
    let set = if working.is_some() { &mut calendar.nearest_from_end } else { &mut calendar.from_end };
    *set |= 1 << days;
    Ok(())
}

fn range(low: u8, high: u8, step: u8) -> u64 {
    if step == 1 {
        return (u64::MAX >> (63 - high)) & (u64::MAX << low);
    }
    (low..=high).step_by(usize::from(step)).fold(0, |set, value| set | 1 << value)
}

fn wrapped(low: u8, high: u8, step: u8, shape: &Shape) -> u64 {
    let size = shape.high - shape.low + 1;
    let until = high + size;
    (low..=until).step_by(usize::from(step)).fold(0, |set, value| set | 1 << ((value - shape.low) % size + shape.low))
}

#[expect(clippy::cast_possible_truncation, reason = "a set has no bit beyond its field")]
fn store(set: u64, field: Field, dialect: Dialect, calendar: &mut Calendar) {
    match field {
        Field::Second => calendar.seconds = set,
        Field::Minute => calendar.minutes = set,
        Field::Hour => calendar.hours = set as u32,
        Field::Day => calendar.days = set as u32,
        Field::Month => calendar.months = set as u16,
        Field::Weekday if dialect == Dialect::Quartz => calendar.weekdays = (set >> 1) as u8,
        // 7 is Sunday, as 0 is.
        Field::Weekday => calendar.weekdays = (set & 0x7f | set >> 7) as u8,
    }
}

fn lone_step(piece: Piece<'_>, values: Piece<'_>, step: Piece<'_>, shape: &Shape) -> Wrong {
    let found = format!("{:?} in the {}: a step after a single value", piece.text, shape.name);
    let from = if values.text.is_empty() { "*".to_owned() } else { format!("{}-{}", values.text, shape.high) };
    let wrong = Wrong::at(piece.offset, found, "a step after * or a range");
    wrong.hint(format!("write {from}/{}", step.text))
}

fn backwards(piece: Piece<'_>, low: u8, high: u8, shape: &Shape) -> Wrong {
    let top = if shape.field == Field::Weekday { 6 } else { shape.high };
    let span = |low: u8, high: u8| if low == high { low.to_string() } else { format!("{low}-{high}") };
    let found = format!("{:?} in the {}: a range that runs backwards", piece.text, shape.name);
    let wrong = Wrong::at(piece.offset, found, "a range from low to high");
    wrong.hint(format!("write {},{}", span(low, top), span(shape.low, high)))
}
