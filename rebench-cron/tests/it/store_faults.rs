//! Disks that are full or read-only, files that are none of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rebench_cron::store::{Claim, Outcome, Store};
use shared::{Error, Exit};
use tempfile::TempDir;

use crate::store_support::{claim, cron, host, job, monday, records, table, week, whole};

/// A file system of its own, for who may mount one.
pub(crate) struct Mounted(TempDir);

impl Mounted {
    pub(crate) fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        mount(&["-t", "tmpfs", "-o", &options, "none", &text(folder.path())]).then(|| Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The same, where nothing can be written.
    pub(crate) fn read_only(folder: &Path) -> Option<Self> {
        let other = tempfile::tempdir().unwrap();
        let path = text(other.path());
        let bound = mount(&["--bind", &text(folder), &path]);
        let mounted = bound.then(|| Self(other))?;
        mount(&["-o", "remount,ro,bind", &path]).then_some(mounted)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.path()).output());
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn mount(args: &[&str]) -> bool {
    let mounted = Command::new("mount").args(args).output().is_ok_and(|output| output.status.success());
    if !mounted {
        eprintln!("SKIPPED: file systems cannot be mounted here (run as root)");
    }
    mounted
}

fn help(error: &Error) -> &str {
    error.help().unwrap()
}

#[test]
fn a_full_disk_stops_the_step_and_keeps_what_was_recorded() {
    let Some(disk) = Mounted::new("2m") else { return };
    let store = Store::open(disk.path()).unwrap();
    store.define(&job("walmart"), monday()).unwrap();
    fs::File::create(disk.path().join("filler")).unwrap().set_len(0).unwrap();
    let filler = disk.path().join("filler");
    fill(&filler);
    let claims = |number: i64| -> Vec<Claim> { (0..20).map(|slot| cron(week(20 * number + slot))).collect() };
    let mut recorded = 0;
    let error = loop {
        match store.claim_all(&claims(recorded), monday(), &host("here")) {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
        assert!(recorded < 200, "the disk is never full");
    };
    assert_eq!(error.exit(), Exit::Environment, "{error}");
    assert!(help(&error).contains("make room"), "{error}");
    let expected = usize::try_from(20 * recorded).unwrap();
    assert_eq!(table(&store, "slots").len(), expected, "it can still be read");
    fs::remove_file(filler).unwrap();
    store.integrity().unwrap();
    assert_eq!(table(&store, "runs").len(), expected);
    store.claim_all(&claims(recorded), monday(), &host("here")).unwrap();
    drop(store);
    let store = Store::open(disk.path()).unwrap();
    store.integrity().unwrap();
    assert_eq!(table(&store, "runs").len(), expected + 20);
}

/// Writes until 100 kB are left.
fn fill(path: &Path) {
    let room = 1_600 << 10;
    let taken: u64 =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    shared::fsio::write_atomic(path, &vec![1; usize::try_from(room - taken.min(room)).unwrap()]).unwrap();
}

#[test]
fn a_disk_that_is_full_from_the_start_says_so() {
    let Some(disk) = Mounted::new("16k") else { return };
    let error = Store::open(disk.path()).unwrap_err();
    assert_eq!(error.exit(), Exit::Environment, "{error}");
    assert!(error.to_string().starts_with(&text(&disk.path().join("rebench.sqlite"))), "{error}");
}

#[test]
fn a_read_only_folder_can_be_read_and_not_written() {
    let (folder, store) = records();
    whole(&store, 0, Outcome::Holds);
    drop(store);
    let Some(view) = Mounted::read_only(folder.path()) else { return };
    assert!(!view.path().join("rebench.sqlite-wal").exists());
    let error = Store::open(view.path()).unwrap_err();
    assert_eq!(error.exit(), Exit::Environment, "{error}");
    let store = Store::read(view.path()).unwrap();
    assert_eq!(store.history("walmart", 9).unwrap().len(), 1);
    store.integrity().unwrap();
}

#[test]
fn a_read_only_view_of_a_running_daemon_shows_what_it_recorded_last() {
    let (folder, store) = records();
    claim(&store, 0);
    let Some(view) = Mounted::read_only(folder.path()) else { return };
    let reader = Store::read(view.path()).unwrap();
    claim(&store, 1);
    assert_eq!(reader.history("walmart", 9).unwrap().len(), 2);
    drop(reader);
    claim(&store, 2);
    assert_eq!(Store::read(view.path()).unwrap().history("walmart", 9).unwrap().len(), 3);
}

#[test]
fn what_a_killed_daemon_left_unmerged_is_never_left_out_in_silence() {
    let (folder, store) = records();
    claim(&store, 0);
    // As after a kill and a move: the log is there, its index is not.
    let moved = tempfile::tempdir().unwrap();
    for name in ["rebench.sqlite", "rebench.sqlite-wal"] {
        fs::copy(folder.path().join(name), moved.path().join(name)).unwrap();
    }
    let Some(view) = Mounted::read_only(moved.path()) else { return };
    match Store::read(view.path()) {
        Ok(store) => assert_eq!(store.history("walmart", 9).unwrap().len(), 1),
        Err(error) => assert!(help(&error).contains("copy all three files"), "{error}"),
    }
    drop(view);
    assert_eq!(Store::read(moved.path()).unwrap().history("walmart", 9).unwrap().len(), 1);
}

#[test]
fn a_reader_sees_what_a_daemon_writes_and_changes_nothing() {
    let (folder, store) = records();
    let reader = Store::read(folder.path()).unwrap();
    claim(&store, 0);
    assert_eq!(reader.history("walmart", 9).unwrap().len(), 1);
    let error = reader.claim(&cron(week(1)), monday(), &host("here")).unwrap_err();
    assert_eq!(error.exit(), Exit::Environment, "{error}");
    assert!(error.to_string().contains("cannot be written"), "{error}");
}

#[test]
fn a_reader_makes_no_records() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::read(folder.path()).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage, "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("rebench.sqlite")
}

fn both_refuse(folder: &TempDir, said: &str) {
    let before = fs::read(file(folder)).unwrap();
    for error in [Store::open(folder.path()).unwrap_err(), Store::read(folder.path()).unwrap_err()] {
        assert_eq!(error.exit(), Exit::Usage, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(fs::read(file(folder)).unwrap(), before);
}

#[test]
fn strangers_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    shared::fsio::write_atomic(&file(&folder), &b"this is no database, however long it may be ".repeat(50)).unwrap();
    both_refuse(&folder, "this is no database");

    for journal in ["WAL", "DELETE"] {
        let folder = tempfile::tempdir().unwrap();
        let other = rusqlite::Connection::open(file(&folder)).unwrap();
        other.execute_batch(&format!("PRAGMA journal_mode = {journal}; CREATE TABLE jobs (name TEXT)")).unwrap();
        drop(other);
        both_refuse(&folder, "another program");
    }
}

#[test]
fn a_newer_version_is_refused_and_left_as_it_is() {
    let (folder, store) = records();
    drop(store);
    let other = rusqlite::Connection::open(file(&folder)).unwrap();
    other.pragma_update(None, "user_version", 2).unwrap();
    drop(other);
    both_refuse(&folder, "the records have version 2");
}

#[test]
fn damage_is_found() {
    let (folder, store) = records();
    (0..50).for_each(|number| drop(whole(&store, number, Outcome::Holds)));
    drop(store);
    let mut bytes = fs::read(file(&folder)).unwrap();
    // The second half of the file, but for its last page: pages of tables and indexes.
    let (from, to) = (bytes.len() / 2, bytes.len() - 4096);
    bytes[from..to].iter_mut().step_by(64).for_each(|byte| *byte ^= 0x5a);
    shared::fsio::write_atomic(&file(&folder), &bytes).unwrap();
    let error = Store::read(folder.path()).unwrap().integrity().unwrap_err();
    assert_eq!(error.exit(), Exit::Environment, "{error}");
    assert!(error.to_string().contains("damaged"), "{error}");
}
