//! Whatever is done in whatever order: the history is that of a model in memory.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use rebench_cron::process::Exit;
use rebench_cron::store::{Claimed, HistoryRow, Outcome, Reason, RunState, Skip, SlotState, Store, Ticket};

use crate::store_support::{archive, cron, ending, host, identity, metric, monday, records, verdict, week};

/// Something to be done with the slot of a week.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Claim,
    Skip,
    GoOn,
    Fail,
    Lose,
    Retry,
    GiveUp,
    TakeOver,
    /// With the right of who was taken over or has failed before.
    Late,
}

/// A slot as the model has it.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    slot: SlotState,
    run: Option<(u32, RunState)>,
}

#[derive(Default)]
struct Model {
    entries: BTreeMap<i64, Entry>,
    tickets: BTreeMap<i64, Ticket>,
    late: BTreeMap<i64, Ticket>,
}

fn deed() -> impl Strategy<Value = Deed> {
    let few = prop_oneof![
        Just(Deed::Skip),
        Just(Deed::Fail),
        Just(Deed::Lose),
        Just(Deed::GiveUp),
        Just(Deed::TakeOver),
        Just(Deed::Late)
    ];
    prop_oneof![3 => Just(Deed::Claim), 8 => Just(Deed::GoOn), 2 => Just(Deed::Retry), 3 => few]
}

fn next(state: RunState) -> Option<RunState> {
    match state {
        RunState::Claimed => Some(RunState::Started),
        RunState::Started => Some(RunState::Exited),
        RunState::Exited => Some(RunState::Archived),
        RunState::Archived => Some(RunState::Compared),
        RunState::Compared => Some(RunState::Recorded),
        RunState::Recorded => Some(RunState::Alerted),
        RunState::Alerted | RunState::Failed | RunState::Lost => None,
    }
}

fn go(store: &Store, ticket: &Ticket, to: RunState) -> bool {
    let folder = Path::new("runs/1");
    let outcome = match to {
        RunState::Started => store.started(ticket, &identity(), folder, monday()),
        RunState::Exited => store.exited(ticket, &ending(Exit::Signalled(9)), folder),
        RunState::Archived => store.archived(ticket, &archive(), monday()),
        RunState::Compared => store.compared(ticket, &[metric("mae", "", 0.5, 7)], monday()),
        RunState::Recorded => store.recorded(ticket, &verdict(Outcome::Holds), &[], monday()),
        RunState::Alerted => store.alerted(ticket, monday()),
        RunState::Failed => store.failed(ticket, "why", monday()),
        RunState::Lost => store.lost(ticket, monday()),
        RunState::Claimed => unreachable!("no step leads there"),
    };
    outcome.is_ok()
}

impl Model {
    fn apply(&mut self, store: &Store, number: i64, deed: Deed) {
        let ticket = self.tickets.get(&number).cloned();
        match (deed, ticket) {
            (Deed::Claim, _) => self.claim(store, number),
            (Deed::Skip, _) => self.skip(store, number),
            (_, None) => {}
            (Deed::GoOn, Some(ticket)) => self.go_on(store, number, &ticket),
            (Deed::Fail, Some(ticket)) => self.end(store, number, &ticket, RunState::Failed),
            (Deed::Lose, Some(ticket)) => self.end(store, number, &ticket, RunState::Lost),
            (Deed::Retry, Some(ticket)) => self.retry(store, number, &ticket),
            (Deed::GiveUp, Some(ticket)) => self.give_up(store, number, &ticket),
            (Deed::TakeOver, Some(ticket)) => self.take_over(store, number, &ticket),
            (Deed::Late, Some(_)) => self.be_late(store, number),
        }
    }

    fn claim(&mut self, store: &Store, number: i64) {
        let claimed = store.claim(&cron(week(number)), monday(), &host("here")).unwrap();
        assert_eq!(matches!(claimed, Claimed::Ticket(_)), !self.entries.contains_key(&number));
        if let Claimed::Ticket(ticket) = claimed {
            self.tickets.insert(number, ticket);
            self.entries.insert(number, Entry { slot: SlotState::Claimed, run: Some((1, RunState::Claimed)) });
        }
    }

