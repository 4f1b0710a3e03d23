//! What a command needs to know of the world around it.

use std::path::PathBuf;

use super::common::{Color, CommonArgs, Format};
use super::output;
use super::settings::Setting;
use crate::config::Config;
use crate::error::Result;
use crate::fsio;

/// What a command needs to know of the world around it.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// How to write the result.
    pub format: Format,
    /// Where, if not standard output.
    pub output: Option<PathBuf>,
    /// Whether `-o -` asks for standard output, where a command would write a file.
    pub to_stdout: bool,
    /// When to colour it.
    pub color: Color,
    /// How much to say: below 0 only errors, 0 what is odd, above 0 what is done.
    pub verbosity: i8,
    /// What `promotion.toml` says: the project, the models and their names.
    pub config: Config,
    /// The settings of this command that came from the environment or the file.
    pub settings: Vec<Setting>,
}

impl Context {
    /// From the flags that every command has.
    pub(super) fn new(common: &CommonArgs, config: Config, settings: Vec<Setting>) -> Self {
        let format = if common.json { Format::Json } else { common.format };
        let to_stdout = common.output.as_deref() == Some("-".as_ref());
        let output = common.output.clone().filter(|_| !to_stdout);
        let verbosity = if common.quiet { -1 } else { i8::try_from(common.verbose).unwrap_or(i8::MAX) };
        Self { format, output, to_stdout, color: common.color, verbosity, config, settings }
    }

    /// Writes the result: to the file that `-o` names, atomically, or to standard output. Styles in the text show where
    /// colour is wanted and are left out elsewhere. A reader that closes the pipe stops the printing, not the command.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn emit(&self, text: &str) -> Result<()> {
        let Some(path) = &self.output else { return output::print(text) };
        if self.format == Format::Text && self.color != Color::Always {
            return fsio::write_atomic(path, anstream::adapter::strip_str(text).to_string().as_bytes());
        }
        fsio::write_atomic(path, text.as_bytes())
    }
}
