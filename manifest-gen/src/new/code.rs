//! The commit of the training code, as git tells it.

use std::process::{Command, Stdio};

use shared::format::manifest::Code;

/// The commit of the working folder; none where there is no repository or no git.
pub(super) fn commit() -> Option<Code> {
    let commit = git(&["rev-parse", "HEAD"])?.trim().to_owned();
    // New files are the release itself, more often than not: only changes to known files make it dirty.
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    Some(Code { commit, dirty: !changed.trim().is_empty() })
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
