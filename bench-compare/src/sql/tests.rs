use clap::Parser;
use shared::format::sufficient::Measure;

use super::{Dialect, Header, ask, columns, query, show};
use crate::args::{Cli, Command};

fn asked(more: &[&str]) -> shared::Result<Header> {
    let words = ["bench-compare", "sql", "--dialect", "duckdb", "--table", "cv", "--models", "A,B"];
    let Command::Sql(args) = Cli::try_parse_from(words.iter().chain(more)).unwrap().command else { panic!("sql") };
    ask::header(&args)
}

fn printed(more: &[&str], dialect: Dialect) -> String {
    query::text(&Header { dialect, ..asked(more).unwrap() }).unwrap()
}

const ALL: [Dialect; 6] =
    [Dialect::Duckdb, Dialect::Spark, Dialect::Postgres, Dialect::Bigquery, Dialect::Trino, Dialect::Datafusion];

#[test]
fn what_cannot_be_computed_is_refused_with_the_flag_that_is_missing() {
    let refused = |more: &[&str]| asked(more).unwrap_err().to_string();
    assert!(refused(&["--metrics", "mase"]).contains("--train"));
    assert!(refused(&["--metrics", "coverage"]).contains("--level"));
    assert!(refused(&["--train", "t", "--no-cutoff", "--metrics", "da"]).contains("cutoffs"));
    assert!(refused(&["--slice", "h <"]).contains("slice"));
    assert!(refused(&["--slice", "h < 3", "--slice", "h < 3"]).contains("named twice"));
    assert!(refused(&["--level", "100"]).contains("percent"));
    assert!(refused(&["--level", "90", "--interval-models", "C"]).contains("--models names"));
}

#[test]
fn a_gate_always_finds_what_tells_identical_models() {
    let measures = asked(&["--metrics", "rmse"]).unwrap().measures;
    let identity = [Measure::AbsoluteError, Measure::SquaredError, Measure::Error, Measure::AbsoluteActual];
    assert_eq!(measures, identity);
    assert!(asked(&["--train", "t", "--metrics", "da"]).unwrap().measures.contains(&Measure::DirectionTie));
}

#[test]
fn names_never_leave_their_quotes() {
    let hostile = "A\"`'\\; DROP TABLE cv --";
    for dialect in ALL {
        let header = Header { models: vec![hostile.into(), "B".into()], dialect, ..asked(&[]).unwrap() };
        let text = query::text(&header).unwrap();
        let quoted = dialect.name(hostile);
        // In the comment, as a column, and in the JSON, each in its own quotes.
        assert_eq!(text.matches("DROP TABLE cv").count(), 3, "{text}");
        assert!(text.contains(&format!("CAST(t.{quoted} AS")), "{text}");
        assert!(text.lines().take(2).all(|line| line.starts_with("-- ")), "{text}");
    }
}

#[test]
fn each_dialect_has_its_own_types_and_quotes() {
    let flags = ["--by", "open", "--slice", "name >= 'it''s' and ds < '2024-01-01'"];
    let text = |dialect| printed(&flags, dialect);
    assert!(text(Dialect::Postgres).contains("COLLATE \"C\" >= 'it''s'"));
    assert!(text(Dialect::Postgres).contains("CAST(pg_typeof(t.\"open\") AS TEXT)"));
    assert!(text(Dialect::Bigquery).contains("CAST(t.`y` AS FLOAT64)"));
    assert!(text(Dialect::Spark).contains(r"END) >= 'it\'s'"));
    assert!(text(Dialect::Trino).contains("< TIMESTAMP '2024-01-01'"));
    assert!(text(Dialect::Datafusion).contains("arrow_typeof(t.\"open\")"));
}

#[test]
fn the_columns_of_the_result_are_names_everywhere() {
    let (counts, sums) = columns::numbers(&asked(&["--train", "t", "--level", "90"]).unwrap());
    for name in counts.iter().chain(&sums) {
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
    }
    assert_eq!(counts.len(), 11 + 2 + 7);
    assert_eq!(sums.len(), 11 * 2 + 1);
}

#[test]
fn rows_are_shown_by_queries_of_the_same_dialect() {
    let header = Header { dialect: Dialect::Spark, ..asked(&["--train", "lake.history", "--map", "id=shop"]).unwrap() };
    assert_eq!(
        show::train_twice(&header),
        "SELECT `shop`, `ds`, COUNT(*) FROM `lake`.`history` GROUP BY `shop`, `ds` HAVING COUNT(*) > 1"
    );
    assert!(show::other_actual(&header).contains("t.`shop` = h.`shop` AND t.`ds` = h.`ds`"));
    let without = Header { columns: super::Names { cutoff: None, ..header.columns.clone() }, ..header };
    assert_eq!(show::not_after(&without), "SELECT * FROM `cv` WHERE `ds` IS NULL");
}
