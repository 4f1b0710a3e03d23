//! Decodes columns of a Parquet file on all cores and does nothing with them: what any reader of these columns has to pay.
//!
//!     decode FILE COLUMN…

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

const BATCH_ROWS: usize = 8192;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("a Parquet file")?;
    let names: Vec<String> = arguments.collect();
    let metadata = ArrowReaderMetadata::load(&File::open(&path)?, ArrowReaderOptions::new())?;
    let (next, groups) = (AtomicUsize::new(0), metadata.metadata().num_row_groups());
    let work = || {
        let mut rows = 0;
        while let Some(group) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|group| *group < groups) {
            rows += decode(&path, &metadata, &names, group)?;
        }
        Outcome::Ok(rows)
    };
    let threads = std::thread::available_parallelism()?.get();
    let rows = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| "a thread died")?).sum::<Outcome<usize>>()
    })?;
    writeln!(io::stdout().lock(), "{rows} rows")?;
    Ok(())
}

fn decode(path: &str, metadata: &ArrowReaderMetadata, names: &[String], group: usize) -> Outcome<usize> {
    let mask = ProjectionMask::columns(metadata.parquet_schema(), names.iter().map(String::as_str));
    // Each its own: files that are clones of each other share the place where they read.
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(path)?, metadata.clone());
    let reader = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(BATCH_ROWS).build()?;
    let rows = reader.map(|batch| Ok(batch?.num_rows()));
    rows.sum()
}
