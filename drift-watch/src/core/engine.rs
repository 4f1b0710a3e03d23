//! The engine: records in, alerts out. The same records in the same order give the same state, whoever brings them.
//!
//! Its clock is the newest `observed_at` of the actuals. A step (a target time of a version) is decided when all its actuals are in, or when the
//! clock has passed it by the maturity delay; steps are decided in the order of their target times, so that what arrives early, the
//! easy and the fast, does not speak for the rest.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use shared::format::live::{Actual, Fault, Kind, Prediction};

use super::alerts::{Alerts, Condition, Key, Patience, Transition};
use super::board::Board;
use super::classics;
use super::external::{External, Externals};
use super::faults::{Oddities, Oddity};
use super::feeds;
use super::forecasts::{Forecast, Kept};
use super::history::{Histories, Point, Taken};
use super::lag::Lags;
use super::learned::Observed;
use super::names::Names;
use super::rules;
use super::score::Score;
use super::settings::Settings;
use super::time::Micros;
use super::verdicts::{Explain, verdicts};
use crate::view::AlertKind;

/// The state of everything that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    /// What it was told.
    pub settings: Settings,
    /// Names of series.
    pub names: Names,
    /// Actuals by series.
    pub histories: Histories,
    /// Versions of models.
    pub boards: Vec<Board>,
    /// How long actuals take.
    pub lags: Lags,
    /// What was odd about records.
    pub oddities: Oddities,
    /// Rows that could not be read, by kind of source and fault.
    pub bad_rows: BTreeMap<(Kind, Fault), u64>,
    /// Target times and series whose actual had no usable value.
    pub void: BTreeSet<(Micros, u32)>,
    /// All alerts.
    pub alerts: Alerts,
    /// The newest `observed_at`.
    pub time: Option<Micros>,
    /// Usual distance of observation times: the three newest gaps.
    pub observation_gaps: Vec<Micros>,
    /// Baselines of versions that are not seen yet.
    profiles: BTreeMap<String, ProfileBaseline>,
    /// Values from elsewhere that rules may watch.
    pub external: Externals,
    #[serde(skip)]
    transitions: Vec<Transition>,
    #[serde(skip)]
    last_board: usize,
}

/// A baseline that a profile gives.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProfileBaseline {
    /// Its pairs, by horizon and name of the series.
    pub rows: Vec<ProfileRow>,
    /// MASE scales, by name of the series.
    pub scales: Vec<(String, f64)>,
    /// Level of intervals in percent.
    pub level_percent: Option<f64>,
}

/// A pair of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileRow {
    /// The series.
    pub series: String,
    /// Steps ahead.
    pub horizon: u32,
    /// The step.
    pub target: Micros,
    /// Forecast and actual.
    pub pair: super::pair::Pair,
}

impl Engine {
    /// An engine that has seen nothing. `profiles` are baselines by name of the model.
    pub fn new(settings: Settings, profiles: BTreeMap<String, ProfileBaseline>) -> Self {
        Self {
            settings,
            names: Names::default(),
            histories: Histories::default(),
            boards: Vec::new(),
            lags: Lags::default(),
            oddities: Oddities::default(),
            bad_rows: BTreeMap::new(),
            void: BTreeSet::new(),
            alerts: Alerts::default(),
            time: None,
            observation_gaps: Vec::new(),
            profiles,
            external: Externals::default(),
            transitions: Vec::new(),
            last_board: 0,
        }
    }

