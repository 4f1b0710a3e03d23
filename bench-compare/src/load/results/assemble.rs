//! Entries into a table: tasks and models sorted, grids filled, duplicates found.

use std::collections::HashMap;

use shared::error::Problem;
use shared::{Error, Place, Result};

use super::collect::{Collected, RawTask};
use super::entry::{Entry, Seconds};
use super::layout::Layout;
use super::table::{Failure, ResultTable, Task};
use super::{Options, checks, key};

/// Builds the table.
///
/// # Errors
/// All problems of the rows; duplicates; nothing to compare.
pub(super) fn assemble(mut collected: Collected, options: &Options) -> Result<ResultTable> {
    let notes = checks::notes(&collected);
    let places = Places::new(&collected);
    let owners = owners(&mut collected, &places, options);
    if !collected.problems.is_empty() {
        return Err(refusal(collected.problems));
    }
    if places.models == 0 || places.tasks == 0 {
        return Err(nothing(&collected, options));
    }
    // What is spread is let go at once: there may be millions of entries.
    let failures = failures(&collected, &places, &owners);
    let leaked = owners.spread(None, |entry| collected.entries[entry].leaked);
    drop(std::mem::take(&mut collected.entries));
    let scores = collected.scores.into_iter().map(|scores| owners.spread(f64::NAN, |entry| scores[entry])).collect();
    let seconds = |seconds: Seconds| owners.spread(f64::NAN, |entry| seconds.get(entry));
    Ok(ResultTable {
        layout: collected.layout.unwrap_or(Layout::Mapped),
        failures,
        scores,
        leaked,
        training_seconds: seconds(collected.training_seconds),
        inference_seconds: seconds(collected.inference_seconds),
        tasks: tasks(&collected.tasks, &places),
        models: places.sorted(&places.model_of, places.models).map(|old| collected.models[old].clone()).collect(),
        metrics: collected.metrics,
        key_names: collected.key_names,
        inputs: collected.inputs,
        notes,
    })
}

fn refusal(mut problems: Vec<Problem>) -> Error {
    let total = problems.len() as u64;
    problems.truncate(shared::error::SHOWN_PROBLEMS);
    Error::rows(problems, total)
}

fn nothing(collected: &Collected, options: &Options) -> Error {
    let path = collected.inputs.first().map(|input| input.path.clone()).unwrap_or_default();
    let error = Error::input(Place::file(path), "no result", "one row for each task and model");
    match options.include.as_slice() {
        [] => error,
        names => error.with_help(format!("none of the models asked for is there: {}", names.join(", "))),
    }
}

/// Where each task and model of the entries goes: tasks by key, models by name; those without a result go nowhere.
struct Places {
    task_of: Vec<Option<usize>>,
    model_of: Vec<Option<usize>>,
    tasks: usize,
    models: usize,
}

impl Places {
    fn new(collected: &Collected) -> Self {
        let tasks = used(collected, collected.tasks.len(), Entry::task);
        let models = used(collected, collected.models.len(), Entry::model);
        let (tasks, models) = (
            sorted_by(tasks, |a, b| key::compare(&collected.tasks[a].key, &collected.tasks[b].key)),
            sorted_by(models, |a, b| collected.models[a].cmp(&collected.models[b])),
        );
        Self {
            task_of: inverse(&tasks, collected.tasks.len()),
            model_of: inverse(&models, collected.models.len()),
            tasks: tasks.len(),
            models: models.len(),
        }
    }

    fn cell(&self, entry: &Entry) -> Option<usize> {
        Some(self.model_of[entry.model()]? * self.tasks + self.task_of[entry.task()]?)
    }

    /// Old numbers in the new order.
    fn sorted(&self, new_of: &[Option<usize>], count: usize) -> impl Iterator<Item = usize> + use<> {
        let mut old = vec![0; count];
        for (index, place) in new_of.iter().enumerate() {
            if let Some(place) = place {
                old[*place] = index;
            }
        }
        old.into_iter()
    }
}

fn used(collected: &Collected, count: usize, of: impl Fn(&Entry) -> usize) -> Vec<usize> {
    let mut there = vec![false; count];
    collected.entries.iter().for_each(|entry| there[of(entry)] = true);
    (0..count).filter(|&index| there[index]).collect()
}

