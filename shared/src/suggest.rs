//! "Did you mean": the known name that is nearest to a mistyped one.

/// Longer words, in bytes, are not compared.
const LONGEST: usize = 200;

/// The candidate nearest to `word`, if it is near enough to be what was meant: at most a third of its letters differ.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A longer word is no slip of the pen, and the distance takes the product of both lengths.
    if word.len() > LONGEST {
        return None;
    }
    let allowed = (word.chars().count() / 3).max(1);
    let short = candidates.into_iter().filter(|candidate| candidate.len() <= LONGEST);
    let measured = short.map(|candidate| (distance(word, candidate), candidate));
    measured.filter(|(far, _)| *far <= allowed).min_by_key(|(far, _)| *far).map(|(_, candidate)| candidate)
}

/// The Levenshtein distance, in characters, letter case aside.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, letter) in left.chars().flat_map(char::to_lowercase).enumerate() {
        row = next_row(&row, above + 1, letter, &right);
    }
    row.last().copied().unwrap_or_default()
}

/// One row of the table of distances from the row above it.
fn next_row(above: &[usize], first: usize, letter: char, right: &[char]) -> Vec<usize> {
    let mut row = vec![first];
    for (index, other) in right.iter().enumerate() {
        let replaced = above[index] + usize::from(*other != letter);
        row.push(replaced.min(above[index + 1] + 1).min(row[index] + 1));
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        // Wagner and Fischer (1974): kitten -> sitting takes three edits.
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("metric", "Metric"), 0);
    }

    #[test]
    fn far_names_are_not_suggested() {
        assert_eq!(nearest("metrik", ["format", "metric"]), Some("metric"));
        assert_eq!(nearest("xyz", ["format", "metric"]), None);
    }
}
