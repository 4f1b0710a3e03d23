//! Flags of `manifest-gen new`.

use std::path::PathBuf;

use shared::cli::MapeUnitArg;

use crate::scan::AllowArgs;
use crate::store::StoreArgs;

/// Flags of `manifest-gen new`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The model's name in the registry
    pub name: String,
    /// Its version: 2, 2.1 or 2.1.0
    #[arg(value_name = "VERSION")]
    pub model_version: String,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// An artefact: `model=FILE`, `preprocessing=FILE`, any other role
    #[arg(long, required = true, value_name = "ROLE=PATH")]
    pub artifact: Vec<String>,
    /// The model file holds its preprocessing: none is packaged beside it
    #[arg(long)]
    pub self_contained: bool,
    /// Benchmark results that metrics are copied from
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    pub benchmark: Option<PathBuf>,
    /// What the evidence calls the model; its name in the registry, and the names that promotion.toml gives it, if absent
    #[arg(long, value_name = "NAME", help_heading = "Evidence")]
    pub model_name: Option<String>,
    /// The dataset of the benchmark, where it has several
    #[arg(long, value_name = "NAME", help_heading = "Evidence")]
    pub dataset: Option<String>,
    /// Unit of `mape` in benchmark files; told from the numbers, with a note, if not stated
    #[arg(long, value_enum, value_name = "UNIT", help_heading = "Evidence")]
    pub mape_unit: Option<MapeUnitArg>,
    /// The verdict of `bench-compare gate`
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    pub verdict: Option<PathBuf>,
    /// The error profile of `bench-compare profile`
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    pub profile: Option<PathBuf>,
    /// Any other evidence: `report=FILE`, `tests=junit.xml`, …
    #[arg(long, value_name = "KIND=PATH", help_heading = "Evidence")]
    pub evidence: Vec<String>,
    /// Training data: hashed and described, not copied
    #[arg(long, value_name = "FILE", help_heading = "Training")]
    pub data: Vec<PathBuf>,
    /// The column of the training data that names the series; one series if there is none
    #[arg(long, value_name = "COLUMN", default_value = "unique_id", help_heading = "Training")]
    pub series_column: String,
    /// The column of the training data that holds the time
    #[arg(long, value_name = "COLUMN", default_value = "ds", help_heading = "Training")]
    pub time_column: String,
    /// The column of the training data that holds the target
    #[arg(long, value_name = "COLUMN", default_value = "y", help_heading = "Training")]
    pub target_column: String,
    /// First and last day of the training data that the model has seen
    #[arg(long, value_name = "FROM..TO", help_heading = "Training")]
    pub train_window: Option<String>,
    /// The evidence is of the procedure (rolling origin): the model was fitted anew on all data afterwards; stays on record
    #[arg(long, help_heading = "Training")]
    pub refitted: bool,
    /// The packages it was trained with, as a lock file
    #[arg(long, value_name = "FILE", help_heading = "Training")]
    pub env_lock: Option<PathBuf>,
    /// The commit of the training code; that of the working folder if absent
    #[arg(long, value_name = "HASH", help_heading = "Training")]
    pub code_commit: Option<String>,
    /// The step of the series, as pandas writes it: W-FRI
    #[arg(long, value_name = "ALIAS", help_heading = "Serving")]
    pub frequency: Option<String>,
    /// How often forecasts are asked for: weekly
    #[arg(long, value_name = "TEXT", help_heading = "Serving")]
    pub cadence: Option<String>,
    /// The steps ahead that it forecasts: 6 or 1..6
    #[arg(long, value_name = "FROM..TO", help_heading = "Serving")]
    pub horizon: Option<String>,
    /// The zone of times without one
    #[arg(long, value_name = "ZONE", help_heading = "Serving")]
    pub time_zone: Option<String>,
    /// Where the features are read from: model file (text, JSON or pickle), CSV header, list
    #[arg(long, value_name = "FILE", help_heading = "Serving")]
    pub features_from: Option<PathBuf>,
    /// The scaling steps, in order, as JSON
    #[arg(long, value_name = "FILE", help_heading = "Serving")]
    pub scaling: Option<PathBuf>,
    /// What pickles may import.
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Make it again and compare; change nothing
    #[arg(long)]
    pub check: bool,
}
