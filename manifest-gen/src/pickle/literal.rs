//! The literals of the text protocol: escapes and integers as Python reads them.

/// A memo index in text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// An index.
    At(u64),
    /// A number, but larger than any that is remembered.
    TooLarge,
    /// What the unpickler refuses.
    Wrong,
}

/// `PUT` and `GET` take what `int()` takes: white space, a sign, underscores between digits.
pub(super) fn index(line: &[u8]) -> Index {
    let Ok(text) = std::str::from_utf8(line) else { return Index::Wrong };
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let grouped = digits.split('_').all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.replace('_', "").parse::<u64>();
    match number {
        _ if !grouped => Index::Wrong,
        Ok(number) if number == 0 || !text.starts_with('-') => Index::At(number),
        Err(_) if !text.starts_with('-') => Index::TooLarge,
        _ => Index::Wrong,
    }
}

/// Whether Python could read this as a number, generously: hexadecimal, exponents, infinities.
pub(super) fn may_be_number(line: &[u8]) -> bool {
    let allowed =
        |byte: &u8| byte.is_ascii_hexdigit() || b"+-._ \t\r\n\x0b\x0cxXoOLlinfINFtyTY".contains(byte) || *byte >= 0x80;
    !line.is_empty() && line.iter().all(allowed)
}

/// A quoted text of protocol 0; nothing if the quotes or escapes are wrong.
pub(super) fn quoted(line: &[u8]) -> Option<String> {
    let line = line.trim_ascii_end();
    let ([b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"']) = line else { return None };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let [byte, tail @ ..] = rest {
        rest = if *byte == b'\\' { escape(tail, &mut bytes)? } else { push(&mut bytes, *byte, tail) };
    }
    Some(latin(&bytes))
}

fn push<'a>(bytes: &mut Vec<u8>, byte: u8, rest: &'a [u8]) -> &'a [u8] {
    bytes.push(byte);
    rest
}

/// One escape of a byte string, after its backslash.
fn escape<'a>(rest: &'a [u8], bytes: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&first, tail) = rest.split_first()?;
    let simple = b"abfnrtv".iter().position(|&letter| letter == first).map(|index| b"\x07\x08\x0c\n\r\t\x0b"[index]);
    match first {
        b'\n' => return Some(tail),
        b'\\' | b'\'' | b'"' => bytes.push(first),
        b'x' => {
            bytes.push(u8::try_from(hexadecimal(tail.get(..2)?)?).ok()?);
            return Some(&tail[2..]);
        }
        b'0'..=b'7' => {
            let length = rest.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            let value = rest[..length].iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            bytes.push((value & 0xff) as u8);
            return Some(&rest[length..]);
        }
        _ => match simple {
            Some(byte) => bytes.push(byte),
            None => bytes.extend([b'\\', first]),
        },
    }
    Some(tail)
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Bytes as text, each a character, as `latin1` decodes.
pub(super) fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// A text in raw-unicode-escape: only `\uXXXX` and `\UXXXXXXXX` after an odd number of backslashes are escapes.
pub(super) fn raw_unicode(line: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'\\', [b'\\', more @ ..]) => {
                text.push_str("\\\\");
                more
            }
            (b'\\', [b'u', more @ ..]) => code_point(more, 4, &mut text)?,
            (b'\\', [b'U', more @ ..]) => code_point(more, 8, &mut text)?,
            _ => {
                text.push(char::from(*byte));
                tail
            }
        };
    }
    Some(text)
}

fn code_point<'a>(digits: &'a [u8], count: usize, text: &mut String) -> Option<&'a [u8]> {
    let code = hexadecimal(digits.get(..count)?)?;
    text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(&digits[count..])
}

#[cfg(test)]
mod tests {
    use super::*;

    // Values from CPython 3.11: int(b" 1_0 "), codecs.escape_decode, codecs.raw_unicode_escape_decode.
    #[test]
    fn integers_read_as_python_does() {
        assert_eq!(index(b" 1_0 "), Index::At(10));
        assert_eq!(index(b"+7"), Index::At(7));
        assert_eq!(index(b"-7"), Index::Wrong);
        assert_eq!(index(b"1__0"), Index::Wrong);
        assert_eq!(index(b"_1"), Index::Wrong);
        assert_eq!(index(b"99999999999999999999"), Index::TooLarge);
    }

    #[test]
    fn escapes_read_as_python_does() {
        assert_eq!(quoted(br"'\x6fs'").as_deref(), Some("os"));
        assert_eq!(quoted(br#""\157\163""#).as_deref(), Some("os"));
        assert_eq!(quoted(br"'a\\n\q'").as_deref(), Some(r"a\n\q"));
        assert_eq!(quoted(b"'os"), None);
        assert_eq!(quoted(br"'\x6'"), None);
        assert_eq!(raw_unicode(br"\u006fs\n").as_deref(), Some(r"os\n"));
        assert_eq!(raw_unicode(br"\U0000006fs").as_deref(), Some("os"));
        assert_eq!(raw_unicode(br"\\u006f").as_deref(), Some(r"\\u006f"));
        assert_eq!(raw_unicode(br"\u00"), None);
    }
}
