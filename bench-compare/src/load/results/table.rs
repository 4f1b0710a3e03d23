//! The table that [`read`](super::read) makes: scores in columns, with what failed and where.

use shared::Place;
use shared::format::input::Input;

use super::key::Part;
use super::layout::Layout;

/// A task: one dataset and setting on which a model gets one score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its name for people; unique in the table.
    pub label: String,
    /// The source that it shares with other tasks.
    pub family: String,
    /// The values of its key, as [`ResultTable::key_names`] names them.
    pub key: Vec<Part>,
}

/// A result that is there and is no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Index of the metric.
    pub metric: usize,
    /// Index of the model.
    pub model: usize,
    /// Index of the task.
    pub task: usize,
    /// Where it stands.
    pub place: Place,
    /// What stands there: `NaN`, `inf`, or nothing.
    pub found: String,
}

/// One result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Score<'a> {
    /// A finite score.
    Value(f64),
    /// A row without a finite score.
    Failed(&'a Failure),
    /// No row at all.
    Absent,
}

/// Scores of many models on many tasks. Grids are laid out `[model][task]`.
#[derive(Debug, Clone)]
pub struct ResultTable {
    /// The layout of the files.
    pub layout: Layout,
    /// Names of the metrics.
    pub metrics: Vec<String>,
    /// The columns that make the key of a task.
    pub key_names: Vec<String>,
    /// The tasks, sorted by key.
    pub tasks: Vec<Task>,
    /// The models, sorted by name.
    pub models: Vec<String>,
    /// Results that are there and are no number, sorted by metric, model and task.
    pub failures: Vec<Failure>,
    /// The files.
    pub inputs: Vec<Input>,
    /// What a reader should know of the files: versions that differ, values that were normalised.
    pub notes: Vec<String>,
    /// Whether the model was trained on the task's data; `None` where the files do not say.
    pub leaked: Vec<Option<bool>>,
    /// Training times in seconds; NaN where the files do not say.
    pub training_seconds: Vec<f64>,
    /// Inference times in seconds; NaN where the files do not say.
    pub inference_seconds: Vec<f64>,
    /// For each metric the scores; NaN where failed or absent.
    pub(super) scores: Vec<Vec<f64>>,
}

impl ResultTable {
    /// The index of a model.
    pub fn model(&self, name: &str) -> Option<usize> {
        self.models.binary_search_by(|known| known.as_str().cmp(name)).ok()
    }

    /// The whole grid of a metric, `[model][task]`; NaN where failed or absent.
    pub fn grid(&self, metric: usize) -> &[f64] {
        &self.scores[metric]
    }

    /// A model's scores in the order of the tasks; NaN where failed or absent.
    pub fn column(&self, metric: usize, model: usize) -> &[f64] {
        &self.scores[metric][model * self.tasks.len()..][..self.tasks.len()]
    }

    /// One result, with the place of a failed one.
    pub fn score(&self, metric: usize, model: usize, task: usize) -> Score<'_> {
        let value = self.column(metric, model)[task];
        let wanted = (metric, model, task);
        let found = self.failures.binary_search_by_key(&wanted, |known| (known.metric, known.model, known.task));
        match found {
            _ if value.is_finite() => Score::Value(value),
            Ok(index) => Score::Failed(&self.failures[index]),
            Err(_) => Score::Absent,
        }
    }

    /// The results of two models on the tasks where both have one.
    pub fn paired(&self, metric: usize, candidate: usize, baseline: usize) -> Pairs {
        let (left, right) = (self.column(metric, candidate), self.column(metric, baseline));
        let (tasks, left_out): (Vec<usize>, Vec<usize>) =
            (0..self.tasks.len()).partition(|&task| left[task].is_finite() && right[task].is_finite());
        let chosen = |column: &[f64]| tasks.iter().map(|&task| column[task]).collect();
        Pairs { candidate: chosen(left), baseline: chosen(right), tasks, left_out }
    }

    /// Why a model may lack a task: in which one column of the key it differs from a task that the model has.
    /// Gives the column, the value of the task and the value that the model has.
    pub fn nearest_key(&self, metric: usize, model: usize, task: usize) -> Option<(&str, &Part, &Part)> {
        let known = (0..self.tasks.len()).filter(|&other| self.column(metric, model)[other].is_finite());
        let key = &self.tasks[task].key;
        known.into_iter().find_map(|other| {
            let theirs = &self.tasks[other].key;
            let mut differing = (0..key.len()).filter(|&part| key[part] != theirs[part]);
            let part = differing.next()?;
            differing.next().is_none().then(|| (self.key_names[part].as_str(), &key[part], &theirs[part]))
        })
    }
}

/// Two models on the tasks that both have: the input of a paired test.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// Indices of the tasks, increasing.
    pub tasks: Vec<usize>,
    /// The candidate's scores.
    pub candidate: Vec<f64>,
    /// The baseline's scores.
    pub baseline: Vec<f64>,
    /// Tasks that one or both lack.
    pub left_out: Vec<usize>,
}

impl Pairs {
    /// log(candidate / baseline) by task: negative where the candidate has the smaller error. Two zeros are a tie, 0;
    /// a single zero gives an infinity, which the caller clips or refuses.
    pub fn log_relative_errors(&self) -> Vec<f64> {
        self.candidate.iter().zip(&self.baseline).map(|(left, right)| log_ratio(*left, *right)).collect()
    }
}

/// log(left / right), with 0 for two equal values, so that two zeros are a tie.
#[expect(clippy::float_cmp, reason = "exact ties are meant")]
pub(crate) fn log_ratio(left: f64, right: f64) -> f64 {
    if left == right { 0.0 } else { (left / right).ln() }
}
