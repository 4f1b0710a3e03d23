//! What is kept of each window: the span of its target times, and whether they came in order.

use super::sums::number;

/// The rows of one (series, cutoff), paired or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) series: u32,
    /// Rows.
    pub(super) rows: u32,
    /// The cutoff itself.
    pub(super) cutoff: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    /// Whether each row came after the one before it: then no target time can be there twice.
    pub(super) is_ordered: bool,
}

impl Window {
    pub(super) fn new(series: u32, cutoff: i64) -> Self {
        Self { series, rows: 0, cutoff, first: i64::MAX, last: i64::MIN, is_ordered: true }
    }

    /// Takes the target times of rows, in the order of the file.
    #[inline]
    pub(super) fn take(&mut self, times: &[i64]) {
        let (Some(&first), Some(&last)) = (times.first(), times.last()) else { return };
        let is_rising = times.windows(2).all(|pair| pair[0] < pair[1]);
        self.is_ordered &= is_rising && (self.rows == 0 || first > self.last);
        self.rows += number(times.len());
        let (low, high) = if is_rising { (first, last) } else { ends(times) };
        self.first = self.first.min(low);
        self.last = self.last.max(high);
    }

    /// Takes the rows of the same window that stand later in the file.
    pub(super) fn append(&mut self, later: &Self) {
        self.is_ordered &= later.is_ordered && (self.rows == 0 || later.rows == 0 || later.first > self.last);
        self.rows += later.rows;
        self.first = self.first.min(later.first);
        self.last = self.last.max(later.last);
    }
}

fn ends(times: &[i64]) -> (i64, i64) {
    times.iter().fold((i64::MAX, i64::MIN), |(low, high), &time| (low.min(time), high.max(time)))
}
