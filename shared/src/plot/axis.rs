//! A linear axis: where a value lies between its ends, and which round numbers are marked.

/// Share of the width, in percent, that stays free at each end, so that marks at the ends are drawn whole.
const PADDING: f64 = 2.0;
/// More ticks than this are not drawn, whatever is asked.
const MOST_TICKS: f64 = 50.0;

/// A linear axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The value at the lower end.
    pub low: f64,
    /// The value at the upper end.
    pub high: f64,
    /// Round values between them, ascending.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// An axis from `low` to `high` (either order) with about as many ticks as asked. Ends that coincide or are not finite
    /// are moved apart.
    pub fn new(low: f64, high: f64, about: usize) -> Self {
        let (low, high) = apart(low.min(high), low.max(high));
        Self { low, high, ticks: nice_ticks(low, high, about) }
    }

    /// The axis that covers every finite value; from 0 to 1 if there is none.
    pub fn covering(values: impl IntoIterator<Item = f64>, about: usize) -> Self {
        let range = |range: Option<(f64, f64)>, value: f64| {
            Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        };
        let (low, high) = values.into_iter().filter(|value| value.is_finite()).fold(None, range).unwrap_or((0.0, 1.0));
        Self::new(low, high, about)
    }

    /// Where the value lies, in percent of the width; values beyond the ends, and NaN, lie at an end.
    pub fn place(&self, value: f64) -> f64 {
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        PADDING + (100.0 - 2.0 * PADDING) * if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    /// Whether the value lies between the ends.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

fn apart(low: f64, high: f64) -> (f64, f64) {
    match (low.is_finite() && high.is_finite(), high - low) {
        (false, _) => (0.0, 1.0),
        (true, width) if width > 1e-12 * low.abs().max(high.abs()) => (low, high),
        (true, _) if low == 0.0 => (-1.0, 1.0),
        (true, _) => (low - 0.1 * low.abs(), high + 0.1 * high.abs()),
    }
}

/// Multiples of 1, 2, 2.5 or 5 times a power of ten between `low` and `high`: about as many as asked, at most half as many
/// again. Empty unless `low < high`, both finite.
pub fn nice_ticks(low: f64, high: f64, about: usize) -> Vec<f64> {
    let step = nice_step((high / 2.0 - low / 2.0) / about.max(1) as f64 * 2.0);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    if !(step.is_finite() && step > 0.0 && last - first < MOST_TICKS) {
        return Vec::new();
    }
    let count = std::iter::successors(Some(first), |n| Some(n + 1.0));
    // Adding zero turns -0 into 0.
    count.take_while(|n| *n <= last).map(|n| n * step + 0.0).collect()
}

fn nice_step(raw: f64) -> f64 {
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0].into_iter().find(|step| step * power >= 0.999_999 * raw);
    step.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(nice_ticks(-0.11, 0.13, 5), [-0.1, -0.05, 0.0, 0.05, 0.1]);
        assert_eq!(nice_ticks(0.0, 100.0, 4), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(nice_ticks(1e-9, 9e-9, 4).len(), 4);
        assert_eq!(nice_ticks(1.0, 1.0, 4), [] as [f64; 0]);
        assert_eq!(nice_ticks(f64::NAN, 1.0, 4), [] as [f64; 0]);
        assert!(nice_ticks(-1e308, 1e308, 4).len() <= 6);
    }

    #[test]
    fn places_keep_within_the_width() {
        let axis = Axis::new(-1.0, 1.0, 4);
        let places = [-5.0, -1.0, 0.0, 1.0, f64::INFINITY].map(|v| format!("{}", axis.place(v)));
        assert_eq!(places, ["2", "2", "50", "98", "98"]);
        assert!(axis.place(f64::NAN).is_finite());
        assert!(axis.holds(1.0) && !axis.holds(1.1) && !axis.holds(f64::NAN));
    }

    #[test]
    fn degenerate_ranges_get_a_width() {
        for values in [&[][..], &[0.0], &[3.0, 3.0], &[f64::NAN], &[f64::MAX, f64::MIN], &[-2.0]] {
            let axis = Axis::covering(values.iter().copied(), 5);
            assert!(axis.low < axis.high, "{values:?}: {axis:?}");
            assert!(values.iter().all(|value| axis.place(*value).is_finite()), "{values:?}");
        }
    }
}
