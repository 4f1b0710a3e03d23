//! Result tables (format 4.2): one score for each (task, model), from fev-bench and GIFT-Eval files or any mapped table.
//!
//! [`read`] gives a [`ResultTable`]: tasks in a fixed order, models by name, scores in columns. A score that is not
//! finite, or not there, is a *failed* result: it keeps its place, is counted, and never reads as a number. Two results
//! of one model on one task are an error that names both places.
//!
//! A gate pairs by task with [`ResultTable::paired`]:
//!
//! ```
//! use bench_compare::load::results::{Options, read};
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("r.csv");
//! # std::fs::File::create(&path).and_then(|mut file| std::io::Write::write_all(&mut file,
//! #     b"data,algo,mae\nshop,old,4\nshop,new,2\ntaxi,old,8\ntaxi,new,NaN\n")).unwrap();
//! let options = Options { map: Some("model=algo,task=data,metric=mae".parse().unwrap()), ..Options::default() };
//! let table = read(&[path], &options).unwrap();
//! let pairs = table.paired(0, table.model("new").unwrap(), table.model("old").unwrap());
//! assert_eq!(pairs.log_relative_errors(), [0.5_f64.ln()]);
//! assert_eq!(table.tasks[pairs.tasks[0]].label, "shop");
//! assert_eq!(pairs.left_out, [1]); // taxi: a failed result has a place and is never dropped in silence
//! ```

mod assemble;
mod checks;
mod collect;
mod csv;
mod entry;
mod family;
mod key;
mod layout;
mod map;
mod parquet;
mod source;
mod table;

use std::path::PathBuf;

use shared::{Error, Result};

pub use family::family_stem;
pub use key::{FEV_KEY, Kind, Part};
pub use layout::Layout;
pub use map::{Map, Models};
pub use table::{Failure, Pairs, ResultTable, Score, Task};

/// What [`read`] should take from the files.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The columns of scores; empty for those that the layout's own board shows (fev `test_error`, GIFT-Eval `MASE`, `CRPS`).
    pub metrics: Vec<String>,
    /// Where the columns are, for layouts that are not recognised.
    pub map: Option<Map>,
    /// The column that names a task's family; without it, the stem of the dataset's name does.
    pub family_column: Option<String>,
    /// Only these models; empty for all.
    pub include: Vec<String>,
    /// Not these models.
    pub exclude: Vec<String>,
    /// Names to read as another: (as written, as meant). A pair of equal names says that the name is meant as it stands.
    pub rename: Vec<(String, String)>,
    /// Accept a second result of a model on a task if all of it equals the first.
    pub allow_identical: bool,
}

/// Reads result tables into one.
///
/// # Errors
/// If a file cannot be read or its layout is unknown; if a row holds what is no score, time or key; if a model has two
/// results on one task; if a file names two models that never meet on a task; if there is nothing to compare.
pub fn read(files: &[PathBuf], options: &Options) -> Result<ResultTable> {
    if files.is_empty() {
        return Err(Error::usage("no result file", "one or more"));
    }
    let mut collected = collect::Collected::default();
    for path in files {
        collected.add(source::open(path)?, options)?;
    }
    checks::split_names(&collected, options)?;
    assemble::assemble(collected, options)
}
