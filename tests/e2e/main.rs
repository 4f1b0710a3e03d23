//! End-to-end tests: the real binaries on real files, as users run them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on fails"
)]

#[path = "../../shared/tests/it/alert_support/mod.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod alert_support;
mod alike;
mod benchmark_gate;
#[path = "../../drift-watch/tests/it/served/browser.rs"]
#[allow(dead_code, reason = "each page uses a part")]
mod browser;
mod clients;
mod dashboard;
mod docs;
mod documents;
mod engines;
mod fault_matrix;
mod faults;
mod fleet;
mod forecast_gate;
mod hooks;
mod live_export;
mod loop_kills;
#[path = "../../manifest-gen/tests/it/mlflow_process/mod.rs"]
mod mlflow_process;
mod mutations;
mod partitions;
mod pipelines;
#[path = "../../drift-watch/tests/it/process/mod.rs"]
mod process;
mod project;
mod promotion_loop;
#[path = "../../manifest-gen/tests/it/python/mod.rs"]
mod python;
#[path = "../../shared/tests/it/real_process/mod.rs"]
mod real_process;
mod same;
mod security;
mod service;
mod serving;
mod team_project;
mod tools;
mod units;
mod walk;

/// What the server of the shared jobs' tests asks for.
mod process_support {
    pub(crate) use crate::process::wait_for as wait_until;
}

// The browser waits for its page as tests wait for a daemon.
use process::wait_for;
