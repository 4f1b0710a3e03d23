//! Rows from a stream that cannot be read again: standard input.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use shared::format::live::Kind;
use shared::{Error, Result};

use super::rows::{Cursor, Format, Rows};
use super::{MOST_LINE_BYTES, Sink};

const CHUNK_BYTES: usize = 1 << 16;

/// Rows of a stream.
#[derive(Debug)]
pub struct Lines<R> {
    stream: R,
    path: PathBuf,
    rows: Rows,
    buffer: Vec<u8>,
    filled: usize,
}

impl<R: Read> Lines<R> {
    /// Reads `stream`, which people know as `-`. The first row tells whether it is JSON or CSV.
    pub fn new(kind: Kind, zone: Option<TimeZone>, stream: R) -> Self {
        let rows = Rows::new(kind, zone, Format::Unknown, Cursor::default());
        Self { stream, path: PathBuf::from("-"), rows, buffer: vec![0; MOST_LINE_BYTES + 2 * CHUNK_BYTES], filled: 0 }
    }

    /// Waits for bytes and hands on the rows that they complete; `false` at the end of the stream.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(&mut self, sink: &mut Sink<'_>) -> Result<bool> {
        let end = (self.filled + CHUNK_BYTES).min(self.buffer.len());
        let length = loop {
            match self.stream.read(&mut self.buffer[self.filled..end]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(|source| Error::io(Path::new("-"), "read", source))?,
            }
        };
        self.filled += length;
        if length == 0 {
            self.rows.finish(&self.buffer[..self.filled], false, &self.path, sink);
            self.filled = 0;
            return Ok(false);
        }
        let taken = self.rows.take(&self.buffer[..self.filled], &self.path, sink);
        self.buffer.copy_within(taken..self.filled, 0);
        self.filled -= taken;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Line;
    use super::*;

    /// A stream that gives a few bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(7).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    #[test]
    fn rows_come_whole_and_the_last_one_needs_no_line_break() {
        let text = b"series,target_time,y,observed_at\na,2013-06-03,1,2013-06-04\nb,2013-06-03,x,2013-06-04\nc,2013-06-03,3,2013-06-04";
        let mut lines = Lines::new(Kind::Actuals, Some(TimeZone::UTC), Slow(text));
        let mut seen = Vec::new();
        let mut sink = |line: Line<'_>| seen.push((line.offset, line.line, line.parsed.is_ok()));
        while lines.read(&mut sink).unwrap() {}
        assert_eq!(seen, [(33, Some(2), true), (59, Some(3), false), (85, Some(4), true)]);
    }
}
