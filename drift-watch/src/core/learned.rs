//! The baseline of a bucket: what its scores usually are, of all series together, of segments, and of each series.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::detector::monitor::{Lesson, Monitor, autoregression};
use super::detector::reference::margin_se_of;
use super::exact::Sum;
use super::family::WATCHES;
use super::pair::Pair;
use super::score::{Score, Scores, Usual, raw_loss, share};
use super::season::{self, Season, Slots};
use super::series_watch::{Common, FEWEST_STEPS, Margins, SeriesBaseline, SeriesWatches};
use super::settings::Settings;
use super::tally::Tally;
use super::time::Micros;

/// A series counts as if it had so many further pairs with the usual errors of all.
const SHRINKAGE: f64 = 4.0;

/// A pair of the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// The series.
    pub series: u32,
    /// The step.
    pub target: Micros,
    /// Forecast and actual.
    pub pair: Pair,
}

/// The detectors of a group of series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watches {
    /// One for each of [`WATCHES`] whose scores vary.
    pub monitors: [Option<Monitor>; WATCHES.len()],
}

/// The baseline of a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Steps that it rests on.
    pub steps: usize,
    /// The first and the last of these.
    pub span: (Micros, Micros),
    /// Its pairs.
    pub tally: Tally,
    /// What all series share.
    pub common: Common,
    /// The season, and how far each of its slots lies from the mean of each score.
    season: Option<(Slots, [Vec<f64>; Score::ALL.len()])>,
    /// All series together.
    pub model: Watches,
    /// Segments with enough steps.
    pub segments: BTreeMap<u32, Watches>,
    /// Each series with enough steps.
    pub series: SeriesWatches,
    /// Mean loss over all pairs, and the ratio of absolute errors to actuals: what is usual of a series that is new.
    pool: (f64, f64),
}

/// Scores of a group by step.
type BySteps = BTreeMap<Micros, [(Sum, f64); Score::ALL.len()]>;

impl Learned {
    /// Learns from pairs; `overlap` is the furthest horizon. Nothing where there is too little.
    ///
    /// The pairs of one series are in memory at a time: of a million series there are many.
    pub fn learn(
        rows: &dyn Rows,
        overlap: usize,
        segments_of: &dyn Fn(u32) -> Vec<u32>,
        settings: &Settings,
    ) -> Option<Self> {
        let list = rows.series();
        let pool = pool(&list, rows, settings)?;
        let steps_of = |series: u32| {
            let observed = rows.of(series);
            let usual = usual(&observed, pool, settings);
            let steps = scores_by_step(&observed, &usual, settings);
            (usual, steps)
        };
        let (mut everyone, mut segments) = (BySteps::new(), BTreeMap::<u32, BySteps>::new());
        for &series in &list {
            let (_, steps) = steps_of(series);
            gather(&mut everyone, &steps);
            segments_of(series).into_iter().for_each(|segment| gather(segments.entry(segment).or_default(), &steps));
        }
        let season = season_of(&everyone, settings);
        let common = common(&list, &|series| steps_of(series).1, season.as_ref(), overlap, settings);
        let lesson = Lessons { season: season.as_ref(), common: &common, margins: Margins::default(), settings };
        let of_series = |series: u32| {
            let (usual, steps) = steps_of(series);
            lesson.series(usual, &steps).map(|baseline| (series, baseline))
        };
        let of_segment = |(segment, steps): (&u32, &BySteps)| {
            (steps.len() >= settings.min_steps).then(|| (*segment, lesson.watches(steps)))
        };
        Some(Self {
            steps: everyone.len(),
            span: (*everyone.keys().next()?, *everyone.keys().next_back()?),
            tally: tally(&list, rows, settings),
            model: lesson.watches(&everyone),
            segments: segments.iter().filter_map(of_segment).collect(),
            series: SeriesWatches::new(list.iter().copied().filter_map(of_series), &common),
            season,
            common,
            pool,
        })
    }

    /// How far a step's scores lie from their mean by season.
    pub fn offsets(&self, target: Micros) -> [f64; Score::ALL.len()] {
        let Some((slots, offsets)) = &self.season else { return [0.0; Score::ALL.len()] };
        let slot = slots.slot(target);
        Score::ALL.map(|score| offsets[score.index()].get(slot).copied().unwrap_or(0.0))
    }

    /// The season that scores are freed of.
    pub fn season(&self) -> Option<Slots> {
        self.season.as_ref().map(|(slots, _)| *slots)
    }

