//! Live records as JSON Lines. A record is a flat object, so a small scanner finds its values in the line and copies nothing;
//! it takes what `serde_json` takes, and `NaN` and `Infinity`, which Python writes.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::fields::{Fields, Slot};
use super::value::Value;
use super::{BYTE_ORDER_MARK, BadRow, Fault, Kind, Parsed, utf8};

/// How deep lists and objects may nest in columns that are not ours.
const MOST_DEPTH: usize = 100;

/// Reads one line. Times without an offset are in `zone`. Columns that are not of the format are ignored.
///
/// # Errors
/// Why the line is no record.
pub fn parse_json<'a>(kind: Kind, line: &'a [u8], zone: Option<&TimeZone>) -> Result<Parsed<'a>, BadRow> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let mut fields = Fields::default();
    scan(kind, utf8(line)?, &mut fields)?;
    fields.assemble(kind, zone)
}

fn scan<'a>(kind: Kind, text: &'a str, fields: &mut Fields<'a>) -> Result<(), BadRow> {
    let mut scanner = Scanner { text, at: 0 };
    // A line that is broken is not looked at further; a bad field is told only if the line is whole.
    let mut bad = Ok(());
    scanner.blanks();
    scanner.expect(b'{', "an object")?;
    scanner.members(0, |key, value| {
        if bad.is_ok() {
            bad = fields.put(Slot::of(kind, key), value);
        }
    })?;
    scanner.blanks();
    match scanner.at == text.len() {
        true => bad,
        false => Err(scanner.broken("the end of the line")),
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, name: &'static str) -> Result<(), BadRow> {
        match self.peek() == Some(byte) {
            true => {
                self.at += 1;
                Ok(())
            }
            false => Err(self.broken(name)),
        }
    }

    fn broken(&self, expected: &'static str) -> BadRow {
        let place = self.at + 1;
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => format!("not JSON: {found:?} at byte {place} of the line"),
            None if self.at >= self.text.len() => "the line ends in the middle of a record".to_owned(),
            None => format!("not JSON at byte {place} of the line"),
        };
        BadRow::row(Fault::BrokenLine, found, expected)
    }

    /// The members of an object whose brace is read.
    fn members(&mut self, depth: usize, mut member: impl FnMut(Cow<'a, str>, Value<'a>)) -> Result<(), BadRow> {
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            let key = self.string()?;
            self.blanks();
            self.expect(b':', "a colon")?;
            self.blanks();
            let value = self.value(depth)?;
            member(key, value);
            if self.ends(b'}', "a comma or a closing brace")? {
                return Ok(());
            }
        }
    }

    fn elements(&mut self, depth: usize) -> Result<(), BadRow> {
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            self.value(depth)?;
            if self.ends(b']', "a comma or a closing bracket")? {
                return Ok(());
            }
        }
    }

    fn ends(&mut self, closing: u8, expected: &'static str) -> Result<bool, BadRow> {
        self.blanks();
        let found = self.peek();
        if found != Some(b',') && found != Some(closing) {
            return Err(self.broken(expected));
        }
        self.at += 1;
        Ok(found == Some(closing))
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, BadRow> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'0'..=b'9') => self.number(),
            Some(b'-') if self.text.as_bytes().get(self.at + 1) == Some(&b'I') => {
                self.word("-Infinity", Value::NotFinite("-Infinity"))
            }
            Some(b'-') => self.number(),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'N') => self.word("NaN", Value::NotFinite("NaN")),
            Some(b'I') => self.word("Infinity", Value::NotFinite("Infinity")),
            Some(b'{' | b'[') => self.nested(depth + 1),
            _ => Err(self.broken("a value")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value<'a>) -> Result<Value<'a>, BadRow> {
        match self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            true => {
                self.at += word.len();
                Ok(value)
            }
            false => Err(self.broken("a value")),
        }
    }

    fn nested(&mut self, depth: usize) -> Result<Value<'a>, BadRow> {
        if depth > MOST_DEPTH {
            return Err(self.broken("lists and objects that nest less deeply"));
        }
        let opening = self.peek();
        self.at += 1;
        match opening {
            Some(b'{') => self.members(depth, |_, _| ()).map(|()| Value::Nested("an object")),
            _ => self.elements(depth).map(|()| Value::Nested("a list")),
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, BadRow> {
        self.expect(b'"', "a text in double quotes")?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_length(self.text.as_bytes().get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => return Err(self.broken("no control characters in a text")),
                None => return Err(self.broken("a closing quote")),
            }
        }
        let inside = start..self.at;
        self.at += 1;
        match escaped {
            false => Ok(Cow::Borrowed(&self.text[inside])),
            true => self.unescape(start - 1),
        }
    }

    fn unescape(&self, start: usize) -> Result<Cow<'a, str>, BadRow> {
        let literal = &self.text[start..self.at];
        serde_json::from_str(literal).map(Cow::Owned).map_err(|_| {
            let found =
                format!("not JSON: an escape that does not exist in the text at byte {} of the line", start + 1);
            BadRow::row(Fault::BrokenLine, found, "escapes of JSON")
        })
    }

    fn number(&mut self) -> Result<Value<'a>, BadRow> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Value::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), BadRow> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.broken("a digit")) } else { Ok(()) }
    }
}

/// Bytes before the first one that ends or breaks a text: a quote, a backslash, a control character; eight at once.
fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return 8 * place + special.trailing_zeros() as usize / 8;
        }
    }
    8 * words.len() + rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | ..0x20)).count()
}

/// The highest bit of the first byte of a word that is special; those above it may be wrong (Mycroft 1987).
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (equal(b'"') | equal(b'\\') | below(word, 0x20)) & (ONES * 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_its_first_special_byte_wherever_it_is() {
        for byte in 0..=u8::MAX {
            for before in 0..20 {
                let mut bytes = vec![b'~'; 20];
                bytes[before] = byte;
                let is_special = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(plain_length(&bytes), if is_special { before } else { 20 }, "{byte} after {before}");
                bytes[19] = b'"';
                assert_eq!(plain_length(&bytes), if is_special { before } else { 19 }, "{byte} after {before}");
            }
        }
    }
}
