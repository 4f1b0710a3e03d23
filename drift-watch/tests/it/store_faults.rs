//! The state folder on a disk where any one call fails, once or from then on: with a full disk, a broken one, a killed
//! process and a power cut. What was acknowledged is there; nothing is there twice; nothing is there that was not given.
use crate::durable;

use std::path::Path;
use std::sync::Arc;

use drift_watch::state::store::Store;

use crate::durable::{Fault, Faulty, frame, open, state};

/// Frames that a run appends.
const FRAMES: u64 = 24;

/// A full disk and a broken one.
const CODES: [i32; 2] = [28, 5];

/// How a run ended.
struct Run {
    /// The last frame that was acknowledged.
    acknowledged: u64,
    /// Errors that were seen.
    errors: usize,
}

/// Appends, snapshots and reopens as a daemon would; each failure is tried again `patience` times before giving up.
fn run(folder: &Path, disk: &Faulty, patience: usize) -> Run {
    let mut run = Run { acknowledged: 0, errors: 0 };
    carry_out(folder, disk, patience, &mut run);
    run
}

fn carry_out(folder: &Path, disk: &Faulty, patience: usize, run: &mut Run) -> Option<()> {
    let mut store = opened(folder, disk, patience, run)?;
    for sequence in 1..=FRAMES {
        insist(patience, run, || store.append(&frame(sequence)))?;
        run.acknowledged = sequence;
        if sequence % 5 == 0 {
            insist(patience, run, || store.snapshot(sequence, &state(sequence)))?;
        }
        if sequence % 9 == 0 {
            drop(store);
            store = opened(folder, disk, patience, run)?;
        }
    }
    Some(())
}

fn opened(folder: &Path, disk: &Faulty, patience: usize, run: &mut Run) -> Option<Store> {
    let acknowledged = run.acknowledged;
    let (store, last, content, _) = insist(patience, run, || open(folder, Arc::new(disk.clone())))?;
    assert_eq!((last, content), (acknowledged, state(acknowledged)));
    Some(store)
}

fn insist<T>(patience: usize, run: &mut Run, mut attempt: impl FnMut() -> shared::Result<T>) -> Option<T> {
    for _ in 0..=patience {
        match attempt() {
            Ok(value) => return Some(value),
            Err(error) => {
                assert_eq!(error.exit(), shared::Exit::Environment, "{error}");
                run.errors += 1;
            }
        }
    }
    None
}

/// Runs with each call failing in turn, until a run needs fewer calls than that; `check` says whether it did not.
fn each_call(lasting: bool, mut check: impl FnMut(Fault, &Path, &Faulty) -> bool) {
    for code in CODES {
        for at in 1.. {
            let (folder, disk) = (durable::folder(), Faulty::default());
            let fault = Fault { at, lasting, code };
            disk.set(Some(fault));
            if !check(fault, folder.path(), &disk) {
                assert!(at > 100, "the runs are long enough to mean something");
                break;
            }
        }
    }
}

#[test]
fn a_failure_that_passes_changes_nothing() {
    each_call(false, |fault, folder, disk| {
        let run = run(folder, disk, 1);
        let reached = disk.calls() >= fault.at;
        assert_eq!((run.acknowledged, run.errors), (FRAMES, usize::from(reached)), "{fault:?}");
        disk.set(None);
        disk.cut_power();
        let (_, last, content, repairs) = open(folder, Arc::new(disk.clone())).unwrap();
        assert_eq!((last, content, repairs), (FRAMES, state(FRAMES), Vec::new()), "{fault:?}");
        reached
    });
}

#[test]
fn a_failure_that_stays_loses_nothing_that_was_acknowledged() {
    for power_cut in [false, true] {
        each_call(true, |fault, folder, disk| {
            let run = run(folder, disk, 2);
            let reached = disk.calls() >= fault.at;
            disk.set(None);
            if power_cut {
                disk.cut_power();
            }
            let (mut store, last, content, _) = open(folder, Arc::new(disk.clone())).unwrap();
            // The frame that was not acknowledged may be there whole, or not at all.
            assert!(last == run.acknowledged || last == run.acknowledged + 1, "{fault:?}: {last}");
            assert_eq!(content, state(last), "{fault:?}");
            assert_eq!(store.append(&frame(last + 1)).unwrap(), last + 1);
            reached
        });
    }
}

#[test]
fn a_frame_that_failed_may_be_followed_by_another_one_in_its_place() {
    let (folder, disk) = (durable::folder(), Faulty::default());
    let (mut store, ..) = open(folder.path(), Arc::new(disk.clone())).unwrap();
    store.append(b"first").unwrap();
    // Header and payload are written, the sync fails: all of the long frame may be in the file.
    disk.set(Some(Fault { at: 3, lasting: false, code: 5 }));
    assert!(store.append(&[9; 150]).is_err());
    assert_eq!(store.append(b"short").unwrap(), 2);
    drop(store);
    let (_, last, content, repairs) = open(folder.path(), Arc::new(disk)).unwrap();
    let mut expected = Vec::new();
    [b"first", b"short"].iter().for_each(|payload| durable::fold(&mut expected, *payload));
    assert_eq!((last, content, repairs), (2, expected, Vec::new()));
}
