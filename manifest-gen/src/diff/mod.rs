//! `manifest-gen diff`: what changed between two releases of a model. Status 0: nothing; 1: something, as `diff` says it.

mod compare;
mod output;

use shared::cli::{Context, Format};
use shared::{Error, Exit};

use crate::store::StoreArgs;
use crate::version::ModelVersion;

pub use compare::{Change, Kind, compare};
pub use output::{DiffReport, Side};

/// Flags of `manifest-gen diff`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The model
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The earlier version
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The later version
    #[arg(value_name = "NEW")]
    pub new: String,
}

/// Runs the command.
///
/// # Errors
/// If a release is not there or malformed, or the format is not offered.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.store.store();
    let [old, new] = [&args.old, &args.new].map(|version| store.manifest(&args.name, &ModelVersion::parse(version)?));
    let report = DiffReport::of(&old?, &new?);
    context.emit(&match context.format {
        Format::Text => report.text(),
        Format::Json => report.json(),
        Format::Markdown => report.markdown(),
        Format::Csv => return Err(Error::usage("--format csv", "text, json or markdown").into()),
    })?;
    Ok(if report.changes.is_empty() { Exit::Ok } else { Exit::No })
}
