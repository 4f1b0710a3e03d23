//! The reader: one pass over the text, recursive, with a limit on depth.

use std::collections::HashSet;

use super::{Fault, MAX_DEPTH, Member, Node, Number, Position, Value, byte_order_mark};

/// How much of an unexpected word an error quotes, in characters.
const QUOTED_CHARACTERS: usize = 20;

/// Objects up to this many members are searched for duplicate keys pair by pair.
const FEW_MEMBERS: usize = 16;

/// Reads one value with white space around it.
pub(super) fn document(bytes: &[u8]) -> Result<Node, Fault> {
    let start = byte_order_mark(bytes);
    let text = std::str::from_utf8(&bytes[start..]).map_err(|error| not_utf8(&bytes[start..], error.valid_up_to()))?;
    let mut reader = Reader { text, at: 0, mark: Mark::default() };
    reader.skip_space();
    let root = reader.value(0)?;
    reader.skip_space();
    match reader.rest() {
        "" => Ok(root),
        rest => Err(reader.fault(format!("{:?} after the end of the value", word(rest)), "the end of the file")),
    }
}

fn not_utf8(bytes: &[u8], valid: usize) -> Fault {
    let text = String::from_utf8_lossy(&bytes[..valid]);
    let mut mark = Mark::default();
    mark.advance(&text, text.len());
    let found = match bytes.first() {
        Some(0xFF | 0xFE) if valid == 0 => "the text is not UTF-8; it looks like UTF-16".to_owned(),
        _ => format!("byte {:#04x} is not UTF-8", bytes.get(valid).copied().unwrap_or_default()),
    };
    Fault { at: mark.position(), found, expected: "UTF-8".to_owned(), truncated: false }
}

/// A byte offset with its line and column; it only moves forward, so that places cost one pass in all.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    offset: usize,
    lines: u64,
    characters: u64,
}

impl Mark {
    fn advance(&mut self, text: &str, offset: usize) {
        for character in text[self.offset..offset].chars() {
            if character == '\n' {
                self.lines += 1;
                self.characters = 0;
            } else {
                self.characters += 1;
            }
        }
        self.offset = offset;
    }

