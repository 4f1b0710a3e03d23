//! What a promotion leaves behind, without the times of the clock on the wall and the numbers of processes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::promotion_loop::Example;

/// Where times of the wall's clock, process numbers and the cuts between two writes stand; what they mean is compared instead.
const COMPARED_BY_MEANING: [&str; 7] = [
    "build/drift-watch/journal/",
    "build/drift-watch/snapshots/",
    "build/drift-watch/outbox/",
    "build/drift-watch/lock",
    "build/rebench-cron/",
    "build/reports/departures/trend.html",
    "build/steps/",
];

/// What is compared.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// Files and their digests: evidence, verdicts, releases, signatures, registry, documents, alerts.
    pub(crate) files: BTreeMap<String, String>,
    /// The state of drift-watch, whose canonical form is made for this.
    pub(crate) state: String,
    /// Messages that drift-watch has delivered, and that it has not.
    pub(crate) messages: Vec<String>,
    /// Re-benchmarks, without times, folders and the number of tries.
    pub(crate) runs: Value,
    /// Of rebench-cron's folder, all but the folders of single tries.
    pub(crate) records: Vec<String>,
}

impl Outcome {
    /// What lies in the example now.
    pub(crate) fn of(example: &Example) -> Self {
        let state = example.run("drift-watch state dump --canonical");
        assert_eq!(state.status, 0, "{}", state.stderr);
        Self {
            files: files(example),
            state: state.stdout,
            messages: names(example, "find build/drift-watch/outbox -type f"),
            runs: runs(example),
            records: names(example, "find build/rebench-cron -type f -not -path '*/runs/*'"),
        }
    }

    /// Where another one differs; nothing if it does not.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut all = Vec::new();
        let paths = self.files.keys().chain(other.files.keys());
        let is_other = |path: &&String| self.files.get(*path) != other.files.get(*path);
        all.extend(paths.filter(is_other).cloned());
        let mut note = |differs: bool, what: String| all.extend(differs.then_some(what));
        note(self.state != other.state, "the canonical state of drift-watch".to_owned());
        note(self.messages != other.messages, format!("messages {:?}, {:?}", self.messages, other.messages));
        note(self.runs != other.runs, format!("re-benchmarks {:#}, {:#}", self.runs, other.runs));
        note(self.records != other.records, format!("records {:?}, {:?}", self.records, other.records));
        all.sort();
        all.dedup();
        all
    }
}

fn names(example: &Example, find: &str) -> Vec<String> {
    let mut names: Vec<String> = example.run(find).stdout.lines().map(str::to_owned).collect();
    // SQLite removes its log when the last reader leaves.
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort();
    names
}

fn files(example: &Example) -> BTreeMap<String, String> {
    let listed = example.run("find build -type f -exec sha256sum {} +").stdout;
    let lines = listed.lines().filter_map(|line| line.split_once("  "));
    let is_compared = |path: &str| !COMPARED_BY_MEANING.iter().any(|start| path.starts_with(start));
    lines.filter(|(_, path)| is_compared(path)).map(|(digest, path)| (path.to_owned(), digest.to_owned())).collect()
}

fn runs(example: &Example) -> Value {
    let mut history = example.run("rebench-cron history departures --json").json();
    for part in ["points", "segments", "promotions"] {
        for entry in history[part].as_array_mut().into_iter().flatten() {
            ["scheduled_at", "wall", "since", "until", "at", "lateness_seconds", "folder", "attempts"]
                .iter()
                .for_each(|key| _ = entry.as_object_mut().unwrap().remove(*key));
        }
    }
    history
}
