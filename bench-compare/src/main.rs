//! `bench-compare`: candidate against baselines, evidence in, verdict out.

use std::process::ExitCode;

use bench_compare::args::Cli;
use shared::cli;

fn main() -> ExitCode {
    cli::main(|arguments: &Cli, context| bench_compare::run(arguments, context))
}
