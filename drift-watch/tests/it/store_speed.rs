//! How fast the journal is; run with `cargo test --release -p drift-watch --test it store_speed:: -- --ignored --nocapture`.
use std::time::Instant;

use drift_watch::state::store::Store;

const KIB: usize = 1 << 10;

/// Appends of 4 KiB, each synced by itself.
#[test]
#[ignore = "a measurement"]
fn appends_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(folder.path()).unwrap();
    let payload = vec![7; 4 * KIB];
    let start = Instant::now();
    let count = 2_000;
    (0..count).for_each(|_| assert!(store.append(&payload).unwrap() > 0));
    eprintln!("{:.0} appends of 4 KiB a second, each on disk", f64::from(count) / start.elapsed().as_secs_f64());
}

/// Opening a store whose journal holds 1 GiB, and reading all of it.
#[test]
#[ignore = "a measurement"]
fn recovery_of_a_gibibyte() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(folder.path()).unwrap();
    let payload: Vec<u8> = (0..=255).cycle().take(1024 * KIB).collect();
    (0..1024).for_each(|_| assert!(store.append(&payload).unwrap() > 0));
    drop(store);
    let start = Instant::now();
    let (_store, found) = Store::open(folder.path()).unwrap();
    let opened = start.elapsed();
    let bytes: usize = found.frames.map(|item| item.unwrap().1.len()).sum();
    assert_eq!(bytes, 1 << 30);
    eprintln!("opened after {opened:.2?}, 1 GiB read after {:.2?}", start.elapsed());
}
