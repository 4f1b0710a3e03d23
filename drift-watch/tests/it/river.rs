//! ADWIN, Page-Hinkley and DDM say what River 0.26.1 says, value for value: on the fixed streams, on others whose answers are
//! recorded, and on fresh ones where `FORECAST_PYTHON` names a python with `river`.
use crate::python;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use drift_watch::core::detector::classic::{Classic, Signal};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/python/check_river.py");

/// River's answers on `recorded_streams`. To record them again:
/// `RIVER_RECORD=1 FORECAST_PYTHON=… cargo test -p drift-watch --test it river::`.
const RECORDED: &str = "river_more.json";
const RECORDED_SEED: u64 = 1;

fn reference(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/detectors")).join(name)
}

/// What a detector says of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Answer {
    drifts: Vec<usize>,
    /// Where warnings begin.
    warnings: Vec<usize>,
    warned: usize,
    /// ADWIN: width, mean, squares; the others: the mean.
    holds: Vec<f64>,
}

/// By stream and detector.
type Answers = BTreeMap<String, BTreeMap<String, Answer>>;

/// Name, values, and the detectors that read them.
type Stream = (String, Vec<f64>, &'static [&'static str]);

fn holds(detector: &Classic) -> Vec<f64> {
    match detector {
        Classic::Adwin(adwin) => vec![adwin.width(), adwin.mean(), adwin.squares()],
        Classic::PageHinkley(found) => vec![found.mean()],
        Classic::Ddm(ddm) => vec![ddm.rate()],
        Classic::Cusum(_) => Vec::new(),
    }
}

fn answer(values: &[f64], text: &str) -> Answer {
    let mut detector: Classic = text.parse().unwrap();
    let signals: Vec<Signal> = values.iter().map(|&x| detector.update(x)).collect();
    let rows = || 0..signals.len();
    let warns = |row: usize| signals[row] == Signal::Warning;
    Answer {
        drifts: rows().filter(|&row| signals[row] == Signal::Drift).collect(),
        warnings: rows().filter(|&row| warns(row) && (row == 0 || !warns(row - 1))).collect(),
        warned: rows().filter(|&row| warns(row)).count(),
        holds: holds(&detector),
    }
}

fn fixed_stream(name: &str) -> Vec<f64> {
    let text = fs::read_to_string(reference(&format!("streams/{name}.csv"))).unwrap();
    text.lines().skip(1).map(|line| line.parse().unwrap()).collect()
}

#[test]
fn positions_on_the_fixed_streams() {
    let found: Value = serde_json::from_str(&fs::read_to_string(reference("river_results.json")).unwrap()).unwrap();
    let mut compared = 0;
    for stream in ["S1", "S2", "S3", "S4", "S5"] {
        let values = fixed_stream(stream);
        for (theirs, ours) in [
            ("ADWIN(delta=0.002)", "adwin(delta=0.002)"),
            ("ADWIN(delta=1e-5)", "adwin(delta=1e-5)"),
            ("PageHinkley(default: min=30,delta=.005,thr=50,alpha=.9999)", "page-hinkley"),
            (
                "PageHinkley(delta=.005,thr=0.5,mode=up,alpha=.9999)",
                "page-hinkley(delta=0.005,threshold=0.5,mode=up,alpha=0.9999)",
            ),
            (
                "PageHinkley(delta=.005,thr=1.0,mode=up,alpha=1-0)",
                "page-hinkley(delta=0.005,threshold=1,mode=up,alpha=1)",
            ),
        ] {
            assert_eq!(json!(answer(&values, ours).drifts), found["positions"][stream][theirs], "{stream} {ours}");
            compared += 1;
        }
        let end = &found["final_state"][stream]["ADWIN0.002"];
        let expected: Vec<f64> = ["width", "estimation", "variance"].map(|key| end[key].as_f64().unwrap()).into();
        assert_eq!(answer(&values, "adwin").holds, expected, "{stream}: the last bit counts");
    }
    assert_eq!(compared, 25);
}

/// Values whose arithmetic is the same on every machine: no logarithm, no cosine.
struct Source(ChaCha8Rng);

impl Source {
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Nearly normal: a sum of twelve uniforms less 6.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    fn stream(&mut self, length: u32, value: impl Fn(u32, &mut Self) -> f64) -> Vec<f64> {
        (0..length).map(|row| value(row, self)).collect()
    }
}

/// A triangular wave from -1 to 1 with period 168.
fn wave(row: u32) -> f64 {
    (f64::from(row % 168) / 84.0 - 1.0).abs() * 2.0 - 1.0
}

fn real_streams(seed: u64) -> Vec<(&'static str, Vec<f64>)> {
    let mut source = Source(ChaCha8Rng::seed_from_u64(seed));
    vec![
        ("none", source.stream(6001, |_, source| source.normal())),
        ("steps", source.stream(5000, |row, source| source.normal() + [0.0, 1.0, -1.0, 0.5][row as usize / 1250])),
        ("ramp", source.stream(4000, |row, source| source.normal() + f64::from(row.saturating_sub(2000)) * 0.001)),
        ("spread", source.stream(3000, |row, source| source.normal() * if row < 1500 { 1.0 } else { 3.0 })),
        ("season", source.stream(3000, |row, source| wave(row) + 0.5 * source.normal())),
        ("errors", source.stream(3000, |row, source| source.normal().abs() * if row < 2000 { 0.1 } else { 0.15 })),
        ("tiny on large", source.stream(3000, |row, source| 1e6 + 1e-4 * (source.normal() + f64::from(row / 2000)))),
        ("huge", source.stream(2000, |row, source| 1e12 * source.normal() * f64::from(1 + row / 1000))),
        ("outliers", source.stream(3000, |_, source| source.normal() / (source.uniform() + 0.001))),
        ("constant", source.stream(1500, |row, _| if row < 700 { 0.1 } else { 0.3 })),
        ("short", source.stream(40, |row, source| source.normal() + f64::from(row / 20 * 9))),
        ("one", vec![1.5]),
    ]
}

