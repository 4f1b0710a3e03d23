//! Sums up the rows of one block: runs of rows of the same window are gathered by column and added at once.

use std::collections::HashMap;

use shared::format::sufficient::Checks;
use shared::predicate::Row as _;
use shared::predicate::Value;

use super::Detail;
use super::measure::{Anchor, Direction, Run};
use super::plan::Plan;
use super::row::{NO_CUTOFF, Problems, Row, Sink};
use super::sums::{KeyMap, Sums, number};
use super::time;
use super::train::History;
use super::window::Window;

/// Rows gathered before they are added up.
const RUN_ROWS: usize = 256;

/// The sums of a block. Numbers of series, windows and levels count from 0 in the order of appearance.
pub(super) struct Tally<'p> {
    plan: &'p Plan,
    detail: Detail,
    file: usize,
    /// Series of the block.
    pub(super) series: Vec<Vec<u8>>,
    series_index: HashMap<Vec<u8>, u32>,
    pub(super) windows: Vec<Window>,
    window_index: KeyMap<(u32, i64), u32>,
    /// Sums of all rows, by series or window.
    pub(super) all: Sums,
    /// Sums of slices and levels: (group, unit) and its place.
    pub(super) grouped: Sums,
    pub(super) group_keys: Vec<(u32, u32)>,
    group_index: KeyMap<(u32, u32), u32>,
    /// Levels of the `--by` columns: (column, level); level `i` is group `slices + i`.
    pub(super) levels: Vec<(u32, String)>,
    level_index: HashMap<(u32, String), u32>,
    pub(super) checks: Checks,
    current: Current<'p>,
    run: Gathered,
}

/// The window that rows are being gathered of.
#[derive(Debug, Clone, Copy, Default)]
struct Current<'p> {
    window: Option<u32>,
    series: u32,
    history: Option<&'p History>,
    anchor: Anchor,
}

/// The rows gathered.
#[derive(Debug, Clone)]
struct Gathered {
    columns: Vec<Vec<f64>>,
    /// The row before each, for [`Direction::Diff`].
    before: Option<Vec<Vec<f64>>>,
    /// For each slice, which rows it selects.
    selected: Vec<Vec<bool>>,
    /// For each `--by` column, the level of each row.
    levels: Vec<Vec<u32>>,
    /// The last row of each window so far, for [`Direction::Diff`].
    previous: KeyMap<u32, Vec<f64>>,
}

impl Gathered {
    fn new(plan: &Plan) -> Self {
        let columns = vec![Vec::with_capacity(RUN_ROWS); plan.width()];
        let before = (plan.direction == Direction::Diff).then(|| columns.clone());
        let (selected, levels) = (vec![Vec::new(); plan.slices.len()], vec![Vec::new(); plan.by.len()]);
        Self { columns, before, selected, levels, previous: KeyMap::default() }
    }

    fn rows(&self) -> usize {
        self.columns[0].len()
    }

    fn clear(&mut self) {
        self.columns.iter_mut().chain(self.before.iter_mut().flatten()).for_each(Vec::clear);
        self.selected.iter_mut().for_each(Vec::clear);
        self.levels.iter_mut().for_each(Vec::clear);
    }

    #[inline]
    fn push(&mut self, values: &[f64], window: u32) {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(*value);
        }
        if let Some(before) = &mut self.before {
            let previous = self.previous.insert(window, values.to_vec());
            for (index, column) in before.iter_mut().enumerate() {
                column.push(previous.as_ref().map_or(f64::NAN, |row| row[index]));
            }
        }
    }
}

/// The rows of `columns` that `keep` selects.
fn filtered(columns: &[Vec<f64>], keep: impl Fn(usize) -> bool) -> Vec<Vec<f64>> {
    let kept = |column: &Vec<f64>| (0..column.len()).filter(|&row| keep(row)).map(|row| column[row]).collect();
    columns.iter().map(kept).collect()
}

