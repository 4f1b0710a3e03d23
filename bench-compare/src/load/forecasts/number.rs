//! Decimal numbers as forecast tables hold them: the common short ones fast, all others as the standard library reads them.

/// Powers of ten that a double holds exactly, as far as a 19-digit mantissa can need them.
const POWERS: [f64; 20] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19];

/// A mantissa up to here is a double exactly.
const EXACT: u64 = 1 << 53;

/// Reads a plain decimal (`-12.5`) at the start of `bytes`: its value and length. `None` where the text is anything else, or
/// where one rounding would not give the nearest double: [`of_field`] then takes the whole field.
///
/// Mantissa and power of ten are exact, so their quotient is rounded once and equals `str::parse` (Clinger 1990, section 3).
#[inline]
pub(super) fn plain(bytes: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let (whole, point) = digits(bytes, sign, 0);
    let mut digit_count = point - sign;
    let (mut mantissa, mut end, mut decimals) = (whole, point, 0);
    if bytes.get(point) == Some(&b'.') {
        (mantissa, end) = digits(bytes, point + 1, whole);
        decimals = end - point - 1;
        digit_count += decimals;
    }
    if digit_count == 0 || digit_count > 19 || mantissa > EXACT {
        return None;
    }
    let magnitude = mantissa as f64 / POWERS[decimals];
    Some((if sign == 1 { -magnitude } else { magnitude }, end))
}

/// Appends the digits from `at` on to `mantissa`; a mantissa of more than 19 digits wraps, which the caller refuses.
#[inline]
fn digits(bytes: &[u8], mut at: usize, mut mantissa: u64) -> (u64, usize) {
    while let Some(byte) = bytes.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (mantissa, at)
}

/// ASCII zeros: a word of digits without them is a word of their values.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The number in the field from `start` to `end`, as [`of_field`] has it; a byte that is no digit follows.
#[inline]
pub(super) fn within(bytes: &[u8], start: usize, end: usize) -> Option<f64> {
    short(bytes, start, end).or_else(|| of_field_quickly(bytes.get(start..end)?))
}

/// A number of up to eight digits with a point among them, in words of eight bytes and without a branch on its length.
#[inline]
fn short(bytes: &[u8], start: usize, end: usize) -> Option<f64> {
    let near: &[u8; 16] = bytes.get(start..)?.first_chunk()?;
    let length = end - start;
    if near[0] == b'-' {
        return Some(-positive(near[1..].first_chunk()?, length.wrapping_sub(1))?);
    }
    positive(near.first_chunk()?, length)
}

/// The first `length` of the bytes as a number.
#[inline]
fn positive(near: &[u8; 9], length: usize) -> Option<f64> {
    if !(2..10).contains(&length) {
        return None;
    }
    let (first, second) = (word(*near.first_chunk()?), word(*near.last_chunk()?));
    let others = others(first);
    let point = others.trailing_zeros() & 0b11_1000;
    if first >> point & 0xFF != u64::from(b'.' ^ b'0') {
        return None;
    }
    // All bytes before the point; the digits without it; these at the end of the word, zeros before them.
    let before = (others ^ others.wrapping_sub(1)) >> 8;
    let digits = (second ^ ((first ^ second) & before)) << (72 - 8 * length);
    let decimals = length - 1 - point as usize / 8;
    (self::others(digits) == 0).then(|| double(eight_digits(digits)) / POWERS[decimals & 15])
}

/// Eight bytes as a little-endian word, digits as their values.
#[inline]
fn word(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes) ^ ZEROS
}

