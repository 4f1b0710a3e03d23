//! What every program that a tool starts has in common: no shell, words with values, an environment of what is listed.

mod words;

use std::ffi::OsString;

pub use words::{Word, parse};

/// Variables that a program inherits always: without them hardly a program works.
pub const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// [`INHERITED`] and the variables named in `further`, as far as `variable` knows them.
pub fn inherited(
    further: &[String],
    variable: impl Fn(&str) -> Option<OsString>,
) -> impl Iterator<Item = (String, OsString)> {
    let names = INHERITED.into_iter().chain(further.iter().map(String::as_str));
    names.filter(|name| usable(name)).filter_map(move |name| Some((name.to_owned(), variable(name)?)))
}

/// Whether the system takes a variable of this name.
pub fn usable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}