fn sorted_by(mut numbers: Vec<usize>, compare: impl Fn(usize, usize) -> std::cmp::Ordering) -> Vec<usize> {
    numbers.sort_by(|a, b| compare(*a, *b));
    numbers
}

fn inverse(sorted: &[usize], count: usize) -> Vec<Option<usize>> {
    let mut new_of = vec![None; count];
    sorted.iter().enumerate().for_each(|(place, &old)| new_of[old] = Some(place));
    new_of
}

/// The entry that fills each cell.
struct Owners(Vec<u32>);

impl Owners {
    /// Of a cell that nothing fills.
    const NONE: u32 = u32::MAX;

    fn get(&self, cell: usize) -> Option<usize> {
        Some(self.0[cell] as usize).filter(|_| self.0[cell] != Self::NONE)
    }

    #[expect(clippy::cast_possible_truncation, reason = "more than 2^32 results do not fit in memory")]
    fn set(&mut self, cell: usize, entry: usize) {
        self.0[cell] = entry as u32;
    }

    fn spread<T: Copy>(&self, absent: T, of: impl Fn(usize) -> T) -> Vec<T> {
        (0..self.0.len()).map(|cell| self.get(cell).map_or(absent, &of)).collect()
    }
}

/// Gives each cell its entry; a second one is a problem, unless it is identical and that is allowed.
fn owners(collected: &mut Collected, places: &Places, options: &Options) -> Owners {
    let mut owners = Owners(vec![Owners::NONE; places.tasks * places.models]);
    let mut duplicates = Vec::new();
    for (index, entry) in collected.entries.iter().enumerate() {
        let Some(cell) = places.cell(entry) else { continue };
        match owners.get(cell) {
            None => owners.set(cell, index),
            Some(first) if options.allow_identical && identical(collected, first, index) => {}
            Some(first) => duplicates.push(duplicate(collected, first, index)),
        }
    }
    collected.problems.append(&mut duplicates);
    owners
}

fn identical(collected: &Collected, first: usize, second: usize) -> bool {
    let row = |index: usize| {
        let times = [&collected.training_seconds, &collected.inference_seconds].map(|known| known.get(index).to_bits());
        let scores: Vec<u64> = collected.scores.iter().map(|scores| scores[index].to_bits()).collect();
        (collected.entries[index].leaked, times, scores)
    };
    row(first) == row(second)
}

fn duplicate(collected: &Collected, first: usize, second: usize) -> Problem {
    let place = |index: usize| {
        let entry = &collected.entries[index];
        Place::line(&collected.inputs[entry.file()].path, entry.line)
    };
    let entry = &collected.entries[second];
    let (model, task) = (&collected.models[entry.model()], &collected.tasks[entry.task()].label);
    Problem {
        place: place(second),
        found: format!("a second result of {model:?} on task {task:?}, first at {}", place(first)),
        expected: "one result for each task and model".to_owned(),
    }
}

fn failures(collected: &Collected, places: &Places, owners: &Owners) -> Vec<Failure> {
    let one = |(&(metric, entry), found): (&(usize, usize), &String)| {
        let row = &collected.entries[entry];
        let cell = places.cell(row).filter(|&cell| owners.get(cell) == Some(entry))?;
        let place = Place::line(&collected.inputs[row.file()].path, row.line);
        let (model, task) = (cell / places.tasks, cell % places.tasks);
        Some(Failure { metric, model, task, place, found: found.clone() })
    };
    let mut failures: Vec<Failure> = collected.failed.iter().filter_map(one).collect();
    failures.sort_by_key(|failure| (failure.metric, failure.model, failure.task));
    failures
}

fn tasks(raw: &[RawTask], places: &Places) -> Vec<Task> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let ordered = places.sorted(&places.task_of, places.tasks);
    ordered.map(|old| finished(&raw[old], &mut seen)).collect()
}

/// Two tasks may share a name in the files; the second one gets a number.
fn finished<'a>(raw: &'a RawTask, seen: &mut HashMap<&'a str, usize>) -> Task {
    let count = seen.entry(&raw.label).or_default();
    *count += 1;
    let label = if *count == 1 { raw.label.clone() } else { format!("{} #{count}", raw.label) };
    Task { label, family: raw.family.clone(), key: raw.key.clone() }
}
