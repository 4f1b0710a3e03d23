//! Asking `bench-compare gate`: its run, and the verdict that it leaves.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use shared::format::verdict::{SCHEMA, Verdict};
use shared::{Error, Place, Result, fsio};

use super::question::{Question, VERDICT, words};
use crate::process::{self, Cancel, Command, Exit, Limits, Sizes, Slot};

/// The status of a program that says no or cannot decide; both leave a verdict.
const ANSWERS: [i32; 3] = [0, 1, 4];

/// The status of a program whose environment failed.
const ENVIRONMENT: i32 = 3;

/// How often it is asked where it was ended from outside or its environment failed: that says nothing of the evidence.
const TRIES: usize = 3;

/// How long after its time it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// What came of it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The command line.
    pub argv: Vec<String>,
    /// The verdict, or the first line of why there is none.
    pub verdict: Result<Box<Verdict>, String>,
}

/// How `bench-compare` is run.
#[derive(Debug, Clone)]
pub struct Program<'a> {
    /// Its path.
    pub path: &'a Path,
    /// How long it may take.
    pub timeout: Duration,
    /// By which it is found when whoever runs it is no more; empty where nobody looks for it.
    pub ticket: &'a str,
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
        let mut exit = self.run(&argv, folder)?;
        for _ in 1..TRIES {
            if may_pass(&exit) {
                exit = self.run(&argv, folder)?;
            }
        }
        let verdict = match trouble(&exit, self.timeout, folder) {
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
        match trouble(&self.run(&argv, folder)?, self.timeout, folder) {
            Some(what) => Err(Error::Environment { what, help: Some("name bench-compare by its path".to_owned()) }),
            None => Ok(String::from_utf8_lossy(&fsio::read(&folder.join("stdout"))?).trim().to_owned()),
        }
    }

    /// Runs a command.
    fn run(&self, argv: &[String], folder: &Path) -> Result<Exit> {
        let literal: Vec<String> = argv.iter().map(|word| literal(word)).collect();
        let limits = Limits { timeout: self.timeout, grace: GRACE, output: Sizes::default() };
        let command = Command::new(&literal, std::path::absolute(".").unwrap_or_default())?.with_limits(limits);
        let (out_dir, log_dir) = (folder.to_owned(), folder.to_owned());
        let slot = Slot {
            job: "judge".to_owned(),
            scheduled_at: Timestamp::UNIX_EPOCH,
            out_dir,
            log_dir,
            ticket: self.ticket.to_owned(),
        };
        Ok(process::run(&command, &slot, self.cancel, || Timestamp::UNIX_EPOCH, |_| {})?.exit)
    }
}

/// Whether another try may end otherwise.
fn may_pass(exit: &Exit) -> bool {
    matches!(exit, Exit::Signalled(_) | Exit::Exited(ENVIRONMENT))
}

/// Why it gave no answer, if it did not.
fn trouble(exit: &Exit, timeout: Duration, folder: &Path) -> Option<String> {
    match exit {
        Exit::Exited(status) if ANSWERS.contains(status) => None,
        Exit::Exited(status) => Some(said(&folder.join("stderr"), &format!("it ended with status {status}"))),
        Exit::Signalled(signal) => Some(format!("bench-compare was ended by signal {signal}")),
        Exit::TimedOut => Some(format!("bench-compare took longer than {} s", timeout.as_secs_f64())),
        Exit::Cancelled => Some("bench-compare was told to end".to_owned()),
        Exit::NotStarted(why) => Some(why.clone()),
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
        let place = Place::at(path, error.line() as u64, error.column().max(1) as u64);
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
