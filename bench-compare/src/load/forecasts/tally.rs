//! Sums up the rows of one block: those of a stretch are added at once, column by column.

use std::collections::HashMap;

use shared::format::sufficient::Checks;
use shared::predicate::{Compiled, Row as _, Value};

use super::Detail;
use super::measure::{Anchor, Direction, Run};
use super::plan::Plan;
use super::row::{Columns, Kept, NO_CUTOFF, Problems, Row, Sink, Stretch};
use super::sums::{KeyMap, Sums, number};
use super::time;
use super::train::History;
use super::window::Window;

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
    /// The last paired row of each window so far, for [`Direction::Diff`].
    previous: KeyMap<u32, Vec<f64>>,
}

/// The window that rows are being gathered of.
#[derive(Debug, Clone, Copy, Default)]
struct Current<'p> {
    window: Option<u32>,
    series: u32,
    history: Option<&'p History>,
    anchor: Anchor,
}

/// The groups that the rows of a stretch belong to.
struct Classes {
    /// For each slice, which rows it selects.
    selected: Vec<Vec<bool>>,
    /// For each `--by` column, the level of each row.
    levels: Vec<Vec<u32>>,
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
            previous: KeyMap::default(),
        }
    }

    #[inline]
    fn is_current(&self, stretch: &Stretch<'_>) -> bool {
        self.current.window.is_some_and(|window| {
            self.windows[window as usize].cutoff == stretch.cutoff
                && self.series[self.current.series as usize] == stretch.id
        })
    }

    fn enter(&mut self, stretch: &Stretch<'_>) {
        let series = self.series_of(stretch.id);
        let count = number(self.windows.len());
        let window = *self.window_index.entry((series, stretch.cutoff)).or_insert(count);
        if window == count {
            self.windows.push(Window::new(series, stretch.cutoff));
        }
        let history = self.plan.train.as_ref().and_then(|train| train.history(stretch.id));
        let known = history.filter(|_| stretch.cutoff != NO_CUTOFF);
        let anchor = known.map(|history| history.anchor(stretch.cutoff)).unwrap_or_default();
        self.current = Current { window: Some(window), series, history, anchor };
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

    /// Takes rows, none of which is to be left out.
    fn take(&mut self, stretch: &Stretch<'_>, problems: &mut Problems) {
        if stretch.ds.is_empty() {
            return;
        }
        self.checks.rows += stretch.ds.len() as u64;
        self.check_times(stretch, problems);
        if !self.is_current(stretch) {
            self.enter(stretch);
        }
        let Some(window) = self.current.window else { return };
        self.windows[window as usize].take(stretch.ds);
        let numbers = self.plan.models.len() + 1;
        if (0..numbers).all(|slot| are_finite(stretch.column(slot))) {
            return self.add(stretch, problems);
        }
        self.count_missing(stretch);
        let paired = Kept::new(stretch, self.plan.width(), |row| row.values(numbers).all(f64::is_finite));
        paired.show(|stretch| self.add(stretch, problems));
    }

    fn count_missing(&mut self, stretch: &Stretch<'_>) {
        let missing = |slot| stretch.column(slot).iter().filter(|value| !value.is_finite()).count() as u64;
        self.checks.missing_actual += missing(0);
        for (lost, slot) in self.checks.missing_forecast.iter_mut().zip(1..) {
            *lost += missing(slot);
        }
    }

    /// Adds paired rows of the current window.
    fn add(&mut self, stretch: &Stretch<'_>, problems: &mut Problems) {
        let rows = stretch.ds.len();
        if rows == 0 {
            return;
        }
        if self.current.history.is_some() {
            stretch.rows().for_each(|row| self.compare_actual(&row, problems));
        }
        self.count_checks(stretch.column(0));
        let before = self.before(stretch);
        let before = before.as_ref().map(|values| Columns::Flat { values, stride: rows });
        let (unit, models, anchor) = (self.unit(), self.plan.models.len(), self.current.anchor);
        let run = Run { rows, columns: stretch.columns, before, anchor };
        let (unit_rows, counts, sums) = self.all.unit(unit as usize);
        *unit_rows += number(rows);
        run.add(&self.plan.measures, models, sums, counts);
        if !self.plan.slices.is_empty() || !self.plan.by.is_empty() {
            let classes = self.classify(stretch, problems);
            self.add_groups(&run, &classes);
        }
    }

    /// For each column the row before each row in its window, where directions are differences.
    fn before(&mut self, stretch: &Stretch<'_>) -> Option<Vec<f64>> {
        let (window, width) = (self.current.window?, self.plan.width());
        if self.plan.direction == Direction::Last {
            return None;
        }
        let ends = (0..width).filter_map(|slot| stretch.column(slot).last().copied()).collect();
        let known = self.previous.insert(window, ends).unwrap_or_else(|| vec![f64::NAN; width]);
        let shifted = |(slot, first): (usize, f64)| {
            let earlier = stretch.column(slot).split_last().map_or(&[][..], |(_, earlier)| earlier);
            std::iter::once(first).chain(earlier.iter().copied())
        };
        Some(known.into_iter().enumerate().flat_map(shifted).collect())
    }

    fn classify(&mut self, stretch: &Stretch<'_>, problems: &mut Problems) -> Classes {
        let plan = self.plan;
        let select = |slice: &Compiled| {
            let is_in = |row: Row<'_>| {
                slice.selects(&plan.view(row)).unwrap_or_else(|mismatch| {
                    problems.note(row.spot().line, None, || (mismatch.to_string(), mismatch.expected.to_owned()));
                    false
                })
            };
            stretch.rows().map(is_in).collect()
        };
        let selected = plan.slices.iter().map(select).collect();
        let level = |(column, &cell): (usize, &usize)| {
            let rows = stretch.rows();
            rows.map(|row| self.level(number(column), plan.view(row).value(cell))).collect()
        };
        let levels = plan.by.iter().enumerate().map(level).collect();
        Classes { selected, levels }
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

    fn count_checks(&mut self, actuals: &[f64]) {
        let rows = actuals.len() as u64;
        self.checks.paired += rows;
        self.checks.zero_actual += actuals.iter().map(|&y| u64::from(y == 0.0)).sum::<u64>();
        self.checks.no_scale += if self.current.anchor.scale.is_none() { rows } else { 0 };
        self.checks.no_last_actual += if self.current.anchor.last.is_none() { rows } else { 0 };
    }

    fn add_groups(&mut self, run: &Run<'_>, classes: &Classes) {
        for (slice, mask) in classes.selected.iter().enumerate() {
            if mask.contains(&true) {
                self.add_group(number(slice), run, |row| mask[row]);
            }
        }
        for of_rows in &classes.levels {
            let mut distinct = of_rows.clone();
            distinct.sort_unstable();
            distinct.dedup();
            for level in distinct {
                self.add_group(number(self.plan.slices.len()) + level, run, |row| of_rows[row] == level);
            }
        }
    }

    fn add_group(&mut self, group: u32, run: &Run<'_>, keep: impl Fn(usize) -> bool) {
        let kept: Vec<usize> = (0..run.rows).filter(|&row| keep(row)).collect();
        let rows = kept.len();
        let filtered = |columns: Columns<'_>| self.filtered(columns, &kept, run.rows);
        let (columns, before) = (filtered(run.columns), run.before.map(filtered));
        let (next, key) = (number(self.group_keys.len()), (group, self.unit()));
        let place = *self.group_index.entry(key).or_insert(next);
        if place == next {
            self.group_keys.push(key);
            self.grouped.grow(self.group_keys.len());
        }
        let (unit_rows, counts, sums) = self.grouped.unit(place as usize);
        *unit_rows += number(rows);
        let before = before.as_ref().map(|values| Columns::Flat { values, stride: rows });
        let columns = Columns::Flat { values: &columns, stride: rows };
        let run = Run { rows, columns, before, anchor: run.anchor };
        run.add(&self.plan.measures, self.plan.models.len(), sums, counts);
    }

    /// The rows `kept` of all columns, one column after the other.
    fn filtered(&self, columns: Columns<'_>, kept: &[usize], rows: usize) -> Vec<f64> {
        let column = |slot: usize| kept.iter().map(move |&row| columns.get(slot, rows)[row]);
        (0..self.plan.width()).flat_map(column).collect()
    }

    fn is_skipped(&self, row: &Row<'_>) -> bool {
        self.plan.skip.contains(&(self.file, row.spot().place))
    }

    fn compare_actual(&self, row: &Row<'_>, problems: &mut Problems) {
        let Some(known) = self.current.history.and_then(|history| history.actual(row.ds())) else { return };
        let actual = row.value(0);
        if (actual - known).abs() > 1e-6 * actual.abs().max(known.abs()) {
            problems.note(row.spot().line, None, || {
                (format!("the actual {actual} is {known} in the training table"), "the same actuals".into())
            });
        }
    }

    /// A target time that is not after the cutoff is a problem, which the table is refused for.
    fn check_times(&self, stretch: &Stretch<'_>, problems: &mut Problems) {
        let cutoff = stretch.cutoff;
        if cutoff == NO_CUTOFF || stretch.ds.iter().all(|ds| *ds > cutoff) {
            return;
        }
        for row in stretch.rows().filter(|row| row.ds() <= cutoff) {
            let [ds, cutoff] = [row.ds(), cutoff].map(|time| time::print(time, self.plan.kind, false));
            problems.note(row.spot().line, None, || {
                (format!("the target time {ds} is not after the cutoff {cutoff}"), "a forecast of a later time".into())
            });
        }
    }
}

fn are_finite(values: &[f64]) -> bool {
    values.iter().fold(true, |finite, value| finite & value.is_finite())
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
    fn stretch(&mut self, stretch: &Stretch<'_>, problems: &mut Problems) {
        if self.plan.skip.is_empty() {
            return self.take(stretch, problems);
        }
        let kept = Kept::new(stretch, self.plan.width(), |row| !self.is_skipped(row));
        kept.show(|kept| {
            self.checks.duplicates_dropped += (stretch.ds.len() - kept.ds.len()) as u64;
            self.take(kept, problems);
        });
    }
}
