//! Flags that every command has.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people at a terminal
    #[default]
    Text,
    /// One object with a `schema`
    Json,
    /// A table
    Csv,
    /// A table or report for a pull request
    Markdown,
}

/// When text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Also into files and pipes
    Always,
    /// Never
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

impl From<Color> for clap::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Flags that every command has.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonArgs {
    /// How to write the result
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Output", hide_possible_values = true)]
    #[arg(help = "How to write the result: text, json, csv or markdown")]
    pub format: Format,
    /// Same as --format json
    #[arg(long, global = true, conflicts_with = "format", help_heading = "Output")]
    pub json: bool,
    /// Write the result to this file, atomically; `-` is standard output
    #[arg(short, long, global = true, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// When to colour text: auto, always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, help_heading = "Output")]
    #[arg(hide_possible_values = true, hide_short_help = true)]
    pub color: Color,
    /// Say more of what is done; twice for every step
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output", hide_short_help = true)]
    pub verbose: u8,
    /// Say nothing but the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output", hide_short_help = true)]
    pub quiet: bool,
    /// Read settings from this file, not from the nearest promotion.toml upward
    #[arg(long, visible_alias = "policy", global = true, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Read no promotion.toml
    #[arg(long, global = true, conflicts_with = "config", help_heading = "Settings", hide_short_help = true)]
    pub no_config: bool,
}
