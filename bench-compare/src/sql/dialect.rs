//! What the engines spell differently: names, texts, types, and how a column says what it holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::{Error, Result};

/// The engine whose SQL is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// `DuckDB`
    Duckdb,
    /// Apache Spark
    Spark,
    /// `PostgreSQL`
    Postgres,
    /// `BigQuery`
    Bigquery,
    /// Trino
    Trino,
    /// Apache `DataFusion`
    Datafusion,
}

impl Dialect {
    /// A name, quoted.
    pub fn name(self, name: &str) -> String {
        match self {
            Self::Bigquery => format!("`{}`", name.replace('\\', r"\\").replace('`', r"\`")),
            Self::Spark => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// A text constant.
    pub fn text(self, text: &str) -> String {
        match self {
            Self::Bigquery | Self::Spark => {
                let escaped = text.replace('\\', r"\\").replace('\'', r"\'").replace('\n', r"\n").replace('\r', r"\r");
                format!("'{escaped}'")
            }
            _ => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// A table: a name of parts separated by dots, each of which is quoted, or a query in parentheses as it stands.
    ///
    /// # Errors
    /// If it is neither.
    pub fn table(self, written: &str) -> Result<String> {
        let written = written.trim();
        if written.starts_with('(') && written.ends_with(')') {
            return Ok(written.to_owned());
        }
        let is_part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_-$".contains(c));
        let parts: Vec<&str> = written.split('.').collect();
        if parts.iter().all(|part| is_part(part)) {
            return Ok(parts.iter().map(|part| self.name(part)).collect::<Vec<_>>().join("."));
        }
        let error = Error::usage(format!("table {written:?}"), "a name such as sales.forecasts, or (SELECT …)");
        Err(error.with_help("a query in parentheses is taken as it stands: '(SELECT * FROM read_parquet(…))'"))
    }

    /// The type of texts.
    pub fn text_type(self) -> &'static str {
        match self {
            Self::Bigquery | Self::Spark => "STRING",
            Self::Postgres => "TEXT",
            Self::Duckdb | Self::Trino | Self::Datafusion => "VARCHAR",
        }
    }

    /// The type of doubles.
    pub fn double_type(self) -> &'static str {
        match self {
            Self::Bigquery => "FLOAT64",
            Self::Postgres => "DOUBLE PRECISION",
            _ => "DOUBLE",
        }
    }

    /// The type of counts.
    pub fn count_type(self) -> &'static str {
        if self == Self::Bigquery { "INT64" } else { "BIGINT" }
    }

    /// An expression as text.
    pub fn as_text(self, expression: &str) -> String {
        format!("CAST({expression} AS {})", self.text_type())
    }

    /// An expression as a double.
    pub fn as_double(self, expression: &str) -> String {
        format!("CAST({expression} AS {})", self.double_type())
    }

    /// An expression as a count.
    pub fn as_count(self, expression: &str) -> String {
        format!("CAST({expression} AS {})", self.count_type())
    }

    /// The name of the type of an expression, as text.
    pub fn type_of(self, expression: &str) -> String {
        match self {
            Self::Duckdb | Self::Spark | Self::Trino => format!("typeof({expression})"),
            Self::Postgres => self.as_text(&format!("pg_typeof({expression})")),
            Self::Datafusion => format!("arrow_typeof({expression})"),
            // It has no function for types, but its JSON puts texts and times in quotes.
            Self::Bigquery => {
                format!("CASE WHEN STARTS_WITH(TO_JSON_STRING({expression}), '\"') THEN 'STRING' ELSE 'FLOAT64' END")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_leave_their_quotes() {
        assert_eq!(Dialect::Duckdb.name(r#"a"b"#), r#""a""b""#);
        assert_eq!(Dialect::Spark.name("a`b"), "`a``b`");
        assert_eq!(Dialect::Bigquery.name(r"a`b\"), r"`a\`b\\`");
        assert_eq!(Dialect::Postgres.text(r"it's\"), r"'it''s\'");
        assert_eq!(Dialect::Spark.text("it's\\\n"), r"'it\'s\\\n'");
    }

    #[test]
    fn a_table_is_a_name_or_a_query() {
        assert_eq!(Dialect::Spark.table("lake.sales.cv").unwrap(), "`lake`.`sales`.`cv`");
        assert_eq!(Dialect::Trino.table("(SELECT 1)").unwrap(), "(SELECT 1)");
        for bad in ["", "a..b", "cv; DROP TABLE cv", "read_parquet('x')"] {
            assert!(Dialect::Duckdb.table(bad).is_err(), "{bad}");
        }
    }
}
