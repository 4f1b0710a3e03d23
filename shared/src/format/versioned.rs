//! JSON files that carry their `schema` and the oldest version of the tools that understands them.

use std::path::Path;

use semver::Version;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Place, Result};

/// Reads a file of `schema`; refuses another schema, another major version and files for newer tools.
///
/// # Errors
/// [`Error::Input`] with the place.
pub fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8], schema: &str) -> Result<T> {
    let value = of_schema(path, bytes, schema)?;
    let min_reader = value.get("min_reader").and_then(Value::as_str).unwrap_or_default();
    refuse_newer(path, min_reader)?;
    // Read again from the bytes, so that an error has its line and column.
    serde_json::from_slice(bytes).map_err(|error| malformed(path, &error, schema))
}

/// Reads a file of `schema` that names no oldest reader; refuses another schema and another major version.
///
/// # Errors
/// [`Error::Input`] with the place.
pub fn parse_plain<T: DeserializeOwned>(path: &Path, bytes: &[u8], schema: &str) -> Result<T> {
    of_schema(path, bytes, schema)?;
    serde_json::from_slice(bytes).map_err(|error| malformed(path, &error, schema))
}

fn of_schema(path: &Path, bytes: &[u8], schema: &str) -> Result<Value> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| malformed(path, &error, schema))?;
    let found = value.get("schema").and_then(Value::as_str).unwrap_or_default();
    if found == schema {
        return Ok(value);
    }
    let error = Error::input(place_of_schema(path, bytes), format!("\"schema\" is {found:?}"), format!("{schema:?}"));
    // Of a file of another kind, the caller knows where the right one comes from.
    let kind = |schema: &str| schema.rsplit_once('/').map(|(kind, _)| kind.to_owned());
    Err(if kind(found) == kind(schema) { error.with_help("a newer version of the tools may read it") } else { error })
}

/// The line that names the schema, or the first.
fn place_of_schema(path: &Path, bytes: &[u8]) -> Place {
    let key = b"\"schema\"";
    let before = bytes.windows(key.len()).position(|word| word == key).unwrap_or_default();
    let (lines, start) = bytes[..before].iter().enumerate().fold((1, 0), |(lines, start), (at, &byte)| match byte {
        b'\n' => (lines + 1, at + 1),
        _ => (lines, start),
    });
    Place::at(path, lines, (before - start + 1) as u64)
}

/// Pretty-printed, with a line end; the same value gives the same bytes.
///
/// # Errors
/// [`Error::Environment`] if the value cannot be written as JSON.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::Environment { what: format!("cannot be written as JSON: {error}"), help: None })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn malformed(path: &Path, error: &serde_json::Error, schema: &str) -> Error {
    let place = match error.line() {
        0 => Place::file(path),
        line => Place::at(path, line as u64, error.column() as u64),
    };
    let text = error.to_string();
    let found = text.split(" at line ").next().unwrap_or_default().to_owned();
    Error::input(place, found, format!("a file of the schema {schema}"))
}

fn refuse_newer(path: &Path, min_reader: &str) -> Result<()> {
    let own = env!("CARGO_PKG_VERSION");
    let needed = Version::parse(min_reader).map_err(|_| {
        Error::input(Place::file(path), format!("\"min_reader\" is {min_reader:?}"), "a semantic version such as 0.1.0")
    })?;
    match Version::parse(own).is_ok_and(|own| own >= needed) {
        true => Ok(()),
        false => Err(Error::input(
            Place::file(path),
            format!("the file asks for version {needed} or later of the tools"),
            format!("at most {own}"),
        )
        .with_help("install a newer version of the tools")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value> {
        parse(Path::new("x.json"), text.as_bytes(), "a/b/1")
    }

    #[test]
    fn other_schemas_and_newer_files_are_refused() {
        assert!(read(r#"{"schema":"a/b/1","min_reader":"0.0.1"}"#).is_ok());
        let newer = read("{\n \"schema\":\"a/b/2\",\"min_reader\":\"0.0.1\"}").unwrap_err();
        assert!(newer.to_string().starts_with("x.json:2:2: "), "{newer}");
        assert_eq!(newer.help(), Some("a newer version of the tools may read it"));
        let other = read(r#"{"schema":"a/c/1","min_reader":"0.0.1"}"#).unwrap_err();
        assert_eq!(other.help(), None);
        assert!(read(r#"{"schema":"a/b/1"}"#).is_err());
        let newer = read(r#"{"schema":"a/b/1","min_reader":"99.0.0"}"#).unwrap_err().to_string();
        assert!(newer.contains("99.0.0"), "{newer}");
    }

    #[test]
    fn what_is_no_json_has_its_place() {
        assert!(read("{\n  \"a\": ,\n}").unwrap_err().to_string().starts_with("x.json:2:8: "));
    }
}
