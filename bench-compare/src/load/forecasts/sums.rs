//! Sums by unit (a series, or a series and a cutoff), as flat arrays.

use std::hash::{BuildHasherDefault, Hasher};

/// Rows, counts and sums of many units.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    measures: usize,
    models: usize,
    /// Paired rows of each unit.
    pub(super) rows: Vec<u32>,
    /// `[unit][measure]`.
    pub(super) counts: Vec<u32>,
    /// `[unit][model][measure]`.
    pub(super) totals: Vec<f64>,
}

impl Sums {
    pub(super) fn new(models: usize, measures: usize) -> Self {
        Self { measures, models, rows: Vec::new(), counts: Vec::new(), totals: Vec::new() }
    }

    /// Makes room for units up to `count`.
    pub(super) fn grow(&mut self, count: usize) {
        if count > self.rows.len() {
            self.rows.resize(count, 0);
            self.counts.resize(count * self.measures, 0);
            self.totals.resize(count * self.measures * self.models, 0.0);
        }
    }

    /// The rows, counts and sums of a unit.
    pub(super) fn unit(&mut self, unit: usize) -> (&mut u32, &mut [u32], &mut [f64]) {
        let (counts, sums) = (self.measures, self.measures * self.models);
        let rows = &mut self.rows[unit];
        (rows, &mut self.counts[unit * counts..][..counts], &mut self.totals[unit * sums..][..sums])
    }

    /// Adds unit `theirs` of `other` to unit `ours`.
    pub(super) fn add(&mut self, ours: usize, other: &Self, theirs: usize) {
        let (count_width, sum_width) = (self.measures, self.measures * self.models);
        self.grow(ours + 1);
        let (rows, counts, sums) = self.unit(ours);
        *rows += other.rows[theirs];
        let their_counts = &other.counts[theirs * count_width..][..count_width];
        counts.iter_mut().zip(their_counts).for_each(|(ours, theirs)| *ours += theirs);
        let their_sums = &other.totals[theirs * sum_width..][..sum_width];
        sums.iter_mut().zip(their_sums).for_each(|(ours, theirs)| *ours += theirs);
    }
}

/// A count as the number of the next series, window, group or level: memory ends long before the numbers do.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A quick hash for small integer keys that we number ourselves.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        // The multiplier of Knuth's multiplicative hashing, 2^64 divided by the golden ratio.
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

/// A map from keys of our own numbering.
pub(super) type KeyMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<KeyHasher>>;
