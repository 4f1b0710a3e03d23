//! Jobs as promotion.toml has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::cli::{NamedTables, TableReader, Tables};
use shared::config::{Config, Entry, Table, Value};
use shared::error::{Error, Problem, Result};
use shared::suggest;

use super::keys::{self, ExpectKeys, JobKeys, JudgeKeys, MissedKey};
use super::{Drift, Job, Kept, Missed, Retry};
use crate::expect;
use crate::process::{Command, Limits, Sizes};
use crate::schedule::{Expression, Schedule, Zone};

/// The key above the names of jobs.
const JOBS: &str = "jobs";

/// The name of the tool's table.
const TOOL: &str = "rebench-cron";

/// The longest name of a job, which is also that of a folder.
const MOST_NAME_BYTES: usize = 64;

/// Flags of `bench-compare gate` for which there are keys, or which say where its answer goes.
const OWN_FLAGS: [&str; 16] = [
    "--forecasts",
    "--baseline",
    "--candidate",
    "--results",
    "--baseline-model",
    "--candidate-model",
    "--metric",
    "--primary",
    "--margin",
    "--report",
    "--inconclusive",
    "--json",
    "--format",
    "-o",
    "--output",
    "--no-config",
];

/// The tables of the tool that are no flags.
pub const TABLES: Tables = &[NamedTables { key: JOBS, name: "JOB", keys: keys::command }];

/// All jobs of the file, in its order.
///
/// # Errors
/// What is wrong with them, each with its place in the file.
pub fn jobs(config: &Config) -> Result<Vec<Job>> {
    let tables = config.tool(TOOL).and_then(|tool| tool.table(JOBS));
    let mut reader = Reader {
        config,
        job: TableReader::default(),
        expect: TableReader::default(),
        judge: TableReader::default(),
        zones: BTreeMap::new(),
    };
    tables.into_iter().flat_map(|table| &table.entries).map(|entry| reader.job(entry)).collect()
}

/// The job of this name.
///
/// # Errors
/// If there is none, or something is wrong with one of the jobs.
pub fn named(config: &Config, name: &str) -> Result<Job> {
    let mut all = jobs(config)?;
    match all.iter().position(|job| job.name == name) {
        Some(place) => Ok(all.swap_remove(place)),
        None => Err(unknown(config, name, &all)),
    }
}

fn unknown(config: &Config, name: &str, all: &[Job]) -> Error {
    let Some(file) = &config.path else {
        let error = Error::usage(format!("the job {name:?}, and no promotion.toml"), "a file with jobs");
        return error.with_help(format!(
            "write [rebench-cron.jobs.{name}] into promotion.toml, or name the file with --config"
        ));
    };
    let names: Vec<&str> = all.iter().map(|job| job.name.as_str()).collect();
    let found = format!("{} has no job {name:?}", file.display());
    match suggest::nearest(name, names.iter().copied()) {
        Some(near) => {
            Error::usage(found, format!("one of {}", names.join(", "))).with_help(format!("did you mean {near}?"))
        }
        None if names.is_empty() => Error::usage(found, format!("a table [rebench-cron.jobs.{name}]")),
        None => Error::usage(found, format!("one of {}", names.join(", "))),
    }
}

/// Reads one job after the other; what is the same for many is made once.
struct Reader<'a> {
    config: &'a Config,
    job: TableReader<JobKeys>,
    expect: TableReader<ExpectKeys>,
    judge: TableReader<JudgeKeys>,
    zones: BTreeMap<String, Arc<Zone>>,
}

/// What is wrong with a job as a whole is said at its name, what is wrong with a key at that.
fn placed(config: &Config, entry: &Entry, error: Error) -> Error {
    let file = config.path.clone().unwrap_or_default();
    match error {
        Error::Usage { found, expected, help } => {
            let found = format!("job {}: {found}", entry.key);
            Error::Input { problem: Problem { place: entry.at.of(&file), found, expected }, help }
        }
        other => other,
    }
}

