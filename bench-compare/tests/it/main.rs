//! The tests of bench-compare from outside, in one binary: one subject a module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and says what it skips"
)]

mod benchmark_pairs;
mod cache;
mod edge_files;
mod forecasts;
mod forecasts_properties;
mod init;
mod leaderboard;
mod partitions;
mod profile;
mod score;
mod sufficient;
mod sufficient_refused;
mod sufficient_support;
mod test_command;
mod utilsforecast;
