//! `DuckDB`, `DataFusion` and `PostgreSQL` on the awkward table, with each kind of time and both directions.

use std::io::{Read, Write};
use std::process::Command;

use super::postgres_server::Server;
use super::table::{BASELINE, CANDIDATE, Table, done, script};

const KINDS: [&str; 4] = ["naive", "date", "offset", "integer"];
const DIRECTIONS: [&str; 2] = ["last", "diff"];

fn in_process(engine: &str, endings: &[&str]) {
    for kind in KINDS {
        let Some(table) = Table::new(engine, kind) else { return };
        for direction in DIRECTIONS {
            let query = table.saved_query(engine, direction);
            for ending in endings {
                let file = format!("statistics.{ending}");
                let mut run = Command::new(&table.python);
                run.arg(script("run_query.py")).arg(engine).arg(table.place.path("")).arg(&query);
                done(run.arg(table.place.path(&file)));
                table.assert_same(&file, direction);
            }
        }
    }
}

#[test]
fn duckdb_gives_the_verdict_of_the_rows() {
    in_process("duckdb", &["csv", "parquet"]);
}

/// Runs a query in `DuckDB` on the table.
fn in_duckdb(table: &Table, query: &str, file: &str) {
    let saved = table.place.path("query.sql");
    shared::fsio::write_atomic(&saved, query.as_bytes()).unwrap();
    let mut run = Command::new(&table.python);
    run.arg(script("run_query.py")).arg("duckdb").arg(table.place.path("")).arg(&saved);
    done(run.arg(table.place.path(file)));
}

#[test]
fn a_table_without_cutoffs_has_the_metrics_of_its_rows() {
    let Some(table) = Table::new("duckdb", "naive") else { return };
    let rows = "SELECT * EXCLUDE (cutoff) FROM cv WHERE cutoff = TIMESTAMP '2024-03-05 06:30:00'";
    in_duckdb(&table, rows, "rows.parquet");
    let (from, models) = (format!("({rows})"), format!("{CANDIDATE},{BASELINE}"));
    let words =
        ["sql", "--dialect", "duckdb", "--table", &from, "--no-cutoff", "--models", &models, "--by", "h,region"];
    let words = [&words[..], &["--level", "90", "--interval-models", CANDIDATE]].concat();
    in_duckdb(&table, &table.place.run("bench-compare", &words).stdout, "sums.csv");
    let score = |evidence: &[&str]| {
        let words = ["--by", "h,region,unique_id", "--metrics", "mape,rmse,bias", "--max-unpaired", "0.2", "--json"];
        let said = table.place.run("bench-compare", &[&["score"], evidence, &words].concat());
        assert_eq!(said.status, 0, "{}", said.stderr);
        said.json()
    };
    let rows = score(&["rows.parquet", "--models", &models]);
    crate::same::assert_same(&rows, &score(&["--sufficient", "sums.csv"]), "no cutoffs", 200);
}

#[test]
fn datafusion_gives_the_verdict_of_the_rows() {
    in_process("datafusion", &["parquet"]);
}

/// Copies the table into the server.
fn load(table: &Table, client: &mut postgres::Client) {
    let read = |name: &str| shared::fsio::read(&table.place.path(name)).unwrap();
    client.batch_execute("DROP TABLE IF EXISTS cv; DROP TABLE IF EXISTS train").unwrap();
    client.batch_execute(&String::from_utf8(read("tables.sql")).unwrap()).unwrap();
    for name in ["cv", "train"] {
        let mut copy = client.copy_in(&format!("COPY {name} FROM STDIN (FORMAT csv, NULL '\\N')")).unwrap();
        copy.write_all(&read(&format!("{name}.csv"))).unwrap();
        copy.finish().unwrap();
    }
}

#[test]
fn postgresql_gives_the_verdict_of_the_rows() {
    let Some(server) = Server::start("postgresql_gives_the_verdict_of_the_rows") else { return };
    for kind in KINDS {
        let Some(table) = Table::new("pyarrow", kind) else { return };
        let mut client = server.client();
        load(&table, &mut client);
        for direction in DIRECTIONS {
            // A comment ends with its line, and so would the parenthesis.
            let copy = format!("COPY ({}) TO STDOUT (FORMAT csv, HEADER)", table.query("postgres", direction));
            let mut answer = Vec::new();
            client.copy_out(&copy).unwrap().read_to_end(&mut answer).unwrap();
            shared::fsio::write_atomic(&table.place.path("statistics.csv"), &answer).unwrap();
            table.assert_same("statistics.csv", direction);
        }
    }
}
