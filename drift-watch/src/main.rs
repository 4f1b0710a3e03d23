//! `drift-watch`: watch the live accuracy of promoted forecasters and raise alarms that mean something.

use std::process::ExitCode;

use drift_watch::args::Cli;
use shared::cli;

fn main() -> ExitCode {
    cli::main(|arguments: &Cli, context| drift_watch::run(arguments, context))
}