    /// Takes a prediction in.
    pub fn prediction(&mut self, record: &Prediction<'_>) {
        if !self.settings.models.is_empty() && !self.settings.models.iter().any(|model| *model == record.model) {
            return self.oddities.count(Oddity::OtherModel);
        }
        let (target, issued) = (record.target_time.as_microsecond(), record.issued_at.as_microsecond());
        if issued >= target && !self.settings.allow_late_issued {
            return self.oddities.count(Oddity::PredAfterTarget);
        }
        let Some(horizon) = self.horizon(record.horizon, target - issued) else {
            return self.oddities.count(Oddity::PredNoHorizon);
        };
        let series = self.series(&record.series);
        let place = self.board(&record.model, &record.version);
        let is_known = self.histories.of(series).at(target).is_some();
        let is_first_of_target = is_known && self.boards.iter().all(|board| board.awaits(series, target) == 0);
        let board = &mut self.boards[place];
        if let Some(level) = record.level {
            board.level_percent = level;
        }
        if !record.segments.is_empty() {
            board.set_segments(series, record.segments.iter().map(|(column, value)| format!("{column}={value}")));
        }
        let history = self.histories.of(series);
        let forecast = Forecast::new(target, issued, horizon, record.y_hat, record.interval);
        match board.put(series, forecast, history) {
            Kept::Duplicate => return self.oddities.count(Oddity::PredDuplicate),
            Kept::Conflict => return self.oddities.count(Oddity::PredConflict),
            Kept::New => {}
        }
        let is_late = self.boards[place].closed_until.is_some_and(|until| target <= until);
        let is_second = self.boards[..place].iter().any(|board| board.model == record.model);
        self.oddities.add(Oddity::PredSecondVersion, is_second.into());
        self.oddities.add(Oddity::PredAfterDecision, is_late.into());
        if is_first_of_target {
            self.oddities.uncount(Oddity::NoPrediction);
        }
        self.bound_open(place);
    }

    /// Takes an actual in, and decides the steps that this completes.
    pub fn actual(&mut self, record: &Actual<'_>) {
        let (target, observed) = (record.target_time.as_microsecond(), record.observed_at.as_microsecond());
        let series = self.series(&record.series);
        let point = Point { target, y: record.y, observed, revision: record.revision };
        let taken = self.histories.of(series).judge(&point);
        if self.time.is_some_and(|time| observed < time) {
            self.oddities.count(Oddity::OutOfOrder);
        }
        match taken {
            Taken::Duplicate => self.oddities.count(Oddity::DuplicateExact),
            Taken::Outdated => self.outdated(series, &point),
            Taken::First | Taken::Restated => self.accept(series, point, taken),
        }
        self.advance(observed);
    }

    fn accept(&mut self, series: u32, point: Point, taken: Taken) {
        let target = point.target;
        let lag = point.observed - target;
        match taken {
            Taken::First => {
                let is_late = self.maturity().is_some_and(|maturity| lag > maturity);
                self.oddities.add(Oddity::Late, is_late.into());
                self.oddities.add(Oddity::ZeroActual, (point.y == 0.0).into());
                let is_awaited = self.boards.iter().any(|board| board.awaits(series, target) > 0);
                self.oddities.add(Oddity::NoPrediction, (!is_awaited).into());
                self.lags.add(lag);
            }
            _ => self.oddities.count(Oddity::DuplicateConflict),
        }
        let is_decided = self
            .boards
            .iter()
            .any(|board| board.closed_until.is_some_and(|until| target <= until) && board.awaits(series, target) > 0);
        self.oddities.add(Oddity::RestatedAfterDecision, is_decided.into());
        self.recount(series, target, false);
        self.histories.put(series, point);
        self.recount(series, target, true);
        for board in &mut self.boards {
            board.sharpen(&self.histories);
            board.rescale(series, target, &self.histories, &self.settings);
        }
        if taken == Taken::First {
            self.boards.iter_mut().for_each(|board| board.arrived(series, target));
        }
    }

    /// An observation that came after a later one of the same target time. It was the first all the same.
    fn outdated(&mut self, series: u32, point: &Point) {
        self.oddities.count(Oddity::Outdated);
        self.oddities.count(Oddity::DuplicateConflict);
        let known = self.histories.of(series).at(point.target).map(|known| known.observed - known.target);
        let maturity = self.maturity().unwrap_or(Micros::MAX);
        if known.is_some_and(|lag| lag > maturity) && point.observed - point.target <= maturity {
            self.oddities.uncount(Oddity::Late);
        }
    }