impl Reader<'_> {
    fn job(&mut self, entry: &Entry) -> Result<Job> {
        let config = self.config;
        self.read(entry).map_err(|error| placed(config, entry, error))
    }

    fn read(&mut self, entry: &Entry) -> Result<Job> {
        check_name(&entry.key)?;
        let empty = Table::default();
        let table = match &entry.value {
            Value::Table(table) => table,
            _ => &empty,
        };
        let what = format!("rebench-cron.jobs.{}", entry.key);
        let keys = self.job.read(self.config, &what, table)?;
        let expect = table.table("expect").unwrap_or(&empty);
        let expect = self.expect.read(self.config, &format!("{what}.expect"), expect)?;
        let judge = table.table("judge").map(|table| self.judge.read(self.config, &format!("{what}.judge"), table));
        let schedule = self.schedule(&entry.key, &keys)?;
        make(self.config, &entry.key, keys, schedule, expect, judge.transpose()?, spec(table))
    }

    fn schedule(&mut self, name: &str, keys: &JobKeys) -> Result<Schedule> {
        let expression = Expression::parse(&keys.schedule, keys.dialect, Some(name))?;
        let zone = match (expression.zone.as_deref(), keys.tz.as_deref()) {
            (Some(own), Some(key)) if own != key => {
                return Err(Error::usage(format!("the schedule is in {own}, tz is {key}"), "one time zone"));
            }
            (Some(name), _) | (None, Some(name)) => self.zone(name)?,
            (None, None) => self.zone("UTC")?,
        };
        Ok(Schedule::new(expression.pattern, zone, keys.dst.unwrap_or_else(|| keys.dialect.dst())))
    }

    fn zone(&mut self, name: &str) -> Result<Arc<Zone>> {
        if let Some(zone) = self.zones.get(name) {
            return Ok(Arc::clone(zone));
        }
        let zone = Zone::named(name)?;
        self.zones.insert(name.to_owned(), Arc::clone(&zone));
        Ok(zone)
    }
}

fn make(
    config: &Config,
    name: &str,
    keys: JobKeys,
    schedule: Schedule,
    expect: ExpectKeys,
    judge: Option<JudgeKeys>,
    spec: serde_json::Value,
) -> Result<Job> {
    judge.iter().try_for_each(|judge| check_judge(judge, keys.model.as_deref()))?;
    check_shares(&keys, &expect)?;
    check_expect(&expect)?;
    let folder = folder(config, keys.folder.as_deref())?;
    let env = keys.env.iter().map(|text| variable(text)).collect::<Result<Vec<_>>>()?;
    let limits = Limits { timeout: keys.timeout, grace: keys.grace, output: Sizes::default() };
    let command = Command::new(&keys.command, &folder)?;
    let command = command.with_environment(keys.inherit_env.clone(), env.clone())?.with_limits(limits);
    Ok(Job {
        schedule,
        name: name.to_owned(),
        expression: keys.schedule,
        dialect: keys.dialect,
        command,
        argv: keys.command,
        folder,
        env,
        timeout: keys.timeout,
        grace: keys.grace,
        model: keys.model,
        enabled: !keys.disabled,
        retry: Retry { times: keys.retries, delay: keys.retry_delay, most: keys.retry_most },
        missed: Missed { most: most_missed(keys.missed, keys.missed_most), age: keys.missed_age },
        overlap: keys.overlap,
        jitter: keys.jitter,
        drift: Drift { cooldown: keys.cooldown, coalesce: keys.coalesce, budget: keys.budget, span: keys.budget_span },
        kept: Kept { runs: keys.keep_runs, age: keys.keep_age, megabytes: keys.keep_megabytes },
        ping_url_file: keys.ping_url_file,
        expect,
        judge,
        spec,
    })
}

fn most_missed(policy: MissedKey, most: u32) -> u32 {
    match policy {
        MissedKey::Skip => 0,
        MissedKey::One => 1,
        MissedKey::All => most,
    }
}

/// Absolute, so that it is the same whatever folder a command runs in.
fn folder(config: &Config, given: Option<&std::path::Path>) -> Result<std::path::PathBuf> {
    let folder = given.unwrap_or_else(|| config.folder());
    let folder = if folder.as_os_str().is_empty() { std::path::Path::new(".") } else { folder };
    std::path::absolute(folder).map_err(|source| Error::io(folder, "find the folder", source))
}

fn variable(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        // The text may be a secret.
        _ => Err(Error::usage("env: a text without a name and a sign =", "NAME=VALUE")),
    }
}

fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    match begins && name.len() <= MOST_NAME_BYTES && name.chars().all(plain) {
        true => Ok(()),
        false => Err(Error::usage(format!("the name {name:?}"), "1 to 64 letters, digits, - and _, the first no sign")),
    }
}

fn check_shares(keys: &JobKeys, expect: &ExpectKeys) -> Result<()> {
    let shares = [("coalesce", keys.coalesce), ("expect.fewer-rows", expect.fewer_rows)];
    match shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
        Some((key, share)) => Err(Error::usage(format!("{key} is {share}"), "a share from 0 to 1")),
        None => Ok(()),
    }
}

fn check_expect(expect: &ExpectKeys) -> Result<()> {
    expect.files.iter().try_for_each(|name| check_file("expect.files", name))?;
    expect.data.iter().try_for_each(|pattern| expect::check_pattern(pattern))
}

/// A name in the folder of a run, which must not lead out of it.
fn check_file(key: &str, name: &str) -> Result<()> {
    match expect::is_inside(name) {
        true => Ok(()),
        false => Err(Error::usage(format!("{key} is {name:?}"), "the name of a file in {out_dir}")),
    }
}

fn check_judge(judge: &JudgeKeys, model: Option<&str>) -> Result<()> {
    check_numbers(judge)?;
    check_names(judge, model)?;
    let files = [&judge.forecasts, &judge.candidate, &judge.beside, &judge.reproduced];
    let keys = ["judge.forecasts", "judge.candidate", "judge.beside", "judge.reproduced"];
    let mut named = keys.into_iter().zip(files).filter_map(|(key, file)| Some((key, file.as_ref()?)));
    named.try_for_each(|(key, file)| check_file(key, file))?;
    let flag = |word: &&String| OWN_FLAGS.iter().any(|flag| word.split('=').next() == Some(flag));
    match judge.gate.iter().find(flag) {
        Some(word) => Err(Error::usage(format!("judge.gate holds {word}"), "flags that no key of the job stands for")),
        None => Ok(()),
    }
}

/// What the model and its baseline are called in the files.
fn check_names(judge: &JudgeKeys, model: Option<&str>) -> Result<()> {
    if judge.candidate_model.is_none() && model.is_none() {
        return Err(Error::usage(
            "nothing says what the model is called in the results",
            "model, or judge.candidate-model",
        ));
    }
    match judge.forecasts.is_some() && judge.baseline_model.is_none() {
        true => Err(Error::usage("a forecast table without the column of the baseline", "judge.baseline-model")),
        false => Ok(()),
    }
}

fn check_numbers(judge: &JudgeKeys) -> Result<()> {
    let rate = judge.false_alarm_rate;
    if !(rate > 0.0 && rate < 1.0) {
        return Err(Error::usage(format!("judge.false-alarm-rate is {rate}"), "a rate between 0 and 1"));
    }
    if judge.looks == 0 || judge.repeats == 0 {
        return Err(Error::usage("judge.looks or judge.repeats is 0", "1 or more"));
    }
    let shares = [("judge.margin", judge.margin), ("judge.reproducible-within", judge.reproducible_within)];
    if let Some((key, share)) = shares.into_iter().find(|(_, share)| !share.is_finite() || *share < 0.0) {
        return Err(Error::usage(format!("{key} is {share}"), "a share of 0 or more"));
    }
    match judge.forecasts.is_none() && judge.beside.is_none() && judge.recorded.is_none() {
        true => Err(Error::usage("judge does not say what the model is held against", "forecasts, beside or recorded")),
        false => Ok(()),
    }
}

/// The table as JSON, without the values of variables, which may be secrets.
fn spec(table: &Table) -> serde_json::Value {
    let value = |entry: &Entry| match (&entry.value, entry.key.as_str()) {
        (Value::Many(scalars), "env") => {
            scalars.iter().map(|scalar| scalar.text.split('=').next().unwrap_or_default().to_owned()).collect()
        }
        (Value::One(scalar), "env") => scalar.text.split('=').next().unwrap_or_default().into(),
        (Value::One(scalar), _) => scalar.text.clone().into(),
        (Value::Many(scalars), _) => scalars.iter().map(|scalar| scalar.text.clone()).collect(),
        (Value::Table(table), _) => spec(table),
        (Value::Other, _) => serde_json::Value::Null,
    };
    table.entries.iter().map(|entry| (entry.key.clone(), value(entry))).collect()
}
