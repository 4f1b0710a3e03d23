//! Flags that say with what jobs are run, and where records are kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::error::{Error, Result};
use shared::secret::Secret;

use crate::shared_lock::{self, Hosts};
use crate::store::{FILE, Host, Store};
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

const HOSTS: &str = "Several hosts";

/// With what jobs are run.
#[derive(Debug, Clone, clap::Args)]
pub struct ShopArgs {
    /// Where records are kept
    #[command(flatten)]
    pub state: StateArgs,
    /// The program that compares; without a slash it is looked for beside this one, then in PATH
    #[arg(long, value_name = "PROGRAM", default_value = "bench-compare")]
    pub bench_compare: String,
    #[expect(clippy::doc_markdown, reason = "the comment is the help, which is no Markdown")]
    /// Share the jobs with other hosts through PostgreSQL: a file with its connection string (sslmode=disable or prefer)
    #[arg(long, value_name = "FILE", help_heading = HOSTS)]
    pub postgres_url_file: Option<PathBuf>,
    /// The name under which hosts share their jobs; without it, the project's
    #[arg(long, value_name = "NAME", requires = "postgres_url_file", help_heading = HOSTS)]
    pub postgres_namespace: Option<String>,
}

impl StateArgs {
    /// The records, to be read.
    ///
    /// # Errors
    /// If there are none.
    pub fn read(&self) -> Result<Store> {
        if !self.state.join(FILE).is_file() {
            let error = Error::usage(format!("no records in {}", self.state.display()), "a folder with records");
            return Err(error.with_help("`rebench-cron run` and `once` make them; --state names another folder"));
        }
        Store::read(&self.state)
    }
}

impl ShopArgs {
    /// Everything that runs are made with.
    ///
    /// # Errors
    /// If the state folder cannot be had, its records cannot be written, or the server that hosts share cannot be used.
    pub fn shop(&self, project: Option<&str>) -> Result<Shop> {
        let shared = self.shared(project)?;
        let state = State::open(&self.state.state)?;
        let (store, host) = (Store::open(state.folder())?, host());
        let holder = || shared_lock::holder(state.folder(), &host.name);
        let hosts = shared.map(|(url, namespace)| Hosts::connect(&url, namespace, &holder()?)).transpose()?;
        Ok(Shop { store, state, bench_compare: self.program(), host, clock: Arc::new(Wall), hosts })
    }

    /// Whether the flags about other hosts make sense; asks nobody.
    ///
    /// # Errors
    /// If they do not.
    pub fn check(&self, project: Option<&str>) -> Result<()> {
        self.shared(project).map(drop)
    }

    /// Where and under which name jobs are shared, if they are.
    fn shared<'a>(&'a self, project: Option<&'a str>) -> Result<Option<(Secret, &'a str)>> {
        let Some(path) = &self.postgres_url_file else { return Ok(None) };
        let url = Secret::from_file(path)?;
        shared_lock::config(&url)?;
        let namespace = self.postgres_namespace.as_deref().or(project).filter(|name| !name.is_empty());
        namespace.map(|namespace| Some((url, namespace))).ok_or_else(nameless)
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

fn nameless() -> Error {
    Error::usage("jobs are shared under no name", "--postgres-namespace, or project in promotion.toml")
        .with_help("two projects in one database would take each other's jobs for their own")
}

/// This machine, since its last boot.
fn host() -> Host {
    let text = |path: &str| std::fs::read_to_string(Path::new(path)).ok().map(|text| text.trim().to_owned());
    let name = text("/proc/sys/kernel/hostname").unwrap_or_else(|| "localhost".to_owned());
    Host { name, boot_id: text("/proc/sys/kernel/random/boot_id") }
}
