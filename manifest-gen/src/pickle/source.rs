//! A stream with a position and a view ahead, in memory that does not grow.

use std::io::{self, BufRead, Read};

/// What can be looked at ahead of the position.
pub(super) const WINDOW: usize = 64 << 10;
const BUFFER: usize = 2 * WINDOW;

/// The data ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End;

/// A line of a text opcode, without its last byte, as the unpickler takes it.
pub(super) struct Line {
    /// Its first bytes.
    pub(super) bytes: Vec<u8>,
    /// Whether these are all.
    pub(super) whole: bool,
}

/// A buffered reader that knows where it is and can end early.
pub(super) struct Source<'a> {
    inner: Box<dyn Read + 'a>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    /// Where a nested pickle ends.
    limit: u64,
    exhausted: bool,
    failure: Option<String>,
}

impl<'a> Source<'a> {
    pub(super) fn new(inner: impl Read + 'a) -> Self {
        let buffer = vec![0; BUFFER];
        let inner = Box::new(inner);
        Self { inner, buffer, start: 0, end: 0, offset: 0, limit: u64::MAX, exhausted: false, failure: None }
    }

    /// Bytes consumed so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Why reading stopped, if not because the data ended.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Narrows the source to the next `length` bytes; gives back the earlier limit.
    pub(super) fn narrow(&mut self, length: u64) -> u64 {
        let earlier = self.limit;
        self.limit = earlier.min(self.offset.saturating_add(length));
        earlier
    }

    /// Undoes [`Self::narrow`].
    pub(super) fn widen(&mut self, earlier: u64) {
        self.limit = earlier;
    }

    fn available(&self) -> usize {
        let left = usize::try_from(self.limit.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        left.min(self.end - self.start)
    }

    /// Reads more if there is more; false at the end.
    fn more(&mut self) -> bool {
        if self.exhausted || self.end - self.start == BUFFER {
            return false;
        }
        if self.end == BUFFER || self.start == self.end {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.exhausted = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.exhausted = true;
                    self.failure = Some(error.to_string());
                }
            }
            return !self.exhausted;
        }
    }

    /// The next bytes, at most `count` and at most [`WINDOW`] of them; fewer only at the end.
    pub(super) fn peek(&mut self, count: usize) -> &[u8] {
        let count = count.min(WINDOW);
        while self.available() < count && self.end - self.start < count && self.more() {}
        let available = self.available().min(count);
        &self.buffer[self.start..self.start + available]
    }

    fn advance(&mut self, count: usize) {
        self.start += count;
        self.offset += count as u64;
    }

    /// Whether nothing is left.
    pub(super) fn at_end(&mut self) -> bool {
        self.peek(1).is_empty()
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Result<u8, End> {
        let byte = *self.peek(1).first().ok_or(End)?;
        self.advance(1);
        Ok(byte)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], End> {
        let found: [u8; N] = self.peek(N).try_into().map_err(|_| End)?;
        self.advance(N);
        Ok(found)
    }

    /// The next `count` bytes, of which at most the first `keep` are returned.
    pub(super) fn prefix(&mut self, count: u64, keep: usize) -> Result<Vec<u8>, End> {
        let wanted = usize::try_from(count).unwrap_or(usize::MAX).min(keep).min(WINDOW);
        let kept = self.peek(wanted).to_vec();
        self.skip(count)?;
        Ok(kept)
    }

    /// Leaves out `count` bytes without copying them.
    pub(super) fn skip(&mut self, mut count: u64) -> Result<(), End> {
        while count > 0 {
            let available = self.peek(1).len().max(self.available());
            if available == 0 {
                return Err(End);
            }
            let step = usize::try_from(count).unwrap_or(usize::MAX).min(available);
            self.advance(step);
            count -= step as u64;
        }
        Ok(())
    }

    /// Up to a line feed or the end, keeping at most `keep` bytes. Like the unpickler it drops the last byte, whatever it is.
    pub(super) fn line(&mut self, keep: usize) -> Line {
        let (mut bytes, mut whole) = (Vec::new(), true);
        loop {
            let available = self.peek(1).len().max(self.available());
            let chunk = &self.buffer[self.start..self.start + available];
            let feed = chunk.iter().position(|&byte| byte == b'\n');
            let step = feed.map_or(available, |position| position + 1);
            let room = (keep + 1).saturating_sub(bytes.len()).min(step);
            bytes.extend_from_slice(&chunk[..room]);
            whole &= room == step;
            self.advance(step);
            if feed.is_some() || available == 0 {
                bytes.pop();
                return Line { bytes, whole };
            }
        }
    }

    /// Leaves out zeros; whether anything else is left.
    pub(super) fn skip_zeros(&mut self) -> bool {
        loop {
            let available = self.peek(1).len().max(self.available());
            if available == 0 {
                return false;
            }
            let chunk = &self.buffer[self.start..self.start + available];
            let zeros = chunk.iter().position(|&byte| byte != 0);
            self.advance(zeros.unwrap_or(available));
            if zeros.is_some() {
                return true;
            }
        }
    }

    /// The next buffered bytes, consumed; nothing at the end.
    pub(super) fn chunk(&mut self) -> &[u8] {
        let available = self.peek(1).len().max(self.available());
        let start = self.start;
        self.advance(available);
        &self.buffer[start..start + available]
    }
}

impl Read for Source<'_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(target.len());
        target[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at_end()
            && let Some(failure) = &self.failure
        {
            return Err(io::Error::other(failure.clone()));
        }
        let available = self.available();
        Ok(&self.buffer[self.start..self.start + available])
    }

    fn consume(&mut self, count: usize) {
        self.advance(count.min(self.available()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_last_byte_even_without_a_line_feed() {
        let mut source = Source::new(&b"os\r\ngetpid"[..]);
        assert_eq!(source.line(10).bytes, b"os\r");
        assert_eq!(source.line(10).bytes, b"getpi");
        assert!(source.at_end());
    }

    #[test]
    fn long_lines_are_cut_and_say_so() {
        let text = [vec![b'a'; 3 * BUFFER], b"\nb".to_vec()].concat();
        let mut source = Source::new(&text[..]);
        let line = source.line(5);
        assert!(!line.whole && line.bytes.len() <= 6);
        assert_eq!(source.byte(), Ok(b'b'));
    }

    #[test]
    fn a_narrowed_source_ends_early_and_goes_on_after() {
        let mut source = Source::new(&b"abcdef"[..]);
        let earlier = source.narrow(2);
        assert_eq!(source.skip(3), Err(End));
        assert!(source.at_end());
        source.widen(earlier);
        assert_eq!(source.prefix(4, 2), Ok(b"cd".to_vec()));
        assert_eq!(source.byte(), Err(End));
    }
}
