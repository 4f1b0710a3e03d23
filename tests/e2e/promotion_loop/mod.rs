//! The steps of a promotion in `examples/promotion`, as `make` runs them; what must come out follows from the data and from what Python computed.

mod evidence;
mod gates;
mod monitor;
mod package;
mod register;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use e2e::{Place, Said, binaries, root};
use serde_json::Value;
use shared::fsio;

/// What `train.py` writes; `build` holds what the tools do.
const MADE: &str = "build";

/// A copy of the example, under version control.
pub(crate) struct Example {
    place: Place,
}

impl Example {
    /// The copy, with nothing made yet.
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let script = format!(
            "cp -R '{0}/promotion' '{0}/serving' . && cd promotion && rm -rf {MADE} && git init -q && git add -f . \
             && git -c user.name=t -c user.email=t@example.org -c commit.gpgsign=false commit -qm start && printf 'build/\\n' > .git/info/exclude",
            root().join("examples").display()
        );
        let status = Command::new("sh").args(["-ec", &script]).current_dir(place.path("")).status().unwrap();
        assert!(status.success());
        Self { place }
    }

    /// The copy after these steps.
    pub(crate) fn after(steps: &str) -> Self {
        let example = Self::new();
        steps.split(' ').for_each(|step| _ = example.make(step));
        example
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path("promotion").join(name)
    }

    /// Its text; empty if there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Its JSON.
    #[track_caller]
    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fsio::write_atomic(&self.path(name), text.as_bytes()).unwrap();
    }

    /// Runs a step that must succeed.
    #[track_caller]
    pub(crate) fn make(&self, step: &str) -> Said {
        let said = self.try_make(step);
        assert_eq!(said.status, 0, "make {step}: {}{}", said.stdout, said.stderr);
        said
    }

    /// Runs a step.
    pub(crate) fn try_make(&self, step: &str) -> Said {
        self.run(&format!("make --no-print-directory {step} BIN='{}'", binaries().display()))
    }

    /// Runs a command line in it, with the tools on the path.
    pub(crate) fn run(&self, line: &str) -> Said {
        let path = format!("{}:{}", binaries().display(), std::env::var("PATH").unwrap_or_default());
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(self.path("")).stdin(Stdio::null());
        shell.env("PATH", path).env("NO_COLOR", "1").env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
        e2e::said(&shell.output())
    }

    /// The SHA-256 of a file, as coreutils has it.
    pub(crate) fn sha256(&self, name: &str) -> String {
        self.run(&format!("sha256sum < '{name}'")).stdout.split(' ').next().unwrap_or_default().to_owned()
    }
}

/// A row of a table, by the names of its columns.
pub(crate) type Row<'a> = BTreeMap<&'a str, &'a str>;

/// Forecast and actual of a model, in the rows that are its own.
fn pairs(example: &Example, table: &str, model: &str, is_own: impl Fn(&Row) -> bool) -> Vec<(f64, f64)> {
    let text = example.read(table);
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let rows = lines.map(|line| names.iter().copied().zip(line.split(',')).collect::<Row>());
    let number = |row: &Row, column: &str| row[column].parse::<f64>().unwrap();
    rows.filter(|row| is_own(row)).map(|row| (number(&row, model), number(&row, "y"))).collect()
}

/// Absolute errors as proportions of the actuals.
pub(crate) fn errors(example: &Example, table: &str, model: &str, is_own: impl Fn(&Row) -> bool) -> Vec<f64> {
    pairs(example, table, model, is_own).into_iter().map(|(forecast, y)| (forecast - y).abs() / y).collect()
}

/// The sum of absolute errors as a proportion of the sum of actuals.
pub(crate) fn weighted(example: &Example, table: &str, model: &str, is_own: impl Fn(&Row) -> bool) -> f64 {
    let pairs = pairs(example, table, model, is_own);
    pairs.iter().map(|(forecast, y)| (forecast - y).abs()).sum::<f64>() / pairs.iter().map(|(_, y)| y).sum::<f64>()
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn the_demo_walks_through_all_steps_and_says_where_to_look() {
    let example = Example::new();
    let started = std::time::Instant::now();
    let said = example.make("demo");
    assert!(started.elapsed().as_secs() < 120, "it takes less than two minutes");
    let reject = said.stdout.find("REJECT").unwrap();
    let promote = said.stdout.find("PROMOTE").unwrap();
    let drift = said.stdout.find("driven by airport LGA").unwrap();
    let rebench = said.stdout.find("regressed").unwrap();
    let audit = said.stdout.find("passed: 18 pass, 0 fail").unwrap();
    let back = said.stdout.find("departures@champion is now 1.0.0 (was 2.0.0)").unwrap();
    assert!([reject, promote, drift, rebench, audit, back].is_sorted(), "{}", said.stdout);
    let (_, places) = said.stdout.split_once("Where to look:").unwrap();
    let files: Vec<&str> = places.split_whitespace().filter(|word| word.starts_with('/')).collect();
    assert_eq!(files.len(), 6);
    for file in files {
        let file = PathBuf::from(file.trim_end_matches(','));
        assert!(fs::metadata(&file).is_ok_and(|found| found.len() > 200), "{}", file.display());
    }
}
