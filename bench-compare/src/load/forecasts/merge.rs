//! The sums of all blocks, added up in the order of the files, and their final form.

use std::collections::HashMap;

use shared::format::sufficient::{Checks, Cutoff, Group, Measure, Panel, Sufficient};

use super::Detail;
use super::measure::MeasurePlan;
use super::partial::Partial;
use super::plan::Plan;
use super::row::NO_CUTOFF;
use super::steps::{Steps, whole};
use super::sums::{KeyMap, Sums, number};
use super::time::{self, DAY, Kind};
use super::window::Window;

/// The sums of a table so far.
pub(super) struct Merger<'p> {
    plan: &'p Plan,
    detail: Detail,
    pub(super) series: Vec<Vec<u8>>,
    series_index: HashMap<Vec<u8>, u32>,
    pub(super) windows: Vec<Window>,
    window_index: KeyMap<(u32, i64), u32>,
    all: Sums,
    grouped: Sums,
    group_keys: Vec<(u32, u32)>,
    group_index: KeyMap<(u32, u32), u32>,
    levels: Vec<(u32, String)>,
    level_index: HashMap<(u32, String), u32>,
    pub(super) checks: Checks,
}

impl<'p> Merger<'p> {
    pub(super) fn new(plan: &'p Plan, detail: Detail) -> Self {
        let sums = Sums::new(plan.models.len(), plan.measures.len());
        Self {
            plan,
            detail,
            series: Vec::new(),
            series_index: HashMap::new(),
            windows: Vec::new(),
            window_index: KeyMap::default(),
            all: sums.clone(),
            grouped: sums,
            group_keys: Vec::new(),
            group_index: KeyMap::default(),
            levels: Vec::new(),
            level_index: HashMap::new(),
            checks: Checks { missing_forecast: vec![0; plan.models.len()], ..Checks::default() },
        }
    }

    /// Adds the block that comes next in the file.
    pub(super) fn add(&mut self, tally: &Partial) {
        let series: Vec<u32> = tally.series.iter().map(|id| self.series_of(id)).collect();
        let windows: Vec<u32> = tally.windows.iter().map(|window| self.add_window(window, &series)).collect();
        let units = match self.detail {
            Detail::Series => &series,
            Detail::Windows => &windows,
        };
        for (local, &unit) in units.iter().enumerate().take(tally.all.rows.len()) {
            self.all.add(unit as usize, &tally.all, local);
        }
        self.add_groups(tally, units);
        add_checks(&mut self.checks, &tally.checks);
    }

    fn series_of(&mut self, id: &[u8]) -> u32 {
        if let Some(known) = self.series_index.get(id) {
            return *known;
        }
        let number = number(self.series.len());
        self.series.push(id.to_vec());
        self.series_index.insert(id.to_vec(), number);
        number
    }

    fn add_window(&mut self, window: &Window, series: &[u32]) -> u32 {
        let series = series[window.series as usize];
        let next = number(self.windows.len());
        let place = *self.window_index.entry((series, window.cutoff)).or_insert(next);
        if place == next {
            self.windows.push(Window::new(series, window.cutoff));
        }
        self.windows[place as usize].append(window);
        place
    }

    fn add_groups(&mut self, tally: &Partial, units: &[u32]) {
        let slices = number(self.plan.slices.len());
        let levels: Vec<u32> = tally.levels.iter().map(|level| self.level(level)).collect();
        for (local, &(group, unit)) in tally.group_keys.iter().enumerate() {
            let group = group.checked_sub(slices).map_or(group, |level| slices + levels[level as usize]);
            let next = number(self.group_keys.len());
            let key = (group, units[unit as usize]);
            let place = *self.group_index.entry(key).or_insert(next);
            if place == next {
                self.group_keys.push(key);
            }
            self.grouped.add(place as usize, &tally.grouped, local);
        }
    }

    fn level(&mut self, level: &(u32, String)) -> u32 {
        let next = number(self.levels.len());
        let number = *self.level_index.entry(level.clone()).or_insert(next);
        if number == next {
            self.levels.push(level.clone());
        }
        number
    }

    /// The models that are summed.
    pub(super) fn models(&self) -> &[String] {
        &self.plan.models
    }

    /// The sums in their final order: series by name, cutoffs by time.
    pub(super) fn finish(self, names: &GroupNames<'_>, mut notes: Vec<String>) -> Sufficient {
        let kind = self.plan.kind;
        let steps = Steps::of(&self.windows, kind);
        let cutoffs = distinct_cutoffs(&self.windows);
        let (order, ranks) = sorted(&self.series);
        let units = Units { merger: &self, ranks: &ranks, cutoffs: &cutoffs };
        let all = units.panel(&self.all, (0..self.all.rows.len()).map(|unit| (number(unit), unit)));
        let series: Vec<String> =
            order.iter().map(|&id| String::from_utf8_lossy(&self.series[id as usize]).into_owned()).collect();
        let labels = label_cutoffs(&cutoffs, steps, kind, &self.windows);
        let mut groups = vec![Group { name: "all".to_owned(), panel: all }];
        groups.extend(self.slices(&units, names));
        groups.extend(self.all_levels(&units, names, &groups[0].panel, &series, &labels));
        notes.push(format!("one forecast step is {}", steps.describe(kind)));
        Sufficient {
            models: self.plan.models.clone(),
            measures: self.plan.measures.iter().map(|plan| plan.measure).collect(),
            series,
            cutoffs: labels,
            horizon: horizon(&self.windows, steps),
            groups,
            span: span(&self.windows, kind),
            checks: self.checks,
            notes,
        }
    }

