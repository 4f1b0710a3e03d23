//! Asking `bench-compare gate`: its command line, its run, and the verdict that it leaves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use shared::format::verdict::{SCHEMA, Verdict};
use shared::{Error, Place, Result, fsio};

use super::history::Baseline;
use crate::job::JudgeKeys;
use crate::process::{self, Cancel, Command, Exit, Limits, Sizes, Slot};

/// The name of the verdict in the folder of a judgement.
pub const VERDICT: &str = "verdict.json";

/// The name of results where the keys name none.
const RESULTS: &str = "benchmark_results.json";

/// The status of a program that says no or cannot decide; both leave a verdict.
const ANSWERS: [i32; 3] = [0, 1, 4];

/// How long after its time it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// What the model is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A forecast table with both.
    Forecasts(PathBuf),
    /// Benchmark files of both, of the same run.
    Beside {
        /// That of the model.
        candidate: PathBuf,
        /// That of the baseline.
        baseline: PathBuf,
    },
    /// The benchmark file of the run, and the recorded one of the baseline.
    Recorded {
        /// That of the model.
        candidate: PathBuf,
        /// That of the baseline.
        baseline: PathBuf,
    },
}

/// A question to `bench-compare gate`.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is compared.
    pub way: Way,
    /// The name of the model in the files.
    pub candidate_model: String,
    /// The name of the baseline in the files.
    pub baseline_model: String,
    /// The metric.
    pub metric: String,
    /// How much worse than the baseline still holds.
    pub margin: f64,
    /// Further words of the command line.
    pub words: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The command line.
    pub argv: Vec<String>,
    /// The verdict, or the first line of why there is none.
    pub verdict: Result<Box<Verdict>, String>,
}

impl Way {
    /// The way that the keys ask for; the recorded file is looked for from `folder`. Where a baseline is run beside the model it is held
    /// against that, and the recorded file only says whether results can be reproduced.
    ///
    /// # Errors
    /// If they ask for none.
    pub fn of(keys: &JudgeKeys, out_dir: &Path, folder: &Path) -> Result<Self> {
        let candidate = || out_dir.join(keys.candidate.as_deref().unwrap_or(RESULTS));
        match (&keys.forecasts, &keys.beside, &keys.recorded) {
            (Some(table), ..) => Ok(Self::Forecasts(out_dir.join(table))),
            (_, Some(beside), _) => Ok(Self::Beside { candidate: candidate(), baseline: out_dir.join(beside) }),
            (.., Some(recorded)) => Ok(Self::Recorded { candidate: candidate(), baseline: folder.join(recorded) }),
            _ => {
                Err(Error::usage("judge does not say what the model is held against", "forecasts, beside or recorded"))
            }
        }
    }

    /// Whether the baseline is measured anew.
    pub fn baseline(&self) -> Baseline {
        match self {
            Self::Forecasts(_) | Self::Beside { .. } => Baseline::Fresh,
            Self::Recorded { .. } => Baseline::Reused,
        }
    }

    /// The recorded file, where one is compared with.
    pub fn recorded(&self) -> Option<&Path> {
        match self {
            Self::Recorded { baseline, .. } => Some(baseline),
            Self::Forecasts(_) | Self::Beside { .. } => None,
        }
    }
}

impl Question {
    /// The question that the keys ask of a run. `model` is the name in the registry, which is that in the files where the keys name none; so is
    /// the name of the model in the file of the baseline.
    ///
    /// # Errors
    /// If nothing says what the model is called, or what it is held against.
    pub fn of(keys: &JudgeKeys, model: Option<&str>, out_dir: &Path, folder: &Path) -> Result<Self> {
        let way = Way::of(keys, out_dir, folder)?;
        let candidate_model = keys.candidate_model.as_deref().or(model).ok_or_else(|| {
            Error::usage("nothing says what the model is called in the results", "model, or judge.candidate-model")
        })?;
        let baseline_model = match (&keys.baseline_model, &way) {
            (Some(name), _) => name,
            (None, Way::Forecasts(_)) => {
                return Err(Error::usage(
                    "a forecast table without the column of the baseline",
                    "judge.baseline-model",
                ));
            }
            (None, _) => candidate_model,
        };
        Ok(Self {
            way,
            candidate_model: candidate_model.to_owned(),
            baseline_model: baseline_model.to_owned(),
            metric: keys.metric.clone(),
            margin: keys.margin,
            words: keys.gate.clone(),
        })
    }

    /// The command line, with a report in `folder`.
    pub fn argv(&self, program: &Path, folder: &Path) -> Vec<String> {
        let mut argv = words([program.as_os_str().to_string_lossy().as_ref(), "gate"]);
        argv.extend(self.way.words());
        let (candidate, baseline) = (&self.candidate_model, &self.baseline_model);
        argv.extend(words(["--candidate-model", candidate, "--baseline-model", baseline, "--metric", &self.metric]));
        argv.extend(words(["--primary", "non-inferiority", "--margin", &self.margin.to_string()]));
        argv.extend(self.without_limits().into_iter().flat_map(|flag| words([flag, "none"])));
        argv.extend(self.words.iter().cloned());
        let verdict = folder.join(VERDICT).to_string_lossy().into_owned();
        argv.extend(words(["--no-config", "--json", "-o", &verdict, "--report", &folder.to_string_lossy()]));
        argv
    }

    /// Limits on single datasets and windows are for one decision: a bare comparison of two numbers that is made every week breaks them by chance alone. They
    /// hold where the job asks for them.
    fn without_limits(&self) -> Vec<&'static str> {
        let asked = |flag: &str| self.words.iter().any(|word| word.split('=').next() == Some(flag));
        let limits =
            if matches!(self.way, Way::Forecasts(_)) { &[][..] } else { &["--dataset-limit", "--window-limit"] };
        limits.iter().copied().filter(|flag| !asked(flag)).collect()
    }
}

