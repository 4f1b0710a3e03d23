//! `bench-compare init`: a commented promotion.toml from what is found.

mod draft;
mod names;
mod scan;

use std::path::{Path, PathBuf};

use shared::cli::{self, Context};
use shared::{Error, Exit, config, fsio};

/// Flags of `bench-compare init`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}

/// Looks at the working folder and writes promotion.toml: what was found filled in, every other setting commented.
///
/// # Errors
/// If the file is there already, or cannot be written.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let found = scan::folder(Path::new("."));
    let text = draft::text(&project_name(), &found);
    if context.to_stdout {
        context.emit(&text)?;
        return Ok(Exit::Ok);
    }
    let path = context.output.clone().unwrap_or_else(|| PathBuf::from(config::FILE_NAME));
    refuse_to_replace(&path, args.force)?;
    fsio::write_atomic(&path, text.as_bytes())?;
    cli::note(&format!("wrote {}: {}", path.display(), found.summary()));
    Ok(Exit::Ok)
}

/// The draft for a folder, with the project's name: what [`run`] writes.
pub fn draft(project: &str, folder: &Path) -> String {
    draft::text(project, &scan::folder(folder))
}

fn refuse_to_replace(path: &Path, force: bool) -> Result<(), Error> {
    if path.exists() && !force {
        let found = format!("{} is there already", path.display());
        return Err(Error::usage(found, "a new file").with_help("--force replaces it, -o - prints to standard output"));
    }
    Ok(())
}

/// The working folder's own name.
fn project_name() -> String {
    let folder = std::env::current_dir().unwrap_or_default();
    folder.file_name().map_or_else(|| "forecasts".to_owned(), |name| name.to_string_lossy().into_owned())
}