    fn position(self) -> Position {
        Position { line: self.lines + 1, column: self.characters + 1 }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    mark: Mark,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn here(&mut self) -> Position {
        self.mark.advance(self.text, self.at);
        self.mark.position()
    }

    /// A fault at the current place.
    fn fault(&mut self, found: impl Into<String>, expected: &str) -> Fault {
        Fault { at: self.here(), found: found.into(), expected: expected.to_owned(), truncated: false }
    }

    /// The current character is not what should stand there.
    fn unexpected(&mut self, expected: &str) -> Fault {
        match self.rest().chars().next() {
            Some(character) => self.fault(format!("{:?}", character.to_string()), expected),
            None => self.ended(expected),
        }
    }

    fn ended(&mut self, expected: &str) -> Fault {
        self.at = self.text.len();
        Fault { truncated: true, ..self.fault("the file ends in the middle of a value", expected) }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        let at = self.here();
        let value = match self.peek() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => {
                return Err(self.fault("nested too deeply", &format!("at most {MAX_DEPTH} levels")));
            }
            Some(b'{') => Value::Object(self.object(depth)?),
            Some(b'[') => Value::Array(self.array(depth)?),
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(_) => self.name()?,
            None => return Err(self.ended("a value")),
        };
        Ok(Node { at, value })
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, Fault> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.take(b']') {
            return Ok(items);
        }
        loop {
            self.skip_space();
            items.push(self.value(depth + 1)?);
            if self.closes(b']', "\",\" or \"]\"")? {
                return Ok(items);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member>, Fault> {
        let mut members = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.take(b'}') {
            return Ok(members);
        }
        loop {
            members.push(self.member(depth)?);
            if self.closes(b'}', "\",\" or \"}\"")? {
                return unique(members);
            }
        }
    }

    fn member(&mut self, depth: usize) -> Result<Member, Fault> {
        self.skip_space();
        let at = self.here();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        let key = self.string()?;
        self.skip_space();
        if !self.take(b':') {
            return Err(self.unexpected("\":\""));
        }
        self.skip_space();
        Ok(Member { at, key, node: self.value(depth + 1)? })
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// After an element: whether the array or object closes; else a comma was read.
    fn closes(&mut self, close: u8, expected: &str) -> Result<bool, Fault> {
        self.skip_space();
        if self.take(close) {
            Ok(true)
        } else if self.take(b',') {
            Ok(false)
        } else {
            Err(self.unexpected(expected))
        }
    }

    fn name(&mut self) -> Result<Value, Fault> {
        let found = word(self.rest());
        let value = match found {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "NaN" => Value::Number(Number { value: f64::NAN, text: found.to_owned() }),
            "Infinity" => Value::Number(Number { value: f64::INFINITY, text: found.to_owned() }),
            _ => return Err(self.bad_name(found)),
        };
        self.at += found.len();
        Ok(value)
    }

    fn bad_name(&mut self, found: &str) -> Fault {
        let names = ["null", "true", "false", "NaN", "Infinity"];
        let cut = found.len() == self.rest().len() && names.iter().any(|name| name.starts_with(found));
        if cut { self.ended("a value") } else { self.fault(format!("{found:?}"), "a value") }
    }

    fn number(&mut self) -> Result<Number, Fault> {
        const INFINITY: &str = "-Infinity";
        let text = number_text(self.rest());
        if self.rest().starts_with(INFINITY) {
            self.at += INFINITY.len();
            return Ok(Number { value: f64::NEG_INFINITY, text: INFINITY.to_owned() });
        }
        let value = text.parse().ok().filter(|_| is_number(text));
        let cut = text.len() == self.rest().len() || INFINITY.starts_with(self.rest());
        match value {
            Some(value) => {
                self.at += text.len();
                Ok(Number { value, text: text.to_owned() })
            }
            None if cut && !text.ends_with(|last: char| last.is_ascii_digit()) => Err(self.ended("a digit")),
            None => Err(self.fault(format!("{:?} is not a number", word(self.rest())), "a number")),
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        let mut out = String::new();
        self.at += 1;
        loop {
            let plain = self.rest().bytes().take_while(|&byte| byte != b'"' && byte != b'\\' && byte >= 0x20).count();
            out.push_str(&self.rest()[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => out.push(self.escape()?),
                Some(byte) => return Err(self.fault(format!("control character {byte:#04x} in a text"), "an escape")),
                None => return Err(self.ended("the closing quote of a text")),
            }
        }
        self.at += 1;
        Ok(out)
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let character = match self.text.as_bytes().get(self.at + 1) {
            Some(b'u') => return self.unicode(),
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(_) => return Err(self.fault("an unknown escape", r#"one of \" \\ \/ \b \f \n \r \t \u"#)),
            None => return Err(self.ended("an escape")),
        };
        self.at += 2;
        Ok(character)
    }

    /// `\uXXXX`, or two of them that make a surrogate pair.
    fn unicode(&mut self) -> Result<char, Fault> {
        let high = self.unit(self.at)?;
        let paired = (0xD800..0xDC00).contains(&high) && self.text.as_bytes()[self.at + 6..].starts_with(br"\u");
        let low = if paired { Some(self.unit(self.at + 6)?) } else { None };
        let units = [high, low.unwrap_or_default()];
        let length = if paired { 2 } else { 1 };
        match char::decode_utf16(units[..length].iter().copied()).next() {
            Some(Ok(character)) => {
                self.at += 6 * length;
                Ok(character)
            }
            _ => Err(self.fault("half of a surrogate pair", r"a pair such as \ud83d\ude00")),
        }
    }

    /// The four hexadecimal digits of the `\u` at byte `start`.
    fn unit(&mut self, start: usize) -> Result<u16, Fault> {
        let digits = self.text.as_bytes().get(start + 2..start + 6).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let hex = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match hex.and_then(|hex| u16::from_str_radix(hex, 16).ok()) {
            Some(unit) => Ok(unit),
            None if self.text.len() < start + 6 => Err(self.ended("four hexadecimal digits")),
            None => Err(self.fault("a bad \\u escape", "four hexadecimal digits")),
        }
    }
}

/// The word at the start of `rest`, for names and for error texts.
fn word(rest: &str) -> &str {
    let ends = |character: char| character.is_whitespace() || ",:[]{}\"".contains(character);
    let length = rest.find(ends).unwrap_or(rest.len()).max(rest.chars().next().map_or(0, char::len_utf8));
    let shown = rest[..length].char_indices().nth(QUOTED_CHARACTERS).map_or(length, |(index, _)| index);
    &rest[..shown]
}

fn number_text(rest: &str) -> &str {
    let length = rest.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
    &rest[..length]
}

/// The grammar of RFC 8259: no leading zeros, digits on both sides of the point.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && digits(fraction) && digits(exponent)
}

/// The members, if no key occurs twice.
fn unique(members: Vec<Member>) -> Result<Vec<Member>, Fault> {
    match first_duplicate(&members) {
        None => Ok(members),
        Some(member) => Err(Fault {
            at: member.at,
            found: format!("key {:?} occurs twice in one object", member.key),
            expected: "each key once".to_owned(),
            truncated: false,
        }),
    }
}

fn first_duplicate(members: &[Member]) -> Option<&Member> {
    if members.len() <= FEW_MEMBERS {
        return (1..members.len())
            .find(|&i| members[..i].iter().any(|earlier| earlier.key == members[i].key))
            .map(|i| &members[i]);
    }
    let mut seen = HashSet::with_capacity(members.len());
    members.iter().find(|member| !seen.insert(member.key.as_str()))
}
