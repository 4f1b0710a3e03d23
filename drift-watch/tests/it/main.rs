//! The tests of drift-watch from outside, in one binary: one subject a module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and says what it skips"
)]

#[allow(dead_code, reason = "a part is used here")]
#[path = "../../../shared/tests/it/alert_support/mod.rs"]
mod alert_support;
mod batch;
mod chunks;
mod crash;
mod daemon;
mod durable;
mod formats;
mod interleavings;
mod live;
mod live_streams;
mod log_live;
mod metrics_page;
mod mlflow;
#[path = "../../../shared/tests/it/mlflow_loopback/mod.rs"]
mod mlflow_loopback;
#[path = "../../../manifest-gen/tests/it/mlflow_process/mod.rs"]
mod mlflow_process;
mod mlflow_server;
mod notify_systemd;
mod process;
mod profiles;
mod promise;
#[path = "../../../manifest-gen/tests/it/python/mod.rs"]
mod python;
#[path = "../../../shared/tests/it/real_process/mod.rs"]
mod real_process;
mod real_servers;
mod replay_cli;
mod replayed;
mod river;
mod rules;
mod serve;
mod served;
mod status_page;
mod store;
mod store_faults;
mod store_speed;
mod synthetic;
mod tailer;
mod tailer_torture;
mod tailing;
mod unseen_streams;
