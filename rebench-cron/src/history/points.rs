//! Slots, promotions and segments as the report has them.

use std::path::Path;

use super::Course;
use super::circumstances::commit;
use super::report::{Evidence, Failure, Point, Promotion, Segment, Skip, Underway};
use crate::judge::{self, Rules};
use crate::store::{Baseline, HistoryRow, HistoryRun, SlotState, Verdict};

/// The newest verdict that says this.
pub(super) fn newest<T>(rows: &[HistoryRow], of: impl Fn(&Verdict) -> Option<T>) -> Option<T> {
    rows.iter().rev().find_map(|row| of(verdict(row)?))
}

pub(super) fn verdict(row: &HistoryRow) -> Option<&Verdict> {
    row.run.as_ref()?.verdict.as_ref().map(|(verdict, _)| verdict)
}

/// The slots with a verdict from this place on.
pub(super) fn points(course: &Course<'_>, from: usize) -> Vec<Point> {
    let rows = course.rows.iter().enumerate().skip(from);
    rows.filter_map(|(place, row)| {
        let e_value = course.after(place).map(|evidence| finite(evidence.e_value));
        Some(point(row, row.run.as_ref()?, verdict(row)?, e_value))
    })
    .collect()
}

fn point(row: &HistoryRow, run: &HistoryRun, verdict: &Verdict, e_value: Option<f64>) -> Point {
    Point {
        scheduled_at: row.scheduled_at,
        wall: row.wall.clone(),
        reason: row.reason.name().to_owned(),
        outcome: verdict.outcome.name().to_owned(),
        why: verdict.reason.clone(),
        effect: verdict.effect,
        standard_error: verdict.se,
        interval: verdict.ci_lo.zip(verdict.ci_hi).map(|(low, high)| [low, high]),
        p_value: verdict.p,
        noise_floor: verdict.noise_floor,
        e_value,
        attempts: run.attempt,
        lateness_seconds: run.lateness.as_secs_f64(),
        commit: commit(run),
        folder: run.folder.as_deref().map(path),
        files_are_gone: run.forgotten_at.is_some(),
        baseline: verdict.baseline_id.clone(),
    }
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// JSON has no infinity.
fn finite(e_value: f64) -> f64 {
    e_value.min(f64::MAX)
}

/// A slot that was given up.
pub(super) fn failure(row: &HistoryRow) -> Option<Failure> {
    let run = row.run.as_ref();
    let error = || run.and_then(|run| run.error.clone());
    (row.state == SlotState::Failed).then(|| Failure {
        scheduled_at: row.scheduled_at,
        wall: row.wall.clone(),
        reason: row.reason.name().to_owned(),
        why: row.why.clone().or_else(error).unwrap_or_default(),
        attempts: run.map_or(0, |run| run.attempt),
        folder: run.and_then(|run| run.folder.as_deref()).map(path),
    })
}

/// Slots that were not run.
pub(super) fn skip(row: &HistoryRow) -> Option<Skip> {
    (row.state == SlotState::Skipped).then(|| Skip {
        scheduled_at: row.scheduled_at,
        wall: row.wall.clone(),
        reason: row.reason.name().to_owned(),
        why: row.why.clone().unwrap_or_default(),
        count: row.skipped_count.unwrap_or(1),
    })
}

/// A slot that is being run.
pub(super) fn underway(row: &HistoryRow) -> Underway {
    Underway {
        scheduled_at: row.scheduled_at,
        wall: row.wall.clone(),
        reason: row.reason.name().to_owned(),
        state: row.run.as_ref().map(|run| run.state.name().to_owned()),
    }
}

/// What the newest evidence says.
pub(super) fn evidence(course: &Course<'_>, rules: Rules) -> Evidence {
    let newest = course.evidence.last().cloned().unwrap_or_else(|| judge::evidence(&[], rules));
    Evidence {
        e_value: finite(newest.e_value),
        alarm_at: newest.alarm_at,
        is_alarm: newest.is_alarm(),
        alarm_since: newest.alarm.and_then(|index| course.row(index)).map(|row| row.scheduled_at),
        looks: newest.looks,
        horizon: rules.looks,
        false_alarm_rate: rules.false_alarm_rate,
    }
}

/// Something that became what the job is held against.
pub(super) fn promotion(baseline: &Baseline) -> Promotion {
    Promotion {
        at: baseline.promoted_at,
        until: baseline.retired_at,
        model: baseline.model.clone(),
        version: version(baseline),
        baseline: baseline.id.clone(),
    }
}

fn version(baseline: &Baseline) -> Option<String> {
    Some(baseline.version.clone()).filter(|version| !version.is_empty())
}

/// The histories that began anew with each baseline.
pub(super) fn segments(course: &Course<'_>, baselines: &[Baseline]) -> Vec<Segment> {
    let same = |a: &judge::Evidence, b: &judge::Evidence| a.since == b.since;
    course.evidence.chunk_by(same).filter_map(|of| segment(course, of, baselines)).collect()
}

fn segment(course: &Course<'_>, of: &[judge::Evidence], baselines: &[Baseline]) -> Option<Segment> {
    let last = of.last()?;
    let (first, until) = (course.row(last.since)?, course.row(last.since + of.len() - 1)?);
    let past = course.past.get(last.since)?;
    let known = baselines.iter().find(|baseline| baseline.id == past.baseline_id);
    let kind = match past.baseline {
        judge::Baseline::Fresh => "fresh",
        judge::Baseline::Reused => "reused",
    };
    Some(Segment {
        since: first.scheduled_at,
        until: until.scheduled_at,
        baseline: past.baseline_id.clone(),
        baseline_kind: kind.to_owned(),
        version: known.and_then(version),
        runs: of.len() as u64,
        looks: last.looks,
        e_value: finite(last.e_value),
        is_alarm: last.is_alarm(),
    })
}
