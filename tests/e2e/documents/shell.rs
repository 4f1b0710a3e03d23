//! As much of the shell as documents use: which commands a script runs, with their words.

use std::iter::Peekable;
use std::str::Chars;

/// The simple commands of a script, each as its words: without redirections, assignments before them, comments.
pub(super) fn commands(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    let mut reader = Reader { rest: script.chars().peekable(), found: Vec::new(), words: Vec::new() };
    reader.read();
    reader.found
}

/// Words that stand before a command without being one.
const BEFORE: [&str; 8] = ["!", "if", "then", "do", "until", "while", "exec", "else"];

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    found: Vec<Vec<String>>,
    words: Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some(&next) = self.rest.peek() {
            match next {
                '#' => while self.rest.next_if(|one| *one != '\n').is_some() {},
                ';' | '|' | '&' | '\n' | '(' | ')' => {
                    _ = self.rest.next();
                    self.end();
                }
                ' ' | '\t' => _ = self.rest.next(),
                _ => {
                    let word = self.word();
                    self.words.push(word);
                }
            }
        }
        self.end();
    }

    fn end(&mut self) {
        let words = plain(std::mem::take(&mut self.words));
        if !words.is_empty() {
            self.found.push(words);
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        // `>&2` and `2>&1` are one word.
        let goes_on = |word: &str, one: char| !" \t\n;|)".contains(one) && (one != '&' || word.ends_with('>'));
        while let Some(one) = self.rest.next_if(|one| goes_on(&word, *one)) {
            match one {
                '\'' | '"' => word.extend(self.quoted(one)),
                '\\' => word.extend(self.rest.next()),
                '$' if self.rest.peek() == Some(&'(') => word.push_str(&self.substituted()),
                one => word.push(one),
            }
        }
        word
    }

    fn quoted(&mut self, quote: char) -> Vec<char> {
        let mut text = Vec::new();
        while let Some(one) = self.rest.next().filter(|one| *one != quote) {
            // Within double quotes these alone lose their backslash.
            let escaped = (one == '\\' && quote == '"').then(|| self.rest.next_if(|one| "\"\\$`".contains(*one)));
            text.push(escaped.flatten().unwrap_or(one));
        }
        text
    }

    /// The commands within `$(…)` are commands too; what they print stands for a word.
    fn substituted(&mut self) -> String {
        let (mut depth, mut inside) = (0, String::new());
        for one in self.rest.by_ref() {
            depth += i32::from(one == '(') - i32::from(one == ')');
            if depth == 0 {
                break;
            }
            inside.push(one);
        }
        self.found.extend(commands(inside.trim_start_matches('(')));
        "WORD".to_owned()
    }
}

/// The words that the program sees.
fn plain(words: Vec<String>) -> Vec<String> {
    let leads = |word: &String| BEFORE.contains(&word.as_str()) || assigns(word);
    let mut words: Vec<String> = words.into_iter().skip_while(leads).collect();
    while let Some(place) = words.iter().position(|word| redirects(word)) {
        // `> FILE` is two words, `>FILE` and `2>&1` are one.
        let two = words[place].ends_with(['>', '<']);
        words.drain(place..(place + 1 + usize::from(two)).min(words.len()));
    }
    words
}

fn assigns(word: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|one| one.is_ascii_uppercase() || one == '_');
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

fn redirects(word: &str) -> bool {
    let rest = word.trim_start_matches(|one: char| one.is_ascii_digit());
    rest.starts_with('>') || rest.starts_with("<<") || rest == "<"
}

#[test]
fn a_script_is_read_as_a_shell_reads_it() {
    let script = "A=1 one 'a b' \"c $D\" >x 2>&1 | two # not this\nif ! three \\\n  --flag=$(four) > y; then five & fi";
    let words = commands(script);
    let expected: [&[&str]; 6] =
        [&["one", "a b", "c $D"], &["two"], &["four"], &["three", "--flag=WORD"], &["five"], &["fi"]];
    assert_eq!(words, expected);
}
