//! Values that many share, each kept once under a small number.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

/// Values with a number each; numbers that nobody holds any more are given to others.
///
/// What a million series say at the same times holds a number of four bytes in place of its times. Where no two share a value, each costs some
/// ten bytes more than it would alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Saved<K>", into = "Saved<K>")]
#[serde(bound(serialize = "K: Copy + Eq + Hash + Serialize", deserialize = "K: Copy + Eq + Hash + Deserialize<'de>"))]
pub struct Interned<K: Copy + Eq + Hash> {
    values: Vec<K>,
    numbers: HashTable<u32>,
    free: Vec<u32>,
}

/// The same without the table.
#[derive(Serialize, Deserialize)]
struct Saved<K> {
    values: Vec<K>,
    free: Vec<u32>,
}

impl<K: Copy + Eq + Hash> Interned<K> {
    /// The number of a value, new if nobody holds it.
    pub fn number(&mut self, value: K) -> u32 {
        let hash = FxBuildHasher.hash_one(value);
        if let Some(&number) = self.numbers.find(hash, |&number| self.values[number as usize] == value) {
            return number;
        }
        let number = self.place(value);
        self.note(number);
        number
    }

    fn place(&mut self, value: K) -> u32 {
        if let Some(number) = self.free.pop() {
            self.values[number as usize] = value;
            return number;
        }
        self.values.push(value);
        u32::try_from(self.values.len() - 1).unwrap_or(u32::MAX)
    }

    fn note(&mut self, number: u32) {
        let values = &self.values;
        let hash = |number: &u32| FxBuildHasher.hash_one(values[*number as usize]);
        self.numbers.insert_unique(hash(&number), number, hash);
    }

    /// The value of a number.
    ///
    /// # Panics
    /// If nobody was given this number.
    pub fn value(&self, number: u32) -> K {
        self.values[number as usize]
    }

    /// Forgets the values that are not to be kept.
    pub fn retain(&mut self, mut keep: impl FnMut(u32, &K) -> bool) {
        let (values, free) = (&self.values, &mut self.free);
        self.numbers.retain(|&mut number| {
            let kept = keep(number, &values[number as usize]);
            if !kept {
                free.push(number);
            }
            kept
        });
        // Which of them is given away next must not depend on the table.
        free.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Numbers below this one were given.
    pub fn end(&self) -> usize {
        self.values.len()
    }
}

impl<K: Copy + Eq + Hash> Default for Interned<K> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashTable::new(), free: Vec::new() }
    }
}

impl<K: Copy + Eq + Hash> PartialEq for Interned<K> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values && self.free == other.free
    }
}

impl<K: Copy + Eq + Hash> From<Saved<K>> for Interned<K> {
    fn from(saved: Saved<K>) -> Self {
        let mut is_free = vec![false; saved.values.len()];
        for &number in &saved.free {
            if let Some(free) = is_free.get_mut(number as usize) {
                *free = true;
            }
        }
        let mut interned = Self { values: saved.values, numbers: HashTable::new(), free: saved.free };
        (0u32..).zip(is_free).filter(|(_, free)| !free).for_each(|(number, _)| interned.note(number));
        interned
    }
}

impl<K: Copy + Eq + Hash> From<Interned<K>> for Saved<K> {
    fn from(interned: Interned<K>) -> Self {
        Self { values: interned.values, free: interned.free }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_again_when_nobody_holds_them() {
        let mut known = Interned::default();
        assert_eq!([7, 9, 7, 5, 9].map(|value| known.number(value)), [0, 1, 0, 2, 1]);
        known.retain(|number, &value| {
            assert_eq!(value, [7, 9, 5][number as usize]);
            value == 9
        });
        assert_eq!((known.number(1), known.number(9), known.value(1)), (0, 1, 9));
        let bytes = postcard::to_stdvec(&known).unwrap();
        let mut again: Interned<i32> = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(again, known);
        assert_eq!([1, 9, 4, 3].map(|value| again.number(value)), [0, 1, 2, 3]);
    }
}
