//! `rebench-cron export`: hands schedules over to another engine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format};
use shared::error::{Error, Result};
use shared::format::input::Tool;
use shared::{Exit, clock};

use super::asked;
use crate::export::{self, Engine, Export, Options};
use crate::job::{self, Job};
use crate::schedule::Zone;

/// The `schema` of the report.
pub const SCHEMA: &str = "rebench-cron/export/1";

/// Flags of `rebench-cron export`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The job; without it all that are not disabled
    pub job: Option<String>,
    /// Who keeps the schedule: crontab, systemd, kubernetes, airflow or slurm; -o names the folder for its files
    #[arg(long, value_name = "ENGINE", value_enum, hide_possible_values = true)]
    pub to: Engine,
    /// The program, as it is called there
    #[arg(long, value_name = "PATH", default_value = "rebench-cron")]
    pub program: String,
    /// The path of promotion.toml there [default: where it is here]
    #[arg(long, value_name = "PATH")]
    pub target_config: Option<String>,
    /// The image that holds the program (kubernetes)
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// The volume claim that holds the folder of promotion.toml (kubernetes)
    #[arg(long, value_name = "NAME")]
    pub claim: Option<String>,
    /// The user that runs it (systemd)
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Who gets mail of what is printed (crontab)
    #[arg(long, value_name = "ADDRESS")]
    pub mail_to: Option<String>,
    /// The time zone of the machine that keeps the schedule (crontab, slurm)
    #[arg(long, value_name = "ZONE")]
    pub system_tz: Option<String>,
    /// Its cron reads `CRON_TZ`: cronie does, Debian's does not (crontab)
    #[arg(long, help = "Its cron reads CRON_TZ: cronie does, Debian's does not (crontab)")]
    pub cron_tz: bool,
    /// Write over files that were not made here
    #[arg(long)]
    pub force: bool,
}

/// What was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// Who keeps the schedule now.
    pub engine: String,
    /// The jobs.
    pub jobs: Vec<String>,
    /// The files that were written.
    pub files: Vec<PathBuf>,
    /// What differs there.
    pub warnings: Vec<Warning>,
}

/// What differs there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Warning {
    /// The job.
    pub job: String,
    /// A sentence.
    pub text: String,
}

/// Runs the command.
///
/// # Errors
/// If a flag or a job is wrong, the engine cannot keep a job, or files of others are in the way.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let folder = folder(context)?;
    let (jobs, left_out) = chosen(args, context)?;
    let options = options(args, context)?;
    let exports = exports(args.to, &jobs, &options)?;
    let all: Vec<export::File> = exports.iter().flat_map(|(_, export)| export.files.clone()).collect();
    let files = export::write(folder, &all, args.force)?;
    let report = report(args.to, &exports, files, left_out);
    // -o is where the files are; what is said of them is printed.
    let printed = Context { output: None, ..context.clone() };
    printed.emit(&match context.format {
        Format::Json => asked::json(&report)?,
        _ => text(&report),
    })?;
    Ok(Exit::Ok)
}

fn folder(context: &Context) -> Result<&Path> {
    context.output.as_deref().ok_or_else(|| {
        let error = Error::usage("no folder for the files", "-o DIR");
        error.with_help("rebench-cron export --to systemd -o units")
    })
}

/// The jobs that are meant, and warnings of those that are left out.
fn chosen(args: &Args, context: &Context) -> Result<(Vec<Job>, Vec<Warning>)> {
    if let Some(name) = &args.job {
        return Ok((vec![job::named(&context.config, name)?], vec![]));
    }
    let (jobs, disabled): (Vec<Job>, Vec<Job>) = job::jobs(&context.config)?.into_iter().partition(|job| job.enabled);
    if jobs.is_empty() {
        let error = Error::usage("no job that is not disabled", "a table [rebench-cron.jobs.NAME] in promotion.toml");
        return Err(error.with_help("--config names the file"));
    }
    let warning = |job: Job| Warning { job: job.name, text: "is disabled and left out".to_owned() };
    Ok((jobs, disabled.into_iter().map(warning).collect()))
}

