//! Where `state dump` and `export` take an engine from: the folder of a daemon, or files of records.

use std::path::{Path, PathBuf};

use shared::Error;
use shared::cli::Context;
use shared::error::Result;

use crate::core::engine::Engine;
use crate::replay;
use crate::watch::WatchArgs;

/// Flags that say where the state comes from.
#[derive(Debug, Clone, clap::Args)]
pub struct SourceArgs {
    /// The state folder of a daemon
    #[arg(long, value_name = "DIR", conflicts_with_all = ["predictions", "actuals"])]
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
            None if self.predictions.is_empty() => {
                let error = Error::usage("nothing says whose state it is", "--state DIR, or --predictions FILE and --actuals FILE");
                Err(error.with_help("the state folder is the one that `drift-watch run` writes"))
            }
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

/// The engine of a daemon's state folder. The frames and snapshots are the daemon's; until it is there, there is nothing to load.
fn load_engine(folder: &Path) -> Result<Engine> {
    let error = Error::usage(format!("--state {}: reading a state folder is not available yet", folder.display()), "files of records");
    Err(error.with_help("give --predictions FILE and --actuals FILE"))
}
