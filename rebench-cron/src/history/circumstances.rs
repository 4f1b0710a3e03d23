//! What a run was made with, and what differs between two of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::report::{Difference, EnvironmentChange};
use crate::judge::{self, Circumstances};
use crate::store::{HistoryRow, HistoryRun};

/// What says nothing that another entry does not say better.
const LEFT_OUT: [&str; 3] = ["commit", "packages", "packages_sha256"];

/// Under what circumstances a run took place, as far as they were recorded.
pub(super) fn of(run: &HistoryRun) -> Circumstances {
    let env = run.env.as_ref().and_then(Value::as_object);
    let listed = env.and_then(|env| env.get("packages")).and_then(Value::as_array);
    let packages = listed.into_iter().flatten().filter_map(Value::as_str).map(package);
    let others = env.into_iter().flatten().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
    let environment: BTreeMap<String, String> =
        packages.chain(others.map(|(name, value)| (name.clone(), shown(value)))).collect();
    Circumstances { commit: commit(run), data: run.data.as_ref().map(|data| data.hash.clone()), environment }
}

/// The commit that a run was made with.
pub(super) fn commit(run: &HistoryRun) -> Option<String> {
    run.env.as_ref()?.get("commit")?.as_str().map(str::to_owned)
}

/// A line of `pip list --format=freeze`: `NAME==VERSION`, or a name and where it comes from.
fn package(line: &str) -> (String, String) {
    let (name, version) = line.split_once("==").or_else(|| line.split_once(" @ ")).unwrap_or((line, "installed"));
    (format!("package {}", name.trim()), version.trim().to_owned())
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What differs between two runs.
pub(super) fn differences(before: &HistoryRun, after: &HistoryRun) -> Vec<Difference> {
    let found = judge::differences(&of(before), &of(after)).into_iter();
    found.map(|judge::Difference { what, before, after }| Difference { what, before, after }).collect()
}

/// What changed from each run to the next. Data are new each time, and are not listed.
pub(super) fn changes(rows: &[HistoryRow]) -> Vec<EnvironmentChange> {
    let known: Vec<(&HistoryRow, &HistoryRun)> = rows
        .iter()
        .filter_map(|row| Some((row, row.run.as_ref()?)))
        .filter(|(_, run)| run.env.is_some() && run.verdict.is_some())
        .collect();
    let pairs = known.windows(2).filter_map(|pair| match pair {
        [(before, old), (after, new)] => {
            let (before, at) = (before.scheduled_at, after.scheduled_at);
            let mut differences = differences(old, new);
            differences.retain(|difference| difference.what != "data");
            Some(EnvironmentChange { before, at, differences })
        }
        _ => None,
    });
    pairs.filter(|change| !change.differences.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_pip_is_a_name_and_a_version() {
        let of = |line| package(line);
        assert_eq!(of("numpy==2.1.0"), ("package numpy".to_owned(), "2.1.0".to_owned()));
        assert_eq!(of("own @ file:///src/own"), ("package own".to_owned(), "file:///src/own".to_owned()));
        assert_eq!(of("-e git+x#egg=own"), ("package -e git+x#egg=own".to_owned(), "installed".to_owned()));
    }
}
