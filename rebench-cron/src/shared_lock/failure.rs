//! What the server says when something fails, with the remedy.

use std::error::Error as _;

use postgres::error::SqlState;
use shared::error::Error;

/// The error of a connection string. It is not shown, and neither is what is wrong with it: either may hold the password.
pub(super) fn malformed() -> Error {
    Error::usage("the text of --postgres-url-file is no connection string", "postgresql://USER:PASSWORD@HOST/DATABASE")
        .with_help("it may also be written as host=HOST user=USER password=PASSWORD dbname=DATABASE")
}

/// An error of the server, or of the way to it.
pub(super) fn explain(error: &postgres::Error) -> Error {
    Error::Environment { what: format!("the PostgreSQL server: {}", said(error)), help: Some(remedy(error).to_owned()) }
}

/// The message with its causes, each once.
fn said(error: &postgres::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = inner.source();
    }
    said
}

fn remedy(error: &postgres::Error) -> &'static str {
    let Some(code) = error.code() else {
        return match said(error).contains("TLS") {
            true => "sessions are not encrypted: write sslmode=disable, and reach the server over a private network",
            false => "see that it runs and can be reached from here; it is tried again",
        };
    };
    match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "see user, password and database in the file of --postgres-url-file, and pg_hba.conf of the server"
        }
        SqlState::INVALID_CATALOG_NAME => "make the database: createdb NAME",
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "the user needs CREATE on the schema once, then SELECT, INSERT and UPDATE on rebench_cron_slots and USAGE on rebench_cron_fences"
        }
        SqlState::TOO_MANY_CONNECTIONS => "each run that is on holds a session: raise max_connections of the server",
        SqlState::READ_ONLY_SQL_TRANSACTION => "it is a replica: name the primary",
        _ => "see the log of the server; it is tried again",
    }
}
