//! The body of an ingest request: its type, its size, its compression.

use std::io::Read;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use flate2::read::MultiGzDecoder;
use shared::serve::refuse;

/// The types that a body may have.
const TYPES: [&str; 6] = [
    "application/json",
    "application/jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/x-ndjson",
    "application/ndjson",
];

/// How the body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
}

/// What the headers say of the body; a refusal of what is not understood.
pub(super) fn coding(headers: &HeaderMap) -> Result<Coding, Box<Response>> {
    let unsupported = |text: String| Box::new(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    let media = value(headers, header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !TYPES.contains(&media.as_str()) {
        let text = "send JSON Lines as Content-Type: application/x-ndjson, or one array as application/json";
        return Err(unsupported(text.to_owned()));
    }
    match value(headers, header::CONTENT_ENCODING).trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(Coding::Identity),
        "gzip" | "x-gzip" => Ok(Coding::Gzip),
        _ => Err(unsupported("the only Content-Encoding that is read is gzip, once".to_owned())),
    }
}

fn value(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Why a body cannot be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    TooLarge,
    Broken(String),
}

/// The body without its compression, which may not grow it past `most` bytes.
pub(super) fn expand(body: &Bytes, coding: Coding, most: usize) -> Result<Vec<u8>, Unreadable> {
    match coding {
        Coding::Identity if body.len() > most => Err(Unreadable::TooLarge),
        Coding::Identity => Ok(body.to_vec()),
        Coding::Gzip => gunzip(body, most),
    }
}

fn gunzip(body: &[u8], most: usize) -> Result<Vec<u8>, Unreadable> {
    let mut expanded = Vec::new();
    let mut reader = MultiGzDecoder::new(body).take(most as u64 + 1);
    reader.read_to_end(&mut expanded).map_err(|error| Unreadable::Broken(error.to_string()))?;
    if expanded.len() > most { Err(Unreadable::TooLarge) } else { Ok(expanded) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_grows_past_the_cap_is_refused() {
        let bomb = gzip(&vec![b' '; 1 << 20]);
        assert!(bomb.len() < 5_000, "a bomb of {} bytes", bomb.len());
        assert_eq!(expand(&bomb.clone().into(), Coding::Gzip, (1 << 20) - 1), Err(Unreadable::TooLarge));
        assert_eq!(expand(&bomb.into(), Coding::Gzip, 1 << 20).unwrap().len(), 1 << 20);
    }

    #[test]
    fn members_add_up_and_torn_ones_are_seen() {
        let two = [gzip(b"a\n"), gzip(b"b\n")].concat();
        assert_eq!(expand(&two.clone().into(), Coding::Gzip, 99).unwrap(), b"a\nb\n");
        let torn = Bytes::copy_from_slice(&two[..two.len() - 3]);
        assert!(matches!(expand(&torn, Coding::Gzip, 99), Err(Unreadable::Broken(_))));
    }
}
