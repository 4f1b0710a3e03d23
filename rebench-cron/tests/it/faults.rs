//! What is refused, where the error points and what it suggests.

use rebench_cron::schedule::{Dialect, Expression};
use shared::error::Error;

const CRON: Dialect = Dialect::Cron;

/// Expression, dialect, column, what is found, a part of the hint.
const FAULTS: &[(&str, Dialect, usize, &str, &str)] = &[
    ("61 6 * * 1", CRON, 1, "\"61\" in the minutes", ""),
    ("0 24 * * *", CRON, 3, "\"24\" in the hours", ""),
    ("0 0 0 * *", CRON, 5, "\"0\" in the days of the month", ""),
    ("0 0 * 13 *", CRON, 7, "\"13\" in the months", ""),
    ("0 0 * * 8", CRON, 9, "\"8\" in the weekdays", ""),
    ("0 0 * * FIR", CRON, 9, "\"FIR\" in the weekdays", "did you mean FRI?"),
    ("0 0 * january *", CRON, 7, "\"january\" in the months", "did you mean JAN?"),
    ("0 0 * * FRI-MON", CRON, 9, "runs backwards", "write 5-6,0-1"),
    ("0 22-2 * * *", CRON, 3, "runs backwards", "write 22-23,0-2"),
    ("0 0 * * SAT-SUN", CRON, 9, "runs backwards", "write 6,0"),
    ("0/15 * * * *", CRON, 1, "a step after a single value", "write 0-59/15"),
    ("/15 * * * *", CRON, 1, "a step after a single value", "write */15"),
    ("*/0 * * * *", CRON, 3, "\"0\" as a step", ""),
    ("1,,2 * * * *", CRON, 3, "an empty item", ""),
    ("1, * * * *", CRON, 3, "an empty item", ""),
    ("* * * *", CRON, 8, "4 fields", ""),
    ("0 0 1 1 * 2027", CRON, 11, "6 fields", "--dialect cron-seconds"),
    ("0 0 12 1 1 ? 2027", CRON, 12, "7 fields", "--dialect quartz"),
    ("0 6 * * 1", Dialect::CronSeconds, 10, "5 fields", "--dialect cron"),
    ("TZ=UTC 0 6 * * 1", CRON, 16, "6 fields", "--tz"),
    ("Mon *-*-* 06:00", CRON, 16, "3 fields", "--dialect oncalendar"),
    ("0 0 30 2 *", CRON, 5, "a date that never comes", "L"),
    ("0 0 31 2,4,6,9,11 *", CRON, 5, "a date that never comes", "L"),
    ("0 0 31W 2,4 *", CRON, 5, "a date that never comes", "L"),
    ("0 0 1 * +MON", CRON, 9, "\"+MON\" in the weekdays", "oncalendar"),
    ("H 3 * * *", CRON, 1, "\"H\" in the minutes", "name of a job"),
    ("0 0 L-31 * *", CRON, 5, "\"L-31\"", ""),
    ("0 0 32W * *", CRON, 5, "\"32W\"", ""),
    ("0 0 * * 1#6", CRON, 11, "\"6\" after the #", ""),
    ("0 0 * * L", CRON, 9, "\"L\" in the weekdays", "5L"),
    ("@quarterly", CRON, 1, "\"@quarterly\"", "0 0 1 */3 *"),
    ("@dialy", CRON, 1, "\"@dialy\"", "did you mean @daily?"),
    ("@reboot", CRON, 1, "@reboot", "service manager"),
    ("@daily x", CRON, 8, "\"x\" after @daily", ""),
    ("@every", CRON, 7, "nothing after @every", ""),
    ("@every 90", CRON, 8, "\"90\" after @every", ""),
    ("@every 500ms", CRON, 8, "\"500ms\" after @every", ""),
    ("@every -5m", CRON, 8, "\"-5m\" after @every", ""),
    ("", CRON, 1, "no field", ""),
    ("1-2-3 * * * *", CRON, 3, "\"2-3\" in the minutes", ""),
    ("99999999999 * * * *", CRON, 1, "\"99999999999\"", ""),
    ("\u{e9}\u{e9} 25 * * *", CRON, 1, "\"\u{e9}\u{e9}\" in the minutes", ""),
    ("0 0 12 * * *", Dialect::Quartz, 12, "values in both day fields", "oncalendar"),
    ("0 0 12 ? * ?", Dialect::Quartz, 12, "? in both day fields", ""),
    ("0 ? 12 ? * 1", Dialect::Quartz, 3, "\"?\"", ""),
    ("0 0 12 1 1 ? 1969", Dialect::Quartz, 14, "\"1969\" in the years", ""),
    ("0 0 12 30 2 ?", Dialect::Quartz, 8, "a date that never comes", ""),
    ("0 0/60 12 1 1 ?", Dialect::Quartz, 5, "\"60\" as a step", "larger than the field"),
    ("0 6 * * 1", Dialect::OnCalendar, 1, "\"0\"", "--dialect cron"),
    ("*-13-01", Dialect::OnCalendar, 3, "\"13\" in the months", ""),
    ("*-*-~01 03:00", Dialect::OnCalendar, 5, "\"*-*-~01\"", "*-*~01"),
    ("*-02-30", Dialect::OnCalendar, 1, "a date that never comes", ""),
    ("Fri..Mon", Dialect::OnCalendar, 1, "runs backwards", ""),
    ("Mno 06:00", Dialect::OnCalendar, 1, "\"Mno\"", ""),
    ("dialy", Dialect::OnCalendar, 1, "\"dialy\"", "did you mean daily?"),
    ("*:*/15", Dialect::OnCalendar, 3, "\"*/15\" in the minutes", "0/15"),
    ("*:0/60", Dialect::OnCalendar, 3, "\"0/60\" in the minutes", "out of the range"),
    ("6:00:00.5", Dialect::OnCalendar, 8, "a fraction of a second", ""),
    ("6:00 Mon", Dialect::OnCalendar, 6, "\"Mon\" after the time", "first"),
    ("6:00 UTC x", Dialect::OnCalendar, 10, "\"x\"", ""),
];

#[test]
fn every_fault_has_its_column_and_hint() {
    for (text, dialect, column, found, hint) in FAULTS {
        let fault = Expression::parse(text, *dialect, None).expect_err(text);
        assert_eq!(fault.column, *column, "{text}: {fault}");
        assert!(fault.found.contains(found), "{text}: {fault}");
        assert!(!fault.expected.is_empty(), "{text}");
        assert!(fault.hint.as_deref().unwrap_or_default().contains(hint), "{text}: {:?}", fault.hint);
    }
}

#[test]
fn the_caret_stands_below_the_column() {
    let fault = Expression::parse("0 24 * * *", Dialect::Cron, None).unwrap_err();
    let error = Error::from(fault);
    assert_eq!(error.to_string(), "schedule \"0 24 * * *\", column 3: \"24\" in the hours (expected 0 to 23)");
    assert_eq!(error.help(), Some("0 24 * * *\n        ^"));
    assert_eq!(error.exit().code(), 2);
}
