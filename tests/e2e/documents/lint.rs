//! What a linter for Markdown says of the pages for users.

use std::process::Command;

use e2e::root;

use crate::python::python;

/// Long lines, and the order of headings and numbers of spaces that older pages have, are no faults here.
const LEFT_OUT: &str = "md013,md024,md033,md036,md040,md041";

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
