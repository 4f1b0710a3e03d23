//! What the documents of the repository say of it: their commands, their outputs, their links.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::root;

mod commands;
mod consoles;
mod links;
mod lint;
mod markdown;
mod shell;
mod tools;

/// Folders that hold no documents: what is built, and Markdown that tests read or compare.
const NOT_OURS: [&str; 5] = ["target", "build", "golden", "stale", "__pycache__"];

/// A document.
struct Page {
    /// Its path from the root of the repository.
    path: PathBuf,
    text: String,
}

/// Every Markdown file of the repository, by path.
fn pages() -> Vec<Page> {
    let mut paths = Vec::new();
    collect(&root(), &mut paths);
    paths.sort();
    paths.into_iter().map(page).collect()
}

fn page(path: PathBuf) -> Page {
    let text = fs::read_to_string(&path).unwrap();
    Page { path: path.strip_prefix(root()).unwrap().to_owned(), text }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap_or_default());
        match entry.file_type().unwrap().is_dir() {
            true if name.starts_with('.') || NOT_OURS.contains(&name.as_str()) => {}
            true => collect(&path, found),
            false if path.extension().is_some_and(|end| end == "md") => found.push(path),
            false => {}
        }
    }
}