    /// Begins to watch series that have come later and have enough steps now; which of them came first must not show.
    pub fn admit(&mut self, all: &[(u32, Vec<Observed>)], settings: &Settings) {
        self.common.margin_se = margin_se_of(self.series.len() + all.len());
        let (season, margins) = (self.season.as_ref(), Margins::default());
        let lesson = Lessons { season, common: &self.common, margins, settings };
        for (series, observed) in all {
            let usual = usual(observed, self.pool, settings);
            let steps = scores_by_step(observed, &usual, settings);
            if let Some(baseline) = lesson.series(usual, &steps) {
                self.series.insert(*series, baseline);
            }
        }
    }
}

/// What monitors learn by.
struct Lessons<'a> {
    season: Option<&'a (Slots, [Vec<f64>; Score::ALL.len()])>,
    common: &'a Common,
    margins: Margins,
    settings: &'a Settings,
}

impl Lessons<'_> {
    fn watches(&self, steps: &BySteps) -> Watches {
        let mut monitors = [const { None }; WATCHES.len()];
        for (monitor, &(score, side, _)) in monitors.iter_mut().zip(&WATCHES) {
            let (_, values) = self.unseasoned(steps, score);
            let lesson = Lesson {
                values: &values,
                overlap: self.common.overlap,
                parts: self.season.map_or(1, |(slots, _)| slots.count as usize),
                tolerance: if score.is_share() { 0.0 } else { self.common.tolerance },
                is_share: score.is_share() && self.season.is_none(),
                prewhiten: self.settings.prewhiten,
            };
            *monitor = if values.len() < self.settings.min_steps { None } else { Monitor::learn(side, &lesson) };
        }
        Watches { monitors }
    }

    fn unseasoned(&self, steps: &BySteps, score: Score) -> (Vec<Micros>, Vec<f64>) {
        let (times, mut values) = column(steps, score);
        if let Some((slots, offsets)) = self.season {
            values.iter_mut().zip(&times).for_each(|(value, &time)| *value -= offsets[score.index()][slots.slot(time)]);
        }
        (times, values)
    }

    fn series(&self, usual: Usual, steps: &BTreeMap<Micros, Scores>) -> Option<SeriesBaseline> {
        if steps.len() < FEWEST_STEPS {
            return None;
        }
        let steps: Vec<Scores> = steps.values().copied().collect();
        Some(SeriesBaseline::learn(usual, &steps, self.common, &self.margins))
    }
}

/// The pairs of a baseline, series by series.
pub trait Rows {
    /// The series that have pairs, in order.
    fn series(&self) -> Vec<u32>;

    /// The pairs of a series.
    fn of(&self, series: u32) -> Vec<Observed>;

    /// The scale of a series, for MASE.
    fn scale(&self, _series: u32) -> Option<f64> {
        None
    }
}

/// Pairs in a list, in any order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listed(BTreeMap<u32, Vec<Observed>>);

impl FromIterator<Observed> for Listed {
    fn from_iter<T: IntoIterator<Item = Observed>>(observed: T) -> Self {
        let mut groups: BTreeMap<u32, Vec<Observed>> = BTreeMap::new();
        observed.into_iter().for_each(|row| groups.entry(row.series).or_default().push(row));
        Self(groups)
    }
}

impl Rows for Listed {
    fn series(&self) -> Vec<u32> {
        self.0.keys().copied().collect()
    }

    fn of(&self, series: u32) -> Vec<Observed> {
        self.0.get(&series).cloned().unwrap_or_default()
    }
}

fn tally(list: &[u32], rows: &dyn Rows, settings: &Settings) -> Tally {
    let mut tally = Tally::default();
    for &series in list {
        let scale = rows.scale(series);
        rows.of(series).iter().for_each(|row| tally.add(&row.pair, scale, settings.level_percent));
    }
    tally
}

/// Mean loss, and the ratio of absolute errors to actuals, of all pairs.
fn pool(list: &[u32], rows: &dyn Rows, settings: &Settings) -> Option<(f64, f64)> {
    let (mut losses, mut errors, mut sizes, mut n) = (Sum::default(), Sum::default(), Sum::default(), 0.0);
    for row in list.iter().flat_map(|&series| rows.of(series)) {
        errors.add(row.pair.error().abs());
        sizes.add(row.pair.y.abs());
        if let Some(loss) = raw_loss(&row.pair, settings.loss) {
            losses.add(loss);
            n += 1.0;
        }
    }
    let loss = if n > 0.0 { losses.value() / n } else { 0.0 };
    (sizes.value() > 0.0).then(|| (loss, errors.value() / sizes.value()))
}