impl<'p> Tally<'p> {
    pub(super) fn new(plan: &'p Plan, detail: Detail, file: usize) -> Self {
        let sums = Sums::new(plan.models.len(), plan.measures.len());
        let checks = Checks { missing_forecast: vec![0; plan.models.len()], ..Checks::default() };
        Self {
            plan,
            detail,
            file,
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
            checks,
            current: Current::default(),
            run: Gathered::new(plan),
        }
    }

    /// Adds what has been gathered.
    pub(super) fn finish(mut self) -> Self {
        self.flush();
        self
    }

    #[inline]
    fn is_current(&self, row: &Row<'_>) -> bool {
        self.current.window.is_some_and(|window| {
            self.windows[window as usize].cutoff == row.cutoff && self.series[self.current.series as usize] == row.id
        })
    }

    fn enter(&mut self, row: &Row<'_>) {
        self.flush();
        let series = self.series_of(row.id);
        let count = number(self.windows.len());
        let window = *self.window_index.entry((series, row.cutoff)).or_insert(count);
        if window == count {
            self.windows.push(Window::new(series, row.cutoff));
        }
        let history = self.plan.train.as_ref().and_then(|train| train.history(row.id));
        let anchor = history.filter(|_| row.cutoff != NO_CUTOFF).map(|history| history.anchor(row.cutoff));
        self.current = Current { window: Some(window), series, history, anchor: anchor.unwrap_or_default() };
        self.all.grow(self.unit() as usize + 1);
    }

    fn series_of(&mut self, id: &[u8]) -> u32 {
        let same = self.series.get(self.current.series as usize).is_some_and(|known| known == id);
        if same {
            return self.current.series;
        }
        if let Some(known) = self.series_index.get(id) {
            return *known;
        }
        let number = number(self.series.len());
        self.series.push(id.to_vec());
        self.series_index.insert(id.to_vec(), number);
        number
    }

    /// What sums are kept by.
    fn unit(&self) -> u32 {
        match self.detail {
            Detail::Series => self.current.series,
            Detail::Windows => self.current.window.unwrap_or_default(),
        }
    }

    /// Whether the row is one that counts: actual and all models finite.
    fn is_paired(&mut self, row: &Row<'_>) -> bool {
        let models = self.plan.models.len();
        if row.values[..=models].iter().all(|value| value.is_finite()) {
            return true;
        }
        self.checks.missing_actual += u64::from(!row.values[0].is_finite());
        for (lost, value) in self.checks.missing_forecast.iter_mut().zip(&row.values[1..]) {
            *lost += u64::from(!value.is_finite());
        }
        false
    }

    fn classify(&mut self, row: &Row<'_>, problems: &mut Problems) {
        let plan = self.plan;
        let view = plan.view(row);
        for (slice, selected) in plan.slices.iter().zip(&mut self.run.selected) {
            selected.push(slice.selects(&view).unwrap_or_else(|mismatch| {
                problems.note(row.line, None, || (mismatch.to_string(), mismatch.expected.to_owned()));
                false
            }));
        }
        for (column, &cell) in plan.by.iter().enumerate() {
            let level = self.level(number(column), view.value(cell));
            self.run.levels[column].push(level);
        }
    }

    fn level(&mut self, column: u32, value: Value<'_>) -> u32 {
        let key = (column, level_name(value, self.plan));
        let next = number(self.levels.len());
        let level = *self.level_index.entry(key.clone()).or_insert(next);
        if level == next {
            self.levels.push(key);
        }
        level
    }

    fn flush(&mut self) {
        let rows = self.run.rows();
        if rows == 0 {
            return;
        }
        let unit = self.unit();
        self.count_checks();
        let (models, anchor) = (self.plan.models.len(), self.current.anchor);
        let (unit_rows, counts, sums) = self.all.unit(unit as usize);
        *unit_rows += number(rows);
        let run = Run { columns: &self.run.columns, before: self.run.before.as_deref(), anchor };
        run.add(&self.plan.measures, models, sums, counts);
        self.flush_groups(unit);
        self.run.clear();
    }

