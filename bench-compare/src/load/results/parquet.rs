//! Result tables in Parquet; without the feature of that name, a refusal that says so.

use std::path::Path;

use shared::{Error, Place, Result};

use super::source::Record;

/// The header and all rows of a Parquet file, each cell as text.
///
/// # Errors
/// If it is not Parquet.
#[cfg(feature = "parquet")]
pub(super) fn records(path: &Path) -> Result<(Vec<String>, Vec<Record>)> {
    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use shared::fsio;

    let refuse = |error: String| Error::input(Place::file(path), error, "a Parquet file");
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(fsio::open(path)?).map_err(|error| refuse(error.to_string()))?;
    let header = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let reader = builder.build().map_err(|error| refuse(error.to_string()))?;
    let mut records = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| refuse(error.to_string()))?;
        append(&batch, &mut records).map_err(|error| refuse(error.to_string()))?;
    }
    Ok((header, records))
}

#[cfg(feature = "parquet")]
fn append(batch: &arrow::array::RecordBatch, records: &mut Vec<Record>) -> Result<(), arrow::error::ArrowError> {
    use arrow::array::Array;
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    let options = FormatOptions::default();
    let formatters: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect::<Result<_, _>>()?;
    let cell = |column: usize, row: usize| {
        let known = batch.column(column).is_valid(row);
        known.then(|| formatters[column].value(row).to_string())
    };
    for row in 0..batch.num_rows() {
        let cells = (0..batch.num_columns()).map(|column| cell(column, row)).collect();
        records.push(Record { line: records.len() as u64 + 1, cells });
    }
    Ok(())
}

/// Refuses the file.
///
/// # Errors
/// Always.
#[cfg(not(feature = "parquet"))]
pub(super) fn records(path: &Path) -> Result<(Vec<String>, Vec<Record>)> {
    let error = Error::input(Place::file(path), "a Parquet file", "CSV or JSON Lines");
    Err(error.with_help("this program was built without Parquet: build it with `--features parquet`"))
}
