//! The health of feeds, apart from that of models: predictions or actuals that are late or missing.

use super::alerts::{Alerts, Cause, Condition, Key, Patience, Transition};
use super::board::Board;
use super::settings::Settings;
use super::time::{Micros, span_text, text};
use crate::view::AlertKind;

/// A feed is stale after so many of its usual gaps.
const GAPS: Micros = 3;

/// Steps in a row that must be incomplete.
const INCOMPLETE_STEPS: usize = 3;

const AT_ONCE: Patience = Patience { hold: 1, keep: 1, cooldown: 0 };

/// Which feeds may still bring something: one that has ended is not stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// Predictions.
    pub predictions: bool,
    /// Actuals.
    pub actuals: bool,
}

/// Alerts on predictions and actuals that have not come for long.
pub fn stale(
    boards: &[Board],
    observation_gaps: &[Micros],
    observed: Option<Micros>,
    alerts: &mut Alerts,
    settings: &Settings,
    wall: Micros,
    live: Live,
) -> Vec<Transition> {
    let mut all = Vec::new();
    for board in boards.iter().filter(|board| live.predictions && is_newest(boards, board)) {
        let limit = settings.predictions_stale.or_else(|| usual(&board.issue_gaps));
        all.extend(one(alerts, &board.model, "predictions", board.last_issued, limit, wall));
    }
    let limit = settings.actuals_stale.or_else(|| usual(observation_gaps));
    if live.actuals {
        all.extend(one(alerts, "", "actuals", observed, limit, wall));
    }
    all
}

/// A version that a later one has taken over from may fall silent.
fn is_newest(boards: &[Board], board: &Board) -> bool {
    boards.iter().filter(|other| other.model == board.model).all(|other| other.last_issued <= board.last_issued)
}

/// Three times the longest of the newest gaps.
fn usual(gaps: &[Micros]) -> Option<Micros> {
    gaps.iter().max().map(|gap| GAPS * gap)
}

fn one(
    alerts: &mut Alerts,
    model: &str,
    what: &str,
    newest: Option<Micros>,
    limit: Option<Micros>,
    wall: Micros,
) -> Option<Transition> {
    let (newest, limit) = (newest?, limit?);
    let condition = if wall - newest > limit { Condition::Holds } else { Condition::Clear };
    let cause = || Cause {
        reason: format!(
            "no {what} since {}: {} ago, the limit is {}",
            text(newest),
            span_text(wall - newest),
            span_text(limit)
        ),
        ..Cause::default()
    };
    alerts.observe(&key(model, what), condition, AT_ONCE, wall, cause)
}

/// An alert on steps that were decided with most of their actuals missing.
pub fn completeness(board: &Board, alerts: &mut Alerts, settings: &Settings, now: Micros) -> Option<Transition> {
    let newest = board.newest(INCOMPLETE_STEPS);
    let shares: Vec<f64> = newest.iter().filter_map(|target| Some(board.steps.get(target)?.completeness())).collect();
    let is_low = |share: &f64| *share < settings.min_completeness_ratio;
    let condition = match shares.len() == INCOMPLETE_STEPS && shares.iter().all(is_low) {
        true => Condition::Holds,
        false if shares.last().is_some_and(is_low) => Condition::Between,
        false => Condition::Clear,
    };
    let subject = format!("incomplete {}", board.version);
    let cause = || Cause {
        reason: format!(
            "{:.0} % of the actuals of the newest steps are in; below {:.0} % nothing is said of accuracy",
            100.0 * shares.iter().sum::<f64>() / INCOMPLETE_STEPS as f64,
            100.0 * settings.min_completeness_ratio,
        ),
        ..Cause::default()
    };
    alerts.observe(&key(&board.model, &subject), condition, AT_ONCE, now, cause)
}

fn key(model: &str, subject: &str) -> Key {
    Key { kind: AlertKind::Feed, model: model.to_owned(), version: String::new(), subject: subject.to_owned() }
}