    fn count_checks(&mut self) {
        let rows = self.run.rows() as u64;
        self.checks.paired += rows;
        self.checks.zero_actual += self.run.columns[0].iter().filter(|&&y| y == 0.0).count() as u64;
        self.checks.no_scale += if self.current.anchor.scale.is_none() { rows } else { 0 };
        self.checks.no_last_actual += if self.current.anchor.last.is_none() { rows } else { 0 };
    }

    fn flush_groups(&mut self, unit: u32) {
        let selected = std::mem::take(&mut self.run.selected);
        for (slice, mask) in selected.iter().enumerate() {
            if mask.contains(&true) {
                self.add_group(number(slice), unit, |row| mask[row]);
            }
        }
        self.run.selected = selected;
        let levels = std::mem::take(&mut self.run.levels);
        for of_rows in &levels {
            let mut distinct = of_rows.clone();
            distinct.sort_unstable();
            distinct.dedup();
            for level in distinct {
                self.add_group(number(self.plan.slices.len()) + level, unit, |row| of_rows[row] == level);
            }
        }
        self.run.levels = levels;
    }

    fn add_group(&mut self, group: u32, unit: u32, keep: impl Fn(usize) -> bool) {
        let columns = filtered(&self.run.columns, &keep);
        let before = self.run.before.as_ref().map(|before| filtered(before, &keep));
        let next = number(self.group_keys.len());
        let place = *self.group_index.entry((group, unit)).or_insert(next);
        if place == next {
            self.group_keys.push((group, unit));
            self.grouped.grow(self.group_keys.len());
        }
        let (rows, counts, sums) = self.grouped.unit(place as usize);
        *rows += number(columns[0].len());
        let run = Run { columns: &columns, before: before.as_deref(), anchor: self.current.anchor };
        run.add(&self.plan.measures, self.plan.models.len(), sums, counts);
    }

    fn is_skipped(&self, row: &Row<'_>) -> bool {
        !self.plan.skip.is_empty() && self.plan.skip.contains(&(self.file, row.place))
    }

    fn compare_actual(&self, row: &Row<'_>, problems: &mut Problems) {
        let Some(known) = self.current.history.and_then(|history| history.actual(row.ds)) else { return };
        let actual = row.values[0];
        if (actual - known).abs() > 1e-6 * actual.abs().max(known.abs()) {
            problems.note(row.line, None, || {
                (format!("the actual {actual} is {known} in the training table"), "the same actuals".into())
            });
        }
    }

    fn is_after_cutoff(&self, row: &Row<'_>, problems: &mut Problems) -> bool {
        let is_after = row.cutoff == NO_CUTOFF || row.ds > row.cutoff;
        if !is_after {
            let [ds, cutoff] = [row.ds, row.cutoff].map(|time| time::print(time, self.plan.kind, false));
            problems.note(row.line, None, || {
                (format!("the target time {ds} is not after the cutoff {cutoff}"), "a forecast of a later time".into())
            });
        }
        is_after
    }
}

/// The name of a level: the text of a CSV field as it stands, `null` where nothing is there.
fn level_name(value: Value<'_>, plan: &Plan) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Number(number) if number.is_nan() => "null".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.to_owned(),
        Value::Time(micros) => time::print(micros, plan.kind, true),
    }
}

impl Sink for Tally<'_> {
    #[inline]
    fn row(&mut self, row: &Row<'_>, problems: &mut Problems) {
        if self.is_skipped(row) {
            self.checks.duplicates_dropped += 1;
            return;
        }
        self.checks.rows += 1;
        if !self.is_after_cutoff(row, problems) {
            return;
        }
        if !self.is_current(row) {
            self.enter(row);
        }
        let Some(window) = self.current.window else { return };
        self.windows[window as usize].take(row.ds);
        if !self.is_paired(row) {
            return;
        }
        if self.current.history.is_some() {
            self.compare_actual(row, problems);
        }
        if self.run.rows() == RUN_ROWS {
            self.flush();
        }
        if !self.plan.slices.is_empty() || !self.plan.by.is_empty() {
            self.classify(row, problems);
        }
        self.run.push(row.values, window);
    }
}