fn binary_streams(seed: u64) -> Vec<(&'static str, Vec<f64>)> {
    let mut source = Source(ChaCha8Rng::seed_from_u64(seed ^ 0xb1));
    let mut misses = |length, rate: fn(u32) -> f64| {
        source.stream(length, |row, source| f64::from(u8::from(source.uniform() < rate(row))))
    };
    let mut streams = vec![
        ("misses 0.3", misses(4000, |_| 0.3)),
        ("misses 0.2 0.5 0.1", misses(4500, |row| [0.2, 0.5, 0.1][row as usize / 1500])),
        ("misses rare", misses(4000, |row| if row < 2500 { 0.01 } else { 0.05 })),
        ("misses ramp", misses(4000, |row| 0.1 + f64::from(row) * 0.0001)),
        ("misses always", misses(200, |row| f64::from(u8::from(row >= 100)))),
    ];
    streams.push(("shares", source.stream(2000, |row, source| source.uniform() * if row < 1000 { 0.5 } else { 1.0 })));
    streams
}

const ON_REALS: [&str; 10] = [
    "adwin",
    "adwin(delta=1e-5)",
    "adwin(delta=0.3,clock=1)",
    "adwin(delta=0.05,clock=7,min-window=1,grace=0)",
    "adwin(delta=0.01,clock=5,min-window=20,grace=100)",
    "page-hinkley",
    "page-hinkley(delta=0.1,threshold=20,alpha=0.9999,mode=up)",
    "page-hinkley(delta=0,threshold=30,alpha=1,mode=down)",
    "page-hinkley(delta=0.5,threshold=10,alpha=0.99,min=1)",
    "page-hinkley(delta=0.005,threshold=5,alpha=0.999,min=100,mode=both)",
];

const ON_MISSES: [&str; 6] = [
    "ddm",
    "ddm(warning=1.5,drift=2.5,min=100)",
    "ddm(warning=3,drift=3,min=0)",
    ON_REALS[0],
    ON_REALS[2],
    ON_REALS[9],
];

fn streams(seed: u64) -> Vec<Stream> {
    let real = real_streams(seed).into_iter().map(|(name, values)| (name, values, ON_REALS.as_slice()));
    let binary = binary_streams(seed).into_iter().map(|(name, values)| (name, values, ON_MISSES.as_slice()));
    real.chain(binary).map(|(name, values, detectors)| (format!("{name} {seed}"), values, detectors)).collect()
}

/// The fixed streams as misses, for DDM.
fn fixed_misses() -> Vec<Stream> {
    let misses = |name: &str| fixed_stream(name).iter().map(|x| f64::from(u8::from(*x > 0.12))).collect();
    ["S1", "S2", "S3", "S4", "S5"].map(|name| (format!("{name} above 0.12"), misses(name), &ON_MISSES[..3])).into()
}

fn recorded_streams() -> Vec<Stream> {
    [streams(RECORDED_SEED), fixed_misses()].concat()
}

fn ours(streams: &[Stream]) -> Answers {
    let of =
        |values: &[f64], texts: &[&str]| texts.iter().map(|&text| (text.to_owned(), answer(values, text))).collect();
    streams.iter().map(|(name, values, texts)| (name.clone(), of(values, texts))).collect()
}

/// As JSON.
fn rivers(python: &str, streams: &[Stream]) -> String {
    let values: BTreeMap<_, _> = streams.iter().map(|(name, values, _)| (name, values)).collect();
    let detectors: BTreeMap<_, _> = streams.iter().map(|(name, _, detectors)| (name, detectors)).collect();
    let request = json!({"streams": values, "detectors": detectors}).to_string();
    let mut child = Command::new(python).arg(CHECK).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn compare(ours: &Answers, rivers: &Answers) {
    assert_eq!(ours.keys().collect::<Vec<_>>(), rivers.keys().collect::<Vec<_>>());
    for (stream, detectors) in rivers {
        assert_eq!(detectors.len(), ours[stream].len());
        for (text, theirs) in detectors {
            assert_eq!(&ours[stream][text], theirs, "{text} on {stream}");
        }
    }
}

#[test]
fn positions_and_state_on_the_recorded_streams() {
    let recorded: Answers = serde_json::from_str(&fs::read_to_string(reference(RECORDED)).unwrap()).unwrap();
    compare(&ours(&recorded_streams()), &recorded);
    // The comparison is one of alarms, not of silence.
    let answers = || recorded.values().flat_map(BTreeMap::values);
    assert_eq!(answers().count(), 12 * 10 + 6 * 6 + 5 * 3);
    assert!(answers().filter(|answer| !answer.drifts.is_empty()).count() > 60);
    assert!(answers().filter(|answer| !answer.warnings.is_empty()).count() > 10);
}

#[test]
fn positions_and_state_on_fresh_streams() {
    let Some(python) = python::python("river") else { return };
    if std::env::var_os("RIVER_RECORD").is_some() {
        let mut file = fs::File::create(reference(RECORDED)).unwrap();
        file.write_all(rivers(&python, &recorded_streams()).as_bytes()).unwrap();
    }
    let fresh: Vec<Stream> = (2..=8).flat_map(streams).collect();
    compare(&ours(&fresh), &serde_json::from_str(&rivers(&python, &fresh)).unwrap());
}
