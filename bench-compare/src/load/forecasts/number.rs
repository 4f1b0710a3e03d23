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
