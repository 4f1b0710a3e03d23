//! Names as small numbers.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

/// Every name that was seen, each with a number from 0 in the order of appearance. There may be a million: each stands once, in one text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Names {
    text: String,
    /// Where each name ends in the text.
    ends: Vec<usize>,
    numbers: HashTable<u32>,
}

impl Names {
    /// The number of a name, new if it was not seen before.
    pub fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.find(name) {
            return number;
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.text.push_str(name);
        self.ends.push(self.text.len());
        let (text, ends) = (&self.text, &self.ends);
        self.numbers.insert_unique(hash(name), number, |&known| hash(named(text, ends, known)));
        number
    }

    /// The number of a name that was seen.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.numbers.find(hash(name), |&number| self.name(number) == name).copied()
    }

    /// The name of a number.
    pub fn name(&self, number: u32) -> &str {
        named(&self.text, &self.ends, number)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        (0u32..).take(self.len()).map(|number| self.name(number))
    }
}

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ends == other.ends
    }
}

impl Eq for Names {}

fn hash(name: &str) -> u64 {
    FxBuildHasher.hash_one(name)
}

fn named<'a>(text: &'a str, ends: &[usize], number: u32) -> &'a str {
    let place = number as usize;
    let start = place.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(place).and_then(|&end| text.get(start..end)).unwrap_or("")
}

impl From<Vec<String>> for Names {
    fn from(list: Vec<String>) -> Self {
        let mut names = Self::default();
        list.iter().for_each(|name| {
            names.number(name);
        });
        names
    }
}

impl From<Names> for Vec<String> {
    fn from(names: Names) -> Self {
        names.all().map(String::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_in_the_order_of_appearance() {
        let mut names = Names::default();
        assert_eq!(["b", "", "aé", "b", "", "aé"].map(|name| names.number(name)), [0, 1, 2, 0, 1, 2]);
        assert_eq!((names.name(0), names.name(1), names.name(2), names.name(3)), ("b", "", "aé", ""));
        assert_eq!((names.find("aé"), names.find("a"), names.len()), (Some(2), None, 3));
        let list = Vec::from(names.clone());
        assert_eq!(list, ["b", "", "aé"]);
        assert_eq!(Names::from(list), names);
    }
}
