//! Output that all commands print alike.

use serde::Serialize;
use shared::format::input::Tool;
use shared::{Error, Result};

/// The program that writes an output.
pub fn tool() -> Tool {
    Tool { name: "manifest-gen".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// One JSON object with a line end.
///
/// # Errors
/// If a number is not finite.
pub fn json<T: Serialize>(value: &T) -> Result<String> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::Environment { what: format!("cannot be written as JSON: {error}"), help: None })?;
    Ok(text + "\n")
}