    fn recount(&mut self, series: u32, target: Micros, adds: bool) {
        let history = self.histories.of(series);
        self.boards.iter_mut().for_each(|board| board.recount(series, target, history, adds));
    }

    /// Notes a row that could not be read; `about` are series and target time of an actual without a usable value.
    pub fn bad_row(&mut self, kind: Kind, fault: Fault, about: Option<(&str, Micros)>) {
        *self.bad_rows.entry((kind, fault)).or_default() += 1;
        if let Some((series, target)) = about {
            let series = self.series(series);
            self.void.insert((target, series));
        }
    }

    /// Notes times that were written with an offset.
    pub fn offset_time(&mut self) {
        self.oddities.count(Oddity::OffsetTimestamp);
    }

    /// Moves the clock on.
    fn advance(&mut self, observed: Micros) {
        match self.time {
            Some(time) if observed <= time => {}
            Some(time) => {
                self.observation_gaps.push(observed - time);
                let surplus = self.observation_gaps.len().saturating_sub(3);
                self.observation_gaps.drain(..surplus);
                self.time = Some(observed);
            }
            None => self.time = Some(observed),
        }
        self.settle();
    }

    /// How long steps wait for their actuals.
    pub fn maturity(&self) -> Option<Micros> {
        self.settings.maturity.or_else(|| self.lags.quantile())
    }

    /// Decides what can be decided.
    fn settle(&mut self) {
        let (Some(time), Some(maturity)) = (self.time, self.maturity()) else { return };
        for place in 0..self.boards.len() {
            while let Some((target, step)) = self.boards[place].next_open() {
                let is_over = target <= time && step.is_complete();
                if !is_over && target.saturating_add(maturity) >= time {
                    break;
                }
                self.close(place, target, time);
            }
        }
    }

    fn close(&mut self, place: usize, target: Micros, time: Micros) {
        let board = &mut self.boards[place];
        let closed = board.close(target, &self.histories, &self.settings);
        if board.is_watched() {
            board.admit(target, &self.histories, &self.settings);
        }
        if closed.watched {
            self.judge(place, target, time);
        }
        self.transitions.extend(rules::observe(&self.boards[place], &mut self.alerts, &self.settings, time, target));
        self.transitions.extend(classics::observe(
            &mut self.boards[place],
            &mut self.alerts,
            &self.settings,
            time,
            target,
        ));
        self.transitions.extend(feeds::completeness(&self.boards[place], &mut self.alerts, &self.settings, time));
        self.learn(place, target, time);
        if let Some(first) = self.boards[place].forget(&self.settings) {
            self.forget(first);
        }
    }

    /// Turns the evidence of a version's detectors into alerts, one for each metric.
    fn judge(&mut self, place: usize, target: Micros, time: Micros) {
        let board = &self.boards[place];
        let patience = Patience { hold: 1, keep: self.settings.keep_firing_steps, cooldown: 0 };
        let explain = Explain { board, histories: &self.histories, names: &self.names, settings: &self.settings };
        for (score, verdict) in Score::ALL.into_iter().zip(verdicts(board, &self.names, &self.settings)) {
            let key = Key {
                kind: AlertKind::Drift,
                model: board.model.clone(),
                version: board.version.clone(),
                subject: score.metric(self.settings.loss).to_owned(),
            };
            if verdict.condition() == Condition::Between && !self.alerts.fires(&key) {
                continue;
            }
            let cause = || explain.cause(score, &verdict, target);
            self.transitions.extend(self.alerts.observe(&key, verdict.condition(), patience, time, cause));
        }
    }

    /// Learns the baseline of a version once its warm-up is over.
    fn learn(&mut self, place: usize, target: Micros, time: Micros) {
        let (Some(warm_up), false) = (self.settings.warm_up, self.boards[place].from_profile) else { return };
        let board = &mut self.boards[place];
        if board.buckets.values().all(|watched| watched.learned.is_some()) {
            return;
        }
        let first = board.steps.keys().next().copied().unwrap_or(target);
        if target - first >= warm_up || board.is_watched() {
            board.learn(&self.histories, &self.settings, time);
        }
    }

