//! The baseline of a bucket: what its scores usually are, of all series together, of segments, and of each series.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::detector::monitor::{Lesson, Monitor, autoregression};
use super::detector::reference::margin_se_of;
use super::exact::Sum;
use super::family::WATCHES;
use super::pair::Pair;
use super::score::{Score, Scores, Usual, raw_loss, share};
use super::season::{self, Season, Slots};
use super::series_watch::{Common, FEWEST_STEPS, SeriesWatch};
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
    pub series: FxHashMap<u32, SeriesWatch>,
    /// Mean loss over all pairs, and the ratio of absolute errors to actuals: what is usual of a series that is new.
    pool: (f64, f64),
}

/// Scores of a group by step.
type BySteps = BTreeMap<Micros, [(Sum, f64); Score::ALL.len()]>;

impl Learned {
    /// Learns from pairs in any order; `overlap` is the furthest horizon. Nothing where there is too little.
    pub fn learn(
        observed: &[Observed],
        overlap: usize,
        segments_of: &dyn Fn(u32) -> Vec<u32>,
        settings: &Settings,
    ) -> Option<Self> {
        let by_series = by_series(observed);
        let pool = pool(observed, settings)?;
        let usuals: BTreeMap<u32, Usual> =
            by_series.iter().map(|(&series, rows)| (series, usual(rows, pool, settings))).collect();
        let scores: BTreeMap<u32, BTreeMap<Micros, Scores>> =
            by_series.iter().map(|(series, rows)| (*series, scores_by_step(rows, &usuals[series], settings))).collect();
        let everyone = gather(scores.values());
        let season = season_of(&everyone, settings);
        let common = common(&scores, season.as_ref(), overlap, settings);
        let lesson = Lessons { season: season.as_ref(), common: &common, settings };
        let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &series in scores.keys() {
            segments_of(series).into_iter().for_each(|segment| members.entry(segment).or_default().push(series));
        }
        let segments = members.iter().filter_map(|(&segment, series)| {
            let gathered = gather(series.iter().filter_map(|series| scores.get(series)));
            (gathered.len() >= settings.min_steps).then(|| (segment, lesson.watches(&gathered)))
        });
        let mut tally = Tally::default();
        observed.iter().for_each(|row| tally.add(&row.pair, None, settings.level_percent));
        Some(Self {
            steps: everyone.len(),
            span: (*everyone.keys().next()?, *everyone.keys().next_back()?),
            tally,
            model: lesson.watches(&everyone),
            segments: segments.collect(),
            series: scores
                .iter()
                .filter_map(|(series, steps)| Some((*series, lesson.series(usuals[series], steps)?)))
                .collect(),
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
        let lesson = Lessons { season: self.season.as_ref(), common: &self.common, settings };
        for (series, observed) in all {
            let rows: Vec<&Observed> = observed.iter().collect();
            let usual = usual(&rows, self.pool, settings);
            let steps = scores_by_step(&rows, &usual, settings);
            self.series.extend(lesson.series(usual, &steps).map(|watch| (*series, watch)));
        }
    }
}

/// What monitors learn by.
struct Lessons<'a> {
    season: Option<&'a (Slots, [Vec<f64>; Score::ALL.len()])>,
    common: &'a Common,
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

    fn series(&self, usual: Usual, steps: &BTreeMap<Micros, Scores>) -> Option<SeriesWatch> {
        if steps.len() < FEWEST_STEPS {
            return None;
        }
        let steps: Vec<Scores> = steps.values().copied().collect();
        Some(SeriesWatch::learn(usual, &steps, self.common))
    }
}

fn by_series(observed: &[Observed]) -> BTreeMap<u32, Vec<&Observed>> {
    let mut groups: BTreeMap<u32, Vec<&Observed>> = BTreeMap::new();
    observed.iter().for_each(|row| groups.entry(row.series).or_default().push(row));
    groups
}

/// A sum over series, in whose numbers the order of arrival must not show.
fn exact_sum(terms: impl Iterator<Item = f64>) -> f64 {
    let mut sum = Sum::default();
    terms.for_each(|term| sum.add(term));
    sum.value()
}

/// Mean loss, and the ratio of absolute errors to actuals, of all pairs.
fn pool(observed: &[Observed], settings: &Settings) -> Option<(f64, f64)> {
    let losses: Vec<f64> = observed.iter().filter_map(|row| raw_loss(&row.pair, settings.loss)).collect();
    let errors = exact_sum(observed.iter().map(|row| row.pair.error().abs()));
    let sizes = exact_sum(observed.iter().map(|row| row.pair.y.abs()));
    let n = losses.len() as f64;
    let loss = exact_sum(losses.into_iter()) / n;
    (!observed.is_empty() && sizes > 0.0).then_some((if loss.is_finite() { loss } else { 0.0 }, errors / sizes))
}

/// What is usual of a series: its own means, shrunk towards those of all.
fn usual(rows: &[&Observed], (pool_loss, pool_ratio): (f64, f64), settings: &Settings) -> Usual {
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
fn share_of(rows: &[&Observed], hit: impl Fn(&Pair) -> Option<bool>) -> Option<f64> {
    let hits: Vec<f64> = rows.iter().filter_map(|row| hit(&row.pair)).map(share).collect();
    (!hits.is_empty()).then(|| hits.iter().sum::<f64>() / hits.len() as f64)
}

fn scores_by_step(rows: &[&Observed], usual: &Usual, settings: &Settings) -> BTreeMap<Micros, Scores> {
    let mut steps: BTreeMap<Micros, Scores> = BTreeMap::new();
    rows.iter().for_each(|row| steps.entry(row.target).or_default().add(&row.pair, usual, settings.loss));
    steps
}

fn gather<'a>(series: impl Iterator<Item = &'a BTreeMap<Micros, Scores>>) -> BySteps {
    let mut steps = BySteps::new();
    for (target, scores) in series.flatten() {
        let cells = steps.entry(*target).or_default();
        for score in Score::ALL {
            if let Some(value) = scores.of(score) {
                let (sum, n) = &mut cells[score.index()];
                sum.add(value);
                *n += 1.0;
            }
        }
    }
    steps
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

/// The autoregression that series share: the mean over series, where it is beyond chance.
fn common(
    scores: &BTreeMap<u32, BTreeMap<Micros, Scores>>,
    season: Option<&(Slots, [Vec<f64>; Score::ALL.len()])>,
    overlap: usize,
    settings: &Settings,
) -> Common {
    let lag = overlap.max(1);
    let phi = |score: Score| {
        let of_series = |steps: &BTreeMap<Micros, Scores>| {
            let offset = |target| season.map_or(0.0, |(slots, offsets)| offsets[score.index()][slots.slot(target)]);
            let values: Vec<f64> =
                steps.iter().filter_map(|(&target, step)| Some(step.of(score)? - offset(target))).collect();
            (values.len() > lag + 3).then(|| autoregression(&values, lag))
        };
        let all: Vec<f64> = scores.values().filter_map(of_series).collect();
        let n = all.len().max(1) as f64;
        exact_sum(all.into_iter()) / n
    };
    let phi = if settings.prewhiten { [phi(Score::Loss), phi(Score::Bias)] } else { [0.0; 2] };
    Common { overlap, phi, tolerance: settings.tolerance_ratio, margin_se: margin_se_of(scores.len()) }
}
