//! What came of a job over time: every run with its effect, the evidence after it, what changed and when. Pure, but for the text that it makes.
//!
//! [`trend`] makes a [`Trend`] from the records; [`text`], `table` and `page` write it. It proposes at most; which model is the champion is
//! for people to say.

mod circumstances;
mod clean;
mod line;
mod number;
mod page;
mod points;
mod proposal;
mod report;
mod shift;
mod table;
mod text;
mod words;

use crate::judge::{Past, Rules, history};
use crate::store::{Baseline, HistoryRow, SlotState};
use crate::work::sight::past_of;

pub use page::html;
pub use report::{
    Change, Difference, EnvironmentChange, Evidence, Failure, Point, Promotion, Proposal, Proposed, SCHEMA, Segment,
    Skip, Trend, Underway,
};
pub use table::csv;
pub use text::text;

/// What a trend is of, and by which rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject<'a> {
    /// The job.
    pub job: &'a str,
    /// The model in the registry, where the settings name it.
    pub model: Option<&'a str>,
    /// What its evidence is weighed by.
    pub rules: Rules,
    /// So many of the newest slots are listed; the evidence is of all.
    pub limit: usize,
}

/// The slots of a job, oldest first, with the evidence after each.
struct Course<'a> {
    rows: &'a [HistoryRow],
    /// The verdicts that were given, each with its index in `rows`.
    past: Vec<Past>,
    places: Vec<usize>,
    /// The evidence after each of them.
    evidence: Vec<crate::judge::Evidence>,
}

impl<'a> Course<'a> {
    fn new(rows: &'a [HistoryRow], rules: Rules) -> Self {
        let judged = rows.iter().enumerate().filter_map(|(place, row)| Some((place, past_of(row)?)));
        let (places, past): (Vec<usize>, Vec<Past>) = judged.unzip();
        let evidence = history::course(&past, rules);
        Self { rows, past, places, evidence }
    }

    /// The slot of a verdict.
    fn row(&self, index: usize) -> Option<&'a HistoryRow> {
        self.rows.get(*self.places.get(index)?)
    }

    /// The evidence after the slot at this place, if it had a part in it.
    fn after(&self, place: usize) -> Option<&crate::judge::Evidence> {
        self.evidence.get(self.places.binary_search(&place).ok()?)
    }

    /// The verdicts of the present history that measured something.
    fn looks(&self) -> Vec<(usize, history::Look)> {
        let since = self.evidence.last().map_or(0, |evidence| evidence.since);
        history::looks(&self.past, since).collect()
    }
}

/// The trend of a job, from its slots (oldest first) and all that it was held against.
pub fn trend(subject: &Subject<'_>, rows: &[HistoryRow], baselines: &[Baseline]) -> Trend {
    let course = Course::new(rows, subject.rules);
    let listed = rows.len().saturating_sub(subject.limit);
    let newest = &rows[listed..];
    let evidence = points::evidence(&course, subject.rules);
    let model = subject.model.map(str::to_owned).or_else(|| points::newest(rows, |it| it.candidate_model.clone()));
    Trend {
        schema: SCHEMA.to_owned(),
        tool: crate::commands::asked::tool(),
        job: subject.job.to_owned(),
        metric: points::newest(rows, |verdict| verdict.metric.clone()),
        margin: subject.rules.margin,
        points: points::points(&course, listed),
        failures: newest.iter().filter_map(points::failure).collect(),
        skips: newest.iter().filter_map(points::skip).collect(),
        underway: newest.iter().filter(|row| row.state == SlotState::Claimed).map(points::underway).collect(),
        segments: points::segments(&course, baselines),
        promotions: baselines.iter().map(points::promotion).collect(),
        change: shift::change(&course),
        environment: circumstances::changes(newest),
        proposal: proposal::of(model.as_deref(), &evidence, rows),
        evidence,
        model,
        left_off: listed as u64,
    }
}
