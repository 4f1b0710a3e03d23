//! Words into a predicate, by recursive descent.

use std::str::FromStr;

use super::lexer::{self, Keyword, Spanned, Token};
use super::syntax_error::SyntaxError;
use super::{Comparison, Literal, Operand, Predicate};

/// Nested parentheses and `not`s beyond which a slice is refused, so that no input exhausts the stack.
const MAX_DEPTH: usize = 64;

type Parsed<T = Predicate> = Result<T, SyntaxError>;

/// Reads a slice.
///
/// # Errors
/// With the column at which it stops making sense, what stands there and what could.
pub fn parse(source: &str) -> Result<Predicate, SyntaxError> {
    let tokens = lexer::tokens(source)?;
    let mut parser = Parser { source, tokens, at: 0, depth: 0 };
    let predicate = parser.condition()?;
    match parser.peek() {
        None => Ok(predicate),
        Some(_) => Err(parser.unexpected("`and`, `or` or the end")),
    }
}

impl FromStr for Predicate {
    type Err = SyntaxError;

    fn from_str(source: &str) -> Result<Self, SyntaxError> {
        parse(source)
    }
}

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Spanned>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|spanned| &spanned.token)
    }

    /// Steps over `token` if it is next.
    fn take(&mut self, token: &Token) -> bool {
        let next = self.peek() == Some(token);
        self.at += usize::from(next);
        next
    }

    fn take_keyword(&mut self, keyword: Keyword) -> bool {
        self.take(&Token::Keyword(keyword))
    }

    fn require(&mut self, token: &Token, expected: &str) -> Parsed<()> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&self, expected: &str) -> SyntaxError {
        match self.tokens.get(self.at) {
            Some(word) => {
                let text = &self.source[word.start..word.end];
                SyntaxError::new(self.source, word.start, format!("{text:?}"), expected)
            }
            None => SyntaxError::new(self.source, self.source.trim_end().len(), "the end", expected),
        }
    }

    fn condition(&mut self) -> Parsed {
        self.chain(Keyword::Or, Self::conjunction, Predicate::Or)
    }

    fn conjunction(&mut self) -> Parsed {
        self.chain(Keyword::And, Self::negation, Predicate::And)
    }

    /// One part, or several joined by `keyword`.
    fn chain(
        &mut self,
        keyword: Keyword,
        part: fn(&mut Self) -> Parsed,
        join: fn(Vec<Predicate>) -> Predicate,
    ) -> Parsed {
        let first = part(self)?;
        let mut parts = vec![first];
        while self.take_keyword(keyword) {
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { join(parts) })
    }

    fn negation(&mut self) -> Parsed {
        if self.depth == MAX_DEPTH {
            return Err(self.unexpected("at most 64 levels of parentheses and `not`"));
        }
        self.depth += 1;
        let parsed = self.negation_inside();
        self.depth -= 1;
        parsed
    }

    fn negation_inside(&mut self) -> Parsed {
        if self.take_keyword(Keyword::Not) {
            return Ok(Predicate::Not(Box::new(self.negation()?)));
        }
        if self.take(&Token::Open) {
            let inner = self.condition()?;
            self.require(&Token::Close, "`and`, `or` or `)`")?;
            return Ok(inner);
        }
        self.test()
    }

    fn test(&mut self) -> Parsed {
        match self.operand("a column, a value, `not` or `(`")? {
            Operand::Column(column) => self.test_of(column),
            Operand::Literal(literal) => self.mirrored_comparison(literal),
        }
    }

    /// `5 < column`, kept as `column > 5`.
    fn mirrored_comparison(&mut self, literal: Literal) -> Parsed {
        let comparison = self.comparison("a comparison (=, <>, <, <=, >, >=)")?.mirrored();
        let column = self.column()?;
        Ok(Predicate::Compare { column, comparison, operand: Operand::Literal(literal) })
    }

    fn test_of(&mut self, column: String) -> Parsed {
        if self.take_keyword(Keyword::Is) {
            let negated = self.take_keyword(Keyword::Not);
            self.require(&Token::Keyword(Keyword::Null), "`null`")?;
            return Ok(Predicate::IsNull { column, negated });
        }
        let negated = self.take_keyword(Keyword::Not);
        if self.take_keyword(Keyword::In) {
            return Ok(Predicate::In { column, list: self.list()?, negated });
        }
        if self.take_keyword(Keyword::Between) {
            return self.between(column, negated);
        }
        if negated {
            return Err(self.unexpected("`in` or `between`"));
        }
        self.comparison_of(column)
    }

    fn comparison_of(&mut self, column: String) -> Parsed {
        let comparison = self.comparison("a comparison (=, <>, <, <=, >, >=), `in`, `between` or `is`")?;
        let operand = self.operand("a number, a 'text' or a column")?;
        Ok(Predicate::Compare { column, comparison, operand })
    }

    fn between(&mut self, column: String, negated: bool) -> Parsed {
        let low = self.literal()?;
        self.require(&Token::Keyword(Keyword::And), "`and`")?;
        let high = self.literal_like(&low)?;
        Ok(Predicate::Between { column, low, high, negated })
    }

    fn list(&mut self) -> Parsed<Vec<Literal>> {
        self.require(&Token::Open, "`(`")?;
        let mut list = vec![self.literal()?];
        while self.take(&Token::Comma) {
            list.push(self.literal_like(&list[0])?);
        }
        self.require(&Token::Close, "`,` or `)`")?;
        Ok(list)
    }

    fn comparison(&mut self, expected: &str) -> Parsed<Comparison> {
        let Some(Token::Comparison(comparison)) = self.peek().cloned() else { return Err(self.unexpected(expected)) };
        self.at += 1;
        Ok(comparison)
    }

    fn operand(&mut self, expected: &str) -> Parsed<Operand> {
        let operand = match self.peek().cloned() {
            Some(Token::Column(name)) => Operand::Column(name),
            Some(Token::Literal(literal)) => Operand::Literal(literal),
            _ => return Err(self.unexpected(expected)),
        };
        self.at += 1;
        Ok(operand)
    }

    fn column(&mut self) -> Parsed<String> {
        let Some(Token::Column(name)) = self.peek().cloned() else { return Err(self.unexpected("a column")) };
        self.at += 1;
        Ok(name)
    }

    fn literal(&mut self) -> Parsed<Literal> {
        let Some(Token::Literal(literal)) = self.peek().cloned() else {
            return Err(self.unexpected("a number, a 'text', `true` or `false`"));
        };
        self.at += 1;
        Ok(literal)
    }

    /// A literal of the same kind as `first`.
    fn literal_like(&mut self, first: &Literal) -> Parsed<Literal> {
        let literal = self.literal()?;
        if std::mem::discriminant(&literal) == std::mem::discriminant(first) {
            return Ok(literal);
        }
        self.at -= 1;
        Err(self.unexpected(&format!("{} like the first", first.kind())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(source: &str) -> String {
        parse(source).unwrap().to_string()
    }

    fn refused(source: &str) -> (usize, String, String) {
        let error = parse(source).unwrap_err();
        (error.column, error.found, error.expected)
    }

    #[test]
    fn every_form_reads_and_prints_as_sql() {
        assert_eq!(printed("holiday == 1"), r#""holiday" = 1"#);
        assert_eq!(printed("a!=1 OR b <> 'it''s'"), r#"("a" <> 1 OR "b" <> 'it''s')"#);
        assert_eq!(printed("not (h between 1 and 3)"), r#"NOT ("h" BETWEEN 1 AND 3)"#);
        assert_eq!(printed("h NOT BETWEEN -1 AND 3e2"), r#""h" NOT BETWEEN -1 AND 300"#);
        assert_eq!(printed("store not in ('a', 'b')"), r#""store" NOT IN ('a', 'b')"#);
        assert_eq!(printed("y is Not NULL and z is null"), r#"("y" IS NOT NULL AND "z" IS NULL)"#);
        assert_eq!(printed("60 > n_train"), r#""n_train" < 60"#);
        assert_eq!(printed("\"LightGBM lo \"\"90\" <= LightGBM-hi-90"), r#""LightGBM lo ""90" <= "LightGBM-hi-90""#);
        assert_eq!(printed("promo = TRUE"), r#""promo" = TRUE"#);
        assert_eq!(printed("a=1 or b=2 and c=3"), r#"("a" = 1 OR ("b" = 2 AND "c" = 3))"#);
        assert_eq!(printed("h=-.5"), r#""h" = -0.5"#);
    }

    #[test]
    fn an_error_names_column_found_and_expected() {
        assert_eq!(refused("holiday && 1"), (9, "\"&&\"".into(), "`and`".into()));
        assert_eq!(refused("a = 1 b"), (7, "\"b\"".into(), "`and`, `or` or the end".into()));
        assert_eq!(refused("a ="), (4, "the end".into(), "a number, a 'text' or a column".into()));
        assert_eq!(refused("ä = 'x"), (5, "a quote without its end".into(), "a closing '".into()));
        assert_eq!(refused("a in (1, 'b')"), (10, "\"'b'\"".into(), "a number like the first".into()));
        assert_eq!(refused("").0, 1);
        assert_eq!(refused("h < 12abc").1, "\"12abc\"");
        assert_eq!(refused("h < 1e999").2, "a finite number");
        assert_eq!(refused("holiday").0, 8);
    }

    #[test]
    fn the_caret_stands_below_the_place() {
        let text = parse("holiday && 1").unwrap_err().to_string();
        assert_eq!(text, "slice, column 9: found \"&&\" (expected `and`)\nholiday && 1\n        ^");
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        assert!(parse(&"(".repeat(1_000_000)).is_err());
        assert!(parse(&format!("{} a = 1", "not ".repeat(1_000_000))).is_err());
        assert!(parse(&format!("{}a = 1{}", "(".repeat(60), ")".repeat(60))).is_ok());
    }
}
