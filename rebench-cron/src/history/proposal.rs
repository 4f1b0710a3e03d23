//! What to think about after the newest run. Nothing is switched by itself.

use super::points::verdict;
use super::report::{Evidence, Proposal, Proposed};
use crate::store::{HistoryRow, Outcome};

/// What the records propose, if anything.
pub(super) fn of(model: Option<&str>, evidence: &Evidence, rows: &[HistoryRow]) -> Option<Proposal> {
    let name = model.map_or_else(|| "NAME".to_owned(), quoted);
    if evidence.is_alarm {
        let command = format!("manifest-gen rollback {name}");
        let sentence = format!("the model no longer wins: consider `{command}`, or a new candidate");
        return Some(Proposal { proposed: Proposed::Rollback, sentence, command });
    }
    let measured = |outcome: &Outcome| !matches!(outcome, Outcome::NoNewData);
    let newest = rows.iter().rev().find_map(|row| Some(verdict(row)?.outcome).filter(measured))?;
    (newest == Outcome::Improved).then(|| {
        let command = format!("manifest-gen promote {name} VERSION");
        let sentence = format!("the run's model is better than what it is held against: consider `{command}`");
        Proposal { proposed: Proposed::Promote, sentence, command }
    })
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    match !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_name_stays_one_word() {
        assert_eq!(quoted("lightgbm-2.1"), "lightgbm-2.1");
        assert_eq!(quoted("a b; rm"), "'a b; rm'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
