//! The result of a scan, and how it is gathered.

use std::collections::BTreeSet;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::allow::AllowList;
use super::container;
use super::limits::{self, Budget};
use super::source::Source;

/// Whether a file may be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScanVerdict {
    /// All of it was read, and all that it names is on the list.
    Allowed,
    /// It names something that is not on the list, or does with a name what no pickle of an estimator does.
    Refused,
    /// It was not read to its end, or not understood: nobody can say.
    NotParsed,
}

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Whether the file may be loaded.
    pub verdict: ScanVerdict,
    /// What the unpickler would be asked for, as `module.name`.
    pub globals: BTreeSet<String>,
    /// Those of them, and of pickles within bytes, that the list does not allow.
    pub refused: Vec<String>,
    /// The outermost container: `pickle`, `zlib`, `gzip`, `bz2`, `xz`, `lzma`, `lz4`, `zf`, `zip`, `npy`, `json`, `text`, …
    pub container: String,
    /// What else was found, in the order of the file.
    pub notes: Vec<String>,
}

/// Scans all that `reader` yields, to its end, without loading any of it.
pub fn scan(reader: impl Read, allow: &AllowList) -> Scan {
    let budget = Budget::default();
    let mut findings = Findings::default();
    let mut source = Source::new(Counted { inner: reader, budget: &budget });
    let container = container::scan(&mut source, allow, &budget, &mut findings, 0);
    while !source.chunk().is_empty() {}
    if let Some(failure) = source.failure() {
        findings.unsure(format!("read_error:{failure}"));
    }
    findings.into_scan(container)
}

/// Counts what is read of the file itself.
struct Counted<'b, R> {
    inner: R,
    budget: &'b Budget,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(target)?;
        self.budget.read(count);
        Ok(count)
    }
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) globals: BTreeSet<String>,
    pub(super) refused: BTreeSet<String>,
    pub(super) notes: Vec<String>,
    /// Notes that need not be said twice.
    said: BTreeSet<String>,
    refuse: bool,
    unsure: bool,
    /// Something was named that Python could import.
    pub(super) importable: bool,
}

impl Findings {
    /// A global was named.
    pub(super) fn global(&mut self, name: &str, allowed: bool) {
        self.globals.insert(name.to_owned());
        if !allowed {
            self.refused.insert(name.to_owned());
        }
    }

    /// Something worth knowing.
    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < limits::NOTES {
            self.notes.push(note);
        } else {
            self.unsure = true;
        }
    }

    fn say_once(&mut self, note: String) {
        if self.said.len() < limits::GLOBALS && self.said.insert(note.clone()) {
            self.note(note);
        }
    }

    /// The file is refused for another reason than a name.
    pub(super) fn refuse(&mut self, note: String) {
        self.refuse = true;
        self.say_once(note);
    }

    /// A name that is listed, in a use that is not.
    pub(super) fn forbid(&mut self, name: &str, note: String) {
        self.refused.insert(name.to_owned());
        self.say_once(note);
    }

    /// The file is not known in full.
    pub(super) fn unsure(&mut self, note: String) {
        self.unsure = true;
        self.say_once(note);
    }

    /// A pickle within bytes was read; one that breaks off before it names anything is no pickle.
    pub(super) fn nested(&mut self, offset: u64, complete: bool, inner: Self) {
        if !complete && !inner.importable {
            return;
        }
        let names: Vec<&str> = inner.globals.iter().take(16).map(String::as_str).collect();
        self.note(format!("nested_pickle@{offset}:{}", names.join(",")));
        self.refused.extend(inner.refused);
        self.refuse |= inner.refuse;
    }

    fn into_scan(self, container: String) -> Scan {
        let verdict = match () {
            () if self.refuse || !self.refused.is_empty() => ScanVerdict::Refused,
            () if self.unsure => ScanVerdict::NotParsed,
            () => ScanVerdict::Allowed,
        };
        let refused = self.refused.into_iter().collect();
        Scan { verdict, globals: self.globals, refused, container, notes: self.notes }
    }
}
