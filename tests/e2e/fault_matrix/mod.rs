//! Bad files of every kind, given to every command that reads a file: a matrix of rows, each run as a user would.
//!
//! The status that is expected follows from docs/EXIT-CODES.md: 2 for bad input. Where another one is right, the table in
//! `commands` says which and why. A refusal names the tool, the file, the line where there is one, and what to do; it
//! leaves everything as it was.

mod bytes;
mod commands;
mod files;
mod matrix;
mod process;
mod tables;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use matrix::Row;
use world::World;

/// Rows that there must be at the least.
const LEAST: usize = 300;

#[test]
fn a_bad_file_is_refused_with_its_name_and_a_remedy_and_changes_nothing() {
    let world = World::new();
    let rows: Vec<Row> = matrix::rows();
    let complaints = in_parallel(&rows, |row| row.complaints(&world));
    eprintln!("fault matrix: {} rows, {} complaints", rows.len(), complaints.len());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(rows.len() >= LEAST, "{} rows", rows.len());
}

/// A command that refused everything would pass the matrix.
#[test]
fn every_command_of_the_matrix_works_on_sound_files() {
    let world = World::new();
    let inputs: Vec<_> = commands::all().collect();
    let complaints = in_parallel(&inputs, |input| matrix::unlike_sound(input, &world).into_iter().collect());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What `each` says of all items, in their order, by as many threads as there is work for.
fn in_parallel<T: Sync>(items: &[T], each: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let (next, said) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((at, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
        {
            let complaints = each(item);
            said.lock().unwrap().push((at, complaints));
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 * thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let mut said = said.into_inner().unwrap();
    said.sort_by_key(|(at, _)| *at);
    said.into_iter().flat_map(|(_, complaints)| complaints).collect()
}
