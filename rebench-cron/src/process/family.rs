//! Which processes belong to a run: its group, those seen below it before, orphans that are its own, and all their children.

use std::collections::HashSet;

use super::table::Row;

/// The processes of a run.
#[derive(Debug)]
pub(super) struct Family {
    /// The first one, which leads the group. It stays uncollected to the end, so that nobody else gets its number.
    root: i32,
    /// All that belonged to it at the last look: one that leaves the group and loses its parents is known from here.
    seen: HashSet<(i32, u64)>,
}

impl Family {
    pub(super) fn new(root: i32) -> Self {
        Self { root, seen: HashSet::new() }
    }

    /// Whether the row is in the group that the run began with.
    pub(super) fn in_group(&self, row: &Row) -> bool {
        row.group == self.root
    }

    /// The rows that belong to it; `own_orphan` says so of those that are known by nothing else.
    pub(super) fn members<'a>(&mut self, table: &'a [Row], own_orphan: impl Fn(&Row) -> bool) -> Vec<&'a Row> {
        let known = |row: &Row| self.in_group(row) || self.seen.contains(&row.id()) || own_orphan(row);
        let (mut members, mut others): (Vec<&Row>, Vec<&Row>) = table.iter().partition(|row| known(row));
        let mut pids: HashSet<i32> = members.iter().map(|row| row.pid).collect();
        loop {
            let (children, rest): (Vec<&Row>, Vec<&Row>) =
                others.into_iter().partition(|row| pids.contains(&row.parent));
            if children.is_empty() {
                break;
            }
            pids.extend(children.iter().map(|row| row.pid));
            members.extend(children);
            others = rest;
        }
        self.seen = members.iter().map(|row| row.id()).collect();
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pid: i32, parent: i32, group: i32) -> Row {
        Row { pid, name: "x".to_owned(), parent, group, session: 1, ended: false, start_ticks: 100 }
    }

    fn pids(members: &[&Row]) -> Vec<i32> {
        let mut pids: Vec<i32> = members.iter().map(|row| row.pid).collect();
        pids.sort_unstable();
        pids
    }

    #[test]
    fn children_of_children_belong_to_it_in_any_order() {
        let table =
            [row(13, 12, 13), row(12, 11, 12), row(10, 1, 10), row(11, 10, 10), row(20, 1, 20), row(21, 20, 20)];
        assert_eq!(pids(&Family::new(10).members(&table, |_| false)), [10, 11, 12, 13]);
    }

    #[test]
    fn one_that_was_seen_is_known_without_parents() {
        let mut family = Family::new(10);
        family.members(&[row(10, 1, 10), row(12, 10, 12)], |_| false);
        let orphaned = [row(10, 1, 10), row(12, 1, 12), row(13, 12, 13)];
        assert_eq!(pids(&family.members(&orphaned, |_| false)), [10, 12, 13]);
        let reused = [row(10, 1, 10), Row { start_ticks: 500, ..row(12, 1, 12) }];
        assert_eq!(pids(&family.members(&reused, |_| false)), [10], "another process got the number");
    }

    #[test]
    fn an_orphan_brings_its_children() {
        let table = [row(10, 1, 10), row(30, 1, 30), row(31, 30, 31), row(40, 1, 40)];
        assert_eq!(pids(&Family::new(10).members(&table, |row| row.pid == 30)), [10, 30, 31]);
    }
}
