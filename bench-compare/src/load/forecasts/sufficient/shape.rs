//! Where the numbers of a cell are, by what they mean.

use shared::format::sufficient::Measure;

use crate::sql::{Header, columns};

/// The columns of numbers, and the places of the usual counts among them.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) header: Header,
    pub(super) counts: Vec<String>,
    pub(super) sums: Vec<String>,
}

/// The places of [`columns::COUNTS`], by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Cells,
    Rows,
    Times,
    NotAfter,
    TrainTwice,
    OtherActual,
    Paired,
    MissingActual,
    ZeroActual,
    NoScale,
    NoLast,
}

impl Shape {
    pub(super) fn new(header: Header) -> Self {
        let (counts, sums) = columns::numbers(&header);
        Self { header, counts, sums }
    }

    /// All rows, each slice, each column.
    pub(super) fn groups(&self) -> usize {
        1 + self.header.slices.len() + self.header.by.len()
    }

    /// Whether the group is one of the levels of a column.
    pub(super) fn is_by(&self, group: usize) -> bool {
        group > self.header.slices.len()
    }

    /// The place of the rows without a forecast of a model.
    pub(super) fn missing(&self, model: usize) -> usize {
        Count::NoLast as usize + 1 + model
    }

    /// The place of a measure's count; that of the paired rows where it has none of its own.
    pub(super) fn count(&self, measure: Measure) -> usize {
        let own = columns::count(measure).and_then(|name| self.counts.iter().position(|known| *known == name));
        own.unwrap_or(Count::Paired as usize)
    }

    /// The place of a measure's sum for a model.
    pub(super) fn sum(&self, measure: Measure, model: usize) -> Option<usize> {
        let name = columns::sum(&self.header, measure, model)?;
        self.sums.iter().position(|known| *known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_names() {
        let place = |count: Count| columns::COUNTS.get(count as usize).copied();
        assert_eq!(place(Count::Rows), Some("n_rows"));
        assert_eq!(place(Count::Paired), Some("n_paired"));
        assert_eq!(place(Count::NoScale), Some("n_no_scale"));
        assert_eq!((place(Count::NoLast), columns::NO_LAST), (None, "n_no_last_actual"));
    }
}
