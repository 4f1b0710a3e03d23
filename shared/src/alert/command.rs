//! Runs a program for a transition: no shell, a bare environment, a time limit, the JSON on its standard input.
//!
//! Exit status 0 is a delivery. Anything else is tried again a few times and then laid aside, since a broken hook would keep
//! all later alerts waiting. What the program leaves in the background lives on after its success, without our pipe; when its
//! time is over its whole process group is ended.

mod running;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use crate::error::{Error, Result};
pub use crate::program::INHERITED;
use crate::program::{self, Word};

use super::Transition;
use super::receiver::Outcome;
use super::text::capped;

use running::{Ended, Running};

/// Placeholders that are no labels.
const OWN: [&str; 4] = ["id", "status", "name", "evidence"];

/// How much of its last line of output an error quotes, in characters.
const QUOTED_CHARACTERS: usize = 200;

/// The longest value of a variable, in characters; the system refuses to start a program with much longer ones.
const MOST_VALUE_CHARACTERS: usize = 4096;

/// How long and how often a hook is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until it is told to end (SIGTERM).
    pub timeout: Duration,
    /// How long after that it is killed (SIGKILL).
    pub grace: Duration,
    /// After how many failures a transition is laid aside.
    pub most_attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_mins(1), grace: Duration::from_secs(5), most_attempts: 5 }
    }
}

/// A hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    argv: Vec<String>,
    words: Vec<Word>,
    inherit: Vec<String>,
    limits: Limits,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its exit status.
    pub status: ExitStatus,
    /// Whether its time was over.
    pub timed_out: bool,
    /// The end of what it wrote to standard output and standard error, in the order in which it came.
    pub output: String,
}

impl Command {
    /// A hook of program and arguments, which are passed on as they are. Besides [`INHERITED`] it inherits the variables
    /// named in `inherit`.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no program, or a text holds a NUL.
    pub fn new(argv: Vec<String>, inherit: Vec<String>, limits: Limits) -> Result<Self> {
        if argv.first().is_none_or(String::is_empty) {
            return Err(Error::usage("a command without a program", "a list: program, arguments"));
        }
        match argv.iter().chain(&inherit).find(|text| text.contains('\0')) {
            Some(text) => Err(Error::usage(format!("a NUL in {text:?}"), "a text without it")),
            None => Ok(Self { words: argv.iter().map(|text| Word::plain(text)).collect(), argv, inherit, limits }),
        }
    }

    /// The same, with arguments that hold values of the alert: `{id}`, `{status}`, `{name}`, `{evidence}` (of the payload), and
    /// these labels, `{model}` for `model`. `{{model}}` is the text `{model}`; other braces stand for themselves.
    ///
    /// # Errors
    /// [`Error::Usage`] for another placeholder, and for one in the place of the program or of code.
    pub fn with_placeholders(self, labels: &[&str]) -> Result<Self> {
        let names: Vec<&str> = OWN.into_iter().chain(labels.iter().copied()).collect();
        Ok(Self { words: program::parse(&self.argv, &names)?, ..self })
    }

    /// The command line for a transition, or why there must be none.
    fn line(&self, transition: &Transition) -> Result<Vec<String>, String> {
        self.words.iter().map(|word| word.fill(|name| value(name, transition))).collect()
    }

