//! The commands that read files, each with the input that its rows spoil, and the cells that are no plain bad input.

mod bench_compare;
mod drift_watch;
mod manifest_gen;
mod rebench_cron;

use super::files::Format::{self, Binary, Table, Text, Toml};

/// Where another status than 2 is right, and why.
pub(crate) struct Cell {
    pub(crate) kinds: &'static [&'static str],
    pub(crate) status: i32,
    pub(crate) why: &'static str,
    /// Whether a fault at a line is shown with it, and whether the file is named at all.
    pub(crate) says: Says,
}

/// How much of the place stands in the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Line,
    File,
    Nothing,
    /// A warning names the file, although the answer is yes.
    Warning,
}

/// A command, and the file of it that is spoiled.
pub(crate) struct Input {
    pub(crate) tool: &'static str,
    pub(crate) words: &'static str,
    pub(crate) spoils: &'static str,
    pub(crate) format: Format,
    /// The status while nothing is spoiled.
    pub(crate) sound: i32,
    pub(crate) cells: &'static [Cell],
    /// Whether another command that reads the same file in the same way has all kinds, and this one a few of each sort.
    pub(crate) few: bool,
    /// What stands for the file in messages, where that is not its path.
    pub(crate) named: &'static str,
    /// Where the command may write although it fails: records of what was tried.
    pub(crate) keeps: &'static str,
}

impl Input {
    /// For daemons: what they say when they have begun.
    pub(crate) fn ready(&self) -> Option<&'static str> {
        let is_daemon = self.words.split(' ').next() == Some("run");
        is_daemon.then_some("no server")
    }

    const fn sound(self, sound: i32) -> Self {
        Self { sound, ..self }
    }

    const fn but(self, cells: &'static [Cell]) -> Self {
        Self { cells, ..self }
    }

    const fn few(self) -> Self {
        Self { few: true, ..self }
    }

    const fn named(self, named: &'static str) -> Self {
        Self { named, ..self }
    }

    /// Commands whose findings are their result, also where a file cannot be read: it goes where results go.
    pub(crate) fn reports(&self) -> bool {
        let judges_the_file = ["lint", "scan", "verify"].iter().any(|name| self.words.split(' ').next() == Some(name));
        judges_the_file || self.reports_a_run()
    }

    /// A run that failed is a result too; what it left says more.
    pub(crate) fn reports_a_run(&self) -> bool {
        self.words.starts_with("once ") && self.format != Toml && self.format != Binary && self.format != Text
    }

    const fn keeps(self, keeps: &'static str) -> Self {
        Self { keeps, ..self }
    }
}

const fn input(tool: &'static str, words: &'static str, spoils: &'static str, format: Format) -> Input {
    Input { tool, words, spoils, format, sound: 0, cells: &[], few: false, named: spoils, keeps: "" }
}

const fn cell(kinds: &'static [&'static str], status: i32, why: &'static str) -> Cell {
    Cell { kinds, status, why, says: Says::Line }
}

impl Cell {
    /// The answer names the file, and is not about one line of it.
    const fn without_line(self) -> Self {
        Self { says: Says::File, ..self }
    }

    /// A warning goes with the answer.
    const fn with_warning(self) -> Self {
        Self { says: Says::Warning, ..self }
    }

    /// The answer does not depend on this file.
    const fn without_file(self) -> Self {
        Self { says: Says::Nothing, ..self }
    }
}

const CV: Format = Table("y", "ds");
const TRAIN: Format = Table("y", "ds");
const NOT_FINITE_OPEN: Cell = cell(&["infinity"], 4, "a row that is not finite is left out and counted").without_line();
/// Settings are found, not named.
const NO_SETTINGS: Cell = cell(&["absent", "empty", "whitespace"], 0, "promotion.toml is optional");

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Input> {
    [bench_compare::ALL, manifest_gen::ALL, drift_watch::ALL, rebench_cron::ALL].into_iter().flatten()
}
