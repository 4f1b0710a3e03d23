//! The whole query: its tables in order, and the result with a row of totals.

use shared::Result;

use super::{Header, cells, columns, history, source};

/// The query, with a comment that says what it needs.
///
/// # Errors
/// For tables that are none, and slices that do not parse.
pub(super) fn text(header: &Header) -> Result<String> {
    let mut ctes = source::ctes(header)?;
    ctes.extend(history::ctes(header)?);
    ctes.extend(cells::ctes(header));
    let ctes: Vec<String> = ctes.iter().map(|(name, query)| format!("{name} AS (\n  {query}\n)")).collect();
    Ok(format!("{}WITH {}\n{}\n", comment(header)?, ctes.join(",\n"), result(header)))
}

/// Names are printed as Rust prints texts, so that none can end the comment's line.
fn comment(header: &Header) -> Result<String> {
    let needed: Vec<String> = header.table_columns()?.iter().map(|name| format!("{name:?}")).collect();
    Ok(format!("-- Sufficient statistics: one aggregation.\n-- Columns of the forecast table: {}\n", needed.join(", ")))
}

/// Every cell once, and one row of totals, by which the reader knows that nothing is missing.
fn result(header: &Header) -> String {
    let dialect = header.dialect;
    let (counts, sums) = columns::numbers(header);
    let statistics = serde_json::to_string(header).unwrap_or_default();
    let mut parts = vec![
        format!("{} AS {}", dialect.text(&statistics), columns::STATISTICS),
        format!("COALESCE(k_group, -1) AS {}", columns::GROUP),
        format!("k_level AS {}", columns::LEVEL),
        format!("MIN(one_type) AS {}", columns::LEVEL_TYPE),
        format!("COALESCE(k_series, '') AS {}", columns::SERIES),
    ];
    if header.columns.cutoff.is_some() {
        parts.push(format!("COALESCE(k_cutoff, MIN(one_cutoff)) AS {}", columns::CUTOFF));
    }
    parts.push(format!("MIN(a_first) AS {}", columns::FIRST));
    parts.push(format!("MAX(a_last) AS {}", columns::LAST));
    parts.extend(counts.iter().map(|name| format!("{} AS {name}", dialect.as_count(&format!("SUM(a_{name})")))));
    parts.extend(sums.iter().map(|name| format!("SUM(a_{name}) AS {name}")));
    format!(
        "SELECT\n  {}\nFROM cells\nGROUP BY GROUPING SETS ((k_group, k_level, k_series, k_cutoff), ())",
        parts.join(",\n  ")
    )
}
