//! A version of a model: its forecasts, its steps, its baseline and its detectors.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use shared::metric::Metric;

use super::bucket::Bucket;
use super::by_series::BySeries;
use super::classics::{self, Level};
use super::family;
use super::forecasts::{Forecast, Forecasts, Kept, OfSeries};
use super::history::{Histories, History};
use super::learned::{Learned, Listed, Observed, Rows};
use super::names::Names;
use super::pair::Pair;
use super::score::Scores;
use super::series_watch::FEWEST_STEPS;
use super::settings::Settings;
use super::step::{EVERYONE, Step};
use super::tally::Tally;
use super::time::Micros;
use super::watched::Watched;

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Board {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Its forecasts.
    forecasts: Forecasts,
    /// Target times.
    pub steps: BTreeMap<Micros, Step>,
    /// Closed steps whose sums have lost digits and must be counted anew.
    blurred: BTreeSet<Micros>,
    /// The newest closed target time.
    pub closed_until: Option<Micros>,
    /// Closed steps.
    pub n_closed: u64,
    /// Those that are not forgotten.
    kept_closed: usize,
    /// Buckets of horizons.
    pub buckets: BTreeMap<Bucket, Watched>,
    /// Segments as `column=value`; number 0 is nobody.
    pub segments: Names,
    /// Every combination of segments that was seen; number 0 is none.
    segment_sets: Vec<Vec<u32>>,
    /// The newest combination of each series.
    series_segments: BySeries<u32>,
    /// MASE scales by series.
    scales: BySeries<f64>,
    /// First and last target time of the actuals that these rest on, where they were learned.
    scaled: Option<(Micros, Micros)>,
    /// Level of intervals in percent.
    pub level_percent: f64,
    /// Newest issue time.
    pub last_issued: Option<Micros>,
    /// Usual distance of issue times: the three newest gaps.
    pub issue_gaps: Vec<Micros>,
    /// Series with a forecast.
    pub n_series: u64,
    /// Forecasts of steps that are not closed.
    pub open: u64,
    /// Whether the baseline came from a profile.
    pub from_profile: bool,
}

/// What was learned of a bucket.
struct Lesson {
    learned: Option<Box<Learned>>,
    weight: f64,
    levels: Vec<(Metric, Level)>,
}

/// The closed pairs of a bucket.
struct ClosedPairs<'a> {
    board: &'a Board,
    histories: &'a Histories,
    bucket: Bucket,
}

impl Rows for ClosedPairs<'_> {
    fn series(&self) -> Vec<u32> {
        self.board.series().filter(|series| !self.of(*series).is_empty()).collect()
    }

    fn of(&self, series: u32) -> Vec<Observed> {
        self.board.observed(self.bucket, self.histories, series)
    }
}

/// Pairs with the scales of MASE.
struct Scaled<'a> {
    rows: &'a dyn Rows,
    scales: &'a BySeries<f64>,
}

impl Rows for Scaled<'_> {
    fn series(&self) -> Vec<u32> {
        self.rows.series()
    }

    fn of(&self, series: u32) -> Vec<Observed> {
        self.rows.of(series)
    }

    fn scale(&self, series: u32) -> Option<f64> {
        self.scales.get(series).copied()
    }
}

/// What a closed step tells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Closed {
    /// Whether some detector was updated.
    pub watched: bool,
}

impl Board {
    /// A version that nothing is known of.
    pub fn new(model: &str, version: &str, settings: &Settings) -> Self {
        let mut segments = Names::default();
        segments.number("");
        Self {
            model: model.to_owned(),
            version: version.to_owned(),
            forecasts: Forecasts::default(),
            steps: BTreeMap::new(),
            blurred: BTreeSet::new(),
            closed_until: None,
            n_closed: 0,
            kept_closed: 0,
            buckets: BTreeMap::new(),
            segments,
            segment_sets: vec![Vec::new()],
            series_segments: BySeries::default(),
            scales: BySeries::default(),
            scaled: None,
            level_percent: settings.level_percent,
            last_issued: None,
            issue_gaps: Vec::new(),
            n_series: 0,
            open: 0,
            from_profile: false,
        }
    }

