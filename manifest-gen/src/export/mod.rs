//! `manifest-gen export`: a release in the form that other tools read.

pub mod card;
pub mod cyclonedx;
#[cfg(test)]
pub(crate) mod sample;

use clap::{Args as ClapArgs, Subcommand};
use shared::cli::{Context, Format};
use shared::format::manifest::Manifest;
use shared::format::registry;
use shared::{Error, Exit, Result};

use crate::store::{Store, StoreArgs, Stored};
use crate::version::ModelVersion;

/// Flags of `manifest-gen export`.
#[derive(Debug, Clone, ClapArgs)]
pub struct Args {
    /// In which form.
    #[command(subcommand)]
    pub form: Form,
}

/// The forms.
#[derive(Debug, Clone, Subcommand)]
pub enum Form {
    /// Write a release as a CycloneDX ML-BOM
    Cyclonedx(CyclonedxArgs),
    /// Write a release as a model card: Markdown with YAML front matter, as on Hugging Face
    Card(ReleaseArgs),
    /// Write the JSON Schema of manifests
    Schema,
}

/// Which release.
#[derive(Debug, Clone, ClapArgs)]
pub struct ReleaseArgs {
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The model
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The version
    // The flag --version has the plain name.
    #[arg(id = "release-version", value_name = "VERSION")]
    pub version: String,
}

/// Flags of `manifest-gen export cyclonedx`.
#[derive(Debug, Clone, ClapArgs)]
pub struct CyclonedxArgs {
    /// Which release.
    #[command(flatten)]
    pub release: ReleaseArgs,
    /// The version of CycloneDX
    #[arg(long, value_enum, value_name = "SPEC", default_value_t)]
    pub spec: cyclonedx::Spec,
}

impl ReleaseArgs {
    fn load(&self) -> Result<(Stored, Option<registry::Version>)> {
        let store = self.store.store();
        let release = store.manifest(&self.name, &ModelVersion::parse(&self.version)?)?;
        let version = registered(&store, &release)?;
        Ok((release, version))
    }
}

/// The registry's entry of a release, if it was promoted.
fn registered(store: &Store, release: &Stored) -> Result<Option<registry::Version>> {
    let registry = store.registry()?;
    let model = registry.models.get(&release.manifest.name);
    let version = model.and_then(|model| model.versions.get(&release.manifest.version));
    Ok(version.filter(|version| version.manifest_sha256 == release.sha256).cloned())
}

/// Runs the command.
///
/// # Errors
/// If the release is not there or malformed, or another format than its own is asked for.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let text = match &args.form {
        Form::Cyclonedx(args) => {
            only(context, Format::Json)?;
            let (release, version) = args.release.load()?;
            cyclonedx::text(&release, version.as_ref(), args.spec)?
        }
        Form::Card(args) => {
            only(context, Format::Markdown)?;
            let (release, version) = args.load()?;
            card::text(&release.manifest, version.as_ref())
        }
        Form::Schema => {
            only(context, Format::Json)?;
            serde_json::to_string_pretty(&schemars::schema_for!(Manifest))? + "\n"
        }
    };
    context.emit(&text)?;
    Ok(Exit::Ok)
}

/// Each form has one format; the default asks for it.
fn only(context: &Context, own: Format) -> Result<()> {
    if context.format == own || context.format == Format::Text {
        return Ok(());
    }
    let name = if own == Format::Json { "json" } else { "markdown" };
    Err(Error::usage("a form that is written in one format only", format!("--format {name}, or none")))
}
