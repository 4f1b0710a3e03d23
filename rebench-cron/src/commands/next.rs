//! `rebench-cron next`: when a schedule fires.

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{self, Context, Format};
use shared::error::{Error, Result};
use shared::format::input::Tool;
use shared::{Exit, clock};

use super::asked::{self, Asked, ScheduleArgs, Subject};
use crate::job;

/// The `schema` of the report.
pub const SCHEMA: &str = "rebench-cron/next/1";

/// Flags of `rebench-cron next`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The job whose schedule is meant, or whose name an H in --expr is hashed from
    pub job: Option<String>,
    /// An expression, not the schedule of a job
    #[arg(long, value_name = "EXPR")]
    pub expr: Option<String>,
    /// What the expression means
    #[command(flatten)]
    pub schedule: ScheduleArgs,
}

/// When a schedule fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// Local times with their offset, in order; fewer than asked for if no more come.
    pub fires: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If the expression or a flag is wrong.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let (text, asked) = asked(args, context)?;
    let report = report(&text, &asked);
    if report.fires.is_empty() {
        cli::note(&asked::none_left(&asked));
    }
    context.emit(&match context.format {
        Format::Json => asked::json(&report)?,
        Format::Csv => lines(std::iter::once("fire").chain(report.fires.iter().map(String::as_str))),
        Format::Text | Format::Markdown => lines(report.fires.iter().map(String::as_str)),
    })?;
    Ok(Exit::Ok)
}

/// The expression that is meant, and what it means: that of the flags, or that of a job.
fn asked(args: &Args, context: &Context) -> Result<(String, Asked)> {
    match (&args.expr, &args.job) {
        (Some(text), job) => Ok((text.clone(), Asked::read(text, &args.schedule, job.as_deref())?)),
        (None, Some(name)) => {
            let job = job::named(&context.config, name)?;
            let from = args.schedule.from.map_or_else(clock::now, Ok)?;
            let asked = Asked { schedule: job.schedule, dialect: job.dialect, from, count: args.schedule.count };
            Ok((job.expression, asked))
        }
        (None, None) => Err(Error::usage("neither a job nor --expr", "a job of promotion.toml, or --expr")
            .with_help("rebench-cron next --expr '30 2 * * 1' --tz America/New_York")),
    }
}

fn report(text: &str, asked: &Asked) -> Report {
    Report {
        schema: SCHEMA.to_owned(),
        tool: asked::tool(),
        subject: asked.subject(text),
        fires: asked.fires_in_text(),
    }
}

fn lines<'a>(fires: impl Iterator<Item = &'a str>) -> String {
    fires.flat_map(|fire| [fire, "\n"]).collect()
}
