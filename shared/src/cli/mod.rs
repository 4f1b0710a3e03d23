//! What the command lines of all tools share: flags, settings in layers, error text, exit status, manual pages.
//!
//! A tool describes its command line with clap and hands it to [`main`]. Every flag of every command can then also be set in
//! the environment and in `promotion.toml`; the command line wins over the environment, that over the file, that over the
//! default ([`Origin`]). [`CommonCommand`] are the subcommands that every tool has.

mod check;
mod command_line;
mod commands;
mod common;
mod context;
mod help;
mod keys;
mod lenient;
mod man;
mod man_file;
mod mape_unit;
mod named;
mod output;
mod schema;
mod settings;
mod show;
mod validate;

pub use command_line::{Parsed, main, parse_from};
pub use commands::{CommonCommand, run_common};
pub use common::{Color, CommonArgs, Format};
pub use context::Context;
pub use help::{Examples, Tool, command, exit_status_lines};
pub use keys::{Key, keys_of, quoted};
pub use man::{Page, page_of, pages};
pub use man_file::file_page;
pub use mape_unit::MapeUnitArg;
pub use named::{Described, NamedTables, TableReader, Tables, read_table};
pub use output::{note, width};
pub use schema::file_schema;
pub use settings::{Origin, Setting};
pub use show::SettingsReport;
