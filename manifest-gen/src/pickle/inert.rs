//! Files that are no pickles and that loading cannot make do anything: text, JSON, UBJSON, safetensors, ONNX, `CatBoost`.
//!
//! Text can be a pickle of protocol 0, and so can the start of a binary format. A file counts as inert only if the symbolic
//! machine, which fails where the unpickler fails, gives up on it before anything was named that Python could import.

use super::allow::AllowList;
use super::machine::{Fault, Machine};
use super::opcode;
use super::scan::Findings;
use super::source::{Source, WINDOW};

/// The largest field number of ONNX's `ModelProto`.
const ONNX_FIELDS: u64 = 26;

/// Gives the name of the format and reads it to its end, if it is one of these.
pub(super) fn scan(source: &mut Source, allow: &AllowList, findings: &mut Findings) -> Option<String> {
    let window = source.peek(WINDOW).to_vec();
    let kind = recognise(&window)?;
    let begins_as_pickle = window.first().is_some_and(|&byte| opcode::is_one(byte));
    if begins_as_pickle && !unpickler_gives_up(&window, allow) {
        return None;
    }
    let sound = match kind {
        "text" | "json" | "csv" => rest_is_text(source),
        "onnx" => rest_is_protobuf(source),
        _ => true,
    };
    if !sound {
        findings.unsure(format!("{kind}:not to its end"));
    }
    Some(kind.to_owned())
}

fn recognise(window: &[u8]) -> Option<&'static str> {
    let text = window.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(window).trim_ascii_start();
    let textual = !window.is_empty() && begins_as_utf8(window) && is_text(window);
    match (window, text.first()) {
        (_, Some(b'{' | b'[')) if textual => Some("json"),
        _ if textual => Some(if is_table(text) { "csv" } else { "text" }),
        ([b'{', b'i' | b'U' | b'I' | b'l' | b'L' | b'$' | b'#', ..], _) => Some("ubjson"),
        ([b'C', b'B', b'M', b'1', ..], _) => Some("cbm"),
        _ if is_safetensors(window) => Some("safetensors"),
        ([0x08, 1..=20, tag, ..], _) if u64::from(tag >> 3) <= ONNX_FIELDS && tag & 7 == 2 => Some("onnx"),
        _ => None,
    }
}

/// No control characters but white space; bytes above ASCII may be any encoding.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte >= 0x20 && byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c))
}

/// UTF-8, perhaps cut in the middle of a character: magic numbers of binary formats are none.
fn begins_as_utf8(window: &[u8]) -> bool {
    std::str::from_utf8(window).map_or_else(|error| error.error_len().is_none() && error.valid_up_to() > 0, |_| true)
}

/// Two lines with the same number of separators.
fn is_table(text: &[u8]) -> bool {
    let mut lines = text.split(|&byte| byte == b'\n').map(|line| line.split(|&byte| byte == b',').count());
    matches!((lines.next(), lines.next()), (Some(first), Some(second)) if first > 1 && first == second)
}

/// A length, then a JSON object of about that length.
fn is_safetensors(window: &[u8]) -> bool {
    let length = window.first_chunk::<8>().map(|length| u64::from_le_bytes(*length));
    length.is_some_and(|length| (2..100_000_000).contains(&length)) && window.get(8) == Some(&b'{')
}

fn unpickler_gives_up(window: &[u8], allow: &AllowList) -> bool {
    let mut findings = Findings::default();
    let outcome = Machine::new(&mut findings, allow).run(&mut Source::new(window), false);
    let certain = match outcome {
        Err(Fault::Broken(_)) => true,
        Err(Fault::Ends) => window.len() < WINDOW,
        Err(Fault::Limit(_)) | Ok(_) => false,
    };
    certain && !findings.importable
}

fn rest_is_text(source: &mut Source) -> bool {
    loop {
        match source.chunk() {
            [] => return true,
            chunk if is_text(chunk) => {}
            _ => return false,
        }
    }
}

/// Fields of length, number or fixed size up to the end.
fn rest_is_protobuf(source: &mut Source) -> bool {
    while !source.at_end() {
        let Some(tag) = varint(source) else { return false };
        let skipped = match tag & 7 {
            0 => varint(source).is_some(),
            2 => varint(source).is_some_and(|length| source.skip(length).is_ok()),
            _ => false,
        };
        if !skipped || !(1..=ONNX_FIELDS).contains(&(tag >> 3)) {
            return false;
        }
    }
    true
}

fn varint(source: &mut Source) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = source.byte().ok()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickle::{ScanVerdict, scan as scan_file};

    fn look(bytes: &[u8]) -> (ScanVerdict, String) {
        let scan = scan_file(bytes, &AllowList::shipped());
        (scan.verdict, scan.container)
    }

    #[test]
    fn models_and_tables_in_text_are_inert() {
        for (text, container) in [
            ("tree\nversion=v4\nnum_class=1\nfeature_names=a b\n", "text"),
            ("{\"learner\": {\"version\": [3, 2, 0]}}", "json"),
            ("cutoff,unique_id\n2020-01-01,1\n", "csv"),
            ("unique_id,ds,y\r\n1,2020-01-03,4.5\r\n", "csv"),
            ("Product,Price\nx,1\n", "csv"),
            ("Index,Volume\n1,2\n", "csv"),
        ] {
            assert_eq!(look(text.as_bytes()), (ScanVerdict::Allowed, container.to_owned()), "{text}");
        }
    }

    #[test]
    fn text_that_is_a_pickle_is_scanned_as_one() {
        assert_eq!(look(b"cos\ngetpid\n)R."), (ScanVerdict::Refused, "pickle".to_owned()));
        assert_eq!(look(b"cos\ngetpid\n)R and then it breaks"), (ScanVerdict::Refused, "pickle".to_owned()));
        assert_eq!(look(b"Np99999999999999999999\n0cos\ngetpid\n)R.").0, ScanVerdict::NotParsed);
    }

    #[test]
    fn binary_formats_are_recognised_and_the_rest_is_not_parsed() {
        let header = br#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let mut safetensors = (header.len() as u64).to_le_bytes().to_vec();
        safetensors.extend(header);
        safetensors.extend([0; 4]);
        assert_eq!(look(&safetensors), (ScanVerdict::Allowed, "safetensors".to_owned()));
        assert_eq!(look(b"\x08\x08\x12\x04skl2").1, "onnx");
        assert_eq!(look(b"{L\0\0\0\0\0\0\0\x07learner").1, "ubjson");
        assert_eq!(look(b"\x89PNG\r\n\x1a\n\0\0").0, ScanVerdict::NotParsed);
        assert_eq!(look(b"").0, ScanVerdict::NotParsed);
    }
}