    /// Runs it for a transition, whatever its exit status.
    ///
    /// # Errors
    /// [`Error::Usage`] if a value of the alert must not become an argument, [`Error::Environment`] if the program cannot be
    /// started or watched.
    pub fn run(&self, transition: &Transition) -> Result<Run> {
        let failed = |action: &str| {
            let what = format!("hook {}: {action}", self.argv[0]);
            move |error: std::io::Error| {
                let help = "see whether the program is there, executable, and found in PATH";
                Error::Environment { what: format!("{what}: {error}"), help: Some(help.to_owned()) }
            }
        };
        let line = self.line(transition).map_err(|why| self.unusable(&why))?;
        let input =
            serde_json::to_vec(transition).map_err(|error| failed("cannot be told of the alert")(error.into()))?;
        let (output, writer) = std::io::pipe().map_err(failed("no pipe"))?;
        let mut command = std::process::Command::new(&self.argv[0]);
        command
            .args(&line[1..])
            .env_clear()
            .envs(self.environment(transition, |name| std::env::var_os(name)))
            .stdin(Stdio::piped())
            .stdout(writer.try_clone().map_err(failed("no pipe"))?)
            .stderr(writer)
            .process_group(0);
        let child = command.spawn().map_err(failed("cannot be started"))?;
        // Our ends of the pipe for writing go with it, else its end would never be seen.
        drop(command);
        let ended = Running::new(child, input, output).finish(self.limits.timeout, self.limits.grace);
        let Ended { status, timed_out, output } = ended.map_err(failed("cannot be watched"))?;
        Ok(Run { status, timed_out, output: String::from_utf8_lossy(&output).into_owned() })
    }

    fn environment(
        &self,
        transition: &Transition,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Vec<(String, OsString)> {
        let mut out: Vec<(String, OsString)> = program::inherited(&self.inherit, variable).collect();
        let alert = &transition.alert;
        let own = [
            ("ALERT_ID", alert.id.as_str()),
            ("ALERT_NAME", &alert.name),
            ("ALERT_STATUS", transition.status.name()),
            ("ALERT_SEVERITY", alert.severity.name()),
        ];
        // No variable can hold a NUL, and a name from the data may.
        let value = |text: &str| capped(&text.replace('\0', "\u{fffd}"), MOST_VALUE_CHARACTERS).into();
        out.extend(own.map(|(name, text)| (name.to_owned(), value(text))));
        out
    }

    /// Runs it and judges the run; `attempts` have failed before.
    pub(super) fn deliver(&self, transition: &Transition, attempts: u32) -> Outcome {
        let error = match self.run(transition) {
            Ok(run) if run.status.success() && !run.timed_out => return Outcome::Delivered,
            Ok(run) => self.failure(&run),
            // The alert stays what it is, so that no later attempt fares better.
            Err(error @ Error::Usage { .. }) => return Outcome::Refused(error.to_string()),
            Err(error) => error,
        };
        let tried = attempts.saturating_add(1);
        match tried >= self.limits.most_attempts {
            true => Outcome::Refused(format!("{error} ({tried} attempts)")),
            false => Outcome::Later { error, after: None },
        }
    }

    fn unusable(&self, why: &str) -> Error {
        let found = format!("hook {}: {why}", self.argv[0]);
        Error::usage(found, "a value that can be an argument").with_help("write it behind a name: --model={model}")
    }

    fn failure(&self, run: &Run) -> Error {
        let how = match run.timed_out {
            true => format!("not done within {} s", self.limits.timeout.as_secs_f64()),
            false => run.status.to_string(),
        };
        let last = run.output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let printable: String = last.chars().filter(|c| !c.is_control()).collect();
        let colon = if printable.is_empty() { "" } else { ": " };
        let what = format!("hook {}: {how}{colon}{}", self.argv[0], capped(&printable, QUOTED_CHARACTERS));
        Error::Environment {
            what,
            help: Some("run it by hand; it reads the alert as JSON from standard input".to_owned()),
        }
    }
}

/// What a placeholder stands for; nothing where this alert has no such label.
fn value(name: &str, transition: &Transition) -> String {
    let alert = &transition.alert;
    let text = match name {
        "id" => Some(alert.id.as_str()),
        "status" => Some(transition.status.name()),
        "name" => Some(alert.name.as_str()),
        "evidence" => transition.payload["evidence"].as_str(),
        label => alert.labels.get(label).map(String::as_str),
    };
    text.unwrap_or_default().to_owned()
}