    /// The forecasts of a series.
    pub fn of_series(&self, series: u32) -> OfSeries<'_> {
        self.forecasts.of(series)
    }

    /// Notes the segments of a series, where there are some. The forecasts that it has already keep theirs.
    pub fn set_segments(&mut self, series: u32, names: impl Iterator<Item = String>) {
        let numbers: Vec<u32> = names.map(|name| self.segments.number(&name)).collect();
        if numbers.is_empty() || self.numbers_of(series) == numbers {
            return;
        }
        let place = self.segment_sets.iter().position(|known| *known == numbers).unwrap_or_else(|| {
            self.segment_sets.push(numbers);
            self.segment_sets.len() - 1
        });
        self.series_segments.insert(series, u32::try_from(place).unwrap_or(0));
    }

    /// The newest segments of a series.
    fn numbers_of(&self, series: u32) -> &[u32] {
        numbers_of(&self.segment_sets, &self.series_segments, series)
    }

    /// Takes a forecast in.
    pub fn put(&mut self, series: u32, forecast: Forecast, history: History<'_>) -> Kept {
        let first = self.of_series(series).is_empty();
        let forecast = forecast.in_segments(self.series_segments.get(series).copied().unwrap_or(0));
        let kept = self.forecasts.put(series, forecast);
        if kept == Kept::New {
            self.n_series += u64::from(first);
            self.note_issue(forecast.issued);
            self.expect(series, &forecast, history);
        }
        kept
    }

    fn note_issue(&mut self, issued: Micros) {
        match self.last_issued {
            Some(last) if issued <= last => return,
            Some(last) => self.issue_gaps.push(issued - last),
            None => {}
        }
        let surplus = self.issue_gaps.len().saturating_sub(3);
        self.issue_gaps.drain(..surplus);
        self.last_issued = Some(issued);
    }

    fn expect(&mut self, series: u32, forecast: &Forecast, history: History<'_>) {
        self.buckets.entry(Bucket::of(forecast.horizon)).or_default();
        let arrived = history.at(forecast.target).is_some();
        // A target time behind the decided ones will not be decided any more.
        let is_late = self.closed_until.is_some_and(|until| forecast.target <= until);
        let (n_closed, kept_closed) = (&mut self.n_closed, &mut self.kept_closed);
        let step = self.steps.entry(forecast.target).or_insert_with(|| {
            *n_closed += u64::from(is_late);
            *kept_closed += usize::from(is_late);
            Step { closed: is_late, ..Step::default() }
        });
        step.expected += 1;
        step.waiting += u32::from(!arrived);
        step.members.add(series);
        match step.closed {
            true => self.count(series, forecast, history, true),
            false => self.open += 1,
        }
    }

    /// How many forecasts of a series wait for this actual, before it is known.
    pub fn awaits(&self, series: u32, target: Micros) -> u32 {
        u32::try_from(self.of_series(series).count_at(target)).unwrap_or(u32::MAX)
    }

    /// Notes that the first actual of a series has come.
    pub fn arrived(&mut self, series: u32, target: Micros) {
        let n = self.awaits(series, target);
        if let Some(step) = self.steps.get_mut(&target).filter(|_| n > 0) {
            step.waiting = step.waiting.saturating_sub(n);
        }
    }

    /// Takes the closed pairs that rest on the actual of `target` out of the tallies (`adds` false), or puts them in again. Called before and
    /// after the actual is changed.
    pub fn recount(&mut self, series: u32, target: Micros, history: History<'_>, adds: bool) {
        if self.closed_until.is_none_or(|until| until < target) {
            return;
        }
        let forecasts = self.of_series(series);
        // An actual that is the last one at some origins goes into the direction of later targets.
        let until = history.next_after(target);
        let own = forecasts.at(target);
        let later = forecasts.issued_within(target, until);
        let affected: Vec<Forecast> = own.chain(later).collect();
        for forecast in affected {
            if self.steps.get(&forecast.target).is_some_and(|step| step.closed) {
                self.count(series, &forecast, history, adds);
            }
        }
    }

    /// Counts the closed steps anew whose sums lost digits when an actual was changed.
    pub fn sharpen(&mut self, histories: &Histories) {
        for target in std::mem::take(&mut self.blurred) {
            let Some(step) = self.steps.get_mut(&target) else { continue };
            step.cells.clear();
            step.members.tidy();
            for series in step.members.clone().iter() {
                let own: Vec<Forecast> = self.of_series(series).at(target).collect();
                own.iter().for_each(|forecast| self.count(series, forecast, histories.of(series), true));
            }
        }
    }

    fn count(&mut self, series: u32, forecast: &Forecast, history: History<'_>, adds: bool) {
        if let Some(pair) = pair(forecast, history) {
            self.count_pair(series, forecast, &pair, adds);
        }
    }

    fn count_pair(&mut self, series: u32, forecast: &Forecast, pair: &Pair, adds: bool) {
        let scale = self.scales.get(series).copied();
        let level = self.level_percent;
        let bucket = Bucket::of(forecast.horizon);
        let Some(step) = self.steps.get_mut(&forecast.target) else { return };
        let segments = self.segment_sets.get(forecast.segments as usize).map_or(&[][..], Vec::as_slice);
        for &group in std::iter::once(&EVERYONE).chain(segments) {
            let cell = step.cells.entry((bucket, group)).or_default();
            match adds {
                true => cell.add(pair, scale, level),
                false if cell.remove(pair, scale, level) => _ = self.blurred.insert(forecast.target),
                false => {}
            }
        }
    }

    /// The oldest step that is not closed and for which there is a forecast.
    pub fn next_open(&self) -> Option<(Micros, &Step)> {
        let after = self.closed_until.map_or(Micros::MIN, |until| until + 1);
        self.steps.range(after..).next().map(|(target, step)| (*target, step))
    }

    /// Decides a step: counts its pairs and shows them to the detectors.
    pub fn close(&mut self, target: Micros, histories: &Histories, settings: &Settings) -> Closed {
        let Some(step) = self.steps.get_mut(&target) else { return Closed::default() };
        step.closed = true;
        let completeness = step.completeness();
        self.open = self.open.saturating_sub(u64::from(step.expected));
        step.members.tidy();
        let members = step.members.clone();
        self.closed_until = Some(target);
        self.n_closed += 1;
        self.kept_closed += 1;
        let is_told = completeness >= settings.min_completeness_ratio;
        let mut rows: BTreeMap<Bucket, Vec<(u32, Scores)>> = BTreeMap::new();
        for series in members.iter() {
            self.close_series(series, target, histories.of(series), settings, &mut rows);
        }
        let mut closed = Closed::default();
        let (sets, segments) = (&self.segment_sets, &self.series_segments);
        let segments_of = |series: u32| numbers_of(sets, segments, series).to_vec();
        for (bucket, rows) in rows {
            let Some(watched) = self.buckets.get_mut(&bucket) else { continue };
            watched.steps += 1;
            if is_told {
                closed.watched |= watched.show(target, &rows, &segments_of, settings).is_some();
            }
        }
        closed
    }

    /// Counts the pairs of a series at a step, and notes its scores by bucket where it is watched.
    fn close_series(
        &mut self,
        series: u32,
        target: Micros,
        history: History<'_>,
        settings: &Settings,
        rows: &mut BTreeMap<Bucket, Vec<(u32, Scores)>>,
    ) {
        for place in self.of_series(series).range_at(target) {
            let Some(forecast) = self.of_series(series).at_place(place) else { break };
            let Some(pair) = pair(&forecast, history) else { continue };
            self.count_pair(series, &forecast, &pair, true);
            let bucket = Bucket::of(forecast.horizon);
            let list = rows.entry(bucket).or_default();
            let learned = self.buckets.get(&bucket).and_then(|watched| watched.learned.as_ref());
            let Some(watch) = learned.and_then(|learned| learned.series.get(series)) else { continue };
            if list.last().is_none_or(|(last, _)| *last != series) {
                list.push((series, Scores::default()));
            }
            if let Some((_, scores)) = list.last_mut() {
                scores.add(&pair, &watch.usual(), settings.loss);
            }
        }
    }

    /// The closed pairs of a bucket and a series.
    fn observed(&self, bucket: Bucket, histories: &Histories, series: u32) -> Vec<Observed> {
        let until = self.closed_until.unwrap_or(Micros::MIN);
        let (forecasts, history) = (self.of_series(series), histories.of(series));
        let closed =
            forecasts.all().filter(|forecast| forecast.target <= until && Bucket::of(forecast.horizon) == bucket);
        let observed =
            |forecast: Forecast| Some(Observed { series, target: forecast.target, pair: pair(&forecast, history)? });
        closed.filter_map(observed).collect()
    }

    /// Learns the baseline of the buckets that have enough steps; `time` is the newest `observed_at`.
    pub fn learn(&mut self, histories: &Histories, settings: &Settings, time: Micros) {
        let ready: Vec<Bucket> = self
            .buckets
            .iter()
            .filter(|(_, watched)| watched.learned.is_none() && watched.steps >= settings.min_steps as u64)
            .map(|(bucket, _)| *bucket)
            .collect();
        if ready.is_empty() {
            return;
        }
        self.note_overlaps(time);
        if !self.is_watched() {
            self.set_scales(histories, settings);
        }
        for bucket in ready {
            let lesson = self.lesson(bucket, &ClosedPairs { board: self, histories, bucket }, settings);
            self.take(bucket, lesson);
        }
    }

    /// Notes how far ahead forecasts reach that were issued before `time`; what has arrived early must not show.
    fn note_overlaps(&mut self, time: Micros) {
        let all = self.forecasts.all().flat_map(|(_, forecasts)| forecasts.all());
        for forecast in all.filter(|forecast| forecast.issued < time) {
            if let Some(watched) = self.buckets.get_mut(&Bucket::of(forecast.horizon)) {
                watched.overlap = watched.overlap.max(forecast.horizon.max(1) as usize);
            }
        }
    }

    /// Makes buckets known that a profile speaks of.
    pub fn expect_buckets(&mut self, buckets: impl Iterator<Item = (Bucket, usize)>) {
        for (bucket, overlap) in buckets {
            self.buckets.entry(bucket).or_insert_with(|| Watched::new(overlap));
        }
    }

    /// Learns the baseline of a bucket from these pairs.
    pub fn learn_from(&mut self, bucket: Bucket, rows: &Listed, settings: &Settings) {
        let lesson = self.lesson(bucket, rows, settings);
        self.take(bucket, lesson);
    }

    fn lesson(&self, bucket: Bucket, rows: &dyn Rows, settings: &Settings) -> Lesson {
        let overlaps: Vec<usize> =
            self.buckets.values().map(|watched| watched.overlap).filter(|overlap| *overlap > 0).collect();
        let (sets, segments) = (&self.segment_sets, &self.series_segments);
        let segments_of = |series: u32| numbers_of(sets, segments, series).to_vec();
        let overlap = self.buckets.get(&bucket).map_or(1, |watched| watched.overlap);
        let settings = &Settings { level_percent: self.level_percent, ..settings.clone() };
        let learned = Learned::learn(&Scaled { rows, scales: &self.scales }, overlap, &segments_of, settings);
        let levels = classics::levels(rows, self.level_percent);
        Lesson { learned: learned.map(Box::new), weight: family::bucket_weight(overlap, &overlaps), levels }
    }

    fn take(&mut self, bucket: Bucket, lesson: Lesson) {
        if let Some(watched) = self.buckets.get_mut(&bucket) {
            (watched.learned, watched.weight, watched.levels) = (lesson.learned, lesson.weight, lesson.levels);
        }
    }

    /// Begins to watch series that have come after the baseline and have enough steps by now.
    pub fn admit(&mut self, target: Micros, histories: &Histories, settings: &Settings) {
        let Some(members) = self.steps.get(&target).map(|step| step.members.clone()) else { return };
        let buckets: Vec<Bucket> = self.buckets.keys().copied().collect();
        for bucket in buckets {
            let is_new = |series: &u32| {
                let learned = self.buckets[&bucket].learned.as_ref();
                learned.is_some_and(|learned| learned.series.get(*series).is_none())
            };
            let new: Vec<u32> = members.iter().filter(is_new).collect();
            let observed = new.into_iter().map(|series| (series, self.observed(bucket, histories, series)));
            let ready: Vec<(u32, Vec<Observed>)> = observed.filter(|(_, rows)| n_steps(rows) >= FEWEST_STEPS).collect();
            let learned = self.buckets.get_mut(&bucket).and_then(|watched| watched.learned.as_mut());
            if let Some(learned) = learned.filter(|_| !ready.is_empty()) {
                learned.admit(&ready, settings);
            }
        }
    }

    /// Sets the scales of MASE, and counts all closed steps anew with them.
    pub fn set_scales(&mut self, histories: &Histories, settings: &Settings) {
        let until = self.closed_until.unwrap_or(Micros::MIN);
        let known = histories.all();
        let scales =
            known.filter_map(|(series, history)| Some((series, history.seasonal_scale(settings.mase_lag, until)?)));
        self.scales = scales.filter(|(_, scale)| *scale > 0.0).collect();
        self.scaled = self.steps.keys().next().map(|first| (*first, until));
        self.count_anew(histories);
    }

    /// Learns the scale of a series anew where one of the actuals that it rests on has changed, and none of them is forgotten.
    pub fn rescale(&mut self, series: u32, target: Micros, histories: &Histories, settings: &Settings) {
        let oldest = self.steps.keys().next().copied();
        let Some((_, until)) =
            self.scaled.filter(|(from, until)| target <= *until && oldest.is_some_and(|oldest| oldest <= *from))
        else {
            return;
        };
        let history = histories.of(series);
        let scale = history.seasonal_scale(settings.mase_lag, until).filter(|scale| *scale > 0.0);
        if scale == self.scale_of(series) {
            return;
        }
        let closed = self.closed_of(series);
        closed.iter().for_each(|forecast| self.count(series, forecast, history, false));
        match scale {
            Some(scale) => _ = self.scales.insert(series, scale),
            None => self.scales.remove(series),
        }
        closed.iter().for_each(|forecast| self.count(series, forecast, history, true));
        self.sharpen(histories);
    }

    /// The forecasts of a series for closed steps.
    fn closed_of(&self, series: u32) -> Vec<Forecast> {
        let is_closed = |forecast: &Forecast| self.steps.get(&forecast.target).is_some_and(|step| step.closed);
        self.of_series(series).all().filter(is_closed).collect()
    }

    /// The scale of a series, if it is known.
    pub fn scale_of(&self, series: u32) -> Option<f64> {
        self.scales.get(series).copied()
    }

    /// States the scale of a series.
    pub fn set_scale(&mut self, series: u32, scale: f64) {
        self.scales.insert(series, scale);
    }

    fn count_anew(&mut self, histories: &Histories) {
        self.steps.values_mut().for_each(|step| step.cells.clear());
        for series in 0..self.forecasts.end() {
            let history = histories.of(series);
            self.closed_of(series).iter().for_each(|forecast| self.count(series, forecast, history, true));
        }
    }

    /// The pairs of closed steps in a stretch of target times, ends included, of a bucket (or all) and a group.
    pub fn tally(&self, from: Micros, to: Micros, bucket: Option<Bucket>, group: u32) -> Tally {
        let mut tally = Tally::default();
        for step in self.steps.range(from..=to).map(|(_, step)| step).filter(|step| step.closed) {
            let cells = step
                .cells
                .iter()
                .filter(|((of, whose), _)| *whose == group && bucket.is_none_or(|bucket| bucket == *of));
            cells.for_each(|(_, cell)| tally.merge(cell));
        }
        tally
    }

    /// The newest closed steps, oldest first.
    pub fn newest(&self, n: usize) -> Vec<Micros> {
        let until = self.closed_until.unwrap_or(Micros::MIN);
        let mut all: Vec<Micros> = self.steps.range(..=until).rev().take(n).map(|(target, _)| *target).collect();
        all.reverse();
        all
    }

    /// A metric of the pairs of one closed step.
    pub fn at_step(&self, target: Micros, bucket: Option<Bucket>, group: u32, metric: Metric) -> Option<f64> {
        self.tally(target, target, bucket, group).metric(metric, self.level_percent).0
    }

    /// Forgets what lies further back than the settings ask to keep; the first target time that is kept.
    pub fn forget(&mut self, settings: &Settings) -> Option<Micros> {
        let closed = usize::try_from(self.n_closed).unwrap_or(usize::MAX);
        // Open steps do not count: how many there are depends on how early predictions arrive.
        if closed <= settings.retain_steps || self.kept_closed <= settings.retain_steps + settings.retain_steps / 8 + 1
        {
            return None;
        }
        let until = self.closed_until?;
        let retained = self.steps.range(..=until).rev().nth(settings.retain_steps).map(|(target, _)| *target)?;
        // What the baseline will be learned from is kept until it is.
        let warm_up = settings.warm_up.filter(|_| !self.from_profile && !self.is_watched());
        let first = warm_up.map_or(retained, |span| retained.min(until.saturating_sub(span)));
        if self.steps.keys().next().is_none_or(|oldest| *oldest >= first) {
            return None;
        }
        self.steps = self.steps.split_off(&first);
        self.kept_closed = self.steps.range(..=until).filter(|(_, step)| step.closed).count();
        self.forecasts.forget_before(first);
        Some(first)
    }

    /// The segments of a series, as `column=value`.
    pub fn segments_of(&self, series: u32) -> Vec<&str> {
        self.numbers_of(series).iter().map(|&number| self.segments.name(number)).collect()
    }

    /// Series with a forecast.
    pub fn series(&self) -> impl Iterator<Item = u32> + '_ {
        self.forecasts.all().filter(|(_, forecasts)| !forecasts.is_empty()).map(|(series, _)| series)
    }

    /// Whether some bucket has a baseline.
    pub fn is_watched(&self) -> bool {
        self.buckets.values().any(|watched| watched.learned.is_some())
    }
}

fn n_steps(observed: &[Observed]) -> usize {
    observed.iter().map(|row| row.target).collect::<BTreeSet<Micros>>().len()
}

fn numbers_of<'a>(sets: &'a [Vec<u32>], segments: &BySeries<u32>, series: u32) -> &'a [u32] {
    let set = segments.get(series).and_then(|&set| sets.get(set as usize));
    set.map_or(&[], Vec::as_slice)
}

/// Forecast and actual, if both are there.
pub fn pair(forecast: &Forecast, history: History<'_>) -> Option<Pair> {
    let y = history.at(forecast.target)?.y;
    let last = history.last_until(forecast.origin());
    Some(Pair { y, y_hat: forecast.y_hat, interval: forecast.interval(), last }).filter(Pair::is_usable)
}
