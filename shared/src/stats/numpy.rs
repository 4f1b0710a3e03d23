//! numpy's `default_rng(seed)`: the stream of PCG64 that its `Generator.integers` draws, bit for bit, so that a
//! bootstrap published with a numpy seed can be repeated here.
//!
//! The parts: `SeedSequence` (O'Neill 2015, "Developing a `seed_seq` alternative") turns the seed into 256 bits;
//! PCG64 is the 128-bit linear congruential generator with the XSL-RR output (O'Neill 2014, HMC-CS-2014-0905);
//! `integers` bounds its draws by Lemire's multiplication (Lemire 2019, ACM TOMACS 29(1), algorithm 5).

const POOL: usize = 4;
const INIT_A: u32 = 0x43b0_d7e5;
const MULT_A: u32 = 0x931e_8875;
const INIT_B: u32 = 0x8b51_f9dd;
const MULT_B: u32 = 0x58f3_8ded;
const MIX_L: u32 = 0xca01_f9dd;
const MIX_R: u32 = 0x4973_f715;
const PCG_MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// numpy's `numpy.random.default_rng(seed)`, as far as `integers` and `random` need it.
///
/// ```
/// let mut generator = shared::stats::numpy::Generator::new(123);
/// let mut first = [0; 5];
/// generator.integers(100, &mut first);
/// assert_eq!(first, [1, 68, 59, 5, 90]); // numpy 2.4.6: default_rng(123).integers(0, 100, 5)
/// ```
#[derive(Debug, Clone)]
pub struct Generator {
    state: u128,
    increment: u128,
    /// The upper half of a 64-bit draw of which 32 bits were used.
    half: Option<u32>,
}

impl Generator {
    /// `default_rng(seed)`.
    pub fn new(seed: u64) -> Self {
        let words = seed_words(seed);
        let wide = |index: usize| u128::from(words[index]) << 64 | u128::from(words[index + 1]);
        let mut generator = Self { state: 0, increment: wide(2) << 1 | 1, half: None };
        generator.step();
        generator.state = generator.state.wrapping_add(wide(0));
        generator.step();
        generator
    }

    /// Fills `out` as `integers(0, n, size)` does for the default type `int64`: uniform on `0..n`. Filling a matrix
    /// of B rows in one call, or row by row, gives the same numbers. With `n = 0`, which numpy refuses, `out` stays as it is.
    pub fn integers(&mut self, n: usize, out: &mut [usize]) {
        match n {
            0 => {}
            1 => out.fill(0),
            _ => out.iter_mut().for_each(|place| *place = self.below(n)),
        }
    }

    /// `random()`: uniform on [0, 1) with 53 bits.
    pub fn random(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the draw is below n, which is a usize")]
    fn below(&mut self, n: usize) -> usize {
        match u32::try_from(n) {
            Ok(bound) => self.below_u32(bound) as usize,
            Err(_) if n as u64 == 1 << 32 => self.next_u32() as usize,
            Err(_) => self.below_u64(n as u64) as usize,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a product are meant")]
    fn below_u32(&mut self, bound: u32) -> u32 {
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a product are meant")]
    fn below_u64(&mut self, bound: u64) -> u64 {
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// The lower half of a 64-bit draw first, its upper half at the next call.
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a draw are meant")]
    fn next_u32(&mut self) -> u32 {
        if let Some(upper) = self.half.take() {
            return upper;
        }
        let draw = self.next_u64();
        self.half = Some((draw >> 32) as u32);
        draw as u32
    }

    /// XSL-RR: both halves of the state xor-ed, rotated by its top six bits.
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the state are meant")]
    fn next_u64(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(PCG_MULTIPLIER).wrapping_add(self.increment);
    }
}

/// `SeedSequence(seed).generate_state(4, uint64)`.
fn seed_words(seed: u64) -> [u64; 4] {
    let pool = mixed_pool(seed);
    let mut constant = INIT_B;
    let halves: [u32; 8] = std::array::from_fn(|index| hash(pool[index % POOL], &mut constant, MULT_B));
    std::array::from_fn(|index| u64::from(halves[2 * index]) | u64::from(halves[2 * index + 1]) << 32)
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of the seed are meant")]
fn mixed_pool(seed: u64) -> [u32; POOL] {
    let entropy = [seed as u32, (seed >> 32) as u32, 0, 0];
    let mut constant = INIT_A;
    let mut pool = entropy.map(|word| hash(word, &mut constant, MULT_A));
    for source in 0..POOL {
        for target in (0..POOL).filter(|&target| target != source) {
            pool[target] = mix(pool[target], hash(pool[source], &mut constant, MULT_A));
        }
    }
    pool
}

fn hash(value: u32, constant: &mut u32, multiplier: u32) -> u32 {
    let value = value ^ *constant;
    *constant = constant.wrapping_mul(multiplier);
    let value = value.wrapping_mul(*constant);
    value ^ value >> 16
}

fn mix(x: u32, y: u32) -> u32 {
    let mixed = MIX_L.wrapping_mul(x).wrapping_sub(MIX_R.wrapping_mul(y));
    mixed ^ mixed >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64, n: usize, count: usize) -> Vec<usize> {
        let mut out = vec![0; count];
        Generator::new(seed).integers(n, &mut out);
        out
    }

    // All values: numpy 2.4.6, default_rng(seed).integers(0, n, count).
    #[test]
    #[expect(clippy::unreadable_literal, reason = "as numpy prints them")]
    fn integers_are_those_of_numpy() {
        assert_eq!(drawn(123, 100, 10), [1, 68, 59, 5, 90, 22, 25, 18, 33, 17]);
        assert_eq!(drawn(0, 7, 12), [5, 4, 3, 1, 2, 0, 0, 0, 1, 5, 4, 6]);
        assert_eq!(drawn(42, 2147483659, 5), [191664964, 1405681639, 929893142, 1497586446, 432652535]);
        assert_eq!(drawn(1099511627779, 1000003, 6), [733164, 773658, 444678, 995860, 380641, 473180]);
        assert_eq!(drawn(5, 4294967296, 4), [2881021352, 3457461230, 97294837, 3470079269]);
        assert_eq!(drawn(9, 1099511627777, 4), [956849118828, 315358856438, 663168404253, 854907765163]);
        assert_eq!(drawn(1, 1, 3), [0, 0, 0]);
        assert_eq!(drawn(20_261_123, 2147483659, 100_001)[99_998..], [659842097, 118953442, 1618205]);
        assert_eq!(Generator::new(3).random().to_bits(), 0.08564916714362436_f64.to_bits());
    }

    #[test]
    fn rows_may_be_drawn_one_by_one() {
        let mut generator = Generator::new(7);
        let mut rows = vec![0; 15];
        rows.chunks_mut(5).for_each(|row| generator.integers(11, row));
        assert_eq!(rows, drawn(7, 11, 15));
    }
}
