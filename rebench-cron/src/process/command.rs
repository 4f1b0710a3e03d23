//! What is run: a program with arguments, never through a shell, in a folder, with the environment that is listed.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use shared::program::{self, Word};
use shared::{Error, Result};

use super::kept::Sizes;
use super::nursery::{TICKET, VARIABLE};

/// The placeholders of a command line.
pub const PLACEHOLDERS: [&str; 3] = ["out_dir", "job", "scheduled_at"];

/// How long a run may take, and how much of its output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until it is told to end (SIGTERM).
    pub timeout: Duration,
    /// How long after that it is killed (SIGKILL).
    pub grace: Duration,
    /// How much is kept of each of its outputs.
    pub output: Sizes,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_hours(24), grace: Duration::from_secs(30), output: Sizes::default() }
    }
}

/// What differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The job.
    pub job: String,
    /// The time for which it was planned.
    pub scheduled_at: Timestamp,
    /// The folder for its results, which is there.
    pub out_dir: PathBuf,
    /// The folder for the files `stdout` and `stderr`, which is there.
    pub log_dir: PathBuf,
    /// What its processes are found by where nothing else is known of them: see [`super::end_ticket`]. Empty if by nothing.
    pub ticket: String,
}

impl Slot {
    fn value(&self, name: &str) -> String {
        match name {
            "out_dir" => self.out_dir.to_string_lossy().into_owned(),
            "scheduled_at" => self.scheduled_at.to_string(),
            _ => self.job.clone(),
        }
    }
}

/// A program with arguments, its environment, folder and limits.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    program: String,
    words: Vec<Word>,
    inherit: Vec<String>,
    variables: Vec<(String, String)>,
    folder: PathBuf,
    limits: Limits,
}

impl Command {
    /// A command of program and arguments; the program is looked for in `PATH`, or with a slash in its name from `folder`,
    /// where it runs. Arguments may hold [`PLACEHOLDERS`]: `--out={out_dir}`.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no program, for another placeholder, for one in the place of the program or of code, and for
    /// a NUL.
    pub fn new(argv: &[String], folder: impl Into<PathBuf>) -> Result<Self> {
        let Some(program) = argv.first().filter(|program| !program.is_empty()) else {
            return Err(Error::usage("a command without a program", "a list: program, arguments"));
        };
        if let Some(text) = argv.iter().find(|text| text.contains('\0')) {
            return Err(Error::usage(format!("a NUL in {text:?}"), "a text without it"));
        }
        let words = program::parse(argv, &PLACEHOLDERS)?;
        let (inherit, variables) = (Vec::new(), Vec::new());
        Ok(Self {
            program: program.clone(),
            words,
            inherit,
            variables,
            folder: folder.into(),
            limits: Limits::default(),
        })
    }

    /// The same, with an environment: besides [`program::INHERITED`] it inherits the variables named in `inherit`; `variables`
    /// are set, whatever else is inherited.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that no variable can have, and for a NUL in a value.
    pub fn with_environment(self, inherit: Vec<String>, variables: Vec<(String, String)>) -> Result<Self> {
        let names = inherit.iter().chain(variables.iter().map(|(name, _)| name));
        if let Some(name) = names.into_iter().find(|name| !program::usable(name)) {
            return Err(Error::usage(format!("a variable of the name {name:?}"), "a name without '=' and NUL"));
        }
        match variables.iter().find(|(_, value)| value.contains('\0')) {
            // The value may be a secret.
            Some((name, _)) => Err(Error::usage(format!("a NUL in the variable {name}"), "a text without it")),
            None => Ok(Self { inherit, variables, ..self }),
        }
    }

    /// The same, with limits.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The program, as it was given.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Program and arguments of a run.
    ///
    /// # Errors
    /// [`Error::Usage`] if a value must not become an argument.
    pub fn argv(&self, slot: &Slot) -> Result<Vec<String>> {
        if slot.out_dir.to_str().is_none() {
            return Err(Error::usage(format!("the folder {} for results", slot.out_dir.display()), "a name in UTF-8"));
        }
        let fill = |word: &Word| word.fill(|name| slot.value(name)).map_err(|why| self.unusable(&why));
        self.words.iter().map(fill).collect()
    }

    /// The environment of a run, given how to look up what is inherited.
    pub(super) fn environment(
        &self,
        token: &str,
        ticket: &str,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Vec<(String, OsString)> {
        let given = self.variables.iter().map(|(name, value)| (name.clone(), OsString::from(value)));
        let own = [(VARIABLE, token), (TICKET, ticket)].map(|(name, value)| (name.to_owned(), OsString::from(value)));
        // Later ones win.
        program::inherited(&self.inherit, variable).chain(given).chain(own).collect()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    fn unusable(&self, why: &str) -> Error {
        let found = format!("command {}: {why}", self.program);
        Error::usage(found, "a value that can be an argument").with_help("write it behind a name: --job={job}")
    }
}

/// Without the values of variables, which may be secrets.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Command")
            .field("words", &self.words)
            .field("inherit", &self.inherit)
            .field("variables", &variables)
            .field("folder", &self.folder)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(argv: &[&str]) -> Result<Command> {
        Command::new(&argv.iter().map(ToString::to_string).collect::<Vec<_>>(), "/")
    }

    fn slot(job: &str) -> Slot {
        let (out_dir, log_dir) = ("/runs/a b".into(), "/runs".into());
        Slot {
            job: job.to_owned(),
            scheduled_at: "2026-01-05T03:00:00Z".parse().unwrap(),
            out_dir,
            log_dir,
            ticket: "t1".to_owned(),
        }
    }

    #[test]
    fn values_are_filled_in_by_word() {
        let command = command(&["bench", "--out={out_dir}", "{job}", "{scheduled_at}", "{{job}}", "$(id)"]).unwrap();
        let expected = ["bench", "--out=/runs/a b", "w; id", "2026-01-05T03:00:00Z", "{job}", "$(id)"];
        assert_eq!(command.argv(&slot("w; id")).unwrap(), expected);
        assert!(command.argv(&slot("-rf")).unwrap_err().to_string().contains("option"));
    }

    #[test]
    fn what_cannot_work_is_said_at_once() {
        let error = command(&["bench", "{outdir}"]).unwrap_err();
        assert!(error.to_string().contains("{outdir}"), "{error}");
        assert!(error.help().unwrap().contains("did you mean {out_dir}?"), "{error:?}");
        for bad in [&[][..], &[""], &["{job}"], &["sh", "-c", "bench {out_dir}"], &["a\0b"]] {
            assert!(command(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn given_variables_win_and_are_not_shown() {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let command = || command(&["bench"]).unwrap();
        let with = command().with_environment(vec!["KEY".to_owned()], pairs(&[("TZ", "UTC"), ("TOKEN", "s3cret")]));
        let with = with.unwrap();
        let environment = with.environment("t1", "", |name| (name != "LANG").then(|| "here".into()));
        let last = |name: &str| {
            environment.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.to_str().unwrap())
        };
        assert_eq!((last("KEY"), last("TZ"), last("LANG"), last("SHELL")), (Some("here"), Some("UTC"), None, None));
        assert_eq!(last(VARIABLE), Some("t1"));
        assert!(!format!("{with:?}").contains("s3cret"));
        for bad in [("", "x"), ("A=B", "x"), ("A", "s3\0cret")] {
            let error = command().with_environment(vec![], pairs(&[bad])).unwrap_err().to_string();
            assert!(!error.contains("s3"), "{error}");
        }
    }
}
