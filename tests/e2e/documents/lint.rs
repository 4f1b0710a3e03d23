//! What a linter for Markdown says of the pages for users.

use std::process::Command;

use e2e::root;

use crate::python::python;

/// Not faults here: tabs of make, long lines, equal headings, bold text or a picture first, fences that name no language.
const LEFT_OUT: &str = "md010,md013,md024,md033,md036,md040,md041";

#[test]
fn the_pages_for_users_have_no_lint() {
    let Some(python) = python("pymarkdown") else { return };
    let mut lint = Command::new(python);
    lint.args([
        "-m",
        "pymarkdown",
        "--disable-rules",
        LEFT_OUT,
        "scan",
        "README.md",
        "docs/README.md",
        "docs/TUTORIAL.md",
    ]);
    let said = lint.args(["docs/GUARANTEES.md", "docs/howto"]).current_dir(root()).output().unwrap();
    assert!(
        said.status.success(),
        "{}{}",
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );
}
