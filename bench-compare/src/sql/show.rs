//! Queries that show the rows which a check refuses.

use super::Header;

/// Target times that are there more than once.
pub fn duplicates(header: &Header) -> String {
    let key = key(header).join(", ");
    format!("SELECT {key}, COUNT(*) FROM {} GROUP BY {key} HAVING COUNT(*) > 1", table(header, &header.table))
}

/// Rows without a target time, or with one that is not after the cutoff.
pub fn not_after(header: &Header) -> String {
    let ds = header.dialect.name(&header.columns.ds);
    let cutoff = header.columns.cutoff.as_ref().map(|name| header.dialect.name(name));
    let late = cutoff.map(|cutoff| format!(" OR {ds} <= {cutoff}")).unwrap_or_default();
    format!("SELECT * FROM {} WHERE {ds} IS NULL{late}", table(header, &header.table))
}

/// Times that the training table has more than once.
pub fn train_twice(header: &Header) -> String {
    let names = [&header.columns.id, &header.columns.ds].map(|name| header.dialect.name(name)).join(", ");
    let train = header.train.as_deref().unwrap_or_default();
    format!("SELECT {names}, COUNT(*) FROM {} GROUP BY {names} HAVING COUNT(*) > 1", table(header, train))
}

/// Rows whose actual is another one in the training table.
pub fn other_actual(header: &Header) -> String {
    let [id, ds, y] = [&header.columns.id, &header.columns.ds, &header.columns.y].map(|name| header.dialect.name(name));
    let (table, train) = (table(header, &header.table), table(header, header.train.as_deref().unwrap_or_default()));
    format!(
        "SELECT t.{id}, t.{ds}, t.{y}, h.{y} FROM {table} t JOIN {train} h ON t.{id} = h.{id} AND t.{ds} = h.{ds} WHERE t.{y} <> h.{y}"
    )
}

fn key(header: &Header) -> Vec<String> {
    let names = &header.columns;
    let key = [Some(&names.id), names.cutoff.as_ref(), Some(&names.ds)];
    key.into_iter().flatten().map(|name| header.dialect.name(name)).collect()
}

/// A query in place of a table needs a name in some engines.
fn table(header: &Header, written: &str) -> String {
    header.dialect.table(written).unwrap_or_default()
}
