//! How much room a schedule takes.

use std::mem::size_of;

use rebench_cron::schedule::Schedule;

#[test]
fn a_schedule_is_small() {
    // 200 bytes is the promise; the allocator and a heap entry want their part of it.
    assert!(size_of::<Schedule>() <= 128, "{}", size_of::<Schedule>());
}
