//! The state folder: whatever is appended comes back, damage is seen, one daemon holds it.
use crate::durable;

use std::fs;
use std::path::Path;
use std::process::Command;

use drift_watch::state::journal::{Journal, Options};
use drift_watch::state::snapshot::Snapshots;
use drift_watch::state::store::Store;
use proptest::prelude::*;
use shared::{Error, Exit};

use crate::durable::{files, fold, frame, open_small, overwrite, recovered, state};

/// What is done to a store.
#[derive(Debug, Clone)]
enum Step {
    Append(Vec<u8>),
    Snapshot,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::collection::vec(any::<u8>(), 0..150).prop_map(Step::Append),
        2 => Just(Step::Snapshot),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_use_leads_back_to_the_same_state(steps in proptest::collection::vec(step(), 1..60)) {
        let folder = durable::folder();
        let (mut store, mut count, mut expected, _) = open_small(folder.path()).unwrap();
        let mut snapshots = Vec::new();
        for step in steps.into_iter().chain([Step::Reopen]) {
            match step {
                Step::Append(payload) => {
                    count += 1;
                    prop_assert_eq!(store.append(&payload).unwrap(), count);
                    fold(&mut expected, &payload);
                }
                Step::Snapshot => {
                    store.snapshot(count, &expected).unwrap();
                    snapshots.push(count);
                    snapshots.dedup();
                }
                Step::Reopen => {
                    drop(store);
                    let (again, last, found, repairs) = open_small(folder.path()).unwrap();
                    prop_assert_eq!((last, &found), (count, &expected));
                    prop_assert!(repairs.is_empty());
                    store = again;
                }
            }
        }
        prop_assert_eq!(files(folder.path(), "snapshots", ".snapshot").len(), snapshots.len().min(2));
        only_needed_segments(folder.path(), &snapshots);
    }
}

/// Every segment but the first reaches back at most to the older snapshot: the second one starts after it.
fn only_needed_segments(folder: &Path, snapshots: &[u64]) {
    let [.., older, _newer] = snapshots else { return };
    let segments = files(folder, "journal", ".journal");
    let first = |path: &Path| path.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    assert!(segments.get(1).is_none_or(|second| first(second) > older + 1), "{segments:?} {older}");
    assert!(first(&segments[0]) <= older + 1);
}

/// A store of `count` frames, closed again.
fn filled(count: u64, snapshots: &[u64]) -> tempfile::TempDir {
    let folder = durable::folder();
    let (mut store, ..) = open_small(folder.path()).unwrap();
    for sequence in 1..=count {
        store.append(&frame(sequence)).unwrap();
        if snapshots.contains(&sequence) {
            store.snapshot(sequence, &state(sequence)).unwrap();
        }
    }
    folder
}

#[test]
fn every_cut_of_the_last_segment_leaves_the_frames_before_it() {
    let folder = filled(16, &[]);
    let last = files(folder.path(), "journal", ".journal").pop().unwrap();
    let first = last.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    let bytes = fs::read(&last).unwrap();
    assert!(first < 16, "the segment holds more than one frame");
    for length in 0..bytes.len() {
        overwrite(&last, &bytes[..length]);
        // The header has 24 bytes, and that of a frame 16, by the layout.
        let mut end = 24;
        let whole = (first..=16).take_while(|sequence| {
            end += 16 + frame(*sequence).len();
            end <= length
        });
        let expected = first - 1 + whole.count() as u64;
        let at_an_end = length == 24 || at_frame_end(first, length);
        let (mut store, found, content, repairs) = open_small(folder.path()).unwrap();
        assert_eq!((found, content), (expected, state(expected)), "cut at {length}");
        assert_eq!(repairs.is_empty(), at_an_end, "cut at {length}: {repairs:?}");
        assert_eq!(store.append(&frame(expected + 1)).unwrap(), expected + 1);
        drop(store);
        let (_, found, content, repairs) = open_small(folder.path()).unwrap();
        assert_eq!((found, content, repairs), (expected + 1, state(expected + 1), Vec::new()), "cut at {length}");
    }
}

fn at_frame_end(first: u64, length: usize) -> bool {
    let ends = (first..=16).scan(24, |end, sequence| {
        *end += 16 + frame(sequence).len();
        Some(*end)
    });
    ends.into_iter().any(|end| end == length)
}

/// What opening the store gives: the state, or the text of the error.
fn outcome(folder: &Path) -> Result<(u64, Vec<u8>, Vec<String>), Error> {
    open_small(folder).map(|(_, last, state, repairs)| (last, state, repairs))
}

