//! Target times that are twice in a window. Windows whose rows came in order have none; the others are read again.

use std::collections::{HashMap, HashSet};

use shared::error::{Problem, SHOWN_PROBLEMS};
use shared::{Error, Place, Result};

use super::Request;
use super::layout::Wanted;
use super::merge::Merger;
use super::pass::Inputs;
use super::plan::Plan;
use super::row::{NO_CUTOFF, Problems, Row, Sink, Spot, Stretch};
use super::time;

/// Rows whose times are held at once: 16 bytes each.
const BATCH_ROWS: u64 = 1 << 23;

/// A target time of a window.
type Key = (u32, i64);

/// The windows that are looked at, by series and cutoff.
type Watched<'m> = HashMap<&'m [u8], HashMap<i64, u32>>;

/// Finds duplicates. Returns the rows to leave out, where they are identical to others and that is allowed; `None` if there
/// are no duplicates.
///
/// # Errors
/// If there are duplicates that may not be dropped, each with its place.
pub(super) fn resolve(
    inputs: &mut Inputs<'_>,
    plan: &Plan,
    merged: &Merger<'_>,
    request: &Request,
    notes: &mut Vec<String>,
) -> Result<Option<HashSet<(usize, u64)>>> {
    let unordered: Vec<u32> =
        (0..).zip(&merged.windows).filter(|(_, window)| !window.is_ordered).map(|(index, _)| index).collect();
    if unordered.is_empty() {
        return Ok(None);
    }
    let batches = batches(&unordered, merged);
    notes.push(format!(
        "{} windows are not in the order of time: read again ({} times over) for target times that are there twice",
        unordered.len(),
        batches.len()
    ));
    let mut twice = HashSet::new();
    for batch in batches {
        twice.extend(repeated(inputs, plan, merged, batch)?);
    }
    if twice.is_empty() {
        return Ok(None);
    }
    judge(&repeats(inputs, plan, merged, &twice)?, plan, merged, request, inputs).map(Some)
}

/// Runs of windows whose rows fit into memory together.
fn batches<'w>(unordered: &'w [u32], merged: &Merger<'_>) -> Vec<&'w [u32]> {
    let (mut batches, mut start, mut rows) = (Vec::new(), 0, 0);
    for (index, &window) in unordered.iter().enumerate() {
        let more = u64::from(merged.windows[window as usize].rows);
        if rows + more > BATCH_ROWS && index > start {
            batches.push(&unordered[start..index]);
            (start, rows) = (index, 0);
        }
        rows += more;
    }
    batches.push(&unordered[start..]);
    batches
}

fn watch<'m>(windows: impl Iterator<Item = u32>, merged: &'m Merger<'_>) -> Watched<'m> {
    let mut watched = Watched::new();
    for index in windows {
        let window = merged.windows[index as usize];
        let id = merged.series[window.series as usize].as_slice();
        watched.entry(id).or_default().insert(window.cutoff, index);
    }
    watched
}

fn window_of(watched: &Watched<'_>, stretch: &Stretch<'_>) -> Option<u32> {
    watched.get(stretch.id)?.get(&stretch.cutoff).copied()
}

/// The keys of the watched rows of a block.
struct Keys<'w> {
    watched: &'w Watched<'w>,
    keys: Vec<Key>,
}

impl Sink for Keys<'_> {
    fn stretch(&mut self, stretch: &Stretch<'_>, _: &mut Problems) {
        let Some(window) = window_of(self.watched, stretch) else { return };
        self.keys.extend(stretch.ds.iter().map(|ds| (window, *ds)));
    }
}

/// Only ids and times: the numbers are not parsed again.
fn times_only(plan: &Plan) -> Wanted {
    Wanted { numbers: Vec::new(), extras: Vec::new(), ..plan.wanted.clone() }
}

fn repeated(inputs: &mut Inputs<'_>, plan: &Plan, merged: &Merger<'_>, windows: &[u32]) -> Result<Vec<Key>> {
    let watched = watch(windows.iter().copied(), merged);
    let mut keys = Vec::new();
    inputs.scan(
        &times_only(plan),
        |_| Keys { watched: &watched, keys: Vec::new() },
        |_, block, _, _| {
            keys.extend(block.keys);
            Ok(())
        },
    )?;
    keys.sort_unstable();
    let mut twice: Vec<Key> = keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    Ok(twice)
}

/// One of the rows of a repeated key.
#[derive(Debug, Clone)]
struct Repeat {
    file: usize,
    place: u64,
    line: u64,
    values: Vec<f64>,
}

