//! Cells as the sums of a block, so that what comes after them is the same as after a table of forecasts.

use std::collections::HashMap;

use super::super::merge::Merger;
use super::super::partial::Partial;
use super::super::plan::Plan;
use super::super::sums::{Sums, number};
use super::super::tally::Tally;
use super::super::time::{self, Kind};
use super::super::window::Window;
use super::super::{Detail, Request};
use super::cell::Cell;
use super::shape::{Count, Shape};

/// Where what is asked for stands in the file.
pub(super) struct Fill<'p> {
    pub(super) plan: &'p Plan,
    pub(super) shape: &'p Shape,
    pub(super) request: &'p Request,
    pub(super) detail: Detail,
    /// For each model asked for, its place among those of the file.
    pub(super) models: Vec<usize>,
}

/// Levels, and groups by unit, that have been met.
#[derive(Debug, Default)]
struct Known {
    levels: HashMap<(u32, String), u32>,
    places: HashMap<(u32, u32), usize>,
}

impl<'p> Fill<'p> {
    /// Adds up all cells, which are sorted.
    pub(super) fn merged(&self, cells: &[Cell]) -> Merger<'p> {
        let mut tally = Tally::new(self.plan, self.detail, 0);
        let units = self.windows(cells, &mut tally);
        let mut known = Known::default();
        for cell in cells {
            let Some(&unit) = units.get(&(cell.series.as_slice(), cell.cutoff)) else { continue };
            match cell.group {
                Some(0) => self.add_all(cell, unit, &mut tally),
                Some(group) => self.add_to_group(cell, group, unit, &mut tally, &mut known),
                None => {}
            }
        }
        let mut merger = Merger::new(self.plan, self.detail);
        merger.add(&Partial::from(tally));
        merger
    }

    /// The windows, and what sums are kept by in each.
    fn windows<'c>(&self, cells: &'c [Cell], tally: &mut Tally<'p>) -> HashMap<(&'c [u8], i64), u32> {
        let mut units = HashMap::new();
        for cell in cells.iter().filter(|cell| cell.group == Some(0)) {
            if tally.series.last() != Some(&cell.series) {
                tally.series.push(cell.series.clone());
            }
            let series = number(tally.series.len() - 1);
            let window = Window {
                rows: small(cell.counts[Count::Rows as usize]),
                first: cell.first,
                last: cell.last,
                ..Window::new(series, cell.cutoff)
            };
            tally.windows.push(window);
            let unit = if self.detail == Detail::Series { series } else { number(tally.windows.len() - 1) };
            units.insert((cell.series.as_slice(), cell.cutoff), unit);
        }
        units
    }

    fn add_all(&self, cell: &Cell, unit: u32, tally: &mut Tally<'p>) {
        let count = |count: Count| cell.counts[count as usize];
        let checks = &mut tally.checks;
        checks.rows += count(Count::Rows);
        checks.paired += count(Count::Paired);
        checks.missing_actual += count(Count::MissingActual);
        checks.zero_actual += count(Count::ZeroActual);
        checks.no_scale += count(Count::NoScale);
        checks.no_last_actual += count(Count::NoLast);
        for (lost, &model) in checks.missing_forecast.iter_mut().zip(&self.models) {
            *lost += cell.counts[self.shape.missing(model)];
        }
        self.add(cell, unit as usize, &mut tally.all);
    }

    fn add_to_group(&self, cell: &Cell, group: usize, unit: u32, tally: &mut Tally<'p>, known: &mut Known) {
        let Some(id) = self.group(cell, group - 1, tally, known) else { return };
        let next = tally.group_keys.len();
        let place = *known.places.entry((id, unit)).or_insert(next);
        if place == next {
            tally.group_keys.push((id, unit));
        }
        self.add(cell, place, &mut tally.grouped);
    }

    /// The number of a slice or level among those asked for; the file may hold more.
    fn group(&self, cell: &Cell, place: usize, tally: &mut Tally<'p>, known: &mut Known) -> Option<u32> {
        let header = &self.shape.header;
        if let Some(name) = header.slices.get(place) {
            return self.request.slices.iter().position(|asked| asked == name).map(number);
        }
        let name = &header.by[place - header.slices.len()];
        let column = number(self.plan.by_names.iter().position(|asked| asked == name)?);
        let level = (column, level_name(cell, self.plan.kind));
        let next = number(tally.levels.len());
        let level = *known.levels.entry(level).or_insert_with_key(|level| {
            tally.levels.push(level.clone());
            next
        });
        Some(number(self.request.slices.len()) + level)
    }

    fn add(&self, cell: &Cell, unit: usize, sums: &mut Sums) {
        sums.grow(unit + 1);
        let measures = &self.plan.measures;
        let (rows, counts, totals) = sums.unit(unit);
        *rows += small(cell.counts[Count::Paired as usize]);
        for (index, plan) in measures.iter().enumerate() {
            counts[index] += small(cell.counts[self.shape.count(plan.measure)]);
            for (place, &model) in self.models.iter().enumerate() {
                let sum = self.shape.sum(plan.measure, model).map_or(0.0, |sum| cell.sums[sum]);
                totals[place * measures.len() + index] += sum;
            }
        }
    }
}

fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A level as the reader of forecast tables names it: numbers as short as they can be, whatever the engine's type.
fn level_name(cell: &Cell, kind: Kind) -> String {
    let (level, of) = (&cell.level, cell.level_type.to_ascii_lowercase());
    let is_text = ["char", "text", "string", "utf8"].iter().any(|text| of.contains(text));
    if is_text || level == "null" {
        return level.clone();
    }
    if of.starts_with("bool") {
        return if level.eq_ignore_ascii_case("true") || level == "t" { "1".to_owned() } else { "0".to_owned() };
    }
    if let Ok(number) = level.parse::<f64>() {
        return number.to_string();
    }
    time::of_field(level.as_bytes()).map_or_else(|| level.clone(), |(time, _)| time::print(time, kind, true))
}
