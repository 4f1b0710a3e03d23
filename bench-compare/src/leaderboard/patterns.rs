//! The totals of many resamples of the same units, with about a third of the additions: the method of the four Russians
//! (Arlazarov, Dinic, Kronrod & Faradzhev 1970).
//!
//! A resample is how often it draws each unit. Three units at a time: the counts 0 to 3 of each, two bits, make one of 64
//! patterns, whose sums are tabulated once and then looked up by every resample. What a resample draws more than three
//! times, 2 % of the units, is added by itself. A pattern takes a byte for three draws, where an index takes four for one.
//!
//! The order of the additions follows from the draws alone, not from threads: groups of units in turn, then the rest.

/// Columns worked on together: eight doubles fill a cache line.
pub(super) const LANES: usize = 8;
/// Units whose counts make one pattern.
const UNITS: usize = 3;
/// Patterns of that many counts.
const PATTERNS: usize = 1 << (2 * UNITS);
/// The largest count that a pattern holds.
const MOST: u16 = 3;
/// Groups of units that are looked up in one pass: their tables fill half of a first-level cache of 32 KiB.
const GROUPS: usize = 4;
/// Resamples whose counts are turned into patterns together, so that neighbours in memory are written together.
const TILE: usize = 64;

/// One value for each column.
type Lanes = [f64; LANES];
/// The sum of each pattern.
type Table = [Lanes; PATTERNS];

/// Resamples as patterns.
#[derive(Debug, Clone)]
pub(super) struct Patterns {
    resamples: usize,
    /// `[group][resample]`; the groups are padded with empty ones.
    codes: Vec<u8>,
    rest: Vec<Rest>,
}

/// Draws beyond what a pattern holds.
#[derive(Debug, Clone)]
struct Rest {
    resample: u32,
    unit: u32,
    times: f64,
}

impl Patterns {
    /// Patterns of `resamples` resamples of `units` units; `draw` adds to zeros how often the next resample draws each unit.
    pub(super) fn new(units: usize, resamples: usize, mut draw: impl FnMut(&mut [u16])) -> Self {
        let groups = units.div_ceil(UNITS).next_multiple_of(GROUPS);
        let mut patterns = Self { resamples, codes: vec![0; groups * resamples], rest: Vec::new() };
        let mut tile = vec![0; units * TILE];
        for first in (0..resamples).step_by(TILE) {
            let counts = &mut tile[..units * TILE.min(resamples - first)];
            counts.fill(0);
            counts.chunks_exact_mut(units.max(1)).for_each(&mut draw);
            patterns.encode(first, counts, units.max(1));
        }
        patterns
    }

    fn encode(&mut self, first: usize, tile: &[u16], units: usize) {
        for unit in 0..units {
            let (group, shift) = (unit / UNITS, 2 * (unit % UNITS));
            let codes = &mut self.codes[group * self.resamples + first..];
            for (code, counts) in codes.iter_mut().zip(tile.chunks_exact(units)) {
                *code |= low_bits(counts[unit]) << shift;
            }
        }
        for (resample, counts) in (first..).zip(tile.chunks_exact(units)) {
            self.rest.extend(beyond(resample, counts));
        }
    }

    /// For each resample the sum of the values of its units, into `totals`.
    pub(super) fn totals(&self, values: &[Lanes], totals: &mut [Lanes]) {
        totals.fill([0.0; LANES]);
        let mut tables = [[[0.0; LANES]; PATTERNS]; GROUPS];
        let passes = self.codes.chunks_exact((self.resamples * GROUPS).max(1));
        for (codes, values) in passes.zip(values.chunks(UNITS * GROUPS)) {
            tabulate(values, &mut tables);
            add_looked_up(codes, &tables, totals);
        }
        for Rest { resample, unit, times } in &self.rest {
            let value = &values[*unit as usize];
            totals[*resample as usize].iter_mut().zip(value).for_each(|(total, value)| *total += times * value);
        }
    }
}

fn low_bits(count: u16) -> u8 {
    count.min(MOST) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "more than 2^32 resamples or units do not fit in memory")]
fn beyond(resample: usize, counts: &[u16]) -> impl Iterator<Item = Rest> {
    let many = counts.iter().enumerate().filter(|(_, count)| **count > MOST);
    many.map(move |(unit, count)| Rest { resample: resample as u32, unit: unit as u32, times: f64::from(count - MOST) })
}

/// The sums of all patterns of the values' groups; missing units count nothing.
fn tabulate(values: &[Lanes], tables: &mut [Table; GROUPS]) {
    let mut groups = values.chunks(UNITS);
    for table in tables {
        let group = groups.next().unwrap_or_default();
        table[0] = [0.0; LANES];
        for (unit, size) in (0..UNITS).map(|unit| (unit, 1 << (2 * unit))) {
            let value = group.get(unit).copied().unwrap_or_default();
            // One more of this unit than in the pattern `size` below.
            for pattern in size..4 * size {
                table[pattern] = plus(&table[pattern - size], &value);
            }
        }
    }
}

fn plus(left: &Lanes, right: &Lanes) -> Lanes {
    std::array::from_fn(|lane| left[lane] + right[lane])
}

fn add_looked_up(codes: &[u8], tables: &[Table; GROUPS], totals: &mut [Lanes]) {
    let mut groups = codes.chunks_exact(totals.len());
    let codes: [&[u8]; GROUPS] = std::array::from_fn(|_| groups.next().unwrap_or_default());
    for (resample, total) in totals.iter_mut().enumerate() {
        let [a, b, c, d]: [&Lanes; GROUPS] =
            std::array::from_fn(|group| &tables[group][usize::from(codes[group][resample]) % PATTERNS]);
        *total = std::array::from_fn(|lane| total[lane] + ((a[lane] + b[lane]) + (c[lane] + d[lane])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts that reach 0 to 9, and their totals by plain addition.
    fn check(units: usize, resamples: usize) {
        let count =
            |resample: usize, unit: usize| u16::try_from((resample * 7 + unit * 13 + resample * unit) % 10).unwrap();
        let mut next = 0..;
        let patterns = Patterns::new(units, resamples, |counts| {
            let resample = next.next().unwrap();
            (0..units).for_each(|unit| counts[unit] += count(resample, unit));
        });
        let value = |unit: usize, lane: usize| ((unit + 1) * (lane + 2)) as f64; // whole, so that every order is exact
        let values: Vec<Lanes> = (0..units).map(|unit| std::array::from_fn(|lane| value(unit, lane))).collect();
        let mut totals = vec![[f64::NAN; LANES]; resamples];
        patterns.totals(&values, &mut totals);
        for (resample, total) in totals.iter().enumerate() {
            let plain = |lane| (0..units).map(|unit| f64::from(count(resample, unit)) * value(unit, lane)).sum();
            assert_eq!(*total, std::array::from_fn::<f64, LANES, _>(plain), "resample {resample} of {units} units");
        }
    }

    #[test]
    fn totals_are_those_of_plain_addition() {
        for units in [1, 2, 3, 4, 11, 12, 13, 40] {
            [1, 63, 64, 65, 200].into_iter().for_each(|resamples| check(units, resamples));
        }
    }

    #[test]
    fn nothing_to_draw_is_no_error() {
        check(5, 0);
        Patterns::new(0, 3, |_| ()).totals(&[], &mut [[0.0; LANES]; 3]);
    }
}