impl Repeat {
    fn equals(&self, other: &Self) -> bool {
        let bits = |repeat: &Self| repeat.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        bits(self) == bits(other)
    }

    fn same_actual(&self, other: &Self) -> bool {
        self.values[0].to_bits() == other.values[0].to_bits()
    }
}

/// The rows of a block whose keys are repeated.
struct Repeats<'w> {
    watched: &'w Watched<'w>,
    twice: &'w HashSet<Key>,
    file: usize,
    width: usize,
    found: Vec<(Key, Repeat)>,
}

impl Sink for Repeats<'_> {
    fn stretch(&mut self, stretch: &Stretch<'_>, _: &mut Problems) {
        let Some(window) = window_of(self.watched, stretch) else { return };
        for row in stretch.rows().filter(|row| self.twice.contains(&(window, row.ds()))) {
            self.found.push(((window, row.ds()), self.repeat(&row)));
        }
    }
}

impl Repeats<'_> {
    fn repeat(&self, row: &Row<'_>) -> Repeat {
        let Spot { line, place } = row.spot();
        Repeat { file: self.file, place, line, values: row.values(self.width).collect() }
    }
}

/// All rows of the repeated keys, in the order of the files.
fn repeats(
    inputs: &mut Inputs<'_>,
    plan: &Plan,
    merged: &Merger<'_>,
    twice: &HashSet<Key>,
) -> Result<Vec<(Key, Repeat)>> {
    let watched = watch(twice.iter().map(|(window, _)| *window), merged);
    let mut all = Vec::new();
    let make = |file| Repeats { watched: &watched, twice, file, width: plan.width(), found: Vec::new() };
    inputs.scan(&plan.wanted, make, |_, block, line, _| {
        all.extend(block.found.into_iter().map(|(key, repeat)| (key, Repeat { line: repeat.line + line, ..repeat })));
        Ok(())
    })?;
    Ok(all)
}

/// The rows that repeat an earlier one.
///
/// # Errors
/// If they are not allowed, or differ from it.
fn judge(
    repeats: &[(Key, Repeat)],
    plan: &Plan,
    merged: &Merger<'_>,
    request: &Request,
    inputs: &Inputs<'_>,
) -> Result<HashSet<(usize, u64)>> {
    let mut first: HashMap<Key, &Repeat> = HashMap::new();
    let mut later = Vec::new();
    for (key, repeat) in repeats {
        match first.get(key) {
            Some(earlier) => later.push((*key, *earlier, repeat)),
            None => _ = first.insert(*key, repeat),
        }
    }
    let is_allowed = |earlier: &Repeat, repeat: &Repeat| request.allow_identical_duplicates && earlier.equals(repeat);
    let refused: Vec<_> = later.iter().filter(|(_, earlier, repeat)| !is_allowed(earlier, repeat)).collect();
    if refused.is_empty() {
        return Ok(later.iter().map(|(_, _, repeat)| (repeat.file, repeat.place)).collect());
    }
    let describe =
        |&&(key, earlier, repeat): &&(Key, &Repeat, &Repeat)| problem(key, earlier, repeat, plan, merged, inputs);
    let problems = refused.iter().take(SHOWN_PROBLEMS).map(describe).collect();
    let error = Error::rows(problems, refused.len() as u64);
    let are_identical = refused.iter().all(|(_, earlier, repeat)| earlier.equals(repeat));
    Err(if are_identical { error.with_help("--allow-identical-duplicates drops the repeats") } else { error })
}

fn problem(
    (window, ds): Key,
    earlier: &Repeat,
    repeat: &Repeat,
    plan: &Plan,
    merged: &Merger<'_>,
    inputs: &Inputs<'_>,
) -> Problem {
    let window = merged.windows[window as usize];
    let id = String::from_utf8_lossy(&merged.series[window.series as usize]).into_owned();
    let print = |time| if time == NO_CUTOFF { "unknown".to_owned() } else { time::print(time, plan.kind, true) };
    let path = |repeat: &Repeat| inputs.parts[repeat.file].path.clone();
    let how = match (earlier.equals(repeat), earlier.same_actual(repeat)) {
        (true, _) => "the same row",
        (false, true) => "other forecasts",
        (false, false) => "another actual",
    };
    let there = Place::line(path(earlier), earlier.line);
    Problem {
        place: Place::line(path(repeat), repeat.line),
        found: format!(
            "series {id:?}, cutoff {}, time {} is at {there} already, with {how}",
            print(window.cutoff),
            print(ds)
        ),
        expected: "one row for each series, cutoff and time".to_owned(),
    }
}
