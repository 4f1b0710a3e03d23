//! Jobs handed over to engines that keep schedules on many machines: files for them, and what they do differently.
//!
//! What runs there is `rebench-cron once JOB`, so that what a run must produce, its judgement, its records and alerts stay
//! the same; the engine only says when. Each engine writes its files ([`export`]) and has a model of when it fires
//! ([`Model`]), which is held against the schedule. Values in, values out: no clock, no files.

mod airflow;
mod bounds;
mod crontab;
mod differences;
mod kubernetes;
mod model;
mod quote;
mod slurm;
mod systemd;
#[cfg(test)]
mod tests_support;
mod write;

use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;

use crate::job::Job;
use crate::schedule::{Schedule, Zone, sentence};

pub use model::Model;
pub use quote::{cron_command, python, shell, systemd as systemd_word, yaml};
pub use write::write;

/// What every file begins with, in a comment: files with it may be written anew.
pub const MARK: &str = "Made by rebench-cron export";

/// Who keeps the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// A user's crontab: Debian's cron, cronie
    Crontab,
    /// A timer and a service for each job
    Systemd,
    /// A `CronJob` for each job
    Kubernetes,
    /// A DAG for each job, Airflow 3
    Airflow,
    /// A batch script for each job that submits itself again, and a scrontab
    Slurm,
}

/// How things are called where the schedule goes.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program.
    pub program: String,
    /// The path of promotion.toml.
    pub config: String,
    /// The image that has both (Kubernetes).
    pub image: Option<String>,
    /// The volume claim that is mounted at the folder of promotion.toml (Kubernetes).
    pub claim: Option<String>,
    /// The user that runs it (systemd).
    pub user: Option<String>,
    /// Who gets mail of cron (crontab).
    pub mail_to: Option<String>,
    /// The zone of the machine that keeps the schedule (crontab, scrontab).
    pub system_zone: Option<Arc<Zone>>,
    /// Whether cron reads `CRON_TZ=`.
    pub cron_tz: bool,
    /// From here on two years are compared.
    pub now: Timestamp,
}

/// A file to be written. Jobs share a file where they give it the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// What it begins with, once.
    pub head: String,
    /// What it says of the job.
    pub body: String,
}

/// A job as an engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The files.
    pub files: Vec<File>,
    /// What the engine does differently.
    pub warnings: Vec<String>,
}

/// Why a job cannot be handed over.
pub type Reason = String;

/// Hands a job over.
///
/// # Errors
/// All the reasons why the engine cannot keep it.
pub fn export(engine: Engine, job: &Job, options: &Options) -> Result<Export, Vec<Reason>> {
    match engine {
        Engine::Crontab => crontab::export(job, options),
        Engine::Systemd => systemd::export(job, options),
        Engine::Kubernetes => kubernetes::export(job, options),
        Engine::Airflow => airflow::export(job, options),
        Engine::Slurm => slurm::export(job, options),
    }
}

/// When an engine fires what it is given.
///
/// # Errors
/// All the reasons why the engine cannot keep the schedule.
pub fn fires(engine: Engine, job: &Job, options: &Options) -> Result<Model, Vec<Reason>> {
    match engine {
        Engine::Crontab => crontab::fires(job, options),
        Engine::Systemd => systemd::fires(job),
        Engine::Kubernetes => kubernetes::fires(job),
        Engine::Airflow => airflow::fires(job),
        Engine::Slurm => Ok(slurm::fires(job)),
    }
}

impl Engine {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crontab => "crontab",
            Self::Systemd => "systemd",
            Self::Kubernetes => "kubernetes",
            Self::Airflow => "airflow",
            Self::Slurm => "slurm",
        }
    }
}

impl Options {
    /// The words that run a job.
    fn argv(&self, job: &Job) -> [String; 5] {
        [&self.program, "once", &job.name, "--config", &self.config].map(ToString::to_string)
    }

    /// The folder of promotion.toml.
    fn folder(&self) -> &str {
        self.config.rsplit_once('/').map_or(".", |(folder, _)| if folder.is_empty() { "/" } else { folder })
    }
}

/// The schedule as times on the wall.
fn on_the_wall(job: &Job) -> Result<Schedule, Vec<Reason>> {
    job.schedule.on_the_wall().ok_or_else(|| {
        let reason = format!("{:?} is a period that no hour, day or week is a multiple of", job.expression);
        vec![reason]
    })
}

/// What a file says of the schedule: one line, without a comment sign.
fn about(job: &Job) -> String {
    let sentence = sentence::of(job.schedule.pattern());
    let expression: String = job.expression.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{}: {sentence}, {} ({} {expression})", job.name, job.schedule.zone().name(), job.dialect.name())
}

/// What is the same for all engines.
fn shared_warnings(job: &Job) -> Vec<String> {
    let inherited = match &job.spec["inherit-env"] {
        serde_json::Value::Array(names) => names.iter().filter_map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
        serde_json::Value::String(name) => name.clone(),
        _ => String::new(),
    };
    let warning = (!inherited.is_empty()).then(|| format!("it inherits {inherited}: set these where it runs"));
    warning.into_iter().collect()
}

/// The warning for a jitter that is lost.
fn without_jitter(job: &Job, engine: &str) -> Option<String> {
    let lost = format!("{engine} has no jitter: it starts on the dot (an H in the schedule spreads jobs)");
    (!job.jitter.is_zero()).then_some(lost)
}

/// Both lists of reasons, or both values.
fn all<A, B>(one: Result<A, Vec<Reason>>, other: Result<B, Vec<Reason>>) -> Result<(A, B), Vec<Reason>> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err([one, other].concat()),
        (Err(reasons), _) | (_, Err(reasons)) => Err(reasons),
    }
}

/// Nothing, or the reasons.
fn refused(reasons: impl IntoIterator<Item = Option<Reason>>) -> Result<(), Vec<Reason>> {
    let reasons: Vec<Reason> = reasons.into_iter().flatten().collect();
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}
