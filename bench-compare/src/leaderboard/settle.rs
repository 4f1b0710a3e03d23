//! From a table of raw scores to errors that may be averaged, with fev's refusals: a baseline that lacks a task, a
//! stand-in that has itself leaked, failed results under `--missing error`.

use shared::{Error, Result};

use super::grid::{Grid, Missing};
use super::settings::Settings;
use crate::load::results::{ResultTable, Score};

/// Errors ready to be averaged, and what was done to them.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Relative to the baseline, clipped, without failures.
    pub errors: Grid,
    /// The same without clipping.
    pub unclipped: Grid,
    /// The tasks, as indices of the table.
    pub tasks: Vec<usize>,
    /// Failed results of each model, counted after leaked ones were replaced.
    pub failures: Vec<u64>,
    /// Values that clipping changed, by model.
    pub clipped: Vec<u64>,
}

/// Settles one metric, for the leaderboard.
///
/// # Errors
/// See the module.
pub fn relative(table: &ResultTable, metric: usize, settings: &Settings) -> Result<Settled> {
    require_baseline(table, metric, settings.baseline)?;
    let relative = raw(table, metric).relative_to(settings.baseline);
    let masked = masked(table, relative, settings)?;
    let failures = masked.failures();
    let tasks = tasks_left(table, &masked, settings.missing)?;
    let kept = masked.of_tasks(&tasks);
    Ok(Settled {
        errors: kept.clipped(settings.clip).filled_with(1.0),
        unclipped: kept.filled_with(1.0),
        clipped: kept.clipped_cells(settings.clip),
        tasks,
        failures,
    })
}

/// Raw errors for pairwise comparison, and the tasks left. Failures are filled with the baseline's raw error.
///
/// # Errors
/// See the module.
pub fn for_pairs(table: &ResultTable, metric: usize, settings: &Settings) -> Result<(Grid, Vec<usize>)> {
    let masked = masked(table, raw(table, metric), settings)?;
    let tasks = tasks_left(table, &masked, settings.missing)?;
    Ok((masked.of_tasks(&tasks).filled_from(settings.baseline), tasks))
}

fn raw(table: &ResultTable, metric: usize) -> Grid {
    Grid::new(table.tasks.len(), table.grid(metric).to_vec())
}

fn masked(table: &ResultTable, grid: Grid, settings: &Settings) -> Result<Grid> {
    let Some(stand_in) = settings.leakage else { return Ok(grid) };
    let leaked: Vec<bool> = table.leaked.iter().map(|leaked| leaked.unwrap_or(false)).collect();
    let tasks = table.tasks.len();
    let own = leaked[stand_in * tasks..][..tasks].iter().position(|leaked| *leaked);
    match own {
        None => Ok(grid.without_leaks(&leaked, stand_in)),
        Some(task) => Err(Error::incomparable(
            format!("{:?} was itself trained on task {:?}", table.models[stand_in], table.tasks[task].label),
            "a leakage model trained on none of the tasks",
        )),
    }
}

/// A baseline needs a score above 0 on every task, since everything is divided by it.
fn require_baseline(table: &ResultTable, metric: usize, baseline: usize) -> Result<()> {
    let column = table.column(metric, baseline);
    let missing: Vec<usize> = (0..column.len()).filter(|&task| column[task].is_nan() || column[task] <= 0.0).collect();
    let Some(&first) = missing.first() else { return Ok(()) };
    let name = &table.models[baseline];
    let found = format!(
        "the baseline {name:?} has no score above 0 on {} of {} tasks, the first is {:?}",
        missing.len(),
        column.len(),
        table.tasks[first].label
    );
    let error = Error::incomparable(found, "a baseline with a score on every task");
    Err(match explanation(table, metric, baseline, first) {
        Some(help) => error.with_help(help),
        None => error,
    })
}

fn explanation(table: &ResultTable, metric: usize, model: usize, task: usize) -> Option<String> {
    match table.score(metric, model, task) {
        Score::Value(value) => Some(format!("it is {value}, and a ratio to 0 is undefined")),
        Score::Failed(failure) => {
            Some(format!("{}: {} stands where its score should be", failure.place, failure.found))
        }
        Score::Absent => {
            let (column, theirs, ours) = table.nearest_key(metric, model, task)?;
            Some(format!(
                "that task differs from one that the baseline has only in {column}: {theirs} instead of {ours}; is the key of some file malformed?"
            ))
        }
    }
}

fn tasks_left(table: &ResultTable, grid: &Grid, missing: Missing) -> Result<Vec<usize>> {
    let all = || (0..grid.tasks()).collect();
    match missing {
        Missing::Impute => Ok(all()),
        Missing::Drop => match grid.complete_tasks() {
            none if none.is_empty() => {
                Err(Error::incomparable("no task on which every model has a result", "at least one")
                    .with_help("leave out models that fail everywhere (--exclude-model), or --missing impute"))
            }
            some => Ok(some),
        },
        Missing::Error => refuse_failures(table, &grid.failures()).map(|()| all()),
    }
}

fn refuse_failures(table: &ResultTable, failures: &[u64]) -> Result<()> {
    let one = |(model, count): (&String, &u64)| (*count > 0).then(|| format!("{model} ({count})"));
    let lacking: Vec<String> = table.models.iter().zip(failures).filter_map(one).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let found = format!("{} tasks, with results missing for {}", table.tasks.len(), lacking.join(", "));
    Err(Error::incomparable(found, "a result of every model on every task").with_help(
        "--missing drop leaves those tasks out for all, --missing impute counts a failure as the baseline's result",
    ))
}
