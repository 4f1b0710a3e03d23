//! All records as JSON Lines.

use std::io::{self, Write};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde_json::{Map, Number, Value};
use shared::{Error, Result};

use super::Store;
use super::failure::explain;
use super::schema::EXPORTED;

/// The columns that hold JSON.
const DOCUMENTS: [&str; 5] = ["spec", "evidence", "json", "body", "detail"];

enum Stopped {
    Sql(rusqlite::Error),
    Output(io::Error),
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Store {
    /// Writes every record as one object a line: `table`, then its columns. Tables and rows have a fixed order, and all lines
    /// show the same moment. JSON in a column is written as such.
    ///
    /// # Errors
    /// [`Error::Environment`] if the records cannot be read; [`Error::Io`] if they cannot be written.
    pub fn export_jsonl(&self, mut out: impl Write) -> Result<()> {
        let mut connection = self.connection();
        let exported = connection
            .transaction()
            .map_err(Stopped::Sql)
            .and_then(|transaction| EXPORTED.iter().try_for_each(|table| write_table(&transaction, *table, &mut out)));
        let flushed = exported.and_then(|()| out.flush().map_err(Stopped::Output));
        flushed.map_err(|stopped| match stopped {
            Stopped::Sql(error) => explain(&self.path, &error),
            Stopped::Output(source) => Error::io("the export".as_ref(), "write", source),
        })
    }
}

fn write_table(connection: &Connection, (table, order): (&str, &str), out: &mut impl Write) -> Result<(), Stopped> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY {order}"))?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let object = object(table, &names, row)?;
        writeln!(out, "{}", Value::Object(object)).map_err(Stopped::Output)?;
    }
    Ok(())
}

fn object(table: &str, names: &[String], row: &Row<'_>) -> rusqlite::Result<Map<String, Value>> {
    let mut object = Map::from_iter([("table".to_owned(), Value::from(table))]);
    for (place, name) in names.iter().enumerate() {
        object.insert(name.clone(), value(name, row.get_ref(place)?)?);
    }
    Ok(object)
}

/// The value of a column; what JSON has no number for is null.
fn value(name: &str, value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        ValueRef::Text(_) => {
            let text = value.as_str()?;
            let document = DOCUMENTS.contains(&name).then(|| serde_json::from_str(text).ok()).flatten();
            document.unwrap_or_else(|| text.into())
        }
    })
}
