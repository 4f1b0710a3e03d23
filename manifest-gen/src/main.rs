//! `manifest-gen`: write, sign, verify, promote, roll back and audit manifests of forecasting models.

use std::process::ExitCode;

use manifest_gen::args::Cli;
use shared::cli;

fn main() -> ExitCode {
    cli::main(|arguments: &Cli, context| manifest_gen::run(arguments, context))
}
