//! The tests of the common crate from outside, in one binary: one subject a module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and says what it skips"
)]

mod alert_carriers;
mod alert_command;
mod alert_delivery;
mod alert_manager;
mod alert_ping;
mod alert_real;
mod alert_support;
mod alert_webhook;
mod benchmark_files;
mod calibration;
mod command_line;
mod common;
mod config;
mod live_records;
mod mlflow_rest;
mod outbox;
mod predicate_properties;
mod properties_tests;
#[cfg(feature = "http")]
mod real_process;
mod reference_diebold_mariano;
mod reference_paired;
mod reference_prediction;
mod reference_rank;
mod reference_resample;
mod reference_special;
