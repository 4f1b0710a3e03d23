//! `rebench-cron`: schedule re-benchmarks of promoted forecasters and judge them over time.

use std::process::ExitCode;

use rebench_cron::args::Cli;
use shared::cli;

fn main() -> ExitCode {
    cli::main(|arguments: &Cli, context| rebench_cron::run(arguments, context))
}
