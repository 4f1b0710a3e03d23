//! Features from lists that people write: JSON, the header of a table, one name a line.

use std::path::Path;

use shared::format::json::{self, Node};
use shared::format::manifest::Feature;
use shared::{Error, Place, Result};

use super::feature;

/// The types that a manifest knows.
const KINDS: [&str; 5] = ["number", "integer", "category", "boolean", "text"];

/// A list of names or of `{"name", "type"}`, by itself or as `features` of an object.
pub(super) fn json_list(path: &Path, bytes: &[u8]) -> Result<Vec<Feature>> {
    let root = json::parse(&bytes[json::byte_order_mark(bytes)..]).map_err(|fault| fault.in_file(path))?;
    let list = root.items().or_else(|| root.get("features").and_then(Node::items));
    let wrong =
        || Error::input(root.at.of(path), root.value.to_string(), "a list of features, or an object with \"features\"");
    list.ok_or_else(wrong)?.iter().map(|item| of_item(path, item)).collect()
}

fn of_item(path: &Path, item: &Node) -> Result<Feature> {
    if let Some(name) = item.as_str() {
        return Ok(feature(name, None));
    }
    let name = item.get("name").and_then(Node::as_str);
    let name = name
        .ok_or_else(|| Error::input(item.at.of(path), item.value.to_string(), "a name, or an object with \"name\""))?;
    let Some(kind) = item.get("type").filter(|kind| kind.value != json::Value::Null) else {
        return Ok(feature(name, None));
    };
    match kind.as_str().filter(|kind| KINDS.contains(kind)) {
        Some(known) => Ok(feature(name, Some(known))),
        None => Err(Error::input(kind.at.of(path), kind.value.to_string(), format!("one of {}", KINDS.join(", ")))),
    }
}

/// The names in the first line of a table.
pub(super) fn csv_header(path: &Path, bytes: &[u8]) -> Result<Vec<Feature>> {
    let bytes = &bytes[json::byte_order_mark(bytes)..];
    let mut reader = csv::Reader::from_reader(bytes);
    let header =
        reader.headers().map_err(|error| Error::input(Place::line(path, 1), error.to_string(), "a header in UTF-8"))?;
    Ok(header.iter().map(|name| feature(name.trim(), None)).collect())
}

/// One name a line; empty lines, and those that begin with `#`, are none.
pub(super) fn lines(path: &Path, bytes: &[u8]) -> Result<Vec<Feature>> {
    let bytes = &bytes[json::byte_order_mark(bytes)..];
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').count() as u64;
        Error::input(Place::line(path, line), "not UTF-8 text", "a list of features, one a line")
    })?;
    if let Some((_, line)) = text.lines().zip(1..).find(|(line, _)| line.contains(char::is_control)) {
        return Err(Error::input(Place::line(path, line), "a control character", "a list of features, one a line"));
    }
    if ["<!doctype", "<html", "<?xml"].iter().any(|start| text.trim_start().to_ascii_lowercase().starts_with(start)) {
        return Err(Error::input(Place::line(path, 1), "a page of HTML or XML", "a list of features, one a line"));
    }
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(names.map(|name| feature(name, None)).collect())
}
