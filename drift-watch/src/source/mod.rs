//! Where records come from: files that grow and rotate, standard input.
//!
//! A [`Tailer`] is polled; each poll lists the files anew, so that events of the file system ([`watch`]) are only hints. Its
//! [`Positions`] are saved together with what was made of the lines, and a tailer that is restored from them goes on there.

mod body;
pub mod deadletter;
mod discover;
mod follow;
mod identify;
mod mark;
pub mod position;
mod rows;
pub mod stdin;
pub mod tailer;
pub mod watch;

use std::path::Path;

use shared::format::live::{BadRow, Parsed};

pub use deadletter::DeadLetters;
pub use position::Positions;
pub use rows::MOST_LINE_BYTES;
pub use stdin::Lines;
pub use tailer::{Options, Progress, Tailer};

/// A row of a source.
#[derive(Debug)]
pub struct Line<'a> {
    /// The file; `-` is standard input.
    pub file: &'a Path,
    /// Where the row begins in it, in bytes; in a compressed file, of what it holds.
    pub offset: u64,
    /// Its number, from 1.
    pub line: Option<u64>,
    /// The row itself; of one that is too long, its beginning.
    pub bytes: &'a [u8],
    /// What it says.
    pub parsed: Result<Parsed<'a>, BadRow>,
}

/// Takes the rows.
pub type Sink<'s> = dyn FnMut(Line<'_>) + 's;
