//! When the effect shifted, and what changed then.

use super::report::Change;
use super::{Course, circumstances, points};
use crate::judge;
use crate::store::{HistoryRow, Outcome};

/// The shift in the present history; only where the alarm is on or the newest run was worse, since any series has a most likely one.
pub(super) fn change(course: &Course<'_>) -> Option<Change> {
    let looks = course.looks();
    let newest = points::verdict(course.row(looks.last()?.0)?)?.outcome;
    let is_alarm = course.evidence.last()?.is_alarm();
    if !is_alarm && newest != Outcome::Regressed {
        return None;
    }
    let found = judge::change(&looks)?;
    let before = looks.iter().rev().find(|(index, _)| *index < found.at)?.0;
    let time = |index: usize| course.row(index).map(|row| row.scheduled_at);
    Some(Change {
        at: time(found.at)?,
        last_before: time(before)?,
        range: [time(found.range.0)?, time(found.range.1)?],
        before: found.before,
        after: found.after,
        differences: differences(course.row(before)?, course.row(found.at)?),
    })
}

fn differences(before: &HistoryRow, after: &HistoryRow) -> Vec<super::Difference> {
    let runs = before.run.as_ref().zip(after.run.as_ref());
    runs.map(|(before, after)| circumstances::differences(before, after)).unwrap_or_default()
}
