//! What a trend says, in sentences that the terminal and the page share.

use jiff::Timestamp;

use super::clean::visible;
use super::line::differences;
use super::number::{counted, evidence, percent};
use super::report::{Change, Promotion, Trend};

/// The longest name.
const NAME: usize = 80;

/// The first line: how it stands.
pub(super) fn summary(trend: &Trend) -> String {
    let runs = counted(trend.points.len() as u64, "run");
    let Some(newest) = trend.points.last() else {
        return format!("no verdict yet; {}", others(trend));
    };
    let effect = newest.effect.map(|effect| format!(" at {}", percent(effect))).unwrap_or_default();
    let outcome = newest.outcome.replace('_', " ");
    format!("{runs}, {}; the newest: {outcome}{effect}; {}", others(trend), standing(trend))
}

fn others(trend: &Trend) -> String {
    let skipped = trend.skips.iter().map(|skip| skip.count).sum();
    format!("{}, {}", counted(trend.failures.len() as u64, "failure"), counted(skipped, "skipped slot"))
}

/// The evidence, and whether the alarm is on.
pub(super) fn standing(trend: &Trend) -> String {
    let it = &trend.evidence;
    let (e_value, alarm_at) = (evidence(it.e_value), evidence(it.alarm_at));
    match it.alarm_since {
        Some(since) => {
            format!("ALARM since {}: evidence {e_value}, the alarm is at {alarm_at}", day(since))
        }
        None => format!("evidence {e_value} of {alarm_at} after {}", counted(it.looks.into(), "run")),
    }
}

/// When the effect shifted, and what changed then.
pub(super) fn change(change: &Change) -> String {
    let [first, last] = change.range;
    let (before, after) = (percent(change.before), percent(change.after));
    let range = if first == last { String::new() } else { format!(" (between {} and {})", day(first), day(last)) };
    let found = differences(&change.differences);
    format!("the effect shifted on {}{range} from {before} to {after}; changed there: {found}", day(change.at))
}

/// What the job was held against, from when to when.
pub(super) fn promotion(promotion: &Promotion) -> String {
    let model = visible(&promotion.model, NAME);
    let version = promotion.version.as_deref().map(|it| format!(" (champion {})", visible(it, NAME)));
    let until = promotion.until.map(|until| format!(" until {}", day(until))).unwrap_or_default();
    format!("against {model}{}{until}", version.unwrap_or_default())
}

/// The day of an instant, in UTC.
pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
