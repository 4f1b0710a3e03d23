//! Files that are followed while they grow, rotate, are truncated, compressed and replaced.
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use drift_watch::source::{Line, MOST_LINE_BYTES, Options, Tailer};
use shared::format::live::{Fault, Kind};

use crate::tailing::{CSV_HEADER, Case, PLENTY, append, compress, csv, json, say};

#[test]
fn a_row_waits_for_its_line_break() {
    let mut case = Case::new(&["x.jsonl"]);
    case.poll();
    let row = json("a");
    case.write("x.jsonl", &row[..30]);
    assert_eq!(case.poll().backlog_bytes, 30);
    case.write("x.jsonl", &row[30..]);
    case.poll();
    case.poll();
    assert_eq!(case.names(), ["a"]);
}

#[test]
fn places_are_told() {
    let mut case = Case::new(&["x.csv"]);
    case.write("x.csv", &format!("{CSV_HEADER}{}\r\n{}", csv("a"), "oops\n"));
    let mut places = Vec::new();
    case.tailer.poll(PLENTY, &mut |line: Line<'_>| places.push((line.offset, line.line, say(&line).is_ok())));
    let first = CSV_HEADER.len() as u64;
    let third = first + csv("a").len() as u64 + 2;
    assert_eq!(places, [(first, Some(2), true), (third, Some(4), false)]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_once() {
    for pattern in ["x.jsonl", "x.jsonl*"] {
        let mut case = Case::new(&[pattern]);
        case.write("x.jsonl", &json("a"));
        case.poll();
        case.write("x.jsonl", &json("b"));
        case.rename("x.jsonl", "x.jsonl.1");
        case.write("x.jsonl", &json("d"));
        case.write("x.jsonl.1", &json("c")); // the writer had it open still
        case.poll();
        case.write("x.jsonl.1", &json("late"));
        case.write("x.jsonl", &json("e"));
        (0..5).for_each(|_| drop(case.poll()));
        assert_eq!(case.names(), ["a", "b", "c", "d", "late", "e"], "{pattern}");
    }
}

#[test]
fn what_a_rotated_or_removed_file_ends_with_is_a_broken_line() {
    for pattern in ["x.jsonl", "x.jsonl*"] {
        let mut case = Case::new(&[pattern]);
        case.write("x.jsonl", &(json("a") + "{\"series\":"));
        case.poll();
        case.rename("x.jsonl", "x.jsonl.1");
        (0..5).for_each(|_| drop(case.poll()));
        assert_eq!(case.seen, [Ok("a".to_owned()), Err(Fault::BrokenLine)], "{pattern}");
        assert_eq!(case.poll().backlog_bytes, 0);
    }
    let mut case = Case::new(&["x.csv"]);
    case.write("x.csv", &(CSV_HEADER.to_owned() + &csv("a") + csv("b").trim_end()));
    case.poll();
    fs::remove_file(case.path("x.csv")).unwrap();
    (0..5).for_each(|_| drop(case.poll()));
    assert_eq!(case.seen, [Ok("a".to_owned()), Err(Fault::BrokenLine)]);
    assert_eq!(case.tailer.positions().files, []);
}

#[test]
fn a_copy_goes_on_where_the_truncated_file_was() {
    let mut case = Case::new(&["x.csv*"]);
    case.write("x.csv", &(CSV_HEADER.to_owned() + &csv("a")));
    case.poll();
    case.write("x.csv", &csv("b"));
    fs::copy(case.path("x.csv"), case.path("x.csv.1")).unwrap();
    File::create(case.path("x.csv")).unwrap();
    // A writer that keeps its file open does not write the header again.
    case.write("x.csv", &(csv("c") + &csv("d") + &csv("e")));
    case.poll();
    assert_eq!(case.names(), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_replaced_file_is_read_from_its_start() {
    let mut case = Case::new(&["x.csv"]);
    case.write("x.csv", &(CSV_HEADER.to_owned() + &csv("a")));
    case.poll();
    // The same inode and header, and longer than what was read.
    case.overwrite("x.csv", &format!("{CSV_HEADER}{}{}", csv("b"), csv("c")));
    let progress = case.poll_with(PLENTY);
    assert_eq!((progress.replaced, progress.caught_up), (1, false));
    case.poll();
    // Other columns, before there is a row.
    case.overwrite("x.csv", CSV_HEADER);
    case.poll();
    case.overwrite("x.csv", "target_time,series,observed_at,y\n2013-06-03T00:00:00Z,d,2013-06-04T00:00:00Z,1\n");
    case.poll();
    assert_eq!(case.names(), ["a", "b", "c", "d"]);
}

#[test]
fn an_inode_that_is_used_again_is_another_file() {
    for round in 0..20 {
        let mut case = Case::new(&["x.jsonl"]);
        case.write("x.jsonl", &json("a"));
        case.poll();
        let positions = case.tailer.positions();
        case.stop();
        fs::remove_file(case.path("x.jsonl")).unwrap();
        case.write("x.jsonl", &(json("b") + &json("c")));
        case.restart(&positions);
        case.poll();
        assert_eq!(case.names(), ["a", "b", "c"], "round {round}");
    }
}

#[test]
fn a_compressed_file_whose_rows_were_read_is_not_read_again() {
    let mut case = Case::new(&["x.jsonl*"]);
    case.write("x.jsonl", &(json("a") + &json("b")));
    case.poll();
    case.rename("x.jsonl", "x.jsonl.1");
    (0..4).for_each(|_| drop(case.poll()));
    compress(&case.path("x.jsonl.1"), &case.path("x.jsonl.2.gz"));
    case.write("x.jsonl", &json("c"));
    case.poll();
    assert_eq!(case.names(), ["a", "b", "c"]);

    // Rotated and compressed while nobody looked, with a row that nobody has seen.
    let positions = case.tailer.positions();
    case.write("x.jsonl", &json("d"));
    compress(&case.path("x.jsonl"), &case.path("x.jsonl.1.gz"));
    case.write("x.jsonl", &json("e"));
    case.restart(&positions);
    (0..5).for_each(|_| drop(case.poll()));
    assert_eq!(case.names(), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_damaged_archive_is_told_and_stops_nothing() {
    let mut case = Case::new(&["*.jsonl*"]);
    case.write("plain.jsonl", &json("z"));
    case.write("a.jsonl", &(0..2000).map(|number| json(&number.to_string())).collect::<String>());
    compress(&case.path("a.jsonl"), &case.path("a.jsonl.1.gz"));
    let whole = fs::read(case.path("a.jsonl.1.gz")).unwrap();
    File::create(case.path("a.jsonl.1.gz")).unwrap().write_all(&whole[..whole.len() / 2]).unwrap();
    (0..3).for_each(|_| drop(case.poll()));
    assert_eq!(case.poll().problems.len(), 1);
    assert!(case.names().contains(&"z"));
    File::create(case.path("a.jsonl.1.gz")).unwrap().write_all(&whole).unwrap();
    (0..3).for_each(|_| drop(case.poll()));
    assert_eq!(case.poll().problems, []);
    assert_eq!(case.names().len(), 2001);
}

#[test]
fn rotations_that_were_there_before_come_oldest_first() {
    let mut case = Case::new(&["*.jsonl*"]);
    for (name, row) in [("x.jsonl", "c"), ("x.jsonl.1", "b"), ("x.jsonl.2", "a"), ("w.jsonl", "0")] {
        case.write(name, &json(row));
    }
    compress(&case.path("x.jsonl.2"), &case.path("x.jsonl.2.gz"));
    case.poll();
    assert_eq!(case.names(), ["0", "a", "b", "c"]);
}

#[test]
fn bytes_that_are_no_rows_cost_only_themselves() {
    let mut case = Case::new(&["x.jsonl"]);
    let long = "x".repeat(MOST_LINE_BYTES * 3);
    case.write("x.jsonl", &(json("a") + &long));
    case.poll();
    let positions = case.tailer.positions();
    case.restart(&positions);
    case.write("x.jsonl", &(long + "\n" + &json("b") + "\0\0\0\n"));
    append(&case.path("x.jsonl"), b"{\"series\":\"\xff\"}\n");
    case.write("x.jsonl", &json("c"));
    case.poll();
    let ok = |name: &str| Ok(name.to_owned());
    let (long, broken, other) = (Err(Fault::TooLong), Err(Fault::BrokenLine), Err(Fault::NotUtf8));
    assert_eq!(case.seen, [ok("a"), long, ok("b"), broken, other, ok("c")]);
}

#[test]
fn links_are_followed_and_what_is_no_file_is_told() {
    let mut case = Case::new(&["*.jsonl"]);
    fs::create_dir(case.path("elsewhere")).unwrap();
    fs::create_dir(case.path("folder.jsonl")).unwrap();
    case.write("elsewhere/one", &json("a"));
    std::os::unix::fs::symlink("elsewhere/one", case.path("x.jsonl")).unwrap();
    std::os::unix::fs::symlink("absent", case.path("y.jsonl")).unwrap();
    let pipe = case.path("pipe.jsonl");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let progress = case.poll();
    assert_eq!(case.names(), ["a"]);
    assert_eq!(progress.problems.len(), 1);
    assert_eq!(progress.problems[0].place.path, pipe);
    assert_eq!((progress.files, progress.rows, progress.bytes), (1, 1, json("a").len() as u64));
}

#[test]
fn more_files_than_may_be_open_are_read() {
    let mut case = Case::new(&["*.jsonl"]);
    let options = Options { most_open_files: 2, ..Options::default() };
    case.tailer = Tailer::new(Kind::Actuals, case.patterns.clone(), options).unwrap();
    for round in 0..3 {
        (0..9).for_each(|file| case.write(&format!("{file}.jsonl"), &json(&format!("{file}{round}"))));
        (0..100).find(|_| case.poll_with(100).caught_up).unwrap();
    }
    let mut names = case.names();
    assert_eq!(names.len(), 27);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 27);
}

#[test]
fn a_complete_file_may_end_without_a_line_break() {
    let mut case = Case::new(&["x.csv"]);
    case.write("x.csv", &(CSV_HEADER.to_owned() + csv("a").trim_end()));
    case.poll();
    assert_eq!(case.tailer.finish(&mut |line: Line<'_>| case.seen.push(say(&line))), []);
    assert_eq!(case.names(), ["a"]);
    case.poll();
    assert_eq!(case.names(), ["a"]);
}

/// Faults, times with an offset, and records of a file.
fn count(kind: Kind, path: &Path) -> (BTreeMap<Fault, u64>, u64, u64) {
    let mut tailer = Tailer::new(kind, vec![path.to_string_lossy().into_owned()], Options::default()).unwrap();
    let (mut faults, mut offsets, mut rows) = (BTreeMap::new(), 0, 0);
    let mut sink = |line: Line<'_>| match line.parsed {
        Ok(parsed) => (offsets, rows) = (offsets + u64::from(parsed.offset_timestamp), rows + 1),
        Err(bad) => *faults.entry(bad.fault).or_insert(0) += 1,
    };
    (0..1000).find(|_| tailer.poll(100_000, &mut sink).caught_up).unwrap();
    (faults, offsets, rows)
}

#[test]
fn the_messy_streams_have_the_faults_that_their_truth_counts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/live/messy");
    let truth: BTreeMap<String, u64> = serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let (faults, offsets, rows) = count(Kind::Actuals, &folder.join("actuals.jsonl"));
    let expected = [(Fault::BrokenLine, "broken_line"), (Fault::Null, "null"), (Fault::Nan, "nan_string")];
    assert_eq!(faults, expected.map(|(fault, name)| (fault, truth[name])).into());
    assert_eq!(offsets, truth["offset_timestamp"]);
    // The table cannot hold NaN and leaves the broken line out.
    let table = count(Kind::Actuals, &folder.join("actuals.csv"));
    assert_eq!(table, ([(Fault::Null, truth["null"] + truth["nan_string"])].into(), offsets, rows));

    let predictions = count(Kind::Predictions, &folder.join("predictions.jsonl"));
    assert_eq!(predictions.0, [(Fault::Null, truth["pred_null"])].into());
    assert_eq!(count(Kind::Predictions, &folder.join("predictions.csv")), predictions);
}