impl Way {
    fn words(&self) -> Vec<String> {
        match self {
            Self::Forecasts(table) => words(["--forecasts", &table.to_string_lossy()]),
            Self::Beside { candidate, baseline } | Self::Recorded { candidate, baseline } => {
                words(["--baseline", &baseline.to_string_lossy(), "--candidate", &candidate.to_string_lossy()])
            }
        }
    }
}

fn words<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// How `bench-compare` is run.
#[derive(Debug, Clone)]
pub struct Program<'a> {
    /// Its path.
    pub path: &'a Path,
    /// How long it may take.
    pub timeout: Duration,
    /// Ends it early.
    pub cancel: &'a Cancel,
}

impl Program<'_> {
    /// Asks the question. All that comes of it stands in `folder`, which is made: the verdict, its reports, and the outputs of the program.
    ///
    /// # Errors
    /// If the folder cannot be made, or the program cannot be watched. A program that fails is no error but leaves no verdict.
    pub fn ask(&self, question: &Question, folder: &Path) -> Result<Asked> {
        fsio::create_folder(folder)?;
        forget(&folder.join(VERDICT))?;
        let argv = question.argv(self.path, folder);
        let verdict = match self.run(&argv, folder)? {
            Some(why) => Err(why),
            None => read(&folder.join(VERDICT), question).map(Box::new).map_err(|error| first_line(&error.to_string())),
        };
        Ok(Asked { argv, verdict })
    }

    /// What it says of its version: `bench-compare 0.1.0`.
    ///
    /// # Errors
    /// If it cannot be run, or fails.
    pub fn version(&self, folder: &Path) -> Result<String> {
        fsio::create_folder(folder)?;
        let argv = words([&self.path.to_string_lossy(), "--version"]);
        match self.run(&argv, folder)? {
            Some(what) => Err(Error::Environment { what, help: Some("name bench-compare by its path".to_owned()) }),
            None => Ok(String::from_utf8_lossy(&fsio::read(&folder.join("stdout"))?).trim().to_owned()),
        }
    }

    /// Runs a command; why it gave no answer, if it did not.
    fn run(&self, argv: &[String], folder: &Path) -> Result<Option<String>> {
        let literal: Vec<String> = argv.iter().map(|word| literal(word)).collect();
        let limits = Limits { timeout: self.timeout, grace: GRACE, output: Sizes::default() };
        let command = Command::new(&literal, std::path::absolute(".").unwrap_or_default())?.with_limits(limits);
        let (out_dir, log_dir) = (folder.to_owned(), folder.to_owned());
        let slot = Slot { job: "judge".to_owned(), scheduled_at: Timestamp::UNIX_EPOCH, out_dir, log_dir };
        let outcome = process::run(&command, &slot, self.cancel, || Timestamp::UNIX_EPOCH, |_| {})?;
        Ok(match outcome.exit {
            Exit::Exited(status) if ANSWERS.contains(&status) => None,
            Exit::Exited(status) => Some(said(&folder.join("stderr"), &format!("it ended with status {status}"))),
            Exit::Signalled(signal) => Some(format!("bench-compare was ended by signal {signal}")),
            Exit::TimedOut => Some(format!("bench-compare took longer than {} s", self.timeout.as_secs_f64())),
            Exit::Cancelled => Some("bench-compare was told to end".to_owned()),
            Exit::NotStarted(why) => Some(why),
        })
    }
}

/// Removes the answer to an earlier question, which must not pass for that to this one.
fn forget(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, "remove", source)),
        _ => Ok(()),
    }
}

/// A word in which braces stand for themselves.
fn literal(word: &str) -> String {
    let mut text = word.to_owned();
    for name in process::PLACEHOLDERS {
        text = text.replace(&format!("{{{name}}}"), &format!("{{{{{name}}}}}"));
    }
    text
}

/// The first line of what it said.
fn said(stderr: &Path, otherwise: &str) -> String {
    let text = fsio::read(stderr).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let line = first_line(&text);
    if line.is_empty() { format!("bench-compare said nothing; {otherwise}") } else { line }
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// Reads a verdict, and sees whether it answers the question.
fn read(path: &Path, question: &Question) -> Result<Verdict> {
    let bytes = fsio::read(path)?;
    let verdict: Verdict = serde_json::from_slice(&bytes).map_err(|error| {
        let place = Place::at(path, error.line() as u64, error.column() as u64);
        Error::input(place, format!("no verdict: {error}"), SCHEMA)
    })?;
    answers(&verdict, question).map_err(|(found, expected)| Error::input(Place::file(path), found, expected))?;
    Ok(verdict)
}

/// What in the verdict does not answer the question, and what would.
fn answers(verdict: &Verdict, question: &Question) -> Result<(), (String, String)> {
    let of = (&question.candidate_model, std::slice::from_ref(&question.baseline_model));
    if verdict.schema != SCHEMA {
        return Err((format!("schema {:?}", verdict.schema), SCHEMA.to_owned()));
    }
    if !verdict.complete {
        return Err((
            format!("an incomplete verdict, without {}", verdict.missing.join(", ")),
            "a complete one".to_owned(),
        ));
    }
    if (&verdict.candidate, verdict.baselines.as_slice()) != of {
        let found = format!("a verdict on {} against {}", verdict.candidate, verdict.baselines.join(", "));
        return Err((found, format!("{} against {}", question.candidate_model, question.baseline_model)));
    }
    match verdict.metric == question.metric {
        true => Ok(()),
        false => Err((format!("a verdict by {}", verdict.metric), question.metric.clone())),
    }
}
