//! Write, sign, verify, promote, roll back and audit manifests of forecasting models.
//!
//! - [`new`]: a release folder and its published copies; [`release`]: what a release folder should hold.
//! - [`pickle`] and [`scan`]: what a pickle would import, without loading it.
//! - [`oms`], [`sign`], [`signature`], [`verify`]: signatures, and whether a release is what was promoted.
//! - [`promote`], [`rollback`], [`yank`], [`repair`] over [`transaction`], [`ledger`] and [`derive`](mod@derive): the registry.
//! - [`stale`], [`audit`]: whether the project around a release is as it should be.
//! - [`resolve`], [`contract`], [`render`], [`mod@features`], [`diff`], [`export`], [`mlflow`]: what consumers need.

pub mod args;
pub mod audit;
pub mod change;
pub mod contract;
pub mod derive;
pub mod diff;
pub mod evidence;
pub mod examples;
pub mod export;
pub mod features;
pub mod ledger;
pub mod mlflow;
pub mod new;
pub mod oms;
pub mod pickle;
pub mod print;
pub mod promote;
pub mod release;
pub mod render;
pub mod repair;
pub mod resolve;
pub mod rollback;
pub mod scan;
pub mod sign;
pub mod signature;
pub mod stale;
pub mod store;
pub mod transaction;
pub mod verify;
pub mod version;
pub mod yank;

use shared::Exit;
use shared::cli::{self, Context};

use args::{Cli, Command};

/// Carries out the parsed command line.
///
/// # Errors
/// What the command says.
pub fn run(arguments: &Cli, context: &Context) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::New(args) => new::run(args, context),
        Command::Scan(args) => scan::run(args, context),
        Command::Sign(args) => sign::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Promote(args) => promote::run(args, context),
        Command::Rollback(args) => rollback::run(args, context),
        Command::Yank(args) => yank::run(args, context),
        Command::Resolve(args) => resolve::run(args, context),
        Command::Render(args) => render::run(args, context),
        Command::Stale(args) => stale::run(args, context),
        Command::CheckRequest(args) => contract::run(args, context),
        Command::Audit(args) => audit::run(args, context),
        Command::Diff(args) => diff::run(args, context),
        Command::Export(args) => export::run(args, context),
        Command::Sync(args) => mlflow::sync::run(args, context),
        Command::Repair(args) => repair::run(args, context),
        Command::Common(common) => cli::run_common::<Cli>(common, context),
    }
}
