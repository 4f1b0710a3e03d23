//! Forecast steps: how far apart two times are on the table's own grid, which may be that of a calendar.

use super::row::NO_CUTOFF;
use super::time::{DAY, Kind, civil};
use super::window::Window;

/// The grid of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Steps {
    /// Equal steps of so many units.
    Fixed(f64),
    /// Steps of so many calendar months: always on the same day, or always at the end of the month.
    Months(i64),
    /// Days from Monday to Friday.
    BusinessDays,
}

/// The nearest whole number; saturates.
#[expect(clippy::cast_possible_truncation, reason = "rounded by intent, and `as` saturates")]
pub(super) fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// Months and years have at least this many days.
const SHORTEST_MONTH: f64 = 28.0 * DAY as f64;

impl Steps {
    /// The grid that the windows stand on: the median over windows of their mean spacing; over windows of one row, of their
    /// distance to the cutoff.
    pub(super) fn of(windows: &[Window], kind: Kind) -> Self {
        let spacing = median(windows.iter().filter_map(spacing).collect()).filter(|step| *step > 0.0);
        let distance = || median(windows.iter().filter_map(distance).collect()).filter(|step| *step > 0.0);
        let Some(step) = spacing.or_else(distance) else { return Self::Fixed(1.0) };
        if kind == Kind::Integer {
            return Self::Fixed(step);
        }
        if step >= SHORTEST_MONTH && is_calendar(windows) {
            let months = median(windows.iter().filter_map(months).collect());
            return Self::Months(months.map_or(1, |months| whole(months).max(1)));
        }
        if is_business(windows, step) { Self::BusinessDays } else { Self::Fixed(step) }
    }

    /// Steps from `from` to `to`.
    pub(super) fn between(self, from: i64, to: i64) -> f64 {
        match self {
            Self::Fixed(step) => (to - from) as f64 / step,
            Self::Months(months) => (month_place(to) - month_place(from)) / months as f64,
            Self::BusinessDays => (business_place(to) - business_place(from)) as f64,
        }
    }

    /// The place of a time in a season of so many slots, from 0.
    pub(super) fn slot(self, time: i64, slots: u32) -> u32 {
        let place = match self {
            Self::Fixed(step) => whole((time as f64 / step).floor()),
            Self::Months(months) => {
                let (year, month, _) = civil(time.div_euclid(DAY));
                (year * 12 + month - 1).div_euclid(months)
            }
            Self::BusinessDays => business_place(time),
        };
        u32::try_from(place.rem_euclid(i64::from(slots.max(1)))).unwrap_or_default()
    }

    /// As a note says it.
    pub(super) fn describe(self, kind: Kind) -> String {
        match self {
            Self::Fixed(step) if kind == Kind::Integer => format!("{step}"),
            Self::Fixed(step) => format!("{} s", step / 1e6),
            Self::Months(1) => "1 month".to_owned(),
            Self::Months(months) => format!("{months} months"),
            Self::BusinessDays => "1 business day".to_owned(),
        }
    }
}

fn spacing(window: &Window) -> Option<f64> {
    (window.rows > 1).then(|| (window.last - window.first) as f64 / f64::from(window.rows - 1))
}

fn distance(window: &Window) -> Option<f64> {
    (window.cutoff != NO_CUTOFF).then(|| (window.first - window.cutoff) as f64)
}

fn months(window: &Window) -> Option<f64> {
    match window.rows {
        0 | 1 => (window.cutoff != NO_CUTOFF).then(|| month_place(window.first) - month_place(window.cutoff)),
        rows => Some((month_place(window.last) - month_place(window.first)) / f64::from(rows - 1)),
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len().checked_sub(1)? / 2;
    let (_, median, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*median)
}

/// The times that stand for all: first, last and cutoff of each window.
fn times(windows: &[Window]) -> impl Iterator<Item = i64> + '_ {
    let all = windows.iter().flat_map(|window| [window.first, window.last, window.cutoff]);
    all.filter(|time| *time != NO_CUTOFF)
}

/// Whether all times share the day of the month and the time of day, or all stand at the end of a month.
fn is_calendar(windows: &[Window]) -> bool {
    let Some(first) = times(windows).next() else { return false };
    let day = |time: i64| civil(time.div_euclid(DAY)).2;
    let clock = first.rem_euclid(DAY);
    let same_clock = times(windows).all(|time| time.rem_euclid(DAY) == clock);
    same_clock && (times(windows).all(|time| day(time) == day(first)) || times(windows).all(|time| day(time) >= 28))
}

