//! What a file says of itself before it is read: its columns, the kind of its times, and which columns are models.

use std::borrow::Cow;

use shared::{Error, Place, Result};

use super::Request;
use super::fields::Fields;
use super::number;
use super::plan::{HORIZON, Plan, bound_of};
use super::source::{Shape, Source};
use super::time::{self, Kind};

/// Rows that are looked at.
const SAMPLE_ROWS: usize = 1000;

/// Bytes that are looked at.
const SAMPLE_BYTES: usize = 1 << 18;

/// The names of the columns.
pub(super) fn columns(source: &Source) -> Result<Vec<String>> {
    match &source.shape {
        Shape::Csv { header, .. } => Ok(header.clone()),
        Shape::Parquet => super::scan::parquet_columns(source),
    }
}

/// Whether there are rows.
pub(super) fn has_rows(source: &Source) -> Result<bool> {
    if source.shape == Shape::Parquet {
        return super::scan::parquet_has_rows(source);
    }
    let mut rows = 0;
    for_sample(source, |_| rows += 1)?;
    Ok(rows > 0)
}

/// The models asked for; else the columns that look like models, with a note that names them.
///
/// Nixtla's layout has the models after `y`, each followed by its intervals. So a model is a column of numbers after `y` (or
/// after the last of id, times and `y`) that is neither an interval, `h`, named with `--covariates`, nor used in a slice or
/// group; and where the table has intervals, none after the last interval column.
pub(super) fn models(source: &Source, columns: &[String], request: &Request) -> Result<(Vec<String>, Vec<String>)> {
    if !request.models.is_empty() {
        check_distinct(&request.models)?;
        return Ok((request.models.clone(), Vec::new()));
    }
    let first = columns.iter().rposition(|name| request.columns.contains(name)).map_or(0, |last| last + 1);
    let last_bound = columns.iter().rposition(|name| bound_of(name).is_some());
    let end = last_bound.map_or(columns.len(), |last| last + 1).max(first);
    let numeric = numeric_columns(source, columns)?;
    let is_model = |&index: &usize| {
        let name = &columns[index];
        numeric[index] && bound_of(name).is_none() && name != HORIZON && !name.is_empty() && !is_used(name, request)
    };
    let models: Vec<String> = (first..end).filter(is_model).map(|index| columns[index].clone()).collect();
    if models.is_empty() {
        let error = Error::input(Place::line(&source.path, 1), "no model columns after y", "columns of predictions");
        return Err(error.with_help("name them with --models A,B"));
    }
    let note =
        format!("models, inferred from the order of the columns: {} (--models says otherwise)", models.join(", "));
    Ok((models, vec![note]))
}

fn check_distinct(models: &[String]) -> Result<()> {
    match models.iter().enumerate().find(|(index, model)| models[..*index].contains(model)) {
        Some((_, twice)) => Err(Error::usage(format!("model {twice:?} is named twice"), "different models")),
        None => Ok(()),
    }
}

fn is_used(name: &str, request: &Request) -> bool {
    let in_slice =
        |slice: &String| shared::predicate::parse(slice).is_ok_and(|parsed| parsed.columns().contains(&name));
    request.covariates.iter().chain(&request.by).any(|known| known == name) || request.slices.iter().any(in_slice)
}

fn numeric_columns(source: &Source, columns: &[String]) -> Result<Vec<bool>> {
    if source.shape == Shape::Parquet {
        return super::scan::parquet_numeric(source);
    }
    let mut numeric = vec![true; columns.len()];
    for_sample(source, |fields| {
        for (flag, field) in numeric.iter_mut().zip(fields) {
            *flag &= number::of_field(field).is_some();
        }
    })?;
    Ok(numeric)
}

/// The kind of the target times, as the first row has them.
pub(super) fn kind(source: &Source, plan: &Plan) -> Result<Kind> {
    let ds = &plan.wanted.columns.ds;
    let Shape::Csv { header, .. } = &source.shape else { return super::scan::parquet_kind(source, ds) };
    let column = header.iter().position(|name| name == ds);
    let mut kind = None;
    for_sample(source, |fields| {
        let field = column.and_then(|column| fields.get(column));
        kind = kind.or_else(|| time::of_field(field?).map(|(_, kind)| kind));
    })?;
    Ok(kind.unwrap_or(Kind::Naive))
}

/// Shows the first rows of a CSV file.
fn for_sample(source: &Source, mut look: impl FnMut(&[Cow<'_, [u8]>])) -> Result<()> {
    let Shape::Csv { body, .. } = &source.shape else { return Ok(()) };
    let mut bytes = vec![0; SAMPLE_BYTES];
    let filled = source.read_at(&mut bytes, *body)?;
    let fields = Fields::new(&bytes[..filled], filled < SAMPLE_BYTES);
    let mut at = 0;
    for _ in 0..SAMPLE_ROWS {
        match fields.record(at) {
            Ok((record, next)) if at < filled => {
                look(&record);
                at = next;
            }
            _ => break,
        }
    }
    Ok(())
}
