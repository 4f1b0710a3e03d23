//! Baselines and evidence of the canonical state.

use std::collections::BTreeMap;

use super::build::{group_name, metrics};
use super::canonical::{BaselineState, BucketState, DetectorState, GroupState, SeriesState};
use super::number::rounded;
use crate::core::board::Board;
use crate::core::detector::monitor::Monitor;
use crate::core::detector::reference::Side;
use crate::core::engine::Engine;
use crate::core::family::WATCHES;
use crate::core::learned::{Learned, Watches};
use crate::core::series_watch::SeriesWatch;
use crate::core::settings::Loss;
use crate::core::step::EVERYONE;
use crate::core::time::text;
use crate::core::watched::Watched;

/// Buckets of which something was seen. Those that only wait for their first step are left out: whether they are known already depends on how early
/// predictions arrive.
pub(super) fn buckets(engine: &Engine, board: &Board) -> Vec<BucketState> {
    let seen = board.buckets.iter().filter(|(_, watched)| watched.steps > 0 || watched.learned.is_some());
    seen.map(|(bucket, watched)| BucketState {
        horizon: bucket.to_string(),
        steps: watched.steps,
        watched_steps: watched.watched_steps,
        baseline: watched.learned.as_deref().map(|learned| baseline(engine, board, watched, learned)),
    })
    .collect()
}

fn baseline(engine: &Engine, board: &Board, watched: &Watched, learned: &Learned) -> BaselineState {
    let loss = engine.settings.loss;
    BaselineState {
        steps: learned.steps as u64,
        from: text(learned.span.0),
        to: text(learned.span.1),
        weight: rounded(watched.weight),
        overlap: learned.common.overlap as u64,
        autoregression: learned.common.phi.map(rounded).to_vec(),
        season_slots: learned.season().map(|slots| slots.count),
        metrics: metrics(&learned.tally, board.level_percent),
        groups: groups(board, learned, loss),
        series: series(engine, learned, loss),
    }
}

fn groups(board: &Board, learned: &Learned, loss: Loss) -> Vec<GroupState> {
    let group = |group: u32, watches: &Watches| GroupState {
        group: group_name(board, group),
        detectors: detectors(watches, loss),
    };
    let mut segments: Vec<GroupState> =
        learned.segments.iter().map(|(number, watches)| group(*number, watches)).collect();
    segments.sort_by(|a, b| a.group.cmp(&b.group));
    std::iter::once(group(EVERYONE, &learned.model)).chain(segments).collect()
}

fn detectors(watches: &Watches, loss: Loss) -> Vec<DetectorState> {
    let known = watches.monitors.iter().enumerate();
    known.filter_map(|(place, monitor)| Some(detector(place, monitor.as_ref()?, loss))).collect()
}

fn detector(place: usize, monitor: &Monitor, loss: Loss) -> DetectorState {
    DetectorState {
        watch: watch_name(place, loss),
        centre: rounded(monitor.centre()),
        scale: rounded(monitor.scale()),
        autoregression: rounded(monitor.phi),
        evidence: monitor.lane_evidence().map(rounded).collect(),
        run: monitor.run(),
    }
}

fn watch_name(place: usize, loss: Loss) -> String {
    let (score, side, _) = WATCHES[place];
    format!("{} {}", score.metric(loss), if side == Side::Above { "above" } else { "below" })
}

fn series(engine: &Engine, learned: &Learned, loss: Loss) -> Vec<SeriesState> {
    let by_name: BTreeMap<&str, SeriesWatch<'_>> =
        learned.series.iter().map(|(number, watch)| (engine.names.name(number), watch)).collect();
    by_name.into_iter().map(|(name, watch)| one_series(name, watch, loss)).collect()
}

fn one_series(name: &str, watch: SeriesWatch<'_>, loss: Loss) -> SeriesState {
    let evidence = watch.evidence().into_iter().enumerate();
    SeriesState {
        series: name.to_owned(),
        n: watch.usual().n,
        loss: rounded(watch.usual().loss),
        absolute_error: rounded(watch.usual().absolute_error),
        error: rounded(watch.usual().error),
        evidence: evidence.map(|(place, evidence)| (watch_name(place, loss), rounded(evidence))).collect(),
        e_value: rounded(watch.e_value()),
    }
}
