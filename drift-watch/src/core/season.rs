//! What is usual at a time of the day, the week or the year.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use shared::format::profile::Step;
use shared::stats::special::f_sf;

use super::time::{DAY, Micros, SECOND, timestamp};

/// Which season scores are freed of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Season {
    /// The one that the baseline shows, if it shows one beyond chance.
    Auto,
    /// None.
    None,
    /// This one.
    Known(Slots),
}

/// A season: a number of slots of equal length, through which target times go round and round.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Slots {
    /// Slots of a season.
    pub count: u32,
    /// The length of one.
    pub length: SlotLength,
}

/// The length of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum SlotLength {
    /// A length of time, in microseconds.
    Span(Micros),
    /// Calendar months (UTC).
    Months(i64),
}

impl Slots {
    /// The season of a profile, by the same rule: `floor(time / length) mod count`.
    pub fn of_profile(step: Step, count: u32) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "lengths of steps in microseconds")]
        let length = match step {
            Step::Seconds { length } if length > 0.0 => SlotLength::Span((length * SECOND as f64) as Micros),
            Step::Months { length } if length > 0 => SlotLength::Months(length),
            _ => return None,
        };
        (count > 1).then_some(Self { count, length })
    }

    /// The slot of a time.
    pub fn slot(&self, time: Micros) -> usize {
        let steps = match self.length {
            SlotLength::Span(length) => time.div_euclid(length.max(1)),
            SlotLength::Months(length) => {
                let date = timestamp(time).to_zoned(TimeZone::UTC).date();
                (12 * i64::from(date.year()) + i64::from(date.month()) - 1).div_euclid(length.max(1))
            }
        };
        usize::try_from(steps.rem_euclid(i64::from(self.count.max(1)))).unwrap_or(0)
    }
}

/// A season must show at this level, all candidates together.
const SIGNIFICANCE: f64 = 0.01;

/// Each slot must have been seen so often.
const FEWEST_CYCLES: usize = 3;

/// Slot means count as if each had so many further values at the overall mean.
const SHRINKAGE: f64 = 2.0;

/// The seasons that steps of this length may have: of the day, the week, the year.
pub fn candidates(step: Micros) -> Vec<Slots> {
    let span = |count: i64| Slots { count: u32::try_from(count).unwrap_or(u32::MAX), length: SlotLength::Span(step) };
    match () {
        () if step <= 0 => Vec::new(),
        () if (27 * DAY..=32 * DAY).contains(&step) => vec![Slots { count: 12, length: SlotLength::Months(1) }],
        () if step < DAY => {
            [DAY / step, 7 * DAY / step].into_iter().filter(|&n| (2..=2016).contains(&n)).map(span).collect()
        }
        () if step == DAY => vec![span(7)],
        () => Vec::new(),
    }
}

/// The season that values at these times show: the candidate with the smallest p-value of the one-way analysis of variance (Fisher 1925), if that
/// is below 1 % over the number of candidates.
pub fn find(times: &[Micros], values: &[f64], candidates: &[Slots]) -> Option<Slots> {
    let tested = candidates.iter().filter_map(|slots| Some((slots, p_value(times, values, slots)?)));
    let (best, p) = tested.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (p * (candidates.len() as f64) < SIGNIFICANCE).then_some(*best)
}

fn p_value(times: &[Micros], values: &[f64], slots: &Slots) -> Option<f64> {
    let groups = slots.count as usize;
    if values.len() < FEWEST_CYCLES * groups {
        return None;
    }
    let means = sums(times, values, slots);
    let overall = values.iter().sum::<f64>() / values.len() as f64;
    let seen = means.iter().filter(|(_, n)| *n > 0.0).count();
    let between: f64 = means.iter().filter(|(_, n)| *n > 0.0).map(|(sum, n)| n * (sum / n - overall).powi(2)).sum();
    let total: f64 = values.iter().map(|value| (value - overall).powi(2)).sum();
    let (df_between, df_within) = ((seen as f64) - 1.0, values.len() as f64 - seen as f64);
    let f = (between / df_between) / ((total - between) / df_within);
    (df_between > 0.0 && df_within > 0.0 && f.is_finite()).then(|| f_sf(f, df_between, df_within))
}

fn sums(times: &[Micros], values: &[f64], slots: &Slots) -> Vec<(f64, f64)> {
    let mut sums = vec![(0.0, 0.0); slots.count as usize];
    for (&time, value) in times.iter().zip(values) {
        let (sum, n) = &mut sums[slots.slot(time)];
        *sum += value;
        *n += 1.0;
    }
    sums
}

/// How far each slot's values lie from the overall mean, shrunk towards it.
pub fn offsets(times: &[Micros], values: &[f64], slots: &Slots) -> Vec<f64> {
    let overall = values.iter().sum::<f64>() / values.len().max(1) as f64;
    sums(times, values, slots).into_iter().map(|(sum, n)| (sum - n * overall) / (n + SHRINKAGE)).collect()
}

/// The usual distance of times that follow each other: their median.
pub fn usual_step(times: &[Micros]) -> Option<Micros> {
    let mut gaps: Vec<Micros> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|&gap| gap > 0).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Micros = 3600 * SECOND;

    #[test]
    fn a_daily_season_is_found_and_noise_is_not_one() {
        let times: Vec<Micros> = (0..240).map(|hour| hour * HOUR).collect();
        let noise = |i: usize| ((i * 7919) % 101) as f64 / 101.0;
        let seasonal: Vec<f64> = (0..240).map(|i| 2.0 * f64::from(u8::from(i % 24 < 8)) + noise(i)).collect();
        let found = find(&times, &seasonal, &candidates(HOUR)).unwrap();
        assert_eq!(found.count, 24);
        let offsets = offsets(&times, &seasonal, &found);
        assert!(offsets[3] > 0.9 && offsets[12] < -0.3, "{offsets:?}");
        assert_eq!(find(&times, &(0..240).map(noise).collect::<Vec<_>>(), &candidates(HOUR)), None);
    }

    #[test]
    fn slots_go_round() {
        let months = Slots { count: 12, length: SlotLength::Months(1) };
        let july: jiff::Timestamp = "2013-07-20T00:00:00Z".parse().unwrap();
        assert_eq!(months.slot(july.as_microsecond()), 6);
        let week = Slots { count: 7, length: SlotLength::Span(DAY) };
        assert_eq!((week.slot(0), week.slot(8 * DAY), week.slot(-DAY)), (0, 1, 6));
        assert_eq!(usual_step(&[0, 10, 20, 50, 60]), Some(10));
    }
}
