//! Lists of which there are as many as series, side by side in one piece of memory.

use serde::de::Error as _;
use serde::ser::{SerializeSeq, SerializeTuple};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Beyond this part of all items, places that were left behind are taken back.
const MOST_LOST: usize = 4;

/// A list for each series.
///
/// A list that has no room left moves to the end with some; when a quarter of all places is left behind, all lists move together, in place. A
/// million small lists cost no allocation each, and what they do not need any more goes back to the system.
#[derive(Debug, Clone)]
pub struct Lists<T> {
    heads: Vec<Head>,
    items: Vec<T>,
    /// Items that belong to no list.
    lost: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Head {
    start: usize,
    length: u32,
    room: u32,
}

impl Head {
    fn length(self) -> usize {
        self.length as usize
    }

    fn room(self) -> usize {
        self.room as usize
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start..self.start + self.length()
    }

    /// The room that a list of its length is left: it may grow by a little before it is shortened again.
    fn wanted(self) -> usize {
        self.length() + self.length() / 4 + 2
    }
}

impl<T: Copy> Lists<T> {
    /// Makes so many lists, empty where they are not there yet.
    pub fn expect(&mut self, lists: usize) {
        if self.heads.len() < lists {
            self.heads.resize(lists, Head::default());
        }
    }

    /// How many there are.
    pub fn n_lists(&self) -> usize {
        self.heads.len()
    }

    /// A list; empty where it is not there.
    pub fn of(&self, list: usize) -> &[T] {
        self.heads.get(list).map_or(&[], |head| &self.items[head.range()])
    }

    /// The items of all lists.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        (0..self.n_lists()).flat_map(|list| self.of(list))
    }

    /// Changes an item.
    ///
    /// # Panics
    /// If the list has no such place.
    pub fn set(&mut self, list: usize, place: usize, item: T) {
        self.items[self.heads[list].range()][place] = item;
    }

    /// Puts an item before the one at this place, or at the end.
    ///
    /// # Panics
    /// If the place is beyond the end.
    pub fn insert(&mut self, list: usize, place: usize, item: T) {
        self.expect(list + 1);
        if self.heads[list].length == self.heads[list].room {
            self.grow(list, item);
        }
        let head = &mut self.heads[list];
        head.length += 1;
        let items = &mut self.items[head.range()];
        items.copy_within(place..items.len() - 1, place + 1);
        items[place] = item;
    }

    /// Moves a list to the end, with room; `filler` stands in what is not used.
    fn grow(&mut self, list: usize, filler: T) {
        if self.lost > self.items.len() / MOST_LOST {
            self.compact(Head::room);
        }
        let head = self.heads[list];
        let room = head.room() + 1 + head.room() / 8;
        if head.start + head.room() == self.items.len() {
            self.items.resize(head.start + room, filler);
        } else {
            let start = self.items.len();
            self.items.extend_from_within(head.range());
            self.items.resize(start + room, filler);
            self.lost += head.room();
            self.heads[list].start = start;
        }
        self.heads[list].room = short(room);
    }

    /// Removes the first items of each list, as many as `n` says; gives back what was needed once and is not any more.
    pub fn forget(&mut self, n: impl Fn(&[T]) -> usize) {
        let (mut room, mut wanted) = (0, 0);
        for head in &mut self.heads {
            let items = &mut self.items[head.range()];
            let gone = n(items);
            items.copy_within(gone.., 0);
            head.length -= short(gone);
            room += head.room();
            wanted += head.wanted().min(head.room());
        }
        if self.lost + room > wanted + wanted / 2 {
            self.compact(|head| head.wanted().min(head.room()));
        }
    }

    /// Moves all lists together, in the order in which they lie, each with this room.
    fn compact(&mut self, room: impl Fn(Head) -> usize) {
        let mut order: Vec<u32> =
            (0..short(self.heads.len())).filter(|&list| self.heads[list as usize].room > 0).collect();
        order.sort_unstable_by_key(|&list| self.heads[list as usize].start);
        let mut end = 0;
        for list in order {
            let head = &mut self.heads[list as usize];
            self.items.copy_within(head.range(), end);
            (head.start, head.room) = (end, short(room(*head)));
            end += head.room();
        }
        self.items.truncate(end);
        self.items.shrink_to(end + end / 8);
        self.lost = 0;
    }
}

