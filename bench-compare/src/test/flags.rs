//! Flags that several tests share, and what they mean to the statistics.

use std::path::PathBuf;

use clap::ValueEnum;
use shared::stats::Alternative;

/// Where the numbers are.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct InputArgs {
    /// CSV file with a header; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Columns to read [default: e1,e2 for two methods, else all that hold numbers and are no index]
    #[arg(long, value_delimiter = ',', value_name = "NAME,...", help_heading = "Input")]
    pub(super) columns: Option<Vec<String>>,
    /// Only rows whose column has this value, as series=A; may be repeated
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = parse_filter, help_heading = "Input")]
    pub(super) filters: Vec<Filter>,
}

/// A column and the value that its rows must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) column: String,
    pub(super) value: String,
}

fn parse_filter(text: &str) -> Result<Filter, String> {
    let (column, value) = text.split_once('=').ok_or("expected COLUMN=VALUE, as series=A")?;
    Ok(Filter { column: column.trim().to_owned(), value: value.trim().to_owned() })
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Side {
    /// The two differ
    #[default]
    #[value(alias = "two.sided")]
    TwoSided,
    /// The first has the smaller loss
    Less,
    /// The first has the larger loss
    Greater,
}

impl From<Side> for Alternative {
    fn from(side: Side) -> Self {
        match side {
            Side::TwoSided => Self::TwoSided,
            Side::Less => Self::Less,
            Side::Greater => Self::Greater,
        }
    }
}

/// How a column's numbers become losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Loss {
    /// They are losses
    #[default]
    Given,
    /// They are errors: absolute values
    Abs,
    /// They are errors: squares
    Squared,
}

impl Loss {
    pub(super) fn of(self, value: f64) -> f64 {
        match self {
            Self::Given => value,
            Self::Abs => value.abs(),
            Self::Squared => value * value,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Abs => "abs",
            Self::Squared => "squared",
        }
    }
}
