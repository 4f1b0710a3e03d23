//! Something of many series: there may be a million, of which a model has some.

use serde::{Deserialize, Serialize};

/// A value for each of some series, in the order in which these were numbered; no more room than the values need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BySeries<T> {
    /// Where the value of each series is, plus one; 0 where it has none.
    places: Vec<u32>,
    values: Vec<T>,
}

impl<T> BySeries<T> {
    /// The value of a series.
    pub fn get(&self, series: u32) -> Option<&T> {
        self.values.get(self.place(series)?)
    }

    /// Sets the value of a series; where it is among all values.
    pub fn insert(&mut self, series: u32, value: T) -> usize {
        if let Some(place) = self.place(series) {
            self.values[place] = value;
            return place;
        }
        let index = series as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, 0);
        }
        self.values.push(value);
        self.places[index] = u32::try_from(self.values.len()).unwrap_or(0);
        self.values.len() - 1
    }

    /// Takes the value of a series away, in a time that grows with the number of series.
    pub fn remove(&mut self, series: u32) {
        let Some(place) = self.place(series) else { return };
        self.values.remove(place);
        self.places[series as usize] = 0;
        self.places.iter_mut().filter(|known| **known as usize > place).for_each(|known| *known -= 1);
    }

    /// How many series have a value.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether none has one.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Series and values, in the order of the series' numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let known = (0u32..).zip(&self.places).filter(|(_, place)| **place > 0);
        known.map(|(series, &place)| (series, &self.values[place as usize - 1]))
    }

    /// The series that have a value, in the order of their numbers.
    pub fn series(&self) -> impl Iterator<Item = u32> {
        (0u32..).zip(&self.places).filter(|(_, place)| **place > 0).map(|(series, _)| series)
    }

    /// Where the value of a series is among all of them.
    pub fn place(&self, series: u32) -> Option<usize> {
        (*self.places.get(series as usize)? as usize).checked_sub(1)
    }
}

impl<T> Default for BySeries<T> {
    fn default() -> Self {
        Self { places: Vec::new(), values: Vec::new() }
    }
}

impl<T> FromIterator<(u32, T)> for BySeries<T> {
    fn from_iter<I: IntoIterator<Item = (u32, T)>>(all: I) -> Self {
        let mut known = Self::default();
        all.into_iter().for_each(|(series, value)| {
            known.insert(series, value);
        });
        known.places.shrink_to_fit();
        known.values.shrink_to_fit();
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_the_order_of_their_series() {
        let mut known: BySeries<char> = [(7, 'a'), (2, 'b')].into_iter().collect();
        assert_eq!((known.insert(4, 'c'), known.insert(7, 'd')), (2, 0));
        assert_eq!(known.iter().collect::<Vec<_>>(), [(2, &'b'), (4, &'c'), (7, &'d')]);
        assert_eq!((known.get(7), known.get(3), known.get(8), known.len()), (Some(&'d'), None, None, 3));
        known.insert(2, 'e');
        known.remove(7);
        known.remove(7);
        assert_eq!((known.get(7), known.len()), (None, 2));
        assert_eq!(known.iter().collect::<Vec<_>>(), [(2, &'e'), (4, &'c')]);
    }
}
