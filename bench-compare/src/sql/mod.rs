//! `bench-compare sql`: the query by which an engine that holds the forecast table makes its sufficient statistics.
//!
//! What a gate asks of a table are sums by series and cutoff, so that the table need not leave its engine. No products of
//! two models' errors are needed: every statistic is computed from the sums of the cells. A row of totals stands beside the
//! cells, so that a file from which any is missing is refused.

mod ask;
mod cells;
pub mod columns;
mod dialect;
mod header;
mod history;
mod measure;
mod predicate;
mod query;
pub mod show;
mod source;

#[cfg(test)]
mod tests;

use shared::Exit;
use shared::cli::Context;

pub use ask::Args;
pub use dialect::Dialect;
pub use header::{Header, Names, SCHEMA};

/// Runs the command.
///
/// # Errors
/// For flags that make no query, or a failing environment.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    context.emit(&query::text(&ask::header(args)?)?)?;
    Ok(Exit::Ok)
}
