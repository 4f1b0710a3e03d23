//! The text that names a classic detector and its settings: `name(key=value,key=value)`, or the name alone.

use std::str::FromStr;

use shared::{Error, Result, suggest};

/// A specification that is being read: settings are taken from it one by one, and what remains is unknown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spec<'a> {
    /// As written, for messages.
    text: &'a str,
    /// Lower case, with hyphens.
    pub(crate) name: String,
    values: Vec<(String, &'a str)>,
    known: Vec<&'static str>,
}

const FORM: &str = "NAME or NAME(KEY=VALUE,…)";

impl<'a> Spec<'a> {
    /// Splits the text; knows nothing of names and keys.
    pub(crate) fn parse(text: &'a str) -> Result<Self> {
        let bad = |what: &str| Error::usage(format!("detector {text:?}: {what}"), FORM);
        let (name, rest) = match text.split_once('(') {
            None => (text, ""),
            Some((name, rest)) => (name, rest.trim_end().strip_suffix(')').ok_or_else(|| bad("no closing bracket"))?),
        };
        let mut values: Vec<(String, &str)> = Vec::new();
        for part in rest.split(',').map(str::trim).filter(|_| !rest.trim().is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| bad(&format!("{part:?} has no \"=\"")))?;
            let key = normal(key);
            if values.iter().any(|(seen, _)| *seen == key) {
                return Err(bad(&format!("{key:?} is given twice")));
            }
            values.push((key, value.trim()));
        }
        Ok(Self { text, name: normal(name), values, known: Vec::new() })
    }

    /// The value of a key, or the default where the text does not give it.
    pub(crate) fn take<T: FromStr>(&mut self, key: &'static str, default: T, expected: &str) -> Result<T> {
        self.known.push(key);
        let Some(index) = self.values.iter().position(|(given, _)| given == key) else { return Ok(default) };
        let (_, value) = self.values.swap_remove(index);
        value.parse().map_err(|_| Error::usage(format!("detector {:?}: {key} is {value:?}", self.text), expected))
    }

    /// Refuses keys that nobody has taken.
    pub(crate) fn finish(self) -> Result<()> {
        let Some((key, _)) = self.values.first() else { return Ok(()) };
        let error = Error::usage(format!("detector {:?}: no setting {key:?}", self.text), self.known.join(", "));
        Err(match suggest::nearest(key, self.known.iter().copied()) {
            Some(near) => error.with_help(format!("did you mean {near:?}?")),
            None => error,
        })
    }
}

fn normal(word: &str) -> String {
    word.trim().to_ascii_lowercase().replace('_', "-")
}

/// The check of a setting, wherever it comes from.
pub(crate) fn require(holds: bool, setting: &str, value: impl std::fmt::Display, expected: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::usage(format!("{setting} is {value}"), expected)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_and_a_name_with_settings() {
        assert_eq!(Spec::parse("ddm").unwrap().name, "ddm");
        let mut spec = Spec::parse(" Page_Hinkley( delta = 1e-3 , mode=up ) ").unwrap();
        assert_eq!(spec.name, "page-hinkley");
        assert_eq!(spec.take("delta", 5.0, "a number").unwrap(), 1e-3);
        assert_eq!(spec.take("threshold", 50.0, "a number").unwrap(), 50.0);
        assert_eq!(spec.take("mode", String::new(), "a word").unwrap(), "up");
        spec.finish().unwrap();
    }

    #[test]
    fn what_cannot_be_read_is_quoted() {
        for (text, part) in [
            ("adwin(delta=1", "no closing bracket"),
            ("adwin(delta)", "\"delta\" has no \"=\""),
            ("adwin(delta=1,,)", "\"\" has no \"=\""),
            ("adwin(delta=1,DELTA=2)", "\"delta\" is given twice"),
        ] {
            let error = Spec::parse(text).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(FORM), "{error}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest() {
        let mut spec = Spec::parse("adwin(dleta=0.1)").unwrap();
        _ = spec.take("clock", 32, "a number").unwrap();
        _ = spec.take("delta", 0.002, "a number").unwrap();
        let error = spec.finish().unwrap_err();
        assert!(error.to_string().contains("no setting \"dleta\" (expected clock, delta)"), "{error}");
        assert_eq!(error.help(), None, "two letters of five differ");
        let mut spec = Spec::parse("adwin(delt=0.1)").unwrap();
        _ = spec.take("delta", 0.002, "a number").unwrap();
        assert_eq!(spec.finish().unwrap_err().help(), Some("did you mean \"delta\"?"));
    }
}
