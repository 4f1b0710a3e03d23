//! PEM text: the blocks between `-----BEGIN X-----` and `-----END X-----`, whatever stands around them.

use base64ct::{Base64, Encoding};
use p256::elliptic_curve::zeroize::Zeroizing;

/// One block of a PEM text; its bytes are wiped from memory when it goes.
pub(super) struct Block {
    /// The words after `BEGIN`.
    pub(super) label: String,
    /// The decoded bytes; empty if the block is encrypted the old way (`Proc-Type: 4,ENCRYPTED`).
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Whether headers say that the bytes are encrypted.
    pub(super) encrypted: bool,
}

/// All blocks of `text`.
///
/// # Errors
/// What is wrong with the first bad block.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some(label) = between(line, "-----BEGIN ") {
            found.push(block(label, &mut lines)?);
        }
    }
    Ok(found)
}

fn between<'a>(line: &'a str, opening: &str) -> Option<&'a str> {
    line.strip_prefix(opening)?.strip_suffix("-----")
}

fn block<'a>(label: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<Block, String> {
    let mut body = Zeroizing::new(String::new());
    let mut encrypted = false;
    for line in lines {
        match between(line, "-----END ") {
            Some(end) if end == label => return decode(label, &body, encrypted),
            Some(end) => return Err(format!("`BEGIN {label}` is closed by `END {end}`")),
            None if line.contains(':') => encrypted |= line.contains("ENCRYPTED"),
            None => body.push_str(line),
        }
    }
    Err(format!("`BEGIN {label}` has no end"))
}

fn decode(label: &str, body: &str, encrypted: bool) -> Result<Block, String> {
    let bytes = match encrypted || body.is_empty() {
        true => Vec::new(),
        false => Base64::decode_vec(body).map_err(|_| format!("the block `{label}` is not base64"))?,
    };
    Ok(Block { label: label.to_owned(), bytes: Zeroizing::new(bytes), encrypted })
}

/// `bytes` as PEM as openssl writes it: lines of 64, LF, a final newline.
pub(super) fn write(label: &str, bytes: &[u8]) -> String {
    let body = Base64::encode_string(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    for start in (0..body.len()).step_by(64) {
        text.push_str(&body[start..body.len().min(start + 64)]);
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_around_the_blocks_and_windows_line_ends_are_accepted() {
        let found = blocks("Subject: x\r\n-----BEGIN A-----\r\nAAEC\r\n-----END A-----\r\n").unwrap();
        assert_eq!((found[0].label.as_str(), found[0].bytes.as_slice()), ("A", &[0, 1, 2][..]));
    }

    #[test]
    fn broken_blocks_are_errors() {
        for text in
            ["-----BEGIN A-----\nAAEC\n", "-----BEGIN A-----\n-----END B-----", "-----BEGIN A-----\n%\n-----END A-----"]
        {
            assert!(blocks(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = write("A", &bytes);
        assert!(text.lines().all(|line| line.len() <= 64));
        assert_eq!(blocks(&text).unwrap()[0].bytes.as_slice(), bytes);
    }
}
