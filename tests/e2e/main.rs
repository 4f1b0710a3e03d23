//! End-to-end tests: the real binaries on real files, as users run them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on fails"
)]

mod alike;
mod benchmark_gate;
mod docs;
mod fault_matrix;
mod faults;
mod forecast_gate;
mod live_export;
mod readme;
mod tools;