#[test]
fn every_changed_byte_of_the_journal_is_seen() {
    let folder = filled(16, &[]);
    let segments = files(folder.path(), "journal", ".journal");
    assert!(segments.len() >= 3);
    for segment in &segments {
        let bytes = fs::read(segment).unwrap();
        for (place, bit) in (0..bytes.len()).flat_map(|place| [(place, 1), (place, 0x80)]) {
            let mut changed = bytes.clone();
            changed[place] ^= bit;
            overwrite(segment, &changed);
            match outcome(folder.path()) {
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains(segment.to_str().unwrap()) && text.contains("byte "), "{text}");
                    assert!(error.help().is_some());
                }
                // Only what was written last can look like a write that did not finish.
                Ok((last, content, repairs)) => {
                    assert_eq!((last, content, repairs.len()), (15, state(15), 1), "{place} of {}", segment.display());
                    assert_eq!(segment, segments.last().unwrap());
                }
            }
            overwrite(segment, &bytes);
        }
    }
    assert_eq!(outcome(folder.path()).unwrap(), (16, state(16), Vec::new()));
}

#[test]
fn every_changed_byte_of_a_snapshot_leads_to_the_one_before_it() {
    let folder = filled(16, &[4, 9, 14]);
    let newest = files(folder.path(), "snapshots", ".snapshot").pop().unwrap();
    let bytes = fs::read(&newest).unwrap();
    for place in 0..=bytes.len() {
        let mut changed = bytes.clone();
        match changed.get_mut(place) {
            Some(byte) => *byte ^= 4,
            None => changed.push(0),
        }
        overwrite(&newest, &changed);
        let (last, content, repairs) = outcome(folder.path()).unwrap();
        assert_eq!((last, content, repairs.len()), (16, state(16), 1), "byte {place}");
        assert!(!newest.exists());
        overwrite(&newest, &bytes);
    }
    assert_eq!(outcome(folder.path()).unwrap(), (16, state(16), Vec::new()));
}

#[test]
fn missing_files_are_seen() {
    let folder = filled(30, &[]);
    let segments = files(folder.path(), "journal", ".journal");
    for missing in &segments[..segments.len() - 1] {
        let bytes = fs::read(missing).unwrap();
        fs::remove_file(missing).unwrap();
        let error = outcome(folder.path()).unwrap_err();
        assert_eq!((error.exit(), error.help().is_some()), (Exit::Usage, true), "{error}");
        overwrite(missing, &bytes);
    }
    assert_eq!(outcome(folder.path()).unwrap().0, 30);
}

#[test]
fn without_any_whole_snapshot_the_journal_must_reach_back() {
    let folder = filled(30, &[10, 20]);
    files(folder.path(), "snapshots", ".snapshot").iter().for_each(|path| overwrite(path, b"x"));
    let error = outcome(folder.path()).unwrap_err();
    assert!(error.to_string().contains("no whole snapshot leads there") && error.help().is_some(), "{error}");

    let young = filled(5, &[3]);
    files(young.path(), "snapshots", ".snapshot").iter().for_each(|path| overwrite(path, b"x"));
    let (last, content, repairs) = outcome(young.path()).unwrap();
    assert_eq!((last, content, repairs.len()), (5, state(5), 1));
}

#[test]
fn a_snapshot_later_than_the_journal_stands() {
    let folder = filled(16, &[8, 16]);
    files(folder.path(), "journal", ".journal").iter().for_each(|path| fs::remove_file(path).unwrap());
    let (mut store, last, content, repairs) = open_small(folder.path()).unwrap();
    assert_eq!((last, content, repairs.len()), (16, state(16), 1));
    assert_eq!(store.append(&frame(17)).unwrap(), 17);
    drop(store);
    assert_eq!(outcome(folder.path()).unwrap(), (17, state(17), Vec::new()));
    // The older snapshot does not lead to frame 17 any more, and that is said, not guessed.
    overwrite(&files(folder.path(), "snapshots", ".snapshot")[1], b"x");
    assert!(outcome(folder.path()).is_err());
}

#[test]
fn one_daemon_holds_a_folder() {
    let folder = durable::folder();
    let (store, _) = Store::open(folder.path()).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    let holder = format!("process {}", std::process::id());
    assert!(error.to_string().contains(&holder) && error.help().is_some(), "{error}");
    assert_eq!(error.exit(), Exit::Environment);
    drop(store);
    assert!(Store::open(folder.path()).is_ok());
}

#[test]
fn a_killed_holder_holds_nothing() {
    let folder = durable::folder();
    drop(Store::open(folder.path()).unwrap());
    let lock = folder.path().join("lock");
    let mut holder = Command::new("flock").arg("--no-fork").arg(&lock).args(["sleep", "60"]).spawn().unwrap();
    let held = || Store::open(folder.path()).is_err();
    assert!(eventually(held), "flock does not take the lock");
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(eventually(|| Store::open(folder.path()).is_ok()));
}

fn eventually(condition: impl Fn() -> bool) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        condition()
    })
}

