//! Flags of `manifest-gen promote`.

use std::path::PathBuf;

use crate::change::OccasionArgs;
use crate::derive::{CHAMPION, DerivedArgs};
use crate::scan::AllowArgs;
use crate::store::StoreArgs;

/// What a promotion asks for; also what the audit holds a release against.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PolicyArgs {
    /// Evidence may be no older than this: 90d, 12w
    #[arg(long, value_name = "SPAN", help_heading = "Policy")]
    pub max_evidence_age: Option<String>,
    /// Kinds of evidence that must be there and speak well: tests, lint, profile, …
    #[arg(long, value_delimiter = ',', value_name = "KIND", help_heading = "Policy")]
    pub require_evidence: Vec<String>,
    /// The release must be signed
    #[arg(long, help_heading = "Policy")]
    pub require_signature: bool,
    /// Accept a verdict that does not say which bytes it speaks about; stays on record
    #[arg(long, help_heading = "Policy")]
    pub allow_unbound: bool,
    /// The public key, or the certificates of the authority, that signatures are checked with
    #[arg(long, visible_alias = "key", value_name = "FILE", help_heading = "Policy")]
    pub public_key: Option<PathBuf>,
}

/// Flags of `manifest-gen promote`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The model
    pub name: String,
    /// The version
    #[arg(value_name = "VERSION")]
    pub model_version: String,
    /// The alias to set
    #[arg(long, default_value = CHAMPION)]
    pub alias: String,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// What is asked for.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Evidence given with the promotion: `tests=junit.xml`, `lint=pre-commit.log`
    #[arg(long, value_name = "KIND=PATH", help_heading = "Evidence")]
    pub evidence: Vec<String>,
    /// What pickles may import.
    #[command(flatten)]
    pub allow: AllowArgs,
    /// What is derived from the registry.
    #[command(flatten)]
    pub derived: DerivedArgs,
    /// Promote only if the alias points at this version (`none`: at no version yet)
    #[arg(long, value_name = "VERSION")]
    pub expect: Option<String>,
    /// Promote although checks refuse, for this reason; stays on record for ever
    #[arg(long, value_name = "REASON")]
    pub force: Option<String>,
    /// Who and why.
    #[command(flatten)]
    pub occasion: OccasionArgs,
}
