//! `manifest-gen repair`: finishes or undoes what a crash has left.

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format};
use shared::format::input::Tool;
use shared::{Exit, fsio};

use crate::store::StoreArgs;
use crate::transaction::{self, Recovered};

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "manifest-gen/repair/1";

/// Flags of `manifest-gen repair`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RepairReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// `nothing`, `undone` or `finished`.
    pub recovered: String,
}

/// Runs the command.
///
/// # Errors
/// If the registry is neither what it was nor what it should have become.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.store.store();
    let recovered = transaction::recover(&store)?;
    sweep_releases(&store.root);
    let (word, sentence) = match recovered {
        Recovered::Nothing => ("nothing", "nothing was on its way"),
        Recovered::Undone => ("undone", "a change that was not decided yet is undone"),
        Recovered::Finished => ("finished", "a change that was decided is finished"),
    };
    let report = RepairReport { schema: SCHEMA.to_owned(), tool: crate::print::tool(), recovered: word.to_owned() };
    context.emit(&match context.format {
        Format::Json => crate::print::json(&report)?,
        _ => format!("{sentence}\n"),
    })?;
    Ok(Exit::Ok)
}

/// Staging folders of killed processes.
fn sweep_releases(root: &std::path::Path) {
    let models = std::fs::read_dir(root.join("releases")).into_iter().flatten().flatten();
    models.for_each(|model| fsio::sweep(&model.path()));
}
