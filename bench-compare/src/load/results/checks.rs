//! What may be wrong between rows that are each in order: names that do not meet, versions that differ, keys that were raised.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use shared::{Error, Place, Result};

use super::Options;
use super::collect::Collected;
use super::entry::Entry;

/// The release of fev before which results are not comparable with later ones (fev 0.10.0, `LAST_BREAKING_VERSION`).
const FEV_BREAKING: [u64; 3] = [0, 6, 0];

/// Refuses a file that gives each task once but under two model names: one submission whose name changes midway would
/// otherwise read as two models that failed on most tasks.
///
/// # Errors
/// Naming the first row of the second name.
pub(super) fn split_names(collected: &Collected, options: &Options) -> Result<()> {
    let mut start = 0;
    for rows in collected.entries.chunk_by(|left, right| left.file() == right.file()) {
        let names = names_of(rows);
        if names.len() > 1 && each_task_once(rows) && only_here(collected, rows, start, &names) {
            refuse_split(collected, options, rows, &names)?;
        }
        start += rows.len();
    }
    Ok(())
}

fn names_of(rows: &[Entry]) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row.model()).or_default() += 1);
    counts
}

fn each_task_once(rows: &[Entry]) -> bool {
    let mut seen = HashSet::new();
    rows.iter().all(|row| seen.insert(row.task()))
}

fn only_here(collected: &Collected, rows: &[Entry], start: usize, names: &BTreeMap<usize, usize>) -> bool {
    let elsewhere = collected.entries[..start].iter().chain(&collected.entries[start + rows.len()..]);
    elsewhere.into_iter().all(|row| !names.contains_key(&row.model()))
}

fn refuse_split(
    collected: &Collected,
    options: &Options,
    rows: &[Entry],
    names: &BTreeMap<usize, usize>,
) -> Result<()> {
    let name = |model: &usize| collected.models[*model].as_str();
    if names.keys().all(|model| options.rename.iter().any(|(_, meant)| meant == name(model))) {
        return Ok(());
    }
    let counted: Vec<String> = names.iter().map(|(model, count)| format!("{:?} ({count} rows)", name(model))).collect();
    let Some(second) = rows.iter().find(|row| row.model() != rows[0].model()) else { return Ok(()) };
    let place = Place::line(&collected.inputs[second.file()].path, second.line);
    let found = format!("several model names that share no task: {}", counted.join(", "));
    let (first, second) = (name(&rows[0].model()), name(&second.model()));
    Err(Error::input(place, found, "one name for one model").with_help(format!(
        "if they are one model: --rename '{second}={first}'; if not, say so: --rename '{first}={first}' --rename '{second}={second}'"
    )))
}

/// What a reader of the table should know.
pub(super) fn notes(collected: &Collected) -> Vec<String> {
    [raised(collected), versions(collected), old_versions(collected), fingerprints(collected)].concat()
}

fn raised(collected: &Collected) -> Vec<String> {
    let note = |(file, (rows, line)): (&usize, &(u64, u64))| {
        let place = Place::line(&collected.inputs[*file].path, *line);
        format!(
            "{place}: min_context_length below 1 in {rows} rows, read as 1, since a context of less than one observation means nothing"
        )
    };
    collected.raised.iter().map(note).collect()
}

fn versions(collected: &Collected) -> Vec<String> {
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (file, versions) in &collected.versions {
        let path = collected.inputs[*file].path.display().to_string();
        versions.iter().for_each(|version| files.entry(version).or_default().push(path.clone()));
    }
    if files.len() < 2 {
        return Vec::new();
    }
    let one = |(version, paths): (&&str, &Vec<String>)| match paths.as_slice() {
        [path] => format!("{version} ({path})"),
        several => format!("{version} ({} files)", several.len()),
    };
    let listed: Vec<String> = files.iter().map(one).collect();
    vec![format!("fev_version differs between the files: {}; their scores may not be comparable", listed.join(", "))]
}

fn old_versions(collected: &Collected) -> Vec<String> {
    let old = |text: &String| parse_version(text).is_some_and(|version| version < FEV_BREAKING);
    let count = collected.versions.values().filter(|versions| versions.iter().any(old)).count();
    let text =
        format!("{count} files were written by fev before 0.6.0, whose results are not comparable with later ones");
    if count == 0 { Vec::new() } else { vec![text] }
}

fn parse_version(text: &str) -> Option<[u64; 3]> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)])
}

fn fingerprints(collected: &Collected) -> Vec<String> {
    let differing = collected.fingerprints.values().filter(|prints: &&BTreeSet<String>| prints.len() > 1).count();
    let all = collected.fingerprints.len();
    let text = format!(
        "dataset_fingerprint differs between models on {differing} of {all} tasks: the data or the library that hashed them changed between runs"
    );
    if differing == 0 { Vec::new() } else { vec![text] }
}
