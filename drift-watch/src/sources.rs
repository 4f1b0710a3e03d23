//! Where `state dump` and `export` take an engine from: the folder of a daemon, or files of records.

use std::path::{Path, PathBuf};

use shared::cli::Context;
use shared::error::Result;

use crate::core::engine::Engine;
use crate::replay;
use crate::run::args::STATE;
use crate::run::saved::load_engine;
use crate::watch::WatchArgs;

/// Flags that say where the state comes from.
#[derive(Debug, Clone, clap::Args)]
pub struct SourceArgs {
    /// The state folder of a daemon, which may be running [default: drift-watch-state, if no records are named]
    #[arg(long, value_name = "STATE_DIR", conflicts_with_all = ["predictions", "actuals"])]
    pub state: Option<PathBuf>,
    /// In place of a daemon's state: predictions, JSON Lines or CSV; `-` is standard input
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "actuals")]
    pub predictions: Vec<PathBuf>,
    /// Actuals, JSON Lines or CSV
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "predictions")]
    pub actuals: Vec<PathBuf>,
    /// What is watched and how
    #[command(flatten)]
    pub watch: WatchArgs,
}

impl SourceArgs {
    /// The engine, with everything that the source holds.
    ///
    /// # Errors
    /// If nothing names a source, or it cannot be read.
    pub fn engine(&self, context: &Context) -> Result<Engine> {
        match &self.state {
            Some(folder) => load_engine(folder),
            None if self.predictions.is_empty() => load_engine(Path::new(STATE)),
            None => replay::replay(&self.replayed(), context),
        }
    }

    fn replayed(&self) -> replay::Args {
        replay::Args {
            predictions: self.predictions.clone(),
            actuals: self.actuals.clone(),
            inconclusive: None,
            watch: self.watch.clone(),
        }
    }
}