    fn slices(&self, units: &Units<'_>, names: &GroupNames<'_>) -> Vec<Group> {
        let keys = self.keys_by_group();
        let panel = |slice: u32| units.panel(&self.grouped, keys.get(&slice).into_iter().flatten().copied());
        let slices = (0..).zip(names.slices);
        slices.map(|(slice, name)| Group { name: name.clone(), panel: panel(slice) }).collect()
    }

    /// For each group its units and their places among the grouped sums.
    fn keys_by_group(&self) -> HashMap<u32, Vec<(u32, usize)>> {
        let mut keys: HashMap<u32, Vec<(u32, usize)>> = HashMap::new();
        for (place, &(group, unit)) in self.group_keys.iter().enumerate() {
            keys.entry(group).or_default().push((unit, place));
        }
        keys
    }

    /// The levels of the `--by` columns, in the order in which the columns were asked for.
    fn all_levels(
        &self,
        units: &Units<'_>,
        names: &GroupNames<'_>,
        all: &Panel,
        series: &[String],
        cutoffs: &[Cutoff],
    ) -> Vec<Group> {
        let keys = self.keys_by_group();
        let widths = (self.plan.models.len(), self.plan.measures.len());
        let of_column = |name: &String| match self.plan.by_names.iter().position(|known| known == name) {
            Some(column) => self.levels_of(number(column), name, units, &keys),
            None if *name == self.plan.wanted.columns.id => {
                split(all, &all.series, widths, |level| format!("{name}={}", series[level as usize]))
            }
            None => split(all, &all.cutoffs, widths, |level| format!("{name}={}", cutoffs[level as usize].label)),
        };
        names.by.iter().flat_map(of_column).collect()
    }

    fn levels_of(
        &self,
        column: u32,
        name: &str,
        units: &Units<'_>,
        keys: &HashMap<u32, Vec<(u32, usize)>>,
    ) -> Vec<Group> {
        let slices = number(self.plan.slices.len());
        let mut levels: Vec<(&str, u32)> = (0..)
            .zip(&self.levels)
            .filter(|(_, (of, _))| *of == column)
            .map(|(number, (_, level))| (level.as_str(), slices + number))
            .collect();
        levels.sort_by(|left, right| compare_levels(left.0, right.0));
        let panel = |group: u32| units.panel(&self.grouped, keys.get(&group).into_iter().flatten().copied());
        levels.iter().map(|&(level, group)| Group { name: format!("{name}={level}"), panel: panel(group) }).collect()
    }
}

/// Names of the groups asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupNames<'a> {
    /// The slices, as written.
    pub(super) slices: &'a [String],
    /// The `--by` columns.
    pub(super) by: &'a [String],
}

/// Numbers as numbers, before texts.
fn compare_levels(left: &str, right: &str) -> std::cmp::Ordering {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(l), Ok(r)) => l.total_cmp(&r).then_with(|| left.cmp(right)),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

/// Turns units into cells.
struct Units<'m> {
    merger: &'m Merger<'m>,
    ranks: &'m [u32],
    cutoffs: &'m [i64],
}

impl Units<'_> {
    /// Series and cutoff of a unit, in their final order.
    fn cell(&self, unit: u32) -> (u32, u32) {
        match self.merger.detail {
            Detail::Series => (self.ranks[unit as usize], 0),
            Detail::Windows => {
                let window = self.merger.windows[unit as usize];
                let cutoff = self.cutoffs.binary_search(&window.cutoff).unwrap_or_default();
                (self.ranks[window.series as usize], number(cutoff))
            }
        }
    }

    /// The panel of the units with rows, given each unit and its place in `sums`.
    fn panel(&self, sums: &Sums, units: impl Iterator<Item = (u32, usize)>) -> Panel {
        let with_rows = units.filter(|(_, place)| sums.rows[*place] > 0);
        let mut cells: Vec<((u32, u32), usize)> = with_rows.map(|(unit, place)| (self.cell(unit), place)).collect();
        cells.sort_unstable();
        let plan = self.merger.plan;
        let (counts, width) = (plan.measures.len(), plan.measures.len() * plan.models.len());
        let mut panel = Panel {
            series: cells.iter().map(|(cell, _)| cell.0).collect(),
            cutoffs: cells.iter().map(|(cell, _)| cell.1).collect(),
            rows: cells.iter().map(|(_, place)| sums.rows[*place]).collect(),
            counts: cells.iter().flat_map(|(_, place)| &sums.counts[place * counts..][..counts]).copied().collect(),
            sums: cells.iter().flat_map(|(_, place)| &sums.totals[place * width..][..width]).copied().collect(),
        };
        blank_absent_intervals(&mut panel.sums, &plan.measures, plan.models.len());
        panel
    }
}

