//! A slice cut into words.

use super::syntax_error::SyntaxError;
use super::{Comparison, Literal};

/// A word of the slice language.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A column name, bare or quoted.
    Column(String),
    /// A number, text or truth value.
    Literal(Literal),
    /// `=`, `<`, …
    Comparison(Comparison),
    /// `and`, `or`, …
    Keyword(Keyword),
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `,`.
    Comma,
}

/// The words with a meaning of their own; a column of that name needs "double quotes".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    In,
    Between,
    Is,
    Null,
}

/// A word and the bytes of the slice that it stands on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [(&str, Token); 11] = [
    ("==", Token::Comparison(Comparison::Equal)),
    ("!=", Token::Comparison(Comparison::NotEqual)),
    ("<>", Token::Comparison(Comparison::NotEqual)),
    ("<=", Token::Comparison(Comparison::LessOrEqual)),
    (">=", Token::Comparison(Comparison::GreaterOrEqual)),
    ("=", Token::Comparison(Comparison::Equal)),
    ("<", Token::Comparison(Comparison::Less)),
    (">", Token::Comparison(Comparison::Greater)),
    ("(", Token::Open),
    (")", Token::Close),
    (",", Token::Comma),
];

/// Cuts `source` into words.
pub(super) fn tokens(source: &str) -> Result<Vec<Spanned>, SyntaxError> {
    let mut lexer = Lexer { source, at: 0 };
    let mut found = Vec::new();
    while let Some(first) = lexer.skip_space() {
        let start = lexer.at;
        let token = lexer.token(first)?;
        found.push(Spanned { token, start, end: lexer.at });
    }
    Ok(found)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    /// Moves to the next word and returns its first character.
    fn skip_space(&mut self) -> Option<char> {
        self.take_while(char::is_whitespace);
        self.rest().chars().next()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn token(&mut self, first: char) -> Result<Token, SyntaxError> {
        match first {
            '\'' => Ok(Token::Literal(Literal::Text(self.quoted('\'')?))),
            '"' => self.quoted_column(),
            c if c.is_alphabetic() || c == '_' => Ok(word(self.take_while(is_name_part))),
            c if c.is_ascii_digit() || "+-.".contains(c) => self.number(),
            _ => self.sign(),
        }
    }

    fn quoted_column(&mut self) -> Result<Token, SyntaxError> {
        let start = self.at;
        match self.quoted('"')? {
            name if name.is_empty() => Err(SyntaxError::new(self.source, start, "an empty name", "a column")),
            name => Ok(Token::Column(name)),
        }
    }

    /// A text between two `quote`s, in which a doubled quote is one.
    fn quoted(&mut self, quote: char) -> Result<String, SyntaxError> {
        let start = self.at;
        let mut text = String::new();
        loop {
            self.at += 1;
            text.push_str(self.take_while(|c| c != quote));
            if self.rest().is_empty() {
                return Err(SyntaxError::new(
                    self.source,
                    start,
                    "a quote without its end",
                    format!("a closing {quote}"),
                ));
            }
            self.at += 1;
            if !self.rest().starts_with(quote) {
                return Ok(text);
            }
            text.push(quote);
        }
    }

    fn number(&mut self) -> Result<Token, SyntaxError> {
        let start = self.at;
        self.at += number_length(self.rest());
        self.take_while(is_name_part);
        let text = &self.source[start..self.at.max(start + 1)];
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Literal(Literal::Number(number))),
            _ => Err(SyntaxError::new(self.source, start, format!("{text:?}"), "a finite number")),
        }
    }

    fn sign(&mut self) -> Result<Token, SyntaxError> {
        let Some((sign, token)) = SIGNS.iter().find(|(sign, _)| self.rest().starts_with(sign)) else {
            let found: String = self.rest().chars().take_while(|c| !c.is_whitespace() && !is_name_part(*c)).collect();
            return Err(SyntaxError::new(self.source, self.at, format!("{found:?}"), sign_hint(&found)));
        };
        self.at += sign.len();
        Ok(token.clone())
    }
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || "_-.".contains(c)
}

/// Bytes of the number at the start of `text`: sign, digits, fraction, exponent.
fn number_length(text: &str) -> usize {
    let signed = usize::from(text.starts_with(['+', '-']));
    let mantissa = signed + leading(&text[signed..], |c| c.is_ascii_digit() || c == '.');
    let exponent = &text[mantissa..];
    let sign = match exponent.strip_prefix(['e', 'E']) {
        Some(power) => 1 + usize::from(power.starts_with(['+', '-'])),
        None => return mantissa,
    };
    mantissa + sign + leading(&exponent[sign..], |c| c.is_ascii_digit())
}

fn leading(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

/// A keyword in any case, or a column.
fn word(text: &str) -> Token {
    let keyword = match text.to_ascii_lowercase().as_str() {
        "and" => Keyword::And,
        "or" => Keyword::Or,
        "not" => Keyword::Not,
        "in" => Keyword::In,
        "between" => Keyword::Between,
        "is" => Keyword::Is,
        "null" => Keyword::Null,
        "true" => return Token::Literal(Literal::Bool(true)),
        "false" => return Token::Literal(Literal::Bool(false)),
        _ => return Token::Column(text.to_owned()),
    };
    Token::Keyword(keyword)
}

fn sign_hint(found: &str) -> &'static str {
    match found {
        "&&" | "&" => "`and`",
        "||" | "|" => "`or`",
        "!" => "`not`",
        _ => "a column, a value or a comparison",
    }
}
