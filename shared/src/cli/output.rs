//! The one place that prints: results on standard output, talk on standard error.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::exit::Exit;

/// Columns where nothing says how wide the output is: a log, a file, a pipe.
const USUAL_WIDTH: usize = 120;

/// Narrower terminals are not believed.
const NARROWEST: usize = 40;

/// The most of a text that goes to standard error.
const MOST_CHARACTERS: usize = 10_000;

/// Whether `--quiet` was given: a fact of the whole process, like standard error itself.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Sets up colour, talk and the log for the process.
pub(super) fn set_up(color: anstream::ColorChoice, verbosity: i8) {
    color.write_global();
    QUIET.store(verbosity < 0, Ordering::Relaxed);
    let level = match verbosity {
        i8::MIN..0 => tracing::Level::ERROR,
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).without_time().with_target(false);
    // Fails only where a test has set up a log before.
    _ = log.with_ansi(color == anstream::ColorChoice::Always).try_init();
}

/// Tells the person at the terminal something that is not the result; silent under `--quiet`.
pub fn note(text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        complain(text);
    }
}

/// Writes a line to standard error. Where nobody reads it, nobody misses it.
fn complain(text: &str) {
    _ = writeln!(anstream::stderr().lock(), "{}", readable(text));
}

/// As much of a text as a person reads; what it quotes from an input may be of any length.
fn readable(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST_CHARACTERS) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let more = text[end..].chars().count();
            Cow::Owned(format!("{}… ({more} more characters)", &text[..end]))
        }
    }
}

/// Prints an error with its causes and its remedy; returns the status that it means.
pub(super) fn report(tool: &str, error: &anyhow::Error) -> Exit {
    let known = error.chain().find_map(|cause| cause.downcast_ref::<Error>());
    let text = known.map_or_else(|| format!("{error:#}"), ToString::to_string);
    for line in text.lines() {
        complain(&format!("{tool}: {line}"));
    }
    if let Some(help) = known.and_then(Error::help) {
        complain(&format!("help: {help}"));
    }
    known.map_or(Exit::Environment, Error::exit)
}

/// Columns of the terminal that results go to: what `COLUMNS` says, else its own width, else 120.
pub fn width() -> usize {
    let stated = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let own = || terminal_size::terminal_size().map(|(terminal_size::Width(columns), _)| usize::from(columns));
    stated.or_else(own).filter(|&columns| columns >= NARROWEST).unwrap_or(USUAL_WIDTH)
}

/// Prints a result. A reader that closed the pipe has what it wanted.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::io("standard output".as_ref(), "write", error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_quotes_a_whole_file_is_cut() {
        assert_eq!(readable("as it is"), "as it is");
        let long = "ü".repeat(MOST_CHARACTERS + 3);
        let shown = readable(&long);
        assert!(shown.ends_with("ü… (3 more characters)"), "{}", shown.len());
        assert_eq!(shown.chars().filter(|&letter| letter == 'ü').count(), MOST_CHARACTERS);
    }
}
