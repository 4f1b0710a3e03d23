//! The inputs of a model, in order, from the files that teams have: model files, headers, lists.

mod boosters;
mod lists;
mod ubjson;

use std::collections::HashSet;
use std::path::Path;

use shared::format::json;
use shared::format::manifest::Feature;
use shared::{Error, Place, Result};

/// More features than any model has.
const MAX_FEATURES: usize = 1_000_000;

/// A longer name is the text of something else.
const MAX_NAME: usize = 1000;

/// What a file is, told from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text model of `LightGBM`.
    LightGbm,
    /// A JSON model of `XGBoost`.
    XgBoost,
    /// A binary model of `XGBoost` (UBJSON).
    XgBoostBinary,
    /// A pickle, compressed or not, or a joblib file: read by the pickle scanner.
    Pickle,
    /// A JSON list, or an object with `features`.
    Json,
    /// A header of a table.
    Csv,
    /// One name a line.
    Lines,
}

/// What a file is, told from its bytes.
pub fn kind_of(bytes: &[u8]) -> Kind {
    let text = &bytes[json::byte_order_mark(bytes)..];
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match first {
        _ if is_pickle(bytes) => Kind::Pickle,
        _ if ubjson::is_object(bytes) => Kind::XgBoostBinary,
        _ if line.trim_ascii_end() == b"tree" => Kind::LightGbm,
        Some(b'{') if boosters::is_xgboost(text) => Kind::XgBoost,
        Some(b'{' | b'[') => Kind::Json,
        _ if line.contains(&b',') => Kind::Csv,
        _ => Kind::Lines,
    }
}

/// Pickles from protocol 2 on, and what compresses them: zlib, gzip, bzip2, xz, lz4.
fn is_pickle(bytes: &[u8]) -> bool {
    let zlib = matches!(bytes, [0x78, 0x01 | 0x5E | 0x9C | 0xDA, ..]);
    let pickle = matches!(bytes, [0x80, 2..=5, ..]);
    let packed = [&b"\x1F\x8B"[..], b"BZh", b"\xFD7zXZ\0", b"\x04\x22\x4D\x18", b"\x5D\x00\x00"];
    pickle || zlib || packed.iter().any(|magic| bytes.starts_with(magic))
}

/// The features that the file called `path` states, in order.
///
/// # Errors
/// [`Error::Input`] if it states none, states one twice or is malformed; pickles are not read here.
pub fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Feature>> {
    let features = match kind_of(bytes) {
        Kind::LightGbm => boosters::lightgbm(path, bytes),
        Kind::XgBoost => boosters::xgboost(path, bytes),
        Kind::XgBoostBinary => boosters::xgboost_binary(path, bytes),
        Kind::Json => lists::json_list(path, bytes),
        Kind::Csv => lists::csv_header(path, bytes),
        Kind::Lines => lists::lines(path, bytes),
        Kind::Pickle => Err(refused(path, "a pickle", "a model file, a header or a list of features")),
    }?;
    checked(path, features)
}

fn checked(path: &Path, features: Vec<Feature>) -> Result<Vec<Feature>> {
    if features.is_empty() {
        return Err(refused(path, "no features", "at least one"));
    }
    if features.len() > MAX_FEATURES {
        return Err(refused(path, &format!("{} features", features.len()), &format!("at most {MAX_FEATURES}")));
    }
    if let Some(long) = features.iter().find(|feature| feature.name.len() > MAX_NAME) {
        return Err(refused(
            path,
            &format!("a feature with a name of {} bytes", long.name.len()),
            &format!("at most {MAX_NAME}"),
        ));
    }
    let mut seen = HashSet::new();
    match features.iter().find(|feature| feature.name.is_empty() || !seen.insert(&feature.name)) {
        None => Ok(features),
        Some(feature) if feature.name.is_empty() => Err(refused(path, "a feature without a name", "a name for each")),
        Some(feature) => Err(refused(path, &format!("the feature {:?} occurs twice", feature.name), "each name once")),
    }
}

fn refused(path: &Path, found: &str, expected: &str) -> Error {
    Error::input(Place::file(path), found, expected)
}

fn feature(name: impl Into<String>, kind: Option<&str>) -> Feature {
    Feature { name: name.into(), kind: kind.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_what_a_file_is() {
        assert_eq!(kind_of(b"tree\r\nversion=v4\r\n"), Kind::LightGbm);
        assert_eq!(kind_of(b"\x80\x04\x95"), Kind::Pickle);
        assert_eq!(kind_of(b"\x78\x9C\x01"), Kind::Pickle);
        assert_eq!(kind_of(b"{\"learner\":{\"attributes\":{}}}"), Kind::XgBoost);
        assert_eq!(kind_of(b"{L\0\0\0\0\0\0\0\x07learner{"), Kind::XgBoostBinary);
        assert_eq!(kind_of(b"\xEF\xBB\xBF[\"a\"]"), Kind::Json);
        assert_eq!(kind_of(b"a,b\n1,2\n"), Kind::Csv);
        assert_eq!(kind_of(b"a\nb\n"), Kind::Lines);
    }

    #[test]
    fn what_states_no_clear_list_is_refused() {
        for bytes in
            [&b""[..], b"a\na\n", b"a,,b\n", b"[]", b"{}", b"[1]", b"tree\n", b"{\"learner\":{}}", b"\x80\x04."]
        {
            assert!(read(Path::new("f"), bytes).is_err(), "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(head in "(tree\n|\\[|\\{\"learner\":|\\{L|a,)?", bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            _ = read(Path::new("f"), &[head.as_bytes(), &bytes].concat());
        }
    }
}
