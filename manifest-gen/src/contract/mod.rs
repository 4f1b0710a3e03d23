//! `manifest-gen check-request`: whether a request is what the model was released for.
//!
//! [`check`] is pure: contract, request and time in, problems out.

mod cadence;
mod check;
mod output;
mod request;
mod schema;

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;
use shared::cli::{Context, Format};
use shared::format::manifest::{Feature, Horizon, Manifest};
use shared::{Error, Exit, Result, clock, digest, fsio};

use crate::store::{Resolved, Store, StoreArgs};
use crate::version::ModelVersion;

pub use cadence::retrain_due;
pub use check::{Finding, Rules, Severity, Verdict, check};
pub use output::{ProblemReport, RequestReport};
pub use request::{Cell, Layout, Request, Row, Value, read};
pub use schema::request_schema;

/// Flags of `manifest-gen check-request`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The model: NAME@ALIAS, NAME@VERSION, or NAME for its champion
    #[arg(value_name = "REFERENCE")]
    pub reference: String,
    /// The request: JSON object or array, `{"instances": […]}`, JSON Lines or CSV; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "print_schema")]
    pub file: Option<PathBuf>,
    /// Print the JSON Schema (2020-12) of a request and check nothing
    #[arg(long, conflicts_with = "file")]
    pub print_schema: bool,
    /// The time at which the request is made, in RFC 3339 or as a date; now if absent
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// What a model is that should have been trained again by then: error, warning or off
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "error", hide_possible_values = true)]
    pub staleness: Staleness,
    /// A field beside the features that the service takes: an identifier, a time
    #[arg(long, value_delimiter = ',', value_name = "FIELD")]
    pub allow_field: Vec<String>,
    /// Let warnings count as errors
    #[arg(long)]
    pub strict: bool,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What a stale model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Staleness {
    /// The answer is no
    #[default]
    Error,
    /// Worth knowing
    Warning,
    /// Not looked at
    Off,
}

/// What a release promises to take.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contract {
    /// The model.
    pub name: String,
    /// The strict semantic version.
    pub version: String,
    /// The inputs, in order.
    pub features: Vec<Feature>,
    /// The steps ahead that it forecasts.
    pub horizon: Option<Horizon>,
    /// How often it is asked, and trained again.
    pub cadence: Option<String>,
    /// The last day or time of the training window.
    pub trained_to: Option<String>,
    /// The zone of naive times.
    pub time_zone: Option<String>,
}

impl Contract {
    /// What the manifest says.
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            features: manifest.features.clone(),
            horizon: manifest.horizon,
            cadence: manifest.cadence.clone().or_else(|| manifest.frequency.clone()),
            trained_to: manifest.training.window.as_ref().map(|window| window.to.clone()),
            time_zone: manifest.time_zone.clone(),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// If the model is not registered, its manifest is not the registered one, or the request cannot be read.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let contract = contract(&args.store.store(), &args.reference)?;
    let rules = Rules { allowed: args.allow_field.clone(), staleness: args.staleness };
    let Some(file) = &args.file else {
        let schema = request_schema(&contract, &rules.allowed);
        context.emit(&(serde_json::to_string_pretty(&schema)? + "\n"))?;
        return Ok(Exit::Ok);
    };
    if !matches!(context.format, Format::Text | Format::Json) {
        return Err(Error::usage("this format", "text or json").into());
    }
    let as_of = as_of(args.as_of.as_deref(), &contract)?;
    let bytes = fsio::read(file)?;
    let request = read(file, &bytes)?;
    let verdict = check(&contract, &request, as_of, &rules);
    let report = RequestReport::of(&contract, file, &digest::of_bytes(&bytes), &request, as_of, &verdict);
    context.emit(&if context.format == Format::Json { report.json() } else { report.text() })?;
    Ok(verdict.exit(args.strict))
}

/// The contract of the manifest that the registry vouches for.
fn contract(store: &Store, reference: &str) -> Result<Contract> {
    let Resolved { name, number, version } = store.resolve(reference)?;
    let stored = store.manifest(&name, &ModelVersion::parse(&number)?)?;
    if stored.sha256 != version.manifest_sha256 {
        let found = format!("the manifest of {name} {number} has the SHA-256 {}", stored.sha256);
        let error = Error::incomparable(found, format!("{}, as in the registry", version.manifest_sha256));
        return Err(error.with_help(format!("see what changed with `manifest-gen verify {name} {number}`")));
    }
    let contract = Contract::of(&stored.manifest);
    match contract.features.is_empty() {
        false => Ok(contract),
        true => Err(Error::incomparable(format!("{name} {number} states no features"), "the inputs in order")
            .with_help("release it with `manifest-gen new … --features-from FILE`")),
    }
}

fn as_of(stated: Option<&str>, contract: &Contract) -> Result<Timestamp> {
    let Some(text) = stated else { return clock::now() };
    cadence::instant(text, contract.time_zone.as_deref()).ok_or_else(|| {
        Error::usage(format!("--as-of {text:?}"), "a time in RFC 3339 such as 2026-11-24T06:00:00Z, or a date")
    })
}
