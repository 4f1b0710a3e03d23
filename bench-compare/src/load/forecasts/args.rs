//! The flags of every command that reads a forecast table.

use std::path::PathBuf;

use jiff::Timestamp;
use shared::Result;

use super::{CacheRequest, ColumnMap, Direction, Request};

/// Flags that say what the table is and how it is read.
#[derive(Debug, Clone, clap::Args)]
pub struct TableArgs {
    /// Training table with the history of the series (`unique_id, ds, y`): for MASE, RMSSE and directional accuracy
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub train: Option<PathBuf>,
    /// Seasonal lag, in rows, of the scale of MASE and RMSSE: 12 for months, 24 for hours
    #[arg(long, value_name = "ROWS", default_value_t = 1, help_heading = "Input")]
    pub season: u32,
    /// What the table calls its columns: `id=store,ds=date,cutoff=origin,y=sales`
    #[arg(long, value_name = "ROLE=COLUMN,…", help_heading = "Input")]
    pub map: Option<String>,
    /// Columns that are no models, where models are inferred
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = "Input")]
    pub covariates: Vec<String>,
    /// What directional accuracy compares with
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub direction: Direction,
    /// Share of rows without an actual or a forecast of every model, above which the table is refused
    #[arg(long, value_name = "RATIO", default_value_t = 0.05, help_heading = "Input")]
    pub max_unpaired: f64,
    /// Drop rows that repeat another one
    #[arg(long, help_heading = "Input")]
    pub allow_identical_duplicates: bool,
    /// Threads; 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Input")]
    pub threads: usize,
}

/// Flags that say what is remembered from run to run.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CacheArgs {
    /// Keep the sums of each file of the forecast table in this folder, so that the next run reads only files that are new or changed
    #[arg(long, value_name = "FOLDER", help_heading = "Input")]
    pub cache: Option<PathBuf>,
    /// Hash every file, also where its size and times say that it has not changed
    #[arg(long, requires = "cache", help_heading = "Input")]
    pub cache_rehash: bool,
}

impl CacheArgs {
    /// The cache that the flags name, as of now.
    pub fn request(&self) -> Option<CacheRequest> {
        let folder = self.cache.clone()?;
        Some(CacheRequest { folder, rehash: self.cache_rehash, moment: Timestamp::now().into() })
    }
}

impl TableArgs {
    /// The request that the flags make; models, measures, slices and groups are the caller's.
    ///
    /// # Errors
    /// If `--map` or `--max-unpaired` does not read.
    pub fn request(&self, files: &[PathBuf]) -> Result<Request> {
        if !(0.0..=1.0).contains(&self.max_unpaired) {
            return Err(shared::Error::usage(format!("--max-unpaired {}", self.max_unpaired), "a ratio from 0 to 1"));
        }
        Ok(Request {
            files: files.to_vec(),
            train: self.train.clone(),
            columns: self.map.as_deref().map(ColumnMap::parse).transpose()?.unwrap_or_default(),
            covariates: self.covariates.clone(),
            season: self.season,
            direction: self.direction,
            max_unpaired: self.max_unpaired,
            allow_identical_duplicates: self.allow_identical_duplicates,
            threads: self.threads,
            ..Request::default()
        })
    }
}