/// The sums of an interval measure are NaN for models that have no such interval.
fn blank_absent_intervals(sums: &mut [f64], measures: &[MeasurePlan], models: usize) {
    for (index, plan) in measures.iter().enumerate() {
        let is_interval = matches!(plan.measure, Measure::IntervalHit { .. } | Measure::IntervalPinball { .. });
        for model in (0..models).filter(|&model| is_interval && plan.bounds[model].is_none()) {
            let first = model * measures.len() + index;
            sums.iter_mut().skip(first).step_by(models * measures.len()).for_each(|sum| *sum = f64::NAN);
        }
    }
}

/// One group for each distinct key, the cells of a panel distributed among them.
fn split(panel: &Panel, keys: &[u32], (models, measures): (usize, usize), name: impl Fn(u32) -> String) -> Vec<Group> {
    let mut cells: Vec<usize> = (0..keys.len()).collect();
    cells.sort_by_key(|&cell| keys[cell]);
    let chunks = cells.chunk_by(|&left, &right| keys[left] == keys[right]);
    let width = models * measures;
    let pick = |cells: &[usize]| Panel {
        series: cells.iter().map(|&cell| panel.series[cell]).collect(),
        cutoffs: cells.iter().map(|&cell| panel.cutoffs[cell]).collect(),
        rows: cells.iter().map(|&cell| panel.rows[cell]).collect(),
        counts: cells.iter().flat_map(|cell| &panel.counts[cell * measures..][..measures]).copied().collect(),
        sums: cells.iter().flat_map(|cell| &panel.sums[cell * width..][..width]).copied().collect(),
    };
    chunks.map(|cells| Group { name: name(keys[cells[0]]), panel: pick(cells) }).collect()
}

fn add_checks(ours: &mut Checks, theirs: &Checks) {
    ours.rows += theirs.rows;
    ours.paired += theirs.paired;
    ours.missing_actual += theirs.missing_actual;
    ours.zero_actual += theirs.zero_actual;
    ours.no_scale += theirs.no_scale;
    ours.no_last_actual += theirs.no_last_actual;
    ours.duplicates_dropped += theirs.duplicates_dropped;
    ours.missing_forecast.iter_mut().zip(&theirs.missing_forecast).for_each(|(ours, theirs)| *ours += theirs);
}

/// The series in the order of their names, and the rank of each.
fn sorted(series: &[Vec<u8>]) -> (Vec<u32>, Vec<u32>) {
    let mut order: Vec<u32> = (0..number(series.len())).collect();
    order.sort_unstable_by(|left, right| series[*left as usize].cmp(&series[*right as usize]));
    let mut ranks = vec![0; series.len()];
    (0..).zip(&order).for_each(|(rank, &id)| ranks[id as usize] = rank);
    (order, ranks)
}

fn distinct_cutoffs(windows: &[Window]) -> Vec<i64> {
    let mut cutoffs: Vec<i64> = windows.iter().map(|window| window.cutoff).collect();
    cutoffs.sort_unstable();
    cutoffs.dedup();
    cutoffs
}

fn label_cutoffs(cutoffs: &[i64], steps: Steps, kind: Kind, windows: &[Window]) -> Vec<Cutoff> {
    let dates = all_dates(windows);
    let first = cutoffs.first().copied().unwrap_or_default();
    let label = |cutoff: i64| match cutoff {
        NO_CUTOFF => Cutoff { label: "unknown".to_owned(), position: 0.0 },
        _ => Cutoff { label: time::print(cutoff, kind, dates), position: steps.between(first, cutoff) },
    };
    cutoffs.iter().map(|&cutoff| label(cutoff)).collect()
}

/// Whether all times are midnight, and so printed as dates.
fn all_dates(windows: &[Window]) -> bool {
    let times = windows.iter().flat_map(|window| [window.first, window.last, window.cutoff]);
    times.filter(|time| *time != NO_CUTOFF).all(|time| time.rem_euclid(DAY) == 0)
}

fn span(windows: &[Window], kind: Kind) -> Option<(String, String)> {
    let dates = all_dates(windows);
    let first = windows.iter().map(|window| window.first).min()?;
    let last = windows.iter().map(|window| window.last).max()?;
    Some((time::print(first, kind, dates), time::print(last, kind, dates)))
}

/// Steps of the longest window, from its cutoff to its last target time.
fn horizon(windows: &[Window], steps: Steps) -> u32 {
    let length = |window: &Window| match window.cutoff {
        NO_CUTOFF => steps.between(window.first, window.last) + 1.0,
        cutoff => steps.between(cutoff, window.last),
    };
    windows.iter().map(|window| u32::try_from(whole(length(window))).unwrap_or(1).max(1)).max().unwrap_or(1)
}
