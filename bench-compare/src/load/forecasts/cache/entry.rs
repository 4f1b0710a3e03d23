//! The sums of one file as bytes: the kinds of time in it, and the sums of each of its blocks.

use shared::format::sufficient::Checks;

use super::super::Detail;
use super::super::partial::Partial;
use super::super::plan::Plan;
use super::super::sums::Sums;
use super::super::time::Kind;
use super::super::window::Window;
use super::bytes::{Reader, Writer};

/// What a file adds to a table.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct FileSums {
    pub(in super::super) blocks: Vec<Partial>,
    /// The kinds of time, and the lines on which they were first seen.
    pub(in super::super) kinds: Vec<(Kind, u64)>,
}

const KINDS: [Kind; 3] = [Kind::Integer, Kind::Naive, Kind::Offset];

/// The sums of a block as bytes.
pub(super) fn write_block(writer: &mut Writer, block: &Partial) {
    writer.all(&block.series, |writer, id| writer.bytes(id));
    writer.all(&block.windows, write_window);
    write_sums(writer, &block.all);
    write_sums(writer, &block.grouped);
    writer.all(&block.group_keys, |writer, (group, unit)| {
        writer.u32(*group);
        writer.u32(*unit);
    });
    writer.all(&block.levels, |writer, (column, level)| {
        writer.u32(*column);
        writer.bytes(level.as_bytes());
    });
    write_checks(writer, &block.checks);
}

pub(super) fn write_kinds(writer: &mut Writer, kinds: &[(Kind, u64)]) {
    writer.all(kinds, |writer, (kind, line)| {
        writer.u32(*kind as u32);
        writer.u64(*line);
    });
}

fn write_window(writer: &mut Writer, window: &Window) {
    let Window { series, rows, cutoff, first, last, is_ordered } = *window;
    [series, rows, u32::from(is_ordered)].into_iter().for_each(|number| writer.u32(number));
    [cutoff, first, last].into_iter().for_each(|time| writer.i64(time));
}

fn write_sums(writer: &mut Writer, sums: &Sums) {
    writer.all(&sums.rows, |writer, rows| writer.u32(*rows));
    writer.all(&sums.counts, |writer, count| writer.u32(*count));
    writer.all(&sums.totals, |writer, total| writer.f64(*total));
}

fn write_checks(writer: &mut Writer, checks: &Checks) {
    let Checks {
        rows,
        paired,
        missing_actual,
        missing_forecast,
        zero_actual,
        no_scale,
        no_last_actual,
        duplicates_dropped,
    } = checks;
    let numbers = [rows, paired, missing_actual, zero_actual, no_scale, no_last_actual, duplicates_dropped];
    numbers.into_iter().for_each(|number| writer.u64(*number));
    writer.all(missing_forecast, |writer, rows| writer.u64(*rows));
}

/// Reads what [`write_kinds`] and then [`write_block`] wrote; `None` if anything does not fit the plan.
pub(super) fn read(content: &[u8], plan: &Plan, detail: Detail) -> Option<FileSums> {
    let mut reader = Reader(content);
    let kinds = reader.all(|reader| Some((*KINDS.get(reader.u32()? as usize)?, reader.u64()?)))?;
    let mut blocks = Vec::new();
    while !reader.is_at_end() {
        blocks.push(read_block(&mut reader, plan).filter(|block| is_sound(block, plan, detail))?);
    }
    Some(FileSums { blocks, kinds })
}

fn read_block(reader: &mut Reader<'_>, plan: &Plan) -> Option<Partial> {
    Some(Partial {
        series: reader.all(|reader| reader.bytes().map(<[u8]>::to_vec))?,
        windows: reader.all(read_window)?,
        all: read_sums(reader, plan)?,
        grouped: read_sums(reader, plan)?,
        group_keys: reader.all(|reader| Some((reader.u32()?, reader.u32()?)))?,
        levels: reader.all(|reader| Some((reader.u32()?, reader.text()?)))?,
        checks: read_checks(reader)?,
    })
}

fn read_window(reader: &mut Reader<'_>) -> Option<Window> {
    let (series, rows, is_ordered) = (reader.u32()?, reader.u32()?, reader.u32()? == 1);
    let (cutoff, first, last) = (reader.i64()?, reader.i64()?, reader.i64()?);
    Some(Window { series, rows, cutoff, first, last, is_ordered })
}

fn read_sums(reader: &mut Reader<'_>, plan: &Plan) -> Option<Sums> {
    let (models, measures) = (plan.models.len(), plan.measures.len());
    let mut sums = Sums::new(models, measures);
    (sums.rows, sums.counts, sums.totals) =
        (reader.all(Reader::u32)?, reader.all(Reader::u32)?, reader.all(Reader::f64)?);
    let units = sums.rows.len();
    (sums.counts.len() == units * measures && sums.totals.len() == units * measures * models).then_some(sums)
}

fn read_checks(reader: &mut Reader<'_>) -> Option<Checks> {
    Some(Checks {
        rows: reader.u64()?,
        paired: reader.u64()?,
        missing_actual: reader.u64()?,
        zero_actual: reader.u64()?,
        no_scale: reader.u64()?,
        no_last_actual: reader.u64()?,
        duplicates_dropped: reader.u64()?,
        missing_forecast: reader.all(Reader::u64)?,
    })
}

/// Whether all numbers of series, units, groups and levels lead somewhere.
fn is_sound(block: &Partial, plan: &Plan, detail: Detail) -> bool {
    let units = match detail {
        Detail::Series => block.series.len(),
        Detail::Windows => block.windows.len(),
    };
    let (slices, levels) = (plan.slices.len(), block.levels.len());
    let known = |number: u32, count: usize| (number as usize) < count;
    block.windows.iter().all(|window| known(window.series, block.series.len()))
        && block.all.rows.len() <= units
        && block.group_keys.iter().all(|&(group, unit)| known(group, slices + levels) && known(unit, units))
        && block.grouped.rows.len() == block.group_keys.len()
        && block.levels.iter().all(|(column, _)| known(*column, plan.by.len()))
        && block.checks.missing_forecast.len() == plan.models.len()
}
