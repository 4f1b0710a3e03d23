//! Numbers as people read them.

/// A share as a signed percentage.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        size if size >= 1e6 => format!("{percent:+.1e} %"),
        size if size >= 99.5 => format!("{percent:+.0} %"),
        _ => format!("{percent:+.2} %"),
    }
}

/// Evidence: about three digits.
pub(super) fn evidence(e_value: f64) -> String {
    match e_value {
        e if e >= f64::MAX => "over 1e308".to_owned(),
        e if !(1e-3..1e5).contains(&e) => format!("{e:.1e}"),
        e if e >= 99.5 => format!("{e:.0}"),
        e if e >= 9.95 => format!("{e:.1}"),
        e => format!("{e:.2}"),
    }
}

/// Seconds in the unit that suits them.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.0} s"),
        s if s < 3600.0 => format!("{:.0} min", s / 60.0),
        s if s < 86_400.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} d", s / 86_400.0),
    }
}

/// A count with its noun.
pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        assert_eq!([0.0231, -0.5, 1.5, 12_000.0].map(percent), ["+2.31 %", "-50.00 %", "+150 %", "+1.2e6 %"]);
        assert_eq!(
            [1.0, 0.0002, 20.0, 123.4, 1e7, f64::MAX].map(evidence),
            ["1.00", "2.0e-4", "20.0", "123", "1.0e7", "over 1e308"]
        );
        assert_eq!([5.0, 90.0, 5400.0, 129_600.0].map(seconds), ["5 s", "2 min", "1.5 h", "1.5 d"]);
        assert_eq!([counted(1, "run"), counted(0, "run")], ["1 run", "0 runs"]);
    }
}
