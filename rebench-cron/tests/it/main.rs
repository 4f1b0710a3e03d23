//! The tests of rebench-cron from outside, in one binary: one subject a module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod brute;
mod cases;
mod commands;
mod croner;
mod edges;
mod faults;
mod properties;
mod size;
mod systemd;
mod zones;
