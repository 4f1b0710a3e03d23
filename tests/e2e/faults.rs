//! Full disks, closed pipes, kills in the middle of a write: an earlier output survives, the status is still the answer's.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use e2e::{Place, data};

/// Rounds of the kill test; `FAULT_ROUNDS` asks for more.
fn rounds() -> u64 {
    std::env::var("FAULT_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

fn gate_args() -> Vec<String> {
    let table = data("cv/bls_unemployment_cv.csv");
    let words = ["gate", "--forecasts", &table, "--baseline-model", "SeasonalNaive", "--candidate-model", "Ridge"];
    words.map(str::to_owned).to_vec()
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_verdict_or_the_new_one() {
    let place = Place::new();
    let verdict = place.path("verdict.json");
    let mut args = gate_args();
    args.extend(["-o".into(), "verdict.json".into()]);
    place.run("bench-compare", &args);
    let whole = fs::read(&verdict).unwrap();
    for round in 0..rounds() {
        let mut child =
            place.command("bench-compare").args(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(round * 1_000 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(fs::read(&verdict).unwrap(), whole, "round {round}");
    }
    place.run("bench-compare", &args);
    let left: Vec<_> = fs::read_dir(place.path(".")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["verdict.json"], "stale temporaries are swept");
}

#[test]
fn a_closed_pipe_stops_the_printing_and_not_the_answer() {
    let place = Place::new();
    let answer = place.run("bench-compare", &gate_args()).status;
    let mut child =
        place.command("bench-compare").args(gate_args()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(answer));
}

#[test]
fn a_full_disk_is_status_3_and_says_so() {
    let place = Place::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = place.command("bench-compare").args(gate_args()).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"));
}

#[test]
fn bad_input_leaves_the_earlier_output() {
    let place = Place::new();
    fs::File::create(place.path("verdict.json")).unwrap();
    let args =
        ["gate", "--forecasts", "absent.csv", "--baseline-model", "a", "--candidate-model", "b", "-o", "verdict.json"];
    let said = place.run("bench-compare", &args);
    assert_eq!(said.status, 2, "{}", said.stderr);
    assert!(said.stderr.contains("absent.csv"), "{}", said.stderr);
    assert_eq!(fs::metadata(place.path("verdict.json")).unwrap().len(), 0);
}