fn options(args: &Args, context: &Context) -> Result<Options> {
    let config = config(args, context)?;
    let named = [&args.image, &args.claim, &args.user, &args.mail_to].into_iter().flatten();
    named.chain([&args.program, &config]).try_for_each(|word| one_line(word))?;
    if args.to == Engine::Kubernetes && args.image.is_none() {
        let error = Error::usage("no image for Kubernetes", "--image IMAGE");
        return Err(error.with_help("an image that holds rebench-cron and what the jobs run"));
    }
    Ok(Options {
        program: args.program.clone(),
        config,
        image: args.image.clone(),
        claim: args.claim.clone(),
        user: args.user.clone(),
        mail_to: args.mail_to.clone(),
        system_zone: args.system_tz.as_deref().map(Zone::named).transpose()?,
        cron_tz: args.cron_tz,
        now: clock::now()?,
    })
}

/// The absolute path of promotion.toml.
fn config(args: &Args, context: &Context) -> Result<String> {
    if let Some(path) = &args.target_config {
        return match path.starts_with('/') {
            true => Ok(path.clone()),
            false => Err(Error::usage(format!("--target-config {path:?}"), "an absolute path")),
        };
    }
    let path = context.config.path.as_deref().unwrap_or(Path::new(shared::config::FILE_NAME));
    let absolute = std::path::absolute(path).map_err(|source| Error::io(path, "find", source))?;
    let text = absolute.to_str().map(str::to_owned);
    text.ok_or_else(|| Error::usage(format!("the path {}", absolute.display()), "a path in UTF-8"))
}

/// Files of other engines are lines: what would begin another one could say anything.
fn one_line(word: &str) -> Result<()> {
    match word.chars().any(char::is_control) || word.is_empty() {
        true => Err(Error::usage(format!("{word:?}"), "text without control characters")),
        false => Ok(()),
    }
}

/// All jobs as the engine has them.
fn exports<'a>(engine: Engine, jobs: &'a [Job], options: &Options) -> Result<Vec<(&'a Job, Export)>> {
    let (mut exports, mut reasons) = (Vec::new(), Vec::new());
    for job in jobs {
        match export::export(engine, job, options) {
            _ if !job.enabled => reasons.push(format!("{}: it is disabled", job.name)),
            Ok(export) => exports.push((job, export)),
            Err(why) => reasons.extend(why.into_iter().map(|reason| format!("{}: {reason}", job.name))),
        }
    }
    reasons.extend(several_zones(engine, jobs, options));
    match reasons.is_empty() {
        true => Ok(exports),
        false => Err(Error::refused(format!("{} cannot keep this, and nothing is written", engine.name()), reasons)),
    }
}

/// A crontab of a machine whose zone is not known cannot be right for jobs of two zones.
fn several_zones(engine: Engine, jobs: &[Job], options: &Options) -> Option<String> {
    let mut zones: Vec<&str> = jobs.iter().map(|job| job.schedule.zone().name()).collect();
    zones.sort_unstable();
    zones.dedup();
    let unknown = engine == Engine::Crontab && options.system_zone.is_none() && !options.cron_tz;
    let text =
        || format!("jobs are in {}, and a crontab has one zone: --system-tz ZONE or --cron-tz", zones.join(", "));
    (unknown && zones.len() > 1).then(text)
}

fn report(engine: Engine, exports: &[(&Job, Export)], files: Vec<PathBuf>, left_out: Vec<Warning>) -> Report {
    let warnings = exports.iter().flat_map(|(job, export)| {
        export.warnings.iter().map(|text| Warning { job: job.name.clone(), text: text.clone() })
    });
    Report {
        schema: SCHEMA.to_owned(),
        tool: asked::tool(),
        engine: engine.name().to_owned(),
        jobs: exports.iter().map(|(job, _)| job.name.clone()).collect(),
        files,
        warnings: warnings.chain(left_out).collect(),
    }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for file in &report.files {
        _ = writeln!(out, "{}", file.display());
    }
    for Warning { job, text } in &report.warnings {
        _ = writeln!(out, "warning: {job}: {text}");
    }
    out
}