    /// Forgets actuals that no version needs any more.
    fn forget(&mut self, first: Micros) {
        let oldest = self.boards.iter().filter_map(|board| board.steps.keys().next().copied()).min().unwrap_or(first);
        self.histories.forget_before(oldest);
        self.void = self.void.split_off(&(oldest, 0));
    }

    /// Where too many predictions wait, the oldest steps are decided as they are.
    fn bound_open(&mut self, place: usize) {
        let open: u64 = self.boards.iter().map(|board| board.open).sum();
        if open <= self.settings.most_open as u64 {
            return;
        }
        let oldest = self.boards[place].next_open().map(|(target, step)| (target, step.waiting));
        if let Some((target, waiting)) = oldest {
            self.oddities.add(Oddity::ExpiredUnmatched, waiting.into());
            self.close(place, target, self.time.unwrap_or(target));
        }
    }

    /// What the wall clock says of the feeds; in a replay, the clock of observations plays its part.
    pub fn tick(&mut self, wall: Micros, live: feeds::Live) {
        let found =
            feeds::stale(&self.boards, &self.observation_gaps, self.time, &mut self.alerts, &self.settings, wall, live);
        self.transitions.extend(found);
    }

    /// Takes a value from elsewhere, for rules.
    pub fn external(&mut self, name: &str, found: External) {
        if self.external.take(name, found) {
            let all = rules::observe_external(name, &found, &mut self.alerts, &self.settings);
            self.transitions.extend(all);
        }
    }

    /// The alerts that began or ended since this was last asked.
    pub fn take_transitions(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.transitions)
    }

    fn horizon(&self, stated: Option<u32>, ahead: Micros) -> Option<u32> {
        stated.filter(|horizon| *horizon > 0).or_else(|| {
            let step = self.settings.step.filter(|step| *step > 0)?;
            u32::try_from(((ahead + step - 1) / step).max(1)).ok()
        })
    }

    fn series(&mut self, name: &str) -> u32 {
        let number = self.names.number(name);
        self.histories.expect(number as usize + 1);
        number
    }

    fn board(&mut self, model: &str, version: &str) -> usize {
        let is_it = |board: &Board| board.model == model && board.version == version;
        if !self.boards.get(self.last_board).is_some_and(is_it) {
            self.last_board = self.boards.iter().position(is_it).unwrap_or_else(|| {
                self.boards.push(Board::new(model, version, &self.settings));
                self.equip(self.boards.len() - 1);
                self.boards.len() - 1
            });
        }
        self.last_board
    }

    /// Gives a new version the baseline of its profile, if there is one.
    fn equip(&mut self, place: usize) {
        let board = &self.boards[place];
        let named = |name: &str| self.profiles.get(name).cloned();
        let Some(profile) = named(&format!("{}@{}", board.model, board.version)).or_else(|| named(&board.model)) else {
            return;
        };
        let mut rows: BTreeMap<super::bucket::Bucket, (usize, Vec<Observed>)> = BTreeMap::new();
        for row in &profile.rows {
            let series = self.series(&row.series);
            let (overlap, list) = rows.entry(super::bucket::Bucket::of(row.horizon)).or_default();
            *overlap = (*overlap).max(row.horizon as usize);
            list.push(Observed { series, target: row.target, pair: row.pair });
        }
        let scales: Vec<(u32, f64)> = profile.scales.iter().map(|(name, scale)| (self.series(name), *scale)).collect();
        let board = &mut self.boards[place];
        board.from_profile = true;
        board.level_percent = profile.level_percent.unwrap_or(board.level_percent);
        scales.into_iter().for_each(|(series, scale)| board.set_scale(series, scale));
        board.expect_buckets(rows.iter().map(|(bucket, (overlap, _))| (*bucket, *overlap)));
        for (bucket, (_, list)) in rows {
            board.learn_from(bucket, &list.into_iter().collect(), &self.settings);
        }
    }
}
