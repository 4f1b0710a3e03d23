//! Numbers as people read them: percentages with a sign, digits chosen by the interval, p-values, grouped counts.
//!
//! All functions return ASCII, so that a CI log shows what the page shows.

/// Shown in place of a number that does not exist.
pub const NONE: &str = "n/a";
/// Most decimals that are ever printed.
const MOST_DECIMALS: usize = 6;
/// From here on a number is printed as a power of ten.
const SCIENTIFIC_FROM: f64 = 1e6;

/// How many decimals a number deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimals(usize);

impl Decimals {
    /// One decimal: for columns of percentages that have no interval of their own.
    pub const ONE: Self = Self(1);

    /// Two significant digits of half the interval's width: what lies below that is noise.
    ///
    /// An interval of no width, or one that is not finite, falls back to [`Decimals::of_value`] of its midpoint.
    pub fn of_interval([low, high]: [f64; 2]) -> Self {
        let half = (high / 2.0 - low / 2.0).abs();
        if half > 0.0 && half.is_finite() { Self::significant(half, 2) } else { Self::of_value(low.midpoint(high)) }
    }

    /// Three significant digits of the value.
    pub fn of_value(value: f64) -> Self {
        Self::significant(value, 3)
    }

    /// So many significant digits of the value; none after the point for what is zero or not finite.
    pub fn significant(value: f64, digits: i32) -> Self {
        if value == 0.0 || !value.is_finite() {
            return Self(0);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the exponent of an f64 lies within -324 and 308")]
        let exponent = value.abs().log10().floor() as i32;
        let decimals = usize::try_from(digits - 1 - exponent).unwrap_or(0);
        Self(decimals.min(MOST_DECIMALS))
    }
}

/// `-4.3`, `+1.2`, `0.0`: a sign wherever the number is not shown as zero.
pub fn signed(value: f64, decimals: Decimals) -> String {
    let text = unsigned(value, decimals);
    if value > 0.0 && shows_something(&text) { format!("+{text}") } else { text }
}

/// `4.3`, `-1.2`, `1,204.5`: a sign where the number is negative and not shown as zero.
pub fn unsigned(value: f64, Decimals(decimals): Decimals) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if value.abs() >= SCIENTIFIC_FROM {
        return format!("{value:.2e}");
    }
    let text = format!("{:.decimals$}", value.abs());
    let minus = if value < 0.0 && shows_something(&text) { "-" } else { "" };
    format!("{minus}{}", group(&text))
}

/// A proportion as a percentage without sign: 0.1819 is `18.2 %`.
pub fn percent(proportion: f64) -> String {
    let value = 100.0 * proportion;
    with_unit(unsigned(value, Decimals::of_value(value)), "%")
}

/// A number with its unit after a space; what does not exist has no unit.
pub fn with_unit(text: String, unit: &str) -> String {
    if unit.is_empty() || text == NONE { text } else { format!("{text} {unit}") }
}

/// As few decimals as the number needs, as people write margins: `+2`, `-0.5`, `0`.
pub fn shortest(value: f64) -> String {
    let text = signed(value, Decimals(4));
    match text.split_once('.') {
        Some(_) if !text.contains('e') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        _ => text,
    }
}

/// `0.038`, `< 0.0001`, `> 0.9999`.
pub fn p_value(p: f64) -> String {
    match p {
        p if !p.is_finite() => NONE.to_owned(),
        p if p < 0.0001 => "< 0.0001".to_owned(),
        p if p > 0.9999 => "> 0.9999".to_owned(),
        p if p < 0.001 => format!("{p:.4}"),
        p if !(0.1..=0.99).contains(&p) => format!("{p:.3}"),
        p => format!("{p:.2}"),
    }
}

/// `p = 0.038`, `p < 0.0001`.
pub fn p_clause(p: f64) -> String {
    let text = p_value(p);
    if text.starts_with(['<', '>']) { format!("p {text}") } else { format!("p = {text}") }
}

/// `1,932`.
pub fn count(n: u64) -> String {
    group(&n.to_string())
}

/// `1 cutoff`, `23 cutoffs`; `noun` is the singular of a regular noun, or one that has no plural of its own (`series`).
pub fn counted(n: u64, noun: &str) -> String {
    let plural = if n == 1 || noun.ends_with("series") { "" } else { "s" };
    format!("{} {noun}{plural}", count(n))
}

/// Groups the digits before the decimal point in threes.
fn group(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let digits = whole.chars().enumerate();
    let grouped = digits.fold(String::with_capacity(text.len() + 4), |mut grouped, (place, digit)| {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
        grouped
    });
    grouped + rest
}

/// Whether any digit is not zero.
fn shows_something(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_chooses_the_digits() {
        let shown = |value, interval| signed(value, Decimals::of_interval(interval));
        assert_eq!(shown(4.3217, [1.2, 7.5]), "+4.3");
        assert_eq!(shown(4.3217, [-31.0, 40.0]), "+4");
        assert_eq!(shown(-4.3217, [-4.45, -4.2]), "-4.32");
        assert_eq!(shown(0.004, [-3.0, 3.0]), "0.0");
        assert_eq!(shown(-0.004, [-3.0, 3.0]), "0.0");
        assert_eq!(shown(2.5, [2.5, 2.5]), "+2.50");
        assert_eq!(shown(f64::NAN, [f64::NAN, 1.0]), NONE);
    }

    #[test]
    fn large_and_small_numbers_stay_readable() {
        assert_eq!(unsigned(12_345.678, Decimals::of_value(12_345.678)), "12,346");
        assert_eq!(unsigned(-1234.5, Decimals(1)), "-1,234.5");
        assert_eq!(signed(3.2e8, Decimals(1)), "+3.20e8");
        assert_eq!(unsigned(0.000_001_234, Decimals::of_value(0.000_001_234)), "0.000001");
    }

    #[test]
    fn margins_have_no_idle_zeros() {
        assert_eq!([2.0, -0.5, 0.0, 12.25, 100.0].map(shortest), ["+2", "-0.5", "0", "+12.25", "+100"]);
    }

    #[test]
    fn p_values_never_claim_to_be_zero_or_one() {
        let shown = [0.0, 0.000_09, 0.000_42, 0.0124, 0.381, 0.995, 1.0, f64::NAN].map(p_value);
        assert_eq!(shown, ["< 0.0001", "< 0.0001", "0.0004", "0.012", "0.38", "0.995", "> 0.9999", NONE]);
        assert_eq!([p_clause(0.00001), p_clause(0.02)], ["p < 0.0001", "p = 0.020"]);
    }

    #[test]
    fn counts_are_grouped_and_agree_with_their_noun() {
        assert_eq!([0, 999, 1000, 20_000_000].map(count), ["0", "999", "1,000", "20,000,000"]);
        assert_eq!(
            [counted(1, "cutoff"), counted(23, "cutoff"), counted(2, "series")],
            ["1 cutoff", "23 cutoffs", "2 series"]
        );
    }

    #[test]
    fn proportions_become_percentages() {
        assert_eq!(
            [percent(0.181_856), percent(0.05), percent(0.8), percent(f64::NAN)],
            ["18.2 %", "5.00 %", "80.0 %", NONE]
        );
    }
}
