//! From due to queued on the clock of the machine. The numbers are those of `benches/daemon.rs`; here only what no machine misses.

use crate::due::{percentile, times};

#[test]
fn what_is_due_together_is_queued_at_once() {
    let mut times = times(60, 4);
    let p99 = percentile(&mut times.queued, 99);
    assert!(times.queued.iter().all(|seconds| *seconds >= 0.0), "queued before it was due");
    assert!(p99 < 1.0, "{p99} s from due to queued");
    assert_eq!(times.started.len(), 60);
}
