//! `promotion.toml` (format 4.12): the settings of a project, found upward from the working folder.
//!
//! ```toml
//! project = "unemployment"
//!
//! [models.lightgbm]                       # one identity for what files call differently
//! names = ["lightgbm_v2", "LightGBM"]
//!
//! [bench-compare]                         # flags of any command of the tool
//! seed = 7
//!
//! [bench-compare.gate]                    # flags of one command, by their long names
//! slice = ["holiday = 1", "n_train < 60"]
//! ```
//!
//! This module reads the file and knows the names of models; what the keys of a tool's table mean is known to its command
//! line ([`crate::cli`]), which also refuses the ones that it does not know.

mod document;
mod models;

pub use document::{Entry, Kind, Position, Scalar, Table, Value};
pub use models::Models;

use std::path::{Path, PathBuf};

use crate::error::{Error, Place, Problem, Result};
use crate::{fsio, suggest};

/// The name of the file.
pub const FILE_NAME: &str = "promotion.toml";

/// The tools that have a table in the file.
pub const TOOLS: [&str; 4] = ["bench-compare", "manifest-gen", "drift-watch", "rebench-cron"];

/// What `promotion.toml` says; empty where there is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// The file, as named or found.
    pub path: Option<PathBuf>,
    /// The name of the project.
    pub project: Option<String>,
    /// What the models are called.
    pub models: Models,
    tools: Vec<(String, Table)>,
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, is not TOML, or says something about the project or its models that makes no sense.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = fsio::read(path)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::input(Place::file(path), "the file is not UTF-8 text", "a TOML file"))?;
        Self::parse(path, &text)
    }

    /// Reads the text of a file that is called `path`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let document = document::read(path, text)?;
        let mut config = Self { path: Some(path.to_owned()), ..Self::default() };
        let mut problems = Vec::new();
        for entry in document.entries {
            if let Err(problem) = config.take(entry) {
                problems.extend(problem);
            }
        }
        reject(problems)?;
        Ok(config)
    }

    /// Takes in one entry of the top level.
    fn take(&mut self, entry: Entry) -> Result<(), Vec<Problem>> {
        let file = self.path.clone().unwrap_or_default();
        match (entry.key.as_str(), entry.value) {
            ("project", Value::One(Scalar { kind: Kind::Text, text, .. })) => self.project = Some(text),
            ("models", Value::Table(table)) => self.models = Models::read(&file, table)?,
            (tool, Value::Table(table)) if TOOLS.contains(&tool) => self.tools.push((entry.key, table)),
            ("project", other) => return Err(vec![wrong(&file, entry.at, "project", &other, "a text")]),
            (key, other) if key == "models" || TOOLS.contains(&key) => {
                return Err(vec![wrong(&file, entry.at, key, &other, "a table")]);
            }
            (key, _) => {
                return Err(vec![unknown(&file, entry.at, key, ["project", "models"].into_iter().chain(TOOLS))]);
            }
        }
        Ok(())
    }

    /// The table of a tool.
    pub fn tool(&self, name: &str) -> Option<&Table> {
        self.tools.iter().find(|(tool, _)| tool == name).map(|(_, table)| table)
    }

    /// The folder that relative paths in the file start from; empty where that is the working folder.
    pub fn folder(&self) -> &Path {
        self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }

    /// The one name of a model that files may call differently; the name itself if the file does not know it.
    pub fn identity<'a>(&'a self, name: &'a str) -> &'a str {
        self.models.identity(name)
    }

    /// Whether two names mean one model.
    pub fn same(&self, left: &str, right: &str) -> bool {
        self.identity(left) == self.identity(right)
    }
}

/// The nearest `promotion.toml` in `folder` or above it, as a path relative to `folder`. One that cannot be read is found too: a
/// link that leads nowhere must not let a gate run without its policy.
pub fn find(folder: &Path) -> Option<PathBuf> {
    let levels = folder.ancestors().enumerate();
    let mut candidates = levels.map(|(up, ancestor)| (up, ancestor.join(FILE_NAME)));
    let (up, _) = candidates.find(|(_, path)| path.symlink_metadata().is_ok())?;
    Some(std::iter::repeat_n("..", up).collect::<PathBuf>().join(FILE_NAME))
}

/// A key that nothing knows.
pub(crate) fn unknown<'a>(
    file: &Path,
    at: Position,
    key: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Problem {
    let (found, expected) = match suggest::nearest(key, known.clone()) {
        Some(near) => (format!("unknown key \"{key}\": did you mean \"{near}\"?"), String::new()),
        None => (format!("unknown key \"{key}\""), format!("one of {}", known.collect::<Vec<_>>().join(", "))),
    };
    Problem { place: at.of(file), found, expected }
}

/// A value of the wrong kind.
pub(crate) fn wrong(file: &Path, at: Position, key: &str, found: &Value, expected: &str) -> Problem {
    Problem { place: at.of(file), found: format!("\"{key}\" is {}", found.describe()), expected: expected.to_owned() }
}

/// All problems of the file as one error, if there are any.
pub(crate) fn reject(problems: Vec<Problem>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let total = problems.len() as u64;
    Err(Error::rows(problems, total).with_help("the keys are described in promotion.toml(5), and by `show-config`"))
}
