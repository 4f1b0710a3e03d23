//! `rebench-cron explain`: what an expression means, in words, with what is easily misread.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use shared::Exit;
use shared::cli::{Context, Format};
use shared::format::input::Tool;

use super::asked::{self, Asked, ScheduleArgs, Subject};
use crate::schedule::{sentence, warnings};

/// The `schema` of the report.
pub const SCHEMA: &str = "rebench-cron/explain/1";

/// Flags of `rebench-cron explain`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The expression
    pub expr: String,
    /// The name of a job that an H is hashed from
    #[arg(long, value_name = "NAME")]
    pub job: Option<String>,
    /// What the expression means
    #[command(flatten)]
    pub schedule: ScheduleArgs,
}

/// What an expression means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// What it means, in plain English.
    pub sentence: String,
    /// The next fires: local times with their offset.
    pub fires: Vec<String>,
    /// What is easily misread.
    pub warnings: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If the expression or a flag is wrong.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let asked = Asked::read(&args.expr, &args.schedule, args.job.as_deref())?;
    let report = report(&args.expr, &asked);
    context.emit(&match context.format {
        Format::Json => asked::json(&report)?,
        _ => text(&report, &asked),
    })?;
    Ok(Exit::Ok)
}

fn report(text: &str, asked: &Asked) -> Report {
    Report {
        schema: SCHEMA.to_owned(),
        tool: asked::tool(),
        subject: asked.subject(text),
        sentence: sentence::of(asked.schedule.pattern()),
        fires: asked.fires_in_text(),
        warnings: warnings::of(&asked.schedule, asked.from),
    }
}

fn text(report: &Report, asked: &Asked) -> String {
    let mut out = format!("{}, {}.\n", report.sentence, report.subject.tz);
    for at in asked.fires() {
        _ = writeln!(out, "  {} {}", at.strftime("%a"), asked::rfc_3339(&at));
    }
    if report.fires.is_empty() {
        _ = writeln!(out, "  {}", asked::none_left(asked));
    }
    for warning in &report.warnings {
        _ = writeln!(out, "warning: {warning}");
    }
    out
}
