//! Relative paths in signatures: which are sound, and which files a signature leaves out.

use std::collections::HashSet;

/// What every client leaves out, at the top of the folder only.
pub(super) const GIT: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// Why `path` cannot name a file below a folder; a sound path has exactly one spelling.
pub(super) fn fault(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.starts_with('/') {
        return Some("is absolute");
    }
    if path.contains('\0') {
        return Some("holds a NUL");
    }
    path.split('/').find_map(|part| match part {
        "" => Some("has an empty component"),
        "." => Some("has a `.` component"),
        ".." => Some("leaves the folder with `..`"),
        _ => None,
    })
}

/// Paths that a signature leaves out: exact ones, and everything below them.
pub(super) struct Ignored(HashSet<String>);

impl Ignored {
    /// The git files and `paths`; an unsound path leaves nothing out.
    pub(super) fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let sound = paths.into_iter().filter(|path| fault(path).is_none());
        Self(GIT.into_iter().chain(sound).map(str::to_owned).collect())
    }

    /// Whether `path` or a folder above it is left out.
    pub(super) fn covers(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(end, _)| &path[..end]);
        above.chain([path]).any(|path| self.0.contains(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_each_path() {
        for good in ["a", "a/b.c", ".hidden", "..a", "a:b", "ü/\u{301}"] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in ["", "/a", "./a", "a/./b", "a//b", "a/", "..", "a/../b", "a\0"] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn whole_subtrees_are_left_out_and_only_at_the_top() {
        let ignored = Ignored::new(["model.sig", "sub/logs", ".", "../x"]);
        for out in [".git/config", ".gitignore", "model.sig", "sub/logs", "sub/logs/a/b"] {
            assert!(ignored.covers(out), "{out}");
        }
        for signed in ["sub/.git", ".github2", "sub/model.sig", "model.sig2", "sub/logs2", "a"] {
            assert!(!ignored.covers(signed), "{signed}");
        }
    }
}
