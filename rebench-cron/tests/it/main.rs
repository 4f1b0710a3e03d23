//! The tests of rebench-cron from outside, in one binary: one subject a module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and says what it skips"
)]

mod brute;
mod cases;
mod commands;
mod croner;
mod edges;
mod export;
mod export_command;
mod export_support;
mod export_tools;
mod faults;
mod process;
mod process_first;
mod process_lost;
mod process_output;
mod process_support;
mod properties;
mod size;
mod systemd;
mod zones;
