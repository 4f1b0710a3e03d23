//! The one table that hosts share, and whether the server is one that this can work with.

use postgres::Client;
use shared::error::{Error, Result};

use super::failure::explain;

/// The oldest server that is known to work: those before it are no longer kept up by their makers.
const OLDEST: i32 = 14;

/// What the table says of its version.
const VERSION: &str = "rebench-cron/slots/1";

/// One host at a time makes the table. It waits outside of a transaction, since one that has begun may not see what others made by then.
const MAKING: &str = "SELECT pg_advisory_lock(7379542908211521633)";
const MADE: &str = "SELECT pg_advisory_unlock(7379542908211521633)";

const PRESENT: &str = "SELECT to_regclass('rebench_cron_slots') IS NOT NULL";

const TABLE: &str = "
CREATE SEQUENCE IF NOT EXISTS rebench_cron_fences;
CREATE TABLE rebench_cron_slots (
    namespace text NOT NULL,
    job text NOT NULL,
    scheduled_at timestamptz NOT NULL,
    key text NOT NULL,
    fence bigint NOT NULL UNIQUE,
    host text NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    recorded_at timestamptz,
    PRIMARY KEY (namespace, job, scheduled_at, key)
);
CREATE UNIQUE INDEX rebench_cron_slots_key ON rebench_cron_slots (namespace, job, key) WHERE key <> '';
CREATE INDEX rebench_cron_slots_fence ON rebench_cron_slots (namespace, job, fence);
COMMENT ON TABLE rebench_cron_slots IS 'rebench-cron/slots/1';
";

/// Sees to it that the table is there, and is one that this program knows.
///
/// # Errors
/// [`Error::Environment`] if the server is too old, the table cannot be made, or a newer program made it.
pub(super) fn prepare(client: &mut Client) -> Result<()> {
    check_server(client)?;
    make(client).map_err(|error| explain(&error))?;
    check_table(client)
}

fn check_server(client: &mut Client) -> Result<()> {
    let sql = "SELECT current_setting('server_version_num')::int / 10000";
    let found: i32 = client.query_one(sql, &[]).map_err(|error| explain(&error))?.get(0);
    if found >= OLDEST {
        return Ok(());
    }
    let what = format!("the PostgreSQL server is version {found} (expected {OLDEST} or newer)");
    Err(Error::Environment { what, help: Some("use a server that its makers still keep up".to_owned()) })
}

fn make(client: &mut Client) -> Result<(), postgres::Error> {
    // A user who may not make tables can use one that is there.
    if client.query_one(PRESENT, &[])?.get(0) {
        return Ok(());
    }
    client.batch_execute(MAKING)?;
    let mut transaction = client.transaction()?;
    if !transaction.query_one(PRESENT, &[])?.get::<_, bool>(0) {
        transaction.batch_execute(TABLE)?;
    }
    transaction.commit()?;
    client.batch_execute(MADE)
}

fn check_table(client: &mut Client) -> Result<()> {
    let sql = "SELECT coalesce(obj_description(to_regclass('rebench_cron_slots')), '')";
    let found: String = client.query_one(sql, &[]).map_err(|error| explain(&error))?.get(0);
    if found == VERSION {
        return Ok(());
    }
    let what = format!("the table rebench_cron_slots says \"{found}\" of itself (expected \"{VERSION}\")");
    let help =
        "all hosts need the same version of rebench-cron; a table of another program belongs into another database";
    Err(Error::Environment { what, help: Some(help.to_owned()) })
}
