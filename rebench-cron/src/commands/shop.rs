//! Flags that say with what jobs are run, and where records are kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::error::Result;

use crate::store::{Host, Store};
use crate::work::Shop;
use crate::work::clock::Wall;
use crate::work::state::State;

/// Where records are kept.
#[derive(Debug, Clone, clap::Args)]
pub struct StateArgs {
    /// Where records, locks and the files of runs are kept
    #[arg(long, value_name = "STATE_DIR", default_value = "rebench-cron-state")]
    pub state: PathBuf,
}

/// With what jobs are run.
#[derive(Debug, Clone, clap::Args)]
pub struct ShopArgs {
    /// Where records are kept
    #[command(flatten)]
    pub state: StateArgs,
    /// The program that compares; without a slash it is looked for beside this one, then in PATH
    #[arg(long, value_name = "PROGRAM", default_value = "bench-compare")]
    pub bench_compare: String,
}

impl StateArgs {
    /// The records, to be read.
    ///
    /// # Errors
    /// If there are none.
    pub fn read(&self) -> Result<Store> {
        Store::read(&self.state)
    }
}

impl ShopArgs {
    /// Everything that runs are made with.
    ///
    /// # Errors
    /// If the state folder cannot be had, or its records cannot be written.
    pub fn shop(&self) -> Result<Shop> {
        let state = State::open(&self.state.state)?;
        let store = Store::open(state.folder())?;
        Ok(Shop { store, state, bench_compare: self.program(), host: host(), clock: Arc::new(Wall) })
    }

    /// The program that compares.
    pub fn program(&self) -> PathBuf {
        if self.bench_compare.contains('/') {
            return std::path::absolute(&self.bench_compare).unwrap_or_else(|_| self.bench_compare.clone().into());
        }
        let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(&self.bench_compare)));
        beside.filter(|path| path.is_file()).unwrap_or_else(|| self.bench_compare.clone().into())
    }
}

/// This machine, since its last boot.
fn host() -> Host {
    let text = |path: &str| std::fs::read_to_string(Path::new(path)).ok().map(|text| text.trim().to_owned());
    let name = text("/proc/sys/kernel/hostname").unwrap_or_else(|| "localhost".to_owned());
    Host { name, boot_id: text("/proc/sys/kernel/random/boot_id") }
}