/// Whether the steps are days of which the weekends are left out: no time on a weekend, windows that cross one, and nearly
/// every business day there.
fn is_business(windows: &[Window], step: f64) -> bool {
    let long = || windows.iter().filter(|window| window.rows > 1);
    let business: i64 = long().map(|window| business_place(window.last) - business_place(window.first)).sum();
    let calendar: i64 = long().map(|window| (window.last - window.first) / DAY).sum();
    let steps: i64 = long().map(|window| i64::from(window.rows) - 1).sum();
    let is_dense = steps <= business && steps * 10 >= business * 9 && business < calendar;
    let is_workday = |time: i64| !is_weekend(time.div_euclid(DAY)) && time.rem_euclid(DAY) == 0;
    is_dense && step > 0.99 * DAY as f64 && times(windows).all(is_workday)
}

/// Saturday or Sunday; 1970-01-01 was a Thursday.
fn is_weekend(day: i64) -> bool {
    (day + 3).rem_euclid(7) >= 5
}

fn business_place(time: i64) -> i64 {
    let shifted = time.div_euclid(DAY) + 3;
    shifted.div_euclid(7) * 5 + shifted.rem_euclid(7).min(5)
}

/// Months since year 0. The ends of months, whatever their length, are whole months apart.
fn month_place(time: i64) -> f64 {
    let (year, month, day) = civil(time.div_euclid(DAY));
    let part = if day >= 28 { 1.0 } else { (day - 1) as f64 / 28.0 };
    (year * 12 + month) as f64 + part
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "whole steps are exact")]
mod tests {
    use super::super::time::of_field;
    use super::*;

    fn at(text: &str) -> i64 {
        of_field(text.as_bytes()).unwrap().0
    }

    fn window(cutoff: &str, times: &[&str]) -> Window {
        let mut window = Window::new(0, at(cutoff));
        for time in times {
            window.take(&[at(time)]);
        }
        window
    }

    #[test]
    fn monthly_cutoffs_three_months_apart_are_three_steps_apart() {
        let starts =
            [window("2004-01-01", &["2004-02-01", "2004-03-01"]), window("2004-02-01", &["2004-03-01", "2004-04-01"])];
        let steps = Steps::of(&starts, Kind::Naive);
        assert_eq!(steps, Steps::Months(1));
        assert_eq!(steps.between(at("2004-01-01"), at("2004-04-01")), 3.0);
        let ends = [window("2004-01-31", &["2004-02-29", "2004-03-31"]), window("2004-02-29", &["2004-03-31"])];
        assert_eq!(Steps::of(&ends, Kind::Naive).between(at("2004-01-31"), at("2004-04-30")), 3.0);
    }

    #[test]
    fn quarters_weeks_hours_and_integers() {
        let quarters = [window("2004-01-01", &["2004-04-01", "2004-07-01", "2004-10-01"])];
        assert_eq!(Steps::of(&quarters, Kind::Naive), Steps::Months(3));
        let weeks = [window("2004-01-02", &["2004-01-09", "2004-01-16", "2004-01-23"])];
        assert_eq!(Steps::of(&weeks, Kind::Naive).between(at("2004-01-02"), at("2004-02-13")), 6.0);
        let four_weeks = [window("2004-01-02", &["2004-01-30", "2004-02-27", "2004-03-26"])];
        assert_eq!(Steps::of(&four_weeks, Kind::Naive), Steps::Fixed(28.0 * DAY as f64));
        let one_row = [window("7", &["9"])];
        assert_eq!(Steps::of(&one_row, Kind::Integer).between(7, 13), 3.0);
    }

    #[test]
    fn weekends_are_no_steps() {
        let days = [window(
            "2024-01-05",
            &["2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11", "2024-01-12", "2024-01-15"],
        )];
        let steps = Steps::of(&days, Kind::Naive);
        assert_eq!(steps, Steps::BusinessDays);
        assert_eq!(steps.between(at("2024-01-05"), at("2024-01-12")), 5.0);
        let all_days = [window("2024-01-04", &["2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08"])];
        assert_eq!(Steps::of(&all_days, Kind::Naive), Steps::Fixed(DAY as f64));
    }
}
