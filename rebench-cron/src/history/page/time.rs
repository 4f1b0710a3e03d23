//! The time axis that the plots share.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use shared::plot::{Anchor, Axis, Svg};

/// So many labels have room on a phone: of months, and of days.
const MOST_MONTHS: usize = 6;
const MOST_DAYS: usize = 4;
/// Steps between labels.
const DAYS: [i32; 5] = [1, 2, 4, 7, 14];
const MONTHS: [i16; 10] = [1, 2, 3, 6, 12, 24, 60, 120, 600, 1200];
/// What is added on both sides of a single instant.
const AROUND_SECONDS: f64 = 3.0 * 86_400.0;
/// A label that is nearer to an end than this, in percent, begins or ends there.
const NEAR: f64 = 9.0;

/// Instants as places.
pub(super) struct Times {
    axis: Axis,
    ticks: Vec<(f64, String)>,
}

impl Times {
    /// An axis over these instants.
    pub(super) fn covering(instants: impl Iterator<Item = Timestamp> + Clone) -> Option<Self> {
        let (first, last) = (instants.clone().min()?, instants.max()?);
        let around = if first == last { AROUND_SECONDS } else { 0.0 };
        let axis = Axis::new(seconds(first) - around, seconds(last) + around, 1);
        let ticks = ticks(first, last).into_iter();
        let placed = ticks.map(|(at, label)| (axis.place(seconds(at)), label)).collect();
        Some(Self { axis, ticks: placed })
    }

    /// Where an instant lies, in percent of the width.
    pub(super) fn place(&self, at: Timestamp) -> f64 {
        self.axis.place(seconds(at))
    }

    /// Whether an instant lies on the axis.
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        self.axis.holds(seconds(at))
    }

    /// Draws lines at the ticks.
    pub(super) fn grid(&self, svg: &mut Svg, (top, bottom): (f64, f64)) {
        for (place, _) in &self.ticks {
            svg.line("grid", (*place, top), (*place, bottom));
        }
    }

    /// Writes the labels of the ticks, their baseline at `y`.
    pub(super) fn labels(&self, svg: &mut Svg, y: f64) {
        for (place, label) in &self.ticks {
            svg.label("tick", (*place, y), anchor(*place), label);
        }
    }
}

/// A label keeps within the drawing.
pub(super) fn anchor(place: f64) -> Anchor {
    match place {
        place if place < NEAR => Anchor::Start,
        place if place > 100.0 - NEAR => Anchor::End,
        _ => Anchor::Middle,
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

/// Days or months, in UTC, as many as have room; where that is none, the instants themselves.
fn ticks(first: Timestamp, last: Timestamp) -> Vec<(Timestamp, String)> {
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let days = DAYS.into_iter().map(|step| (step_days(day(first), day(last), step), MOST_DAYS, "%Y-%m-%d"));
    let months = MONTHS.into_iter().map(|step| (step_months(day(first), day(last), step), MOST_MONTHS, "%Y-%m"));
    for (dates, most, format) in days.chain(months) {
        let instants = dates.into_iter().filter_map(|date| date.to_zoned(TimeZone::UTC).ok()).map(|at| at.timestamp());
        let inside: Vec<Timestamp> = instants.filter(|at| (first..=last).contains(at)).collect();
        if (2..=most).contains(&inside.len()) {
            return inside.into_iter().map(|at| (at, at.strftime(format).to_string())).collect();
        }
    }
    let mut ends = vec![first, last];
    ends.dedup();
    ends.into_iter().map(|at| (at, at.strftime("%Y-%m-%d %H:%M").to_string())).collect()
}

/// Bounded, so that a step that is far too small costs nothing.
const MOST_TRIED: usize = 16;

fn step_days(first: Date, last: Date, step: i32) -> Vec<Date> {
    dates(first, last, |date| date.checked_add(step.days()).ok())
}

fn step_months(first: Date, last: Date, step: i16) -> Vec<Date> {
    let months = i16::from(first.month()) - 1 + 12 * (first.year() % 100);
    let back = months.rem_euclid(step);
    let begin = first.first_of_month().checked_sub(back.months()).unwrap_or(first);
    dates(begin, last, |date| date.checked_add(step.months()).ok())
}

fn dates(first: Date, last: Date, next: impl Fn(&Date) -> Option<Date>) -> Vec<Date> {
    std::iter::successors(Some(first), next).take_while(|date| *date <= last).take(MOST_TRIED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(first: &str, last: &str) -> Vec<String> {
        ticks(first.parse().unwrap(), last.parse().unwrap()).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn labels_are_round_and_few() {
        let two_years = labels("2024-01-01T03:00:00Z", "2025-12-22T03:00:00Z");
        assert_eq!(two_years, ["2024-07", "2025-01", "2025-07"]);
        let month = labels("2026-01-05T03:00:00Z", "2026-02-02T03:00:00Z");
        assert_eq!(month, ["2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02"]);
        assert_eq!(labels("2026-01-05T03:00:00Z", "2026-01-05T09:30:00Z"), ["2026-01-05 03:00", "2026-01-05 09:30"]);
        assert_eq!(labels("2026-01-05T03:00:00Z", "2026-01-05T03:00:00Z"), ["2026-01-05 03:00"]);
    }
}
