//! Verdicts and tables as people read them: terminal, Markdown, `JUnit`, HTML.
//!
//! Every report is a pure function of the verdict: same verdict, same bytes. [`number`], [`effect`] and [`words`] hold how
//! numbers and sentences are put, for all of them.

mod clean;
pub mod effect;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod golden;
mod html;
mod junit;
mod markdown;
pub mod number;
mod terminal;
pub mod words;

use std::path::Path;

use shared::format::verdict::Verdict;
use shared::fsio;

pub use html::html;
pub use junit::{Lenience, junit};
pub use markdown::markdown;
pub use terminal::terminal;

/// Writes `report.html`, `report.md` and `junit.xml` into `folder`, creating it; each file is the old one or the new one,
/// never a half.
///
/// # Errors
/// [`shared::Error::Io`] with the file and step that failed.
pub fn write_folder(folder: &Path, verdict: &Verdict, lenience: Lenience) -> shared::Result<()> {
    let files =
        [("report.html", html(verdict)?), ("report.md", markdown(verdict)), ("junit.xml", junit(verdict, lenience))];
    fsio::create_folder(folder)?;
    files.iter().try_for_each(|(name, text)| fsio::write_atomic(&folder.join(name), text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_all_reports() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new/report");
        write_folder(&target, &fixtures::reject(), Lenience::default()).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&target).unwrap().map(|file| file.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["junit.xml", "report.html", "report.md"]);
        let first = fsio::read(&target.join("report.html")).unwrap();
        write_folder(&target, &fixtures::reject(), Lenience::default()).unwrap();
        assert_eq!(fsio::read(&target.join("report.html")).unwrap(), first);
    }
}
