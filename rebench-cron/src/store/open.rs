//! Opening the records, to write them or beside a daemon that does.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use shared::error::Place;
use shared::{Error, Result, fsio};

use super::failure::explain;
use super::schema::{APPLICATION, TABLES, VERSION};
use super::{FILE, Store};

/// How long one who writes waits for another who does.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often, and how far apart, it is tried to change the journal, for which the database does not wait by itself.
const TRIES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(20);

/// File systems over a network, on which writers do not see each other's index of the log: NFS, SMB, CIFS, SMB2, AFS
/// (`linux/magic.h`).
const NETWORKS: [u64; 5] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x5346_414f];

/// How many statements are kept ready.
const STATEMENTS: usize = 64;

impl Store {
    /// Opens the records in this folder, and makes both where they are not there.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is none of ours, or of a newer version; [`Error::Usage`] if the folder lies on a
    /// network; [`Error::Environment`] if it cannot be written.
    pub fn open(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            fsio::create_folder(folder)?;
        }
        refuse_network(folder)?;
        let path = folder.join(FILE);
        let new = !path.exists();
        let mut connection = connect(&path).map_err(|error| explain(&path, &error))?;
        // Before the journal is changed, which would change a stranger's file.
        let transaction = connection.transaction().map_err(|error| explain(&path, &error))?;
        is_new(&transaction, &path)?;
        drop(transaction);
        settings(&connection).map_err(|error| explain(&path, &error))?;
        prepare(&mut connection, &path)?;
        if new {
            fsio::sync(folder)?;
        }
        Ok(Self::of(connection, path))
    }

    /// Opens the records in this folder to look at them, also while a daemon writes, and where nothing may be written.
    ///
    /// # Errors
    /// [`Error::Open`] if there are none, [`Error::Input`] if the file is none of ours, or of a newer version;
    /// [`Error::Environment`] if it cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        fsio::open(&path)?;
        let connection = reader(&path).or_else(|error| frozen(&path, error)).map_err(|error| {
            let remedy =
                "copy all three files (also -wal and -shm) to a folder that can be written, and read them there";
            match error.sqlite_error_code() {
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => explain(&path, &error).with_help(remedy),
                _ => explain(&path, &error),
            }
        })?;
        let (application, version) = stamp(&connection).map_err(|error| explain(&path, &error))?;
        check(&path, application, version)?;
        Ok(Self::of(connection, path))
    }

    /// Writes what stands there already, to see whether that can be done.
    ///
    /// # Errors
    /// [`Error::Environment`] if nothing can be written.
    pub fn probe(&self) -> Result<()> {
        Ok(self.write(|transaction| Ok(transaction.pragma_update(None, "user_version", VERSION)?))?)
    }

    fn of(connection: Connection, path: PathBuf) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Self { connection: Mutex::new(connection), path }
    }
}

/// Refuses a folder in which two daemons on two machines would damage the records.
fn refuse_network(folder: &Path) -> Result<()> {
    let kind = rustix::fs::statfs(folder).ok().map(|found| found.f_type.cast_unsigned());
    match kind.is_some_and(is_network) {
        false => Ok(()),
        true => Err(Error::usage(
            format!("{} lies on a file system over a network", folder.display()),
            "a folder on a local disk for the records",
        )),
    }
}

/// Whether it is a kind of [`NETWORKS`], which is a number of 32 bits, whatever the width it comes in.
fn is_network(kind: u64) -> bool {
    NETWORKS.contains(&(kind & 0xffff_ffff))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    keep_journal(connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Writes ahead, so that readers do not wait for who writes.
fn keep_journal(connection: &Connection) -> rusqlite::Result<()> {
    let mut tries = 0;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && tries < TRIES => tries += 1,
            outcome => return outcome,
        }
        thread::sleep(PAUSE);
    }
}

/// Makes the tables of a new file.
fn prepare(connection: &mut Connection, path: &Path) -> Result<()> {
    let failed = |error: rusqlite::Error| explain(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Once more, since another may have made them meanwhile.
    if !is_new(&transaction, path)? {
        return Ok(());
    }
    transaction.execute_batch(TABLES).map_err(failed)?;
    transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
    transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Whether there is nothing in the file yet; what is there must be ours. One transaction, so that it is not seen half made.
fn is_new(connection: &Transaction<'_>, path: &Path) -> Result<bool> {
    let failed = |error: rusqlite::Error| explain(path, &error);
    let (application, version) = stamp(connection).map_err(failed)?;
    let count = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(count, [], |row| row.get(0)).map_err(failed)?;
    match (application, version, tables) {
        (0, 0, 0) => Ok(true),
        _ => check(path, application, version).map(|()| false),
    }
}

/// What names the file as ours, and its version.
fn stamp(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((number("application_id")?, number("user_version")?))
}

fn check(path: &Path, application: i64, version: i64) -> Result<()> {
    let refused = |found: String, help: &str| {
        Err(Error::input(Place::file(path), found, format!("records of rebench-cron, version {VERSION}"))
            .with_help(help))
    };
    match (application, version) {
        (APPLICATION, VERSION) => Ok(()),
        (APPLICATION, newer) => {
            refused(format!("the records have version {newer}"), "use the rebench-cron that wrote them")
        }
        _ => refused("this is the database of another program".to_owned(), "choose another folder"),
    }
}

fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

/// The file by itself, where nothing can be written beside it, and nothing waits beside it to be read.
fn frozen(path: &Path, error: rusqlite::Error) -> rusqlite::Result<Connection> {
    let log = format!("{}-wal", path.display());
    let waits = Path::new(&log).metadata().is_ok_and(|found| found.len() > 0);
    let cannot = matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly));
    if waits || !cannot {
        return Err(error);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri(path), flags)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

/// The file as an address that says that it does not change.
fn uri(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let escaped: String = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|&byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("file:{escaped}?immutable=1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_on_a_network_are_known() {
        // statfs(2): NFS_SUPER_MAGIC, SMB2_MAGIC_NUMBER also as a negative number; not EXT4, TMPFS, OVERLAYFS.
        assert!([0x6969, 0xfe53_4d42, 0xffff_ffff_fe53_4d42].map(is_network).iter().all(|network| *network));
        assert!(![0xef53, 0x0102_1994, 0x794c_7630].map(is_network).iter().any(|network| *network));
    }

    #[test]
    fn names_of_files_are_escaped_in_an_address() {
        assert_eq!(uri(Path::new("/a b/50%?#ö")), "file:/a%20b/50%25%3F%23%C3%B6?immutable=1");
    }
}
