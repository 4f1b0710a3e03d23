//! The table as Parquet.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use shared::error::{Error, Result};

use super::table::{Row, Table};
use super::write::{header, values};

/// Rows that are encoded at once.
const BATCH_ROWS: usize = 1 << 16;

/// The file.
pub(super) fn bytes(table: &Table) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| Error::Environment {
        what: format!("cannot be written as Parquet: {error}"),
        help: None,
    };
    let schema = Arc::new(schema(table));
    let level = ZstdLevel::try_new(3).map_err(|error| failed(&error))?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    let mut writer =
        ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties)).map_err(|error| failed(&error))?;
    for rows in table.rows.chunks(BATCH_ROWS) {
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays(table, rows)).map_err(|error| failed(&error))?;
        writer.write(&batch).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

fn schema(table: &Table) -> Schema {
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let mut kinds = vec![DataType::Utf8, time(), time(), DataType::Int32];
    kinds.extend(table.segments.iter().map(|_| DataType::Utf8));
    kinds.resize(header(table).len(), DataType::Float64);
    Schema::new(
        header(table).into_iter().zip(kinds).map(|(name, kind)| Field::new(name, kind, true)).collect::<Vec<_>>(),
    )
}

fn arrays(table: &Table, rows: &[Row]) -> Vec<ArrayRef> {
    let time =
        |of: fn(&Row) -> i64| TimestampMicrosecondArray::from_iter_values(rows.iter().map(of)).with_timezone("UTC");
    let horizons = rows.iter().map(|row| i32::try_from(row.horizon).unwrap_or(i32::MAX));
    let mut all: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.series))),
        Arc::new(time(|row| row.ds)),
        Arc::new(time(|row| row.cutoff)),
        Arc::new(Int32Array::from_iter_values(horizons)),
    ];
    for place in 0..table.segments.len() {
        all.push(Arc::new(rows.iter().map(|row| row.segments[place].as_deref()).collect::<StringArray>()));
    }
    all.push(Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.y))));
    for (place, version) in table.versions.iter().enumerate() {
        for part in 0..values(version, None).len() {
            let column = rows.iter().map(|row| values(version, row.forecasts[place])[part]);
            all.push(Arc::new(column.collect::<Float64Array>()));
        }
    }
    all
}