/// The highest bit of each byte of a word that is no digit: above 9, or above 127.
#[inline]
fn others(word: u64) -> u64 {
    (((word & 0x7F7F_7F7F_7F7F_7F7F) + 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
}

/// The number that eight digits make, by three multiplications of neighbours: digits, pairs, fours (Lemire 2021, section 6).
#[inline]
fn eight_digits(digits: u64) -> u32 {
    let pairs = digits.wrapping_mul(2561) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(6_553_601) >> 16;
    ((fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(42_949_672_960_001) >> 32) as u32
}

/// The same number as a double: as the lowest bits of 2^52, from which that is then taken away. The instruction that converts
/// waits for the number before, as compilers use it here, and this does not.
#[inline]
fn double(number: u32) -> f64 {
    const TWO_TO_52: f64 = 4_503_599_627_370_496.0;
    f64::from_bits(TWO_TO_52.to_bits() | u64::from(number)) - TWO_TO_52
}

fn of_field_quickly(field: &[u8]) -> Option<f64> {
    match plain(field) {
        Some((value, length)) if length == field.len() => Some(value),
        _ => of_field(field),
    }
}

/// The number in a whole field: NaN for what pandas writes or reads as missing, `None` for what is no number.
pub(super) fn of_field(field: &[u8]) -> Option<f64> {
    let text = field.trim_ascii();
    match text {
        b"" | b"NA" | b"N/A" | b"NULL" | b"null" | b"None" | b"NaT" | b"<NA>" => Some(f64::NAN),
        _ => std::str::from_utf8(text).ok()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agrees(text: &str) -> bool {
        match plain(text.as_bytes()) {
            Some((value, length)) => text[..length].parse::<f64>().is_ok_and(|real| real.to_bits() == value.to_bits()),
            None => true,
        }
    }

    #[test]
    fn awkward_decimals() {
        for text in ["0", "-0", "-0.0", ".5", "5.", "9007199254740993", "123456789012345678.9", "0.1", "-", "", "1e5"] {
            assert!(agrees(text), "{text}");
        }
        assert_eq!(plain(b"12.5,7"), Some((12.5, 4)));
        assert_eq!(plain(b"."), None);
        assert_eq!(plain(b"9007199254740993"), None);
    }

    /// All that is no number is the same: whether `-NaN` keeps its sign is nobody's business.
    fn bits(value: f64) -> u64 {
        if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
    }

    /// The field as a number, with and without room for words behind it.
    fn read_within(text: &str) -> [Option<u64>; 2] {
        let field = |line: String| within(line.as_bytes(), 2, 2 + text.len()).map(bits);
        [field(format!("1,{text}")), field(format!("1,{text},2024-01-01 00:00:00\n"))]
    }

    #[test]
    fn fields_of_any_length_are_whole_numbers_or_none() {
        for text in
            ["579.1131", "-0.5", "7", "12345678", "1234567.8", "0.1234567", ".25", "5.", "-12345.123", "1e5", "", "inf"]
        {
            let expected = of_field(text.as_bytes()).map(bits);
            assert_eq!(read_within(text), [expected; 2], "{text}");
        }
        for text in [".", "-", "-.", "1.2.3", "1.2x", "12a", "1-2", "\u{b9}1.5", "1.\u{b9}"] {
            assert_eq!(read_within(text), [None; 2], "{text}");
        }
    }

    #[test]
    fn missing_and_infinite_cells() {
        for text in ["", " ", "NaN", "nan", "null", "None"] {
            assert!(of_field(text.as_bytes()).is_some_and(f64::is_nan), "{text}");
        }
        assert_eq!(of_field(b"-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(of_field(b" 1e3 "), Some(1e3));
        assert_eq!(of_field(b"12,5"), None);
        assert_eq!(of_field(b"n/a?"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn equals_the_standard_library_bit_for_bit(text in "-?[0-9]{0,12}(\\.[0-9]{0,12})?") {
            prop_assert!(agrees(&text), "{}", text);
        }

        #[test]
        fn a_field_is_read_as_the_whole_of_it_is(text in "[-+.0-9eENa ]{0,12}|-?[0-9]{0,9}\\.[0-9]{0,9}") {
            let expected = of_field(text.as_bytes()).map(bits);
            prop_assert_eq!(read_within(&text), [expected; 2], "{}", text);
        }

        #[test]
        fn printed_doubles_come_back(value in any::<f64>()) {
            let text = value.to_string();
            let read = plain(text.as_bytes()).map_or_else(|| of_field(text.as_bytes()), |(value, _)| Some(value));
            prop_assert_eq!(read.map(f64::to_bits), text.parse().ok().map(f64::to_bits));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = plain(&bytes);
            let _ = of_field(&bytes);
        }
    }
}
