//! The rows of the forecast table, each with what it takes part in.

use shared::{Result, predicate};

use super::predicate::Writer;
use super::{Dialect, Header};
use crate::load::forecasts::Direction;

/// `source`: series, times and numbers by position, and which groups a row belongs to; `marked`: whether it is paired.
pub(super) fn ctes(header: &Header) -> Result<Vec<(String, String)>> {
    let dialect = header.dialect;
    let columns = columns(header)?.join(",\n    ");
    let source = format!("SELECT\n    {columns}\n  FROM {} t", dialect.table(&header.table)?);
    Ok(vec![("source".to_owned(), source), ("marked".to_owned(), marked(header))])
}

fn columns(header: &Header) -> Result<Vec<String>> {
    let dialect = header.dialect;
    let names = &header.columns;
    let named = |name: &str| format!("t.{}", dialect.name(name));
    let number = |name: &str, alias: &str| format!("{} AS {alias}", dialect.as_double(&named(name)));
    let mut columns = vec![
        format!("{} AS series", series(dialect, &named(&names.id))),
        format!("{} AS cutoff", names.cutoff.as_deref().map_or_else(|| dialect.as_text("NULL"), named)),
        format!("{} AS ds", named(&names.ds)),
        number(&names.y, "y"),
    ];
    columns.extend(header.models.iter().enumerate().map(|(index, model)| number(model, &format!("m{index}"))));
    for index in 0..header.models.len() {
        for side in ["lo", "hi"] {
            columns.extend(header.bound(index, side).map(|bound| number(&bound, &format!("{side}{index}"))));
        }
    }
    columns.extend(memberships(header)?);
    Ok(columns)
}

/// The text of a series, as the reader of forecast tables has it.
pub(super) fn series(dialect: Dialect, expression: &str) -> String {
    format!("COALESCE({}, '')", dialect.as_text(expression))
}

/// For each slice whether the row is in it; for each column its level, and what type that is.
fn memberships(header: &Header) -> Result<Vec<String>> {
    let writer = Writer { dialect: header.dialect, header };
    let mut columns = Vec::new();
    for (index, slice) in header.slices.iter().enumerate() {
        let condition = writer.condition(&predicate::parse(slice)?);
        columns.push(format!("CASE WHEN {condition} THEN 1 ELSE 0 END AS in_slice{index}"));
    }
    for (index, name) in header.by.iter().enumerate() {
        let (null, column) = (writer.is_null(name), writer.column(name));
        let text = header.dialect.as_text(&column);
        columns.push(format!("CASE WHEN {null} THEN 'null' ELSE {text} END AS level{index}"));
        columns.push(format!("{} AS level_type{index}", header.dialect.type_of(&column)));
    }
    Ok(columns)
}

/// Finite is what gives 0 less itself: NaN and infinite give NaN, nothing gives nothing.
pub(super) fn is_finite(name: &str) -> String {
    format!("({name} - {name}) = 0")
}

fn marked(header: &Header) -> String {
    let numbers = std::iter::once("y".to_owned()).chain((0..header.models.len()).map(|index| format!("m{index}")));
    let paired: Vec<String> = numbers.map(|name| is_finite(&name)).collect();
    let bounded: Vec<String> = (0..header.models.len())
        .filter(|&index| header.level.is_some() && header.intervals[index])
        .flat_map(|index| [format!("lo{index}"), format!("hi{index}")])
        .map(|name| is_finite(&name))
        .collect();
    let bounded = if bounded.is_empty() { "1 = 0".to_owned() } else { bounded.join(" AND ") };
    format!(
        "SELECT s.*,\n    CASE WHEN {} THEN 1 ELSE 0 END AS paired,\n    CASE WHEN {bounded} THEN 1 ELSE 0 END AS bounded\n  FROM source s",
        paired.join(" AND ")
    )
}

/// The numbers of the row before, among the paired rows of its window.
pub(super) fn befores(header: &Header) -> Vec<String> {
    if header.direction == Direction::Last {
        return Vec::new();
    }
    let numbers = std::iter::once("y".to_owned()).chain((0..header.models.len()).map(|index| format!("m{index}")));
    let before = |name: String| {
        format!("LAG(r.{name}) OVER (PARTITION BY r.series, r.cutoff, r.paired ORDER BY r.ds) AS {name}_before")
    };
    numbers.map(before).collect()
}
