//! Output that all commands print alike.

use serde::Serialize;
use shared::{Error, Result};

/// One JSON object with a line end.
///
/// # Errors
/// If a number is not finite.
pub fn json<T: Serialize>(value: &T) -> Result<String> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::Environment { what: format!("cannot be written as JSON: {error}"), help: None })?;
    Ok(text + "\n")
}
