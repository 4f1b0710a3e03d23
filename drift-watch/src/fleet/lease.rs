//! Who owns what: decided from what the bucket says and how long ago it was last heard of, without a clock of its own.
//!
//! A replica is alive while its entry changes; one whose entry has stayed the same for a lease is gone, by the clock of whoever looks. An
//! entry of a partition changes hands by compare-and-swap on its revision, and its epoch grows each time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What the entry of a partition says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holding {
    /// The replica that owns it; empty where none does.
    pub owner: String,
    /// How often it has changed hands.
    pub epoch: u64,
    /// The snapshot from which a new owner goes on.
    pub snapshot: Option<SnapshotAt>,
}

/// A snapshot in the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotAt {
    /// Its name.
    pub name: String,
    /// The last message that is part of it.
    pub sequence: u64,
}

/// An entry as it was last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen<T> {
    /// What it says.
    pub value: T,
    /// Its revision; 0 where there is none yet.
    pub revision: u64,
    /// Since when it has been like this.
    pub since: Instant,
}

/// What is known of the bucket.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Replicas.
    pub members: BTreeMap<String, Seen<()>>,
    /// Partitions.
    pub partitions: BTreeMap<u32, Seen<Holding>>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Take this partition: its new entry, and the revision that it replaces.
    Take(u32, Holding, u64),
    /// Give this one back, for another replica has none to spare.
    Release(u32),
}

impl Known {
    /// Whether a replica has been heard of within the lease.
    pub fn is_alive(&self, name: &str, lease: Duration, now: Instant) -> bool {
        self.members.get(name).is_some_and(|seen| now.saturating_duration_since(seen.since) < lease)
    }

    /// Replicas that are alive.
    pub fn alive(&self, lease: Duration, now: Instant) -> usize {
        self.members.keys().filter(|name| self.is_alive(name, lease, now)).count()
    }

    /// Partitions that nobody owns who is alive, with the time since when, as far as this replica has seen.
    pub fn orphans(&self, n_partitions: u32, lease: Duration, now: Instant) -> Vec<u32> {
        let is_owned = |partition: &u32| {
            self.partitions.get(partition).is_some_and(|seen| self.is_alive(&seen.value.owner, lease, now))
        };
        (0..n_partitions).filter(|partition| !is_owned(partition)).collect()
    }

    /// What `me` is to do so that each replica that is alive has its share. `first` spreads what replicas reach for first.
    pub fn plan(&self, me: &str, n_partitions: u32, first: u32, lease: Duration, now: Instant) -> Vec<Step> {
        let own: Vec<u32> =
            self.partitions.iter().filter(|(_, seen)| seen.value.owner == me).map(|(place, _)| *place).collect();
        let share = (n_partitions as usize).div_ceil(self.alive(lease, now).max(1));
        if own.len() > share {
            return own[share..].iter().map(|partition| Step::Release(*partition)).collect();
        }
        let mut free = self.orphans(n_partitions, lease, now);
        free.sort_by_key(|partition| (partition + n_partitions - first % n_partitions) % n_partitions);
        free.into_iter()
            .filter(|partition| !own.contains(partition))
            .take(share - own.len())
            .map(|partition| self.take(me, partition))
            .collect()
    }

    fn take(&self, me: &str, partition: u32) -> Step {
        let known = self.partitions.get(&partition);
        let (before, revision) = known.map_or((Holding::default(), 0), |seen| (seen.value.clone(), seen.revision));
        Step::Take(
            partition,
            Holding { owner: me.to_owned(), epoch: before.epoch + 1, snapshot: before.snapshot },
            revision,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    fn known(members: &[(&str, u64)], owners: &[&str], start: Instant) -> Known {
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let member =
            |&(name, seconds): &(&str, u64)| (name.to_owned(), Seen { value: (), revision: 1, since: at(seconds) });
        let held = |(place, owner): (u32, &&str)| {
            (
                place,
                Seen {
                    value: Holding { owner: (*owner).to_owned(), epoch: 3, snapshot: None },
                    revision: 9,
                    since: start,
                },
            )
        };
        Known { members: members.iter().map(member).collect(), partitions: (0..).zip(owners).map(held).collect() }
    }

    fn taken(steps: &[Step]) -> Vec<u32> {
        steps.iter().filter_map(|step| if let Step::Take(place, ..) = step { Some(*place) } else { None }).collect()
    }

    #[test]
    fn what_a_silent_replica_owns_is_shared_out_after_a_lease() {
        let start = Instant::now();
        let known = known(&[("a", 0), ("b", 10), ("c", 10)], &["a", "a", "a", "b", "b", "c", "c", "c"], start);
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(
            known.plan("b", 8, 0, LEASE, after(9)).is_empty()
                || taken(&known.plan("b", 8, 0, LEASE, after(9))).is_empty()
        );
        let steps = known.plan("b", 8, 0, LEASE, after(11));
        assert_eq!(taken(&steps), [0, 1]);
        let Step::Take(_, holding, revision) = &steps[0] else { unreachable!() };
        assert_eq!((holding.owner.as_str(), holding.epoch, *revision), ("b", 4, 9));
    }

    #[test]
    fn a_newcomer_is_left_its_share() {
        let start = Instant::now();
        let known = known(&[("a", 0), ("b", 0)], &["a"; 8], start);
        assert_eq!(known.plan("a", 8, 0, LEASE, start).len(), 4);
        assert!(known.plan("b", 8, 0, LEASE, start).is_empty());
    }

    #[test]
    fn partitions_that_nobody_ever_owned_are_taken_by_their_absence() {
        let start = Instant::now();
        let known = known(&[("a", 0), ("b", 0)], &[], start);
        let steps = known.plan("a", 8, 6, LEASE, start);
        assert_eq!(taken(&steps), [6, 7, 0, 1]);
        assert!(steps.iter().all(|step| matches!(step, Step::Take(_, holding, 0) if holding.epoch == 1)));
    }
}