/// What is usual of a series: its own means, shrunk towards those of all.
fn usual(rows: &[Observed], (pool_loss, pool_ratio): (f64, f64), settings: &Settings) -> Usual {
    let mean = |values: Vec<f64>, prior: f64| {
        (values.iter().sum::<f64>() + SHRINKAGE * prior) / (values.len() as f64 + SHRINKAGE)
    };
    let n = rows.len() as f64;
    let size = rows.iter().map(|row| row.pair.y.abs()).sum::<f64>() / n.max(1.0);
    let pooled_error = pool_ratio * size;
    let pooled_loss = if settings.loss == super::settings::Loss::Mape { pool_loss } else { pooled_error };
    Usual {
        n: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        loss: mean(rows.iter().filter_map(|row| raw_loss(&row.pair, settings.loss)).collect(), pooled_loss),
        absolute_error: mean(rows.iter().map(|row| row.pair.error().abs()).collect(), pooled_error),
        error: rows.iter().map(|row| row.pair.error()).sum::<f64>() / n.max(1.0),
        direction: share_of(rows, Pair::direction),
        coverage: share_of(rows, Pair::covered),
    }
}

/// The share of hits among the pairs that can have one.
fn share_of(rows: &[Observed], hit: impl Fn(&Pair) -> Option<bool>) -> Option<f64> {
    let hits: Vec<f64> = rows.iter().filter_map(|row| hit(&row.pair)).map(share).collect();
    (!hits.is_empty()).then(|| hits.iter().sum::<f64>() / hits.len() as f64)
}

fn scores_by_step(rows: &[Observed], usual: &Usual, settings: &Settings) -> BTreeMap<Micros, Scores> {
    let mut steps: BTreeMap<Micros, Scores> = BTreeMap::new();
    rows.iter().for_each(|row| steps.entry(row.target).or_default().add(&row.pair, usual, settings.loss));
    steps
}

/// Adds the scores of a series to those of a group.
fn gather(group: &mut BySteps, steps: &BTreeMap<Micros, Scores>) {
    for (target, scores) in steps {
        let cells = group.entry(*target).or_default();
        for score in Score::ALL {
            if let Some(value) = scores.of(score) {
                let (sum, n) = &mut cells[score.index()];
                sum.add(value);
                *n += 1.0;
            }
        }
    }
}

/// Times and means of a score, for the steps that have it.
fn column(steps: &BySteps, score: Score) -> (Vec<Micros>, Vec<f64>) {
    let known = steps.iter().map(|(target, cells)| (*target, cells[score.index()]));
    known.filter(|(_, (_, n))| *n > 0.0).map(|(target, (sum, n))| (target, sum.value() / n)).unzip()
}

fn season_of(steps: &BySteps, settings: &Settings) -> Option<(Slots, [Vec<f64>; Score::ALL.len()])> {
    let slots = match settings.season {
        Season::None => None,
        Season::Known(slots) => Some(slots),
        Season::Auto => {
            let times: Vec<Micros> = steps.keys().copied().collect();
            let candidates = season::candidates(season::usual_step(&times).unwrap_or(0));
            let shown = |score: Score| {
                let (times, values) = column(steps, score);
                season::find(&times, &values, &candidates)
            };
            [Score::Loss, Score::Bias].into_iter().find_map(shown)
        }
    }?;
    let offsets = Score::ALL.map(|score| {
        let (times, values) = column(steps, score);
        season::offsets(&times, &values, &slots)
    });
    Some((slots, offsets))
}

/// What the series share: the mean of their autoregressions, those beyond chance, and the margin that their number asks for.
fn common(
    list: &[u32],
    steps_of: &dyn Fn(u32) -> BTreeMap<Micros, Scores>,
    season: Option<&(Slots, [Vec<f64>; Score::ALL.len()])>,
    overlap: usize,
    settings: &Settings,
) -> Common {
    let lag = overlap.max(1);
    let watched = [Score::Loss, Score::Bias];
    let (mut sums, mut counts) = ([Sum::default(); 2], [0.0; 2]);
    for steps in list.iter().filter(|_| settings.prewhiten).map(|&series| steps_of(series)) {
        for (place, score) in watched.into_iter().enumerate() {
            let offset = |target| season.map_or(0.0, |(slots, offsets)| offsets[score.index()][slots.slot(target)]);
            let values: Vec<f64> =
                steps.iter().filter_map(|(&target, step)| Some(step.of(score)? - offset(target))).collect();
            if values.len() > lag + 3 {
                sums[place].add(autoregression(&values, lag));
                counts[place] += 1.0;
            }
        }
    }
    let phi = [0, 1].map(|place| if counts[place] > 0.0 { sums[place].value() / counts[place] } else { 0.0 });
    Common { overlap, phi, tolerance: settings.tolerance_ratio, margin_se: margin_se_of(list.len()) }
}
