//! `manifest-gen audit`: the checklist of a promotion, row by row, with the evidence of each.

mod facts;
mod output;
mod rows;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format};
use shared::format::input::Tool;
use shared::{Error, Exit};

use crate::derive::DerivedArgs;
use crate::promote::PolicyArgs;
use crate::scan::AllowArgs;
use crate::store::StoreArgs;

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "manifest-gen/audit/1";

/// Flags of `manifest-gen audit`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// `NAME@ALIAS` or `NAME@VERSION`; `NAME` alone is its champion
    pub reference: String,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// What is asked for.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// What is kept up to date.
    #[command(flatten)]
    pub derived: DerivedArgs,
    /// What pickles may import.
    #[command(flatten)]
    pub allow: AllowArgs,
    /// The scripts that train the model, as version control knows them
    #[arg(long, value_name = "FILE", help_heading = "Checklist")]
    pub training_code: Vec<PathBuf>,
    /// Where API, dashboard and batch jobs are looked for
    #[arg(long, value_name = "PATH", default_value = ".", help_heading = "Checklist")]
    pub consumers: Vec<PathBuf>,
    /// Words that a gated slice must have: one slice for each
    #[arg(long, value_delimiter = ',', value_name = "WORD", default_values = ["holiday", "n_train"])]
    #[arg(help_heading = "Checklist")]
    pub require_slice: Vec<String>,
    /// Rows that need not pass
    #[arg(long, value_delimiter = ',', value_name = "ROW", help_heading = "Checklist")]
    pub optional: Vec<String>,
}

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It does not apply.
    NotApplicable,
}

/// What a row rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Proof {
    /// A file, with line and column where they matter; or what was looked at.
    pub place: String,
    /// SHA-256 of the file.
    pub sha256: Option<String>,
}

/// A row of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Row {
    /// The step of the promotion, from 1 to 6.
    pub step: u8,
    /// The row's name: `tests`, `slices`, …
    pub row: &'static str,
    /// What it asks for.
    pub question: &'static str,
    /// How it ended.
    pub answer: Answer,
    /// Whether the audit fails with it.
    pub required: bool,
    /// Why, in a sentence.
    pub reason: String,
    /// What it rests on.
    pub evidence: Vec<Proof>,
    /// A command that checks it again.
    pub command: String,
}

/// What the command prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The model.
    pub name: String,
    /// Strict semantic version.
    pub version: String,
    /// SHA-256 of the manifest.
    pub manifest_sha256: String,
    /// Whether every required row passes.
    pub passed: bool,
    /// The rows, in the order of the steps.
    pub rows: Vec<Row>,
}

/// Runs the command.
///
/// # Errors
/// If the reference means nothing, or something cannot be read.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let facts = facts::gather(args, context)?;
    let mut rows = rows::all(&facts);
    settle_required(&mut rows, &args.optional)?;
    let passed = rows.iter().all(|row| row.answer != Answer::Fail || !row.required);
    let report = AuditReport {
        schema: SCHEMA.to_owned(),
        tool: crate::print::tool(),
        name: facts.manifest.name.clone(),
        version: facts.manifest.version.clone(),
        manifest_sha256: facts.manifest_sha256.clone(),
        passed,
        rows,
    };
    context.emit(&match context.format {
        Format::Json => crate::print::json(&report)?,
        Format::Markdown => output::markdown(&report),
        Format::Text => output::text(&report),
        Format::Csv => return Err(Error::usage("--format csv", "text, json or markdown").into()),
    })?;
    Ok(if passed { Exit::Ok } else { Exit::No })
}

fn settle_required(rows: &mut [Row], optional: &[String]) -> shared::Result<()> {
    let known: Vec<&str> = rows.iter().map(|row| row.row).collect();
    if let Some(unknown) = optional.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Error::usage(format!("--optional {unknown:?}"), format!("one of {}", known.join(", "))));
    }
    for row in rows {
        row.required = !optional.iter().any(|name| name == row.row);
    }
    Ok(())
}
