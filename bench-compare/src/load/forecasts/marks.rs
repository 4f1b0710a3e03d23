//! Where fields may end: the places of separators and quotes in a block, found sixty-four bytes at a time.

use wide::u8x16;

/// Bytes that are looked at together.
const WORD: usize = 64;

/// Bytes that are looked through at once, so that what is found stays close to the processor.
const REACH: usize = 1 << 13;

/// Places that are written down at once, whether there are as many or not.
const STRIDE: usize = 8;

/// Where the pieces between commas, line ends, quotes and control characters start, from some byte on.
#[derive(Debug)]
pub(super) struct Marks {
    /// Bytes looked through at once: some rows at least.
    reach: usize,
    base: usize,
    /// Places after `base`, as many as `count`; the last of them ends the last piece.
    starts: Vec<u32>,
    count: usize,
    next: usize,
}

/// Pieces of a block, each followed by one byte that is a mark.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pieces<'m> {
    /// What the places count from.
    pub(super) base: usize,
    /// Where each piece starts, and one more: where the last mark has been passed.
    pub(super) starts: &'m [u32],
}

impl Marks {
    /// For rows of so many columns.
    pub(super) fn new(columns: usize) -> Self {
        let reach = REACH.max(columns.saturating_mul(4 * WORD));
        Self { reach, base: 0, starts: vec![0; reach + STRIDE], count: 0, next: 0 }
    }

    /// The pieces from `at` on: at least as many as are wanted, unless the bytes end before.
    #[inline]
    pub(super) fn pieces(&mut self, bytes: &[u8], at: usize, wanted: usize) -> Pieces<'_> {
        let is_next = self.next < self.count && self.base + self.starts[self.next] as usize == at;
        if !is_next || self.count - self.next <= wanted {
            self.look(bytes, at);
        }
        Pieces { base: self.base, starts: &self.starts[self.next..self.count] }
    }

    /// Passes pieces.
    #[inline]
    pub(super) fn pass(&mut self, count: usize) {
        self.next += count;
    }

    fn look(&mut self, bytes: &[u8], at: usize) {
        (self.base, self.next, self.count) = (at, 0, 1);
        self.starts[0] = 0;
        let rest = &bytes[at..];
        let (words, _) = rest[..rest.len().min(self.reach)].as_chunks::<WORD>();
        for (offset, word) in (1_u32..).step_by(WORD).zip(words) {
            self.note(offset, marks_of(word));
        }
    }

    /// Notes the places of the bits of `marks`.
    #[inline]
    fn note(&mut self, offset: u32, mut marks: u64) {
        let total = marks.count_ones() as usize;
        for first in (0..total).step_by(STRIDE) {
            let Some(places) = self.starts[self.count + first..].first_chunk_mut::<STRIDE>() else { return };
            for place in places {
                *place = offset + marks.trailing_zeros();
                marks &= marks.wrapping_sub(1);
            }
        }
        self.count += total;
    }
}

/// A bit for each byte that is a comma, a quote, a line end or another control character up to it.
#[inline]
fn marks_of(word: &[u8; WORD]) -> u64 {
    let (quarters, _) = word.as_chunks::<16>();
    let bits = quarters.iter().map(|quarter| {
        let bytes = u8x16::new(*quarter);
        let is_control = bytes.min(u8x16::splat(b'\r')).simd_eq(bytes);
        let marks = bytes.simd_eq(u8x16::splat(b',')) | bytes.simd_eq(u8x16::splat(b'"')) | is_control;
        u64::from(marks.to_bitmask())
    });
    bits.enumerate().fold(0, |all, (index, bits)| all | bits << (16 * index))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expected(bytes: &[u8]) -> Vec<usize> {
        let is_mark = |byte: u8| matches!(byte, b',' | b'"' | 0..=b'\r');
        let whole = bytes.len() / WORD * WORD;
        (0..whole).filter(|&at| is_mark(bytes[at])).map(|at| at + 1).collect()
    }

    proptest! {
        #[test]
        fn marks_are_found_wherever_they_stand(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b'\n')], 0..400), at in 0_usize..64) {
            let at = at.min(bytes.len());
            let mut marks = Marks::new(3);
            let pieces = marks.pieces(&bytes, at, 1);
            let found: Vec<usize> = pieces.starts[1..].iter().map(|&start| start as usize).collect();
            prop_assert_eq!((pieces.base, found), (at, expected(&bytes[at..])));
        }
    }
}
