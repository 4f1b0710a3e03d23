//! `bench-compare test`: the bare statistical tests, on columns of a CSV file.

mod flags;
mod many;
mod paired;
mod report;
mod table;

use clap::Subcommand;
use shared::Exit;
use shared::cli::Context;

pub use report::{Report, SCHEMA};

/// Flags of `bench-compare test`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "EXIT STATUS: 0 computed; 2 usage or bad input; 3 the file could not be read to its end; \
                        4 the test has no answer on this data (the output says why)")]
pub struct Args {
    /// Which test
    #[command(subcommand)]
    test: Test,
}

/// The tests.
#[derive(Debug, Clone, Subcommand)]
enum Test {
    /// Diebold-Mariano with the correction of Harvey, Leybourne and Newbold: equal loss of two forecasts of one series
    Dm(paired::DmArgs),
    /// Wilcoxon's signed ranks: are two methods' losses shifted against each other?
    Wilcoxon(paired::WilcoxonArgs),
    /// Sign test: does one method win more often?
    Sign(paired::SignArgs),
    /// Friedman, with Iman-Davenport and Kendall's W: do several methods rank alike?
    Friedman(many::RankArgs),
    /// Nemenyi: which methods' mean ranks differ?
    Nemenyi(many::RankArgs),
    /// Model confidence set: the methods not distinguishable from the best
    Mcs(many::McsArgs),
    /// Superior predictive ability: is any of several methods better than the benchmark, and which?
    Spa(many::SpaArgs),
    /// Pesaran-Timmermann: is direction predicted better than by luck?
    Pt(paired::PtArgs),
    /// Giacomini-White: does the last loss difference tell who does better next?
    Gw(paired::GwArgs),
}

/// Runs the command.
///
/// # Errors
/// On bad input or a failing environment.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let report = match &args.test {
        Test::Dm(args) => paired::diebold_mariano(args),
        Test::Wilcoxon(args) => paired::wilcoxon(args),
        Test::Sign(args) => paired::sign(args),
        Test::Friedman(args) => many::friedman(args),
        Test::Nemenyi(args) => many::nemenyi(args),
        Test::Mcs(args) => many::confidence_set(args),
        Test::Spa(args) => many::superior_ability(args),
        Test::Pt(args) => paired::pesaran_timmermann(args),
        Test::Gw(args) => paired::giacomini_white(args),
    }?;
    context.emit(&report.render(context.format)?)?;
    Ok(report.exit())
}
