//! A release as a CycloneDX ML-BOM: the model with its card, its files, the data it was trained on.
//!
//! The same release gives the same bytes: the serial number comes from the digest of the manifest, and the time is that of
//! the promotion, or of the verdict, if either is known.

mod bom;
mod build;
mod check;

use clap::ValueEnum;
use shared::format::registry;
use shared::{Error, Result};

use crate::store::Stored;

pub use check::check;

/// A version of CycloneDX that knows model cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Spec {
    /// Of 2023
    #[value(name = "1.5")]
    V1_5,
    /// Of 2024
    #[default]
    #[value(name = "1.6")]
    V1_6,
    /// Of 2025
    #[value(name = "1.7")]
    V1_7,
}

impl Spec {
    /// Its number.
    pub fn number(self) -> &'static str {
        match self {
            Self::V1_5 => "1.5",
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

/// The text of the document; `version` is the registry's entry of the release, if it was promoted.
///
/// # Errors
/// If the manifest makes a document whose references are ambiguous.
pub fn text(release: &Stored, version: Option<&registry::Version>, spec: Spec) -> Result<String> {
    let failed = |error: serde_json::Error| Error::Environment { what: error.to_string(), help: None };
    let bom = serde_json::to_value(build::bom(&release.manifest, &release.sha256, version, spec)).map_err(failed)?;
    if let Some(problem) = check(&bom).into_iter().next() {
        return Err(Error::usage(problem, "a manifest whose artefacts, evidence and data have different paths"));
    }
    Ok(serde_json::to_string_pretty(&bom).map_err(failed)? + "\n")
}