    fn skip(&mut self, store: &Store, number: i64) {
        let (scheduled_at, reason) = (week(number), Reason::Cron);
        let [job, wall, tzdb, why] = ["walmart", "wall", "tzdb", "missed"].map(str::to_owned);
        store.skipped(&[Skip { job, scheduled_at, wall, tzdb, reason, why, count: 1 }], &[], monday()).unwrap();
        self.entries.entry(number).or_insert(Entry { slot: SlotState::Skipped, run: None });
    }

    fn state(&self, number: i64) -> (u32, RunState) {
        self.entries[&number].run.unwrap()
    }

    fn set(&mut self, number: i64, slot: SlotState, run: (u32, RunState)) {
        self.entries.insert(number, Entry { slot, run: Some(run) });
    }

    fn go_on(&mut self, store: &Store, number: i64, ticket: &Ticket) {
        let (attempt, state) = self.state(number);
        let Some(to) = next(state) else { return assert!(!go(store, ticket, RunState::Started)) };
        assert!(go(store, ticket, to));
        let is_done = matches!(to, RunState::Recorded | RunState::Alerted);
        self.set(number, if is_done { SlotState::Done } else { SlotState::Claimed }, (attempt, to));
    }

    fn end(&mut self, store: &Store, number: i64, ticket: &Ticket, to: RunState) {
        let (attempt, state) = self.state(number);
        assert_eq!(go(store, ticket, to), state.is_underway());
        if state.is_underway() {
            self.set(number, SlotState::Claimed, (attempt, to));
        }
    }

    fn waits(&self, number: i64) -> bool {
        self.entries[&number].slot == SlotState::Claimed && !self.state(number).1.is_underway()
    }

    fn retry(&mut self, store: &Store, number: i64, ticket: &Ticket) {
        let retried = store.retry(ticket, &host("here"), week(number));
        assert_eq!(retried.is_ok(), self.waits(number));
        if let Ok(new) = retried {
            assert!(new.fence > ticket.fence);
            self.set(number, SlotState::Claimed, (self.state(number).0 + 1, RunState::Claimed));
            self.late.insert(number, self.tickets.insert(number, new).unwrap());
        }
    }

    fn give_up(&mut self, store: &Store, number: i64, ticket: &Ticket) {
        let waits = self.waits(number);
        assert_eq!(store.give_up(ticket, "why", &[], monday()).is_ok(), waits);
        if waits {
            self.set(number, SlotState::Failed, self.state(number));
        }
    }

    fn take_over(&mut self, store: &Store, number: i64, ticket: &Ticket) {
        let taken = store.take_over(ticket.run, &host("there"), monday());
        let is_open = self.entries[&number].slot == SlotState::Claimed || self.state(number).1 == RunState::Recorded;
        assert_eq!(taken.is_ok(), is_open);
        if let Ok(new) = taken {
            self.late.insert(number, self.tickets.insert(number, new).unwrap());
        }
    }

    fn be_late(&mut self, store: &Store, number: i64) {
        let Some(ticket) = self.late.get(&number) else { return };
        let all = [RunState::Started, RunState::Exited, RunState::Archived, RunState::Compared, RunState::Recorded];
        let ends = [RunState::Alerted, RunState::Failed, RunState::Lost];
        assert!(!all.into_iter().chain(ends).any(|to| go(store, ticket, to)));
        assert!(store.retry(ticket, &host("here"), monday()).is_err());
    }
}

fn found(row: &HistoryRow) -> Entry {
    Entry { slot: row.state, run: row.run.as_ref().map(|run| (run.attempt, run.state)) }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn history_is_that_of_the_model(deeds in prop::collection::vec((0_i64..4, deed()), 1..60)) {
        let (_folder, store) = records();
        let mut model = Model::default();
        for (number, deed) in deeds {
            model.apply(&store, number, deed);
        }
        let history = store.history("walmart", 99).unwrap();
        let weeks: BTreeMap<_, _> = history.iter().map(|row| (row.scheduled_at, found(row))).collect();
        let expected: BTreeMap<_, _> = model.entries.iter().map(|(number, entry)| (week(*number), entry.clone())).collect();
        prop_assert_eq!(weeks, expected);
        let open = model.entries.values().filter(|entry| {
            entry.slot == SlotState::Claimed || entry.run.is_some_and(|(_, state)| state == RunState::Recorded)
        });
        prop_assert_eq!(store.unfinished(None).unwrap().len(), open.count());
        store.integrity().unwrap();
    }
}
