//! The tests of manifest-gen from outside, in one binary: one subject a module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and says what it skips"
)]

mod audit;
mod check_request;
mod common;
mod crash;
mod diff;
mod export;
mod features;
mod fresh_pickles;
mod hostile_formats;
mod mlflow_faults;
mod mlflow_process;
mod mlflow_server;
mod promotion;
mod python;
mod registered;
mod registry_py;
mod release;
mod scan_hostile;
mod scan_reference;
mod serving;
mod signing;
mod stale;
mod support;
mod tamper;
