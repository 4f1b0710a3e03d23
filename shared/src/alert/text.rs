//! Texts of bounded length, whatever somebody named a series.

use crate::digest;

/// How many digits of the digest tell shortened texts apart.
const DIGEST_DIGITS: usize = 12;

/// The text, or its beginning and `…`: at most `most` characters.
pub(super) fn capped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The same for what identifies something: two long texts with one beginning stay apart by a digest at the end.
pub(super) fn capped_distinct(text: &str, most: usize) -> String {
    if text.char_indices().nth(most).is_none() {
        return text.to_owned();
    }
    let digest = digest::of_bytes(text.as_bytes());
    format!("{}{}", capped(text, most.saturating_sub(DIGEST_DIGITS)), &digest[..DIGEST_DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_characters() {
        assert_eq!(capped("äöü", 3), "äöü");
        assert_eq!(capped("äöüß", 3), "äö…");
        let (one, other) = (format!("{}1", "ä".repeat(99)), format!("{}2", "ä".repeat(99)));
        assert_eq!(capped_distinct(&one, 100), one);
        assert_eq!(capped_distinct(&one, 50).chars().count(), 50);
        assert_ne!(capped_distinct(&one, 50), capped_distinct(&other, 50));
    }
}
