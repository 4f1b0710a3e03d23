//! Records in the order of their times, whatever the order in which a stream brings them.
//!
//! A record waits until the newest actual was observed `lateness` later than the record itself (the watermark); then all up to there are handed on in
//! the order of their times, predictions first. If each record is in the stream before any actual that was observed more than `lateness`
//! after it, that order is the sorted order of all records. What comes later still is handed on at once. A record that waits already is dropped when it
//! comes again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shared::format::live::{Kind, Record};

use crate::core::time::Micros;

/// A record that waits: time, kind, its bytes, and whether a time of it was written with an offset.
pub type Held = (Micros, Kind, Vec<u8>, bool);

/// Records that wait.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Order {
    waiting: BTreeSet<Held>,
    /// The newest time at which an actual was observed.
    newest: Option<Micros>,
    /// All up to here were handed on.
    released: Option<Micros>,
}

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It waits.
    Waits,
    /// It waits already.
    Repeated,
    /// Its time is over: it is to be applied now.
    Late,
}

impl Order {
    /// Takes a record in.
    pub fn put(&mut self, record: &Record<'_>, offset: bool) -> Placed {
        let (time, kind) = (time_of(record), kind_of(record));
        if self.released.is_some_and(|released| time <= released) {
            return Placed::Late;
        }
        if kind == Kind::Actuals {
            self.newest = self.newest.max(Some(time));
        }
        // Writing to memory does not fail.
        let bytes = postcard::to_stdvec(record).unwrap_or_default();
        if self.waiting.insert((time, kind, bytes, offset)) { Placed::Waits } else { Placed::Repeated }
    }

    /// Those whose wait is over, in their order.
    pub fn due(&mut self, lateness: Micros) -> BTreeSet<Held> {
        match self.newest {
            Some(newest) => self.until(newest.saturating_sub(lateness.max(0)).saturating_sub(1)),
            None => BTreeSet::new(),
        }
    }

    /// Those up to the newest actual, as if no more of their times came.
    pub fn settled(&mut self) -> BTreeSet<Held> {
        self.newest.map(|newest| self.until(newest)).unwrap_or_default()
    }

    /// All that wait.
    pub fn all(&mut self) -> BTreeSet<Held> {
        std::mem::take(&mut self.waiting)
    }

    fn until(&mut self, time: Micros) -> BTreeSet<Held> {
        if self.released.is_some_and(|released| time <= released) {
            return BTreeSet::new();
        }
        self.released = Some(time);
        let later = self.waiting.split_off(&(time.saturating_add(1), Kind::Predictions, Vec::new(), false));
        std::mem::replace(&mut self.waiting, later)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// When a record came into the world; a forecast that was issued after its own target time says nothing of when.
fn time_of(record: &Record<'_>) -> Micros {
    match record {
        Record::Prediction(prediction) => prediction.issued_at.min(prediction.target_time).as_microsecond(),
        Record::Actual(actual) => actual.observed_at.as_microsecond(),
    }
}

fn kind_of(record: &Record<'_>) -> Kind {
    match record {
        Record::Prediction(_) => Kind::Predictions,
        Record::Actual(_) => Kind::Actuals,
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::seq::SliceRandom;
    use rand_chacha::ChaCha8Rng;
    use shared::format::live::parse_json;

    use super::*;

    fn actual(hour: u32) -> String {
        format!(
            r#"{{"series":"s{hour}","target_time":"2024-01-01T00:00:00Z","y":1,"observed_at":"2024-01-{:02}T{:02}:00:00Z"}}"#,
            1 + hour / 24,
            hour % 24
        )
    }

    fn put(order: &mut Order, line: &str) -> Placed {
        order.put(&parse_json(Kind::Actuals, line.as_bytes(), None).unwrap().record, false)
    }

    const HOUR: Micros = 3600 * crate::core::time::SECOND;

    #[test]
    fn bounded_disorder_and_repeats_do_not_show() {
        for seed in 0..50 {
            let mut lines: Vec<String> = (0..200).map(actual).collect();
            let sorted: Vec<Micros> = (0..200).map(|hour| i64::from(hour) * HOUR).collect();
            // Blocks of five hours are shuffled: nothing comes more than four hours too late.
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            lines.chunks_mut(5).for_each(|block| block.shuffle(&mut random));
            let (mut order, mut seen) = (Order::default(), Vec::new());
            for line in &lines {
                assert_ne!(put(&mut order, line), Placed::Late);
                assert_ne!(put(&mut order, line), Placed::Waits);
                seen.extend(order.due(4 * HOUR).into_iter().map(|held| held.0));
            }
            assert!(order.len() <= 5);
            seen.extend(order.all().into_iter().map(|held| held.0));
            let start = seen[0];
            assert_eq!(seen.iter().map(|time| time - start).collect::<Vec<_>>(), sorted);
        }
    }

    #[test]
    fn what_comes_after_its_time_is_late() {
        let mut order = Order::default();
        put(&mut order, &actual(0));
        put(&mut order, &actual(10));
        assert_eq!(order.due(4 * HOUR).len(), 1);
        assert_eq!((put(&mut order, &actual(3)), put(&mut order, &actual(7))), (Placed::Late, Placed::Waits));
        assert_eq!(order.settled().len(), 2);
        assert_eq!(put(&mut order, &actual(9)), Placed::Late);
    }
}
