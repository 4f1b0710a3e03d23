//! Bytes that are not what was asked for, and texts that are nearly it.

/// Xorshift with a fixed seed: the same noise in each run.
pub(crate) fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..count).map(|_| next()).collect()
}

pub(crate) fn in_the_middle(bytes: &[u8], what: &[u8]) -> Vec<u8> {
    let (start, end) = bytes.split_at(bytes.len() / 2);
    [start, what, end].concat()
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

pub(crate) fn newer(text: &str) -> Vec<u8> {
    let changed = text.replacen("/1\"", "/99\"", 1);
    assert_ne!(changed, text, "the file has a schema");
    changed.into()
}

/// The first key stands there a second time.
pub(crate) fn key_twice(text: &str) -> Vec<u8> {
    let key = text.split('"').nth(1).unwrap();
    text.replacen('{', &format!("{{\"{key}\": \"other\", "), 1).into()
}

/// The first number is none; in a file without numbers, the first value.
pub(crate) fn nan(text: &str) -> Vec<u8> {
    let is_number = |at: &usize| text[*at..].starts_with(|next: char| next.is_ascii_digit());
    let mut values = text.match_indices("\": ").map(|(at, _)| at + 3);
    let at = values.clone().find(is_number).or_else(|| values.next()).unwrap();
    let end = text[at..].find([',', '\n', '}']).unwrap();
    format!("{}NaN{}", &text[..at], &text[at + end..]).into()
}

pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0";

pub(crate) const HTML: &str = "<!DOCTYPE html>\n<html>\n<head><title>502 Bad Gateway</title></head>\n\
                    <body><h1>502 Bad Gateway</h1></body>\n</html>\n";

/// `printf 'gzip me\n' | gzip -9n`
pub(crate) const GZIP: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\x4b\xaf\xca\x2c\x50\xc8\x4d\xe5\x02\0\x42\xc6\x5f\x39\x08\0\0\0";

/// `printf 'zstd me\n' | zstd -19`
pub(crate) const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x04\x68\x41\x00\x00\x7a\x73\x74\x64\x20\x6d\x65\x0a\x76\xe7\xb9\x30";
