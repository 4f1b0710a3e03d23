//! Names, numbers and times as the page writes them. `status.js` writes those of the series in the same way.

use jiff::Timestamp;

/// Longest name that is shown.
const SHOWN: usize = 64;
/// Longest text of a name that a pointer or a screen reader gets, and longest sentence.
const WHOLE: usize = 600;

/// A name that came from outside: what is shown, and the whole of it where that is more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) shown: String,
    pub(super) whole: Option<String>,
}

impl Name {
    pub(super) fn new(text: &str) -> Self {
        let shown = if text.trim().is_empty() { "(empty)".to_owned() } else { cut(text, SHOWN) };
        let whole = (shown != text && !text.trim().is_empty()).then(|| cut(text, WHOLE));
        Self { shown, whole }
    }
}

/// A sentence that may hold names.
pub(super) fn sentence(text: &str) -> String {
    cut(text, WHOLE)
}

/// At most so many characters, with every one that draws nothing or redirects what follows as an escape.
fn cut(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == limit {
            shown.push('…');
            break;
        }
        if is_treacherous(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// Control characters, separators of lines, invisible and bidirectional formatting characters (Unicode Technical Report
/// 36, 3.3). The joiner stays: emoji are made with it.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The value in the unit that the name of its metric ends in; a dash where there is none.
pub(super) fn value(metric: &str, value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        None => "–".to_owned(),
        Some(value) if metric.ends_with("_ratio") => percent(value),
        Some(value) => plain(value),
    }
}

/// What lies between the value and its baseline, signed; percentages differ by points.
pub(super) fn change(metric: &str, value: Option<f64>, baseline: Option<f64>) -> String {
    let Some(change) = value.zip(baseline).map(|(value, baseline)| value - baseline).filter(|it| it.is_finite()) else {
        return String::new();
    };
    match metric.ends_with("_ratio") {
        true => signed(fixed(100.0 * change, 2)) + "\u{a0}pp",
        false => signed(plain(change)),
    }
}

/// A share as a percentage of about three digits.
pub(super) fn percent(ratio: f64) -> String {
    let percent = 100.0 * ratio;
    let decimals = match percent.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    fixed(percent, decimals) + "\u{a0}%"
}

/// A number of about four digits.
pub(super) fn plain(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if !(1e-3..1e7).contains(&size) => format!("{value:.2e}").replace('-', "\u{2212}"),
        size if size >= 1000.0 => grouped(value),
        size if size >= 100.0 => fixed(value, 1),
        size if size >= 1.0 => fixed(value, 2),
        _ => fixed(value, 4),
    }
}

/// Decimals, a minus that is one, and no minus before nothing.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

/// The same with a plus.
pub(super) fn signed(text: String) -> String {
    if text.starts_with('\u{2212}') { text } else { format!("+{text}") }
}

fn grouped(value: f64) -> String {
    let sign = if value < 0.0 { "\u{2212}" } else { "" };
    // Below 1e7, as the caller saw to.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "finite, positive and below 1e7")]
    let size = value.abs().round() as u64;
    format!("{sign}{}", count(size))
}

/// A count with its thousands apart.
pub(super) fn count(count: u64) -> String {
    let digits = count.to_string();
    let apart = |(index, digit): (usize, char)| {
        let comma = index > 0 && (digits.len() - index).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(apart).collect()
}

/// A count with its noun.
pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Bytes in the unit that suits them.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1000.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    for next in units {
        if size < 1000.0 {
            break;
        }
        (size, unit) = (size / 1000.0, next);
    }
    format!("{size:.1} {unit}")
}

/// A time as people read it, to the minute; what is no time stays as it is.
pub(super) fn moment(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M\u{a0}UTC").to_string().replace(" 00:00\u{a0}UTC", ""),
        Err(_) => cut(time, SHOWN),
    }
}

/// How long it is from one time to another: `3 d 4 h`.
pub(super) fn age(from: &str, to: Option<&str>) -> Option<String> {
    let (from, to): (Timestamp, Timestamp) = (from.parse().ok()?, to?.parse().ok()?);
    let seconds = to.as_second().checked_sub(from.as_second())?;
    u64::try_from(seconds).ok().map(|seconds| duration(seconds as f64))
}

/// Seconds in the two largest units.
pub(super) fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and negative times are none"
    )]
    let seconds = seconds.max(0.0) as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let two = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {part}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => two(hours, "h", minutes, "min"),
        _ => two(days, "d", hours, "h"),
    }
}

/// The name of a metric as people say it.
pub(super) fn metric(name: &str) -> String {
    let known = match name.trim_end_matches("_ratio") {
        "mape" => "MAPE",
        "smape" => "sMAPE",
        "wape" => "WAPE",
        "mase" => "MASE",
        "mae" => "MAE",
        "rmse" => "RMSE",
        "da" => "directional accuracy",
        "coverage" => "interval coverage",
        "completeness" => "completeness",
        _ => return cut(&name.trim_end_matches("_ratio").replace('_', " "), SHOWN),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_about_three_digits_and_true_signs() {
        assert_eq!(percent(0.123_45), "12.3\u{a0}%");
        assert_eq!(percent(0.001_234), "0.12\u{a0}%");
        assert_eq!(percent(-0.000_001), "0.00\u{a0}%");
        assert_eq!(percent(12.0), "1200\u{a0}%");
        assert_eq!(value("mae", Some(-1_234_567.0)), "\u{2212}1,234,567");
        assert_eq!(value("mae", Some(f64::NAN)), "–");
        assert_eq!(change("bias_ratio", Some(-0.02), Some(0.01)), "\u{2212}3.00\u{a0}pp");
        assert_eq!(change("mae", Some(2.5), Some(2.0)), "+0.5000");
        assert_eq!([count(0), count(999), count(1000), count(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([bytes(999), bytes(1500), bytes(u64::MAX)], ["999 B", "1.5 kB", "18446744.1 TB"]);
    }

    #[test]
    fn times_are_short() {
        assert_eq!(moment("2013-07-20T00:00:00Z"), "2013-07-20");
        assert_eq!(moment("2013-07-20T06:30:00-04:00"), "2013-07-20 10:30\u{a0}UTC");
        assert_eq!(moment("soon\u{202e}"), "soon\\u{202e}");
        assert_eq!(age("2013-07-20T00:00:00Z", Some("2013-07-21T06:10:00Z")).unwrap(), "1 d 6 h");
        assert_eq!(age("2013-07-20T00:00:00Z", Some("2013-07-19T00:00:00Z")), None);
        assert_eq!([duration(59.9), duration(61.0), duration(7200.0)], ["59 s", "1 min", "2 h"]);
    }

    #[test]
    fn names_are_cut_and_made_visible() {
        let name = Name::new(&"x".repeat(10_000));
        assert_eq!((name.shown.chars().count(), name.whole.unwrap().chars().count()), (SHOWN + 1, WHOLE + 1));
        assert_eq!(Name::new("a\u{202e}b\0").shown, "a\\u{202e}b\\u{0}");
        assert_eq!(Name::new("👩\u{200d}🔬"), Name { shown: "👩\u{200d}🔬".to_owned(), whole: None });
        assert_eq!(Name::new(" ").shown, "(empty)");
    }
}