#[test]
fn a_folder_for_newer_versions_is_refused() {
    let folder = filled(3, &[2]);
    let mark = folder.path().join("store.json");
    let text = fs::read_to_string(&mark).unwrap();
    for newer in [text.replace("state/1", "state/2"), text.replace("0.1.0", "99.0.0"), "{".to_owned(), String::new()] {
        overwrite(&mark, newer.as_bytes());
        let error = outcome(folder.path()).unwrap_err();
        assert!(error.exit() == Exit::Usage && error.to_string().contains("store.json"), "{error}");
    }
    overwrite(&mark, text.as_bytes());
    // A whole header of another version, by the layout: the version is at byte 8, the checksum over all before it at the end.
    for (below, suffix, length) in [("journal", ".journal", 24), ("snapshots", ".snapshot", 36)] {
        let path = files(folder.path(), below, suffix).pop().unwrap();
        let bytes = fs::read(&path).unwrap();
        let mut newer = bytes.clone();
        newer[8] = 2;
        let crc = crc32fast::hash(&newer[..length - 4]);
        newer[length - 4..length].copy_from_slice(&crc.to_le_bytes());
        overwrite(&path, &newer);
        let text = outcome(folder.path()).unwrap_err().to_string();
        assert!(text.contains("version 2") && text.contains(path.to_str().unwrap()), "{text}");
        overwrite(&path, &bytes);
    }
    assert_eq!(outcome(folder.path()).unwrap().0, 3);
}

#[test]
fn what_a_killed_process_left_half_written_is_swept() {
    let folder = filled(3, &[2]);
    let stale = folder.path().join("snapshots/00000000000000000003.snapshot-tmp");
    overwrite(&stale, b"half");
    assert_eq!(outcome(folder.path()).unwrap().0, 3);
    assert!(!stale.exists());
}

#[test]
fn bounds_hold() {
    let folder = filled(5, &[4]);
    let (mut store, ..) = open_small(folder.path()).unwrap();
    for sequence in [3, 6] {
        assert_eq!(store.snapshot(sequence, b"").unwrap_err().exit(), Exit::Usage);
    }
    assert_eq!(store.append(&vec![0; (64 << 20) + 1]).unwrap_err().exit(), Exit::Usage);
    assert_eq!(store.append(&frame(6)).unwrap(), 6);
}

#[test]
fn a_state_is_written_piece_by_piece() {
    let folder = durable::folder();
    let mut snapshots = Snapshots::open(folder.path(), Options::default().disk).unwrap();
    let piece: Vec<u8> = (0..=255).cycle().take(100_003).collect();
    snapshots.write_with(0, |file| (0..30).try_for_each(|_| file.write_all(&piece))).unwrap();
    let (found, repairs) = snapshots.newest().unwrap();
    assert_eq!((found.unwrap(), repairs.len()), ((0, piece.repeat(30)), 0));
}

#[test]
fn a_journal_is_read_from_any_frame() {
    let folder = filled(40, &[]);
    let (journal, found) = Journal::open(&folder.path().join("journal"), Options::default()).unwrap();
    assert_eq!((found.first, found.next), (1, 41));
    for from in 1..=41 {
        let numbers: Vec<u64> = journal.frames(from).unwrap().map(|item| item.unwrap().0).collect();
        assert_eq!(numbers, (from..=40).collect::<Vec<_>>());
    }
}

/// A file system of one megabyte that is really full.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn a_full_disk_keeps_what_is_there_and_goes_on_when_there_is_room() {
    let folder = durable::folder();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(folder.path()).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: a small file system cannot be mounted here");
        return;
    }
    let checked = std::panic::catch_unwind(|| fill(folder.path()));
    let unmounted = Command::new("umount").arg(folder.path()).status().unwrap();
    assert!(checked.is_ok() && unmounted.success());
}

fn fill(folder: &Path) {
    let (mut store, _) = Store::open(folder).unwrap();
    let payload = vec![7; 10_000];
    let failed = (0..200).find_map(|_| store.append(&payload).err()).unwrap();
    let last = store.last();
    assert!(failed.exit() == Exit::Environment && failed.to_string().contains("No space"), "{failed}");
    assert!(store.append(&payload).is_err());
    assert!(store.snapshot(last, &vec![1; 300_000]).is_err());
    assert!(files(folder, "snapshots", "").is_empty(), "a snapshot that failed gives its room back");
    drop(store);
    // It starts on the full disk, and what was acknowledged is there.
    let (mut store, start) = Store::open(folder).unwrap();
    let (found, _) = recovered(start).unwrap();
    assert!(found == last && last > 50, "{last}");
    let room = Command::new("mount").args(["-o", "remount,size=2m"]).arg(folder).status().unwrap();
    assert!(room.success());
    assert_eq!(store.append(&payload).unwrap(), found + 1);
    store.snapshot(found + 1, b"state").unwrap();
}