/// Lists have fewer than four milliards of items.
fn short(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { heads: Vec::new(), items: Vec::new(), lost: 0 }
    }
}

impl<T: Copy + PartialEq> PartialEq for Lists<T> {
    fn eq(&self, other: &Self) -> bool {
        self.n_lists() == other.n_lists() && (0..self.n_lists()).all(|list| self.of(list) == other.of(list))
    }
}

/// The items of all lists, one list after the other.
struct Items<'a, T>(&'a Lists<T>);

impl<T: Copy + Serialize> Serialize for Items<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let total = self.0.heads.iter().map(|head| head.length()).sum();
        let mut all = serializer.serialize_seq(Some(total))?;
        self.0.items().try_for_each(|item| all.serialize_element(item))?;
        all.end()
    }
}

impl<T: Copy + Serialize> Serialize for Lists<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lengths: Vec<u32> = self.heads.iter().map(|head| head.length).collect();
        let mut both = serializer.serialize_tuple(2)?;
        both.serialize_element(&lengths)?;
        both.serialize_element(&Items(self))?;
        both.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lists<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (lengths, items): (Vec<u32>, Vec<T>) = Deserialize::deserialize(deserializer)?;
        let mut start = 0;
        let mut head = |length: u32| {
            let head = Head { start, length, room: length };
            start += head.room();
            head
        };
        let heads = lengths.into_iter().map(&mut head).collect();
        match start == items.len() {
            true => Ok(Self { heads, items, lost: 0 }),
            false => Err(D::Error::custom("lists that are longer or shorter than their items")),
        }
    }
}

/// The first of `n` places that is not `before`, of which all that are come first; searched from the end, in steps that double.
pub fn first_not(n: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut end, mut step) = (n, 1);
    while let Some(place) = end.checked_sub(step) {
        if before(place) {
            return first_not_within(place + 1, end, before);
        }
        (end, step) = (place, 2 * step);
    }
    first_not_within(0, end, before)
}

fn first_not_within(mut start: usize, mut end: usize, before: impl Fn(usize) -> bool) -> usize {
    while start < end {
        let middle = usize::midpoint(start, end);
        if before(middle) { start = middle + 1 } else { end = middle }
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_is_found_wherever_it_is() {
        for n in 0..40 {
            for first in 0..=n {
                assert_eq!(first_not(n, |place| place < first), first);
            }
        }
    }

    #[test]
    fn lists_are_what_a_vector_for_each_would_be() {
        let (mut lists, mut plain, mut bits) = (Lists::default(), vec![Vec::new(); 7], 5_u64);
        let mut next = |most: usize| {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(bits >> 33).unwrap() % most
        };
        for round in 0..5000_u32 {
            let list = next(7);
            let place = next(plain[list].len() + 1);
            match next(8) {
                0 if place < plain[list].len() => {
                    plain[list][place] = round;
                    lists.set(list, place, round);
                }
                _ => {
                    plain[list].insert(place, round);
                    lists.insert(list, place, round);
                }
            }
            if round % 300 == 299 {
                let keep = next(30);
                plain.iter_mut().for_each(|plain| drop(plain.drain(..plain.len().saturating_sub(keep))));
                lists.forget(|items| items.len().saturating_sub(keep));
                let bytes = postcard::to_stdvec(&lists).unwrap();
                let again: Lists<u32> = postcard::from_bytes(&bytes).unwrap();
                assert!(again == lists);
                lists = if round % 600 == 599 { again } else { lists };
            }
            (0..7).for_each(|list| assert_eq!(lists.of(list), plain[list]));
            assert!(lists.of(7).is_empty());
            let used: usize = plain.iter().map(Vec::len).sum();
            assert!(lists.items.len() < 2 * used + 7 * 40, "{} for {used}", lists.items.len());
        }
    }
}
