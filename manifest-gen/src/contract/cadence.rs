//! When a model should have been trained again: the end of its training window and its cadence.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// When the model is due to be trained again, if window and cadence can be read.
///
/// The window's last day belongs to it whole: a weekly model that saw all of 3 August is due when 10 August ends.
pub fn retrain_due(trained_to: &str, cadence: &str, time_zone: Option<&str>) -> Option<Timestamp> {
    let end = zoned(trained_to, time_zone)?;
    let whole_day = if is_date(trained_to) { Span::new().days(1) } else { Span::new() };
    let due = end.checked_add(span(cadence)?).ok()?.checked_add(whole_day).ok()?;
    Some(due.timestamp())
}

/// The instant that a text in RFC 3339, or a naive date or time in the zone, means.
pub(super) fn instant(text: &str, time_zone: Option<&str>) -> Option<Timestamp> {
    zoned(text, time_zone).map(|zoned| zoned.timestamp())
}

fn zoned(text: &str, time_zone: Option<&str>) -> Option<Zoned> {
    let zone = time_zone.map_or(Some(TimeZone::UTC), |name| TimeZone::get(name).ok())?;
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.to_zoned(zone));
    }
    text.parse::<DateTime>().ok()?.to_zoned(zone).ok()
}

fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok() && !text.contains([':', 'T'])
}

/// A cadence in words (`weekly`), as pandas writes steps (`W-FRI`, `2W`, `MS`), or as a duration (`7d`).
fn span(cadence: &str) -> Option<Span> {
    let text = cadence.trim();
    words(text).or_else(|| pandas(text)).or_else(|| text.parse().ok()).filter(|span| span.is_positive())
}

fn words(text: &str) -> Option<Span> {
    Some(match text.to_lowercase().as_str() {
        "hourly" => Span::new().hours(1),
        "daily" => Span::new().days(1),
        "weekly" => Span::new().weeks(1),
        "biweekly" | "fortnightly" => Span::new().weeks(2),
        "monthly" => Span::new().months(1),
        "quarterly" => Span::new().months(3),
        "yearly" | "annually" => Span::new().years(1),
        _ => return None,
    })
}

fn pandas(text: &str) -> Option<Span> {
    let step = text.split('-').next().unwrap_or_default();
    let letters = step.trim_start_matches(|char: char| char.is_ascii_digit());
    let count = &step[..step.len() - letters.len()];
    let count: i64 = if count.is_empty() { 1 } else { count.parse().ok().filter(|count| *count <= 10_000)? };
    Some(match letters {
        "h" | "H" => Span::new().hours(count),
        "D" | "B" => Span::new().days(count),
        "W" => Span::new().weeks(count),
        "M" | "MS" | "ME" | "BM" | "BMS" | "BME" => Span::new().months(count),
        "Q" | "QS" | "QE" | "BQ" | "BQS" | "BQE" => Span::new().months(3 * count),
        "Y" | "YS" | "YE" | "A" | "AS" => Span::new().years(count),
        "min" | "T" => Span::new().minutes(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(to: &str, cadence: &str, zone: Option<&str>) -> Option<String> {
        retrain_due(to, cadence, zone).map(|at| at.to_string())
    }

    #[test]
    fn cadences_of_all_spellings_are_added() {
        let expected = Some("2012-08-11T00:00:00Z".to_owned());
        for cadence in ["weekly", "W-FRI", "W", "7d", "1w"] {
            assert_eq!(due("2012-08-03", cadence, None), expected, "{cadence}");
        }
        assert_eq!(due("2024-01-31", "monthly", None).unwrap(), "2024-03-01T00:00:00Z");
        assert_eq!(due("2024-01-01T06:00:00Z", "daily", None).unwrap(), "2024-01-02T06:00:00Z");
    }

    #[test]
    fn naive_times_are_those_of_the_zone() {
        // Midnight in New York in summer is 04:00 UTC.
        assert_eq!(due("2012-08-03", "weekly", Some("America/New_York")).unwrap(), "2012-08-11T04:00:00Z");
    }

    #[test]
    fn what_is_no_cadence_gives_no_time() {
        for (to, cadence) in
            [("2012-08-03", "often"), ("last week", "weekly"), ("2012-08-03", "-7d"), ("2012-08-03", "9999999999D")]
        {
            assert_eq!(due(to, cadence, None), None, "{cadence}");
        }
        assert_eq!(due("2012-08-03", "weekly", Some("Mars/Olympus")), None);
    }
}
