//! Words of a command line in which `{name}` stands for a value.
//!
//! What a value says may come from data. It stays within its word, since no shell splits it; it never begins an option, since a
//! word that would turn into one is refused; and it never becomes code, since no script of an interpreter holds a placeholder.

use std::path::Path;

use crate::error::{Error, Result};
use crate::suggest;

/// Programs that take a word for code.
const INTERPRETERS: [&str; 9] = ["sh", "bash", "dash", "ash", "ksh", "zsh", "fish", "perl", "ruby"];

/// The longest word, in bytes; the system refuses to start a program with much longer ones.
const MOST_BYTES: usize = 64 << 10;

/// A word of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(String),
}

impl Word {
    /// A word that is passed on as it is.
    pub fn plain(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// A word in which `{placeholder}` stands for a value, and `{{text}}` for `{text}`.
    fn parse(text: &str, names: &[&str]) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, after) = rest.split_at(start);
            plain.push_str(before);
            if let Some((name, behind)) = placeholder(after, "{{", "}}") {
                plain.push_str(&format!("{{{name}}}"));
                rest = behind;
            } else if let Some((name, behind)) = placeholder(after, "{", "}") {
                known(text, name, names)?;
                pieces.extend([Piece::Text(std::mem::take(&mut plain)), Piece::Value(name.to_owned())]);
                rest = behind;
            } else {
                plain.push('{');
                rest = &after[1..];
            }
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Self(pieces))
    }

    fn has_value(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Value(_)))
    }

    /// The word with what `value` says of each name.
    ///
    /// # Errors
    /// Why it must not be used.
    pub fn fill(&self, value: impl Fn(&str) -> String) -> Result<String, String> {
        let mut word = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => word.push_str(text),
                Piece::Value(name) => word.push_str(&value(name)),
            }
        }
        match self.0.first() {
            Some(Piece::Value(name)) if word.starts_with('-') => {
                Err(format!("{{{name}}} is {word:?}, which the program would take for an option"))
            }
            _ if self.has_value() && word.contains('\0') => Err(format!("a NUL in {word:?}")),
            _ if word.len() > MOST_BYTES => Err(format!("a word of {} bytes", word.len())),
            _ => Ok(word),
        }
    }
}

/// The name between the braces with which the text begins, and what follows them.
fn placeholder<'a>(text: &'a str, open: &str, close: &str) -> Option<(&'a str, &'a str)> {
    let (name, behind) = text.strip_prefix(open)?.split_once(close)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain)).then_some((name, behind))
}

fn known(word: &str, name: &str, names: &[&str]) -> Result<()> {
    if names.contains(&name) {
        return Ok(());
    }
    let list: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
    let error = Error::usage(format!("the placeholder {{{name}}} in {word:?}"), list.join(", "));
    let literal = format!("for the text {{{name}}} itself write {{{{{name}}}}}");
    Err(error.with_help(match suggest::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean {{{near}}}? {literal}"),
        None => literal,
    }))
}

/// The words of a command line, in which these names are known. `{{name}}` is the text `{name}`; other braces stand for
/// themselves.
///
/// # Errors
/// [`Error::Usage`] for an unknown placeholder, and for one in the place of a program or of code.
pub fn parse(argv: &[String], names: &[&str]) -> Result<Vec<Word>> {
    let words: Vec<Word> = argv.iter().map(|text| Word::parse(text, names)).collect::<Result<_>>()?;
    let wrong = |text: &str, place: &str, help: &str| {
        Err(Error::usage(format!("{text:?}: a placeholder in {place}"), "placeholders in arguments").with_help(help))
    };
    for (place, _) in words.iter().enumerate().filter(|(_, word)| word.has_value()) {
        if place == 0 {
            return wrong(&argv[0], "the place of the program", "name the program; let arguments hold what differs");
        }
        if is_code(&argv[..place]) {
            let help = "what comes from data must not become code: pass it after the script, as in sh -c 'note \"$1\"' hook {model}";
            return wrong(&argv[place], "a script", help);
        }
    }
    Ok(words)
}

/// Whether an interpreter takes the word after these for code.
fn is_code(before: &[String]) -> bool {
    let interprets = |word: &String| {
        let name = Path::new(word).file_name().and_then(|name| name.to_str()).unwrap_or_default();
        INTERPRETERS.contains(&name) || name.starts_with("python") || name.starts_with("node")
    };
    let takes_code = |word: &String| word.starts_with('-') && !word.starts_with("--") && word.ends_with(['c', 'e']);
    before.last().is_some_and(takes_code) && before.iter().any(interprets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["id", "status", "evidence", "model", "metric"];

    fn value(name: &str, model: &str) -> String {
        match name {
            "id" => "a1",
            "status" => "firing",
            "evidence" => "/e/a1.json",
            "model" => model,
            _ => "",
        }
        .to_owned()
    }

    fn filled(word: &str, model: &str) -> Result<String, String> {
        Word::parse(word, &NAMES).unwrap().fill(|name| value(name, model))
    }

    #[test]
    fn placeholders_stand_for_values_and_other_braces_for_themselves() {
        for (word, expected) in [
            ("{model}", "m 1"),
            ("--key={id}-{status}", "--key=a1-firing"),
            ("{evidence}", "/e/a1.json"),
            ("{metric}", ""),
            ("{{model}}", "{model}"),
            ("${HOME} {} { a; } {\"a\": 1} {", "${HOME} {} { a; } {\"a\": 1} {"),
            ("", ""),
        ] {
            assert_eq!(filled(word, "m 1").unwrap(), expected, "{word}");
        }
        assert_eq!(filled("{model}", "{id}").unwrap(), "{id}", "what was put in is not looked at again");
    }

    #[test]
    fn a_value_never_becomes_an_option() {
        for model in ["-rf", "--config=/etc/passwd", "-"] {
            assert!(filled("{model}", model).unwrap_err().contains("option"), "{model}");
            assert!(filled("{metric}{model}", model).is_err(), "behind an empty value");
            assert_eq!(filled("--model={model}", model).unwrap(), format!("--model={model}"));
        }
        assert!(filled("--m={model}", "a\0b").is_err());
        assert!(filled("{model}", &"x".repeat(MOST_BYTES + 1)).is_err());
    }

    #[test]
    fn what_cannot_work_is_said_at_once() {
        let parsed = |words: &[&str]| parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>(), &NAMES);
        let error = parsed(&["x", "{modell}"]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("{modell}") && text.contains("{model}, {metric}"), "{text}");
        assert!(error.help().unwrap().contains("did you mean {model}?"), "{error:?}");
        for bad in [
            &["{model}"][..],
            &["/bin/sh", "-c", "echo {model}"],
            &["env", "bash", "-ec", "{id}"],
            &["python3", "-c", "{id}"],
        ] {
            assert!(parsed(bad).is_err(), "{bad:?}");
        }
        for good in
            [&["sh", "-c", "echo $1", "hook", "{model}"][..], &["tool", "-c", "{evidence}"], &["sh", "-c", "x ${HOME}"]]
        {
            assert!(parsed(good).is_ok(), "{good:?}");
        }
    }
}
