//! Work in parallel, results in order: fixed pieces on all cores, taken one after the other, so that what is summed does not
//! depend on the number of threads.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use shared::Result;

/// Pieces that may be finished or under way before the oldest of them is taken, for each thread.
const AHEAD: usize = 2;

#[derive(Debug, Default)]
struct Turn {
    next: usize,
    taken: usize,
    is_over: bool,
}

/// Hands out the pieces, none too far ahead of the last one taken.
#[derive(Debug)]
struct Gate {
    turn: Mutex<Turn>,
    moved: Condvar,
    count: usize,
    window: usize,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<usize> {
        let mut turn = self.lock();
        while !turn.is_over && turn.next < self.count && turn.next >= turn.taken + self.window {
            turn = self.moved.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        let piece = (!turn.is_over && turn.next < self.count).then_some(turn.next)?;
        turn.next += 1;
        Some(piece)
    }

    fn taken(&self) {
        self.lock().taken += 1;
        self.moved.notify_all();
    }

    fn end(&self) {
        self.lock().is_over = true;
        self.moved.notify_all();
    }
}

/// Lets the others go home when a worker is done or dies.
struct Leave<'g>(&'g Gate);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}

/// Does `work` for the pieces 0 to `count` on `threads` threads and hands the results to `take` in that order.
///
/// # Errors
/// The first error, in the order of the pieces, of `work` or `take`.
pub(super) fn each<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T> + Sync,
    take: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    let gate = Gate { turn: Mutex::default(), moved: Condvar::new(), count, window: AHEAD * threads.max(1) };
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            let (sender, gate, work) = (sender.clone(), &gate, &work);
            scope.spawn(move || {
                let _leave = Leave(gate);
                while let Some(piece) = gate.next() {
                    if sender.send((piece, work(piece))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let outcome = collect(&gate, &receiver, take);
        gate.end();
        outcome
    })
}

fn collect<T>(
    gate: &Gate,
    receiver: &mpsc::Receiver<(usize, Result<T>)>,
    mut take: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for (piece, result) in receiver {
        waiting.insert(piece, result);
        while let Some(result) = waiting.remove(&next) {
            take(next, result?)?;
            next += 1;
            gate.taken();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use shared::Error;

    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_threads() {
        for threads in [0, 1, 3, 8] {
            let mut seen = Vec::new();
            each(
                100,
                threads,
                |piece| Ok(piece * 2),
                |piece, result| {
                    seen.push((piece, result));
                    Ok(())
                },
            )
            .unwrap();
            assert_eq!(seen, (0..100).map(|piece| (piece, piece * 2)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_error_ends_it() {
        let fail = |piece| if piece >= 40 { Err(Error::usage(format!("{piece}"), "")) } else { Ok(()) };
        let error = each(1000, 3, fail, |_, ()| Ok(())).unwrap_err();
        assert!(error.to_string().starts_with("40 "));
        let refused = each(1000, 3, |_| Ok(()), |piece, ()| fail(piece)).unwrap_err();
        assert!(refused.to_string().starts_with("40 "));
    }
}
