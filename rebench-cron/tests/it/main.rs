//! The tests of rebench-cron from outside, in one binary: one subject a module.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and says what it skips"
)]

mod asked;
mod brute;
mod cases;
mod clock;
mod commands;
mod crash;
mod croner;
mod daemon;
mod daemon_support;
mod due;
mod edges;
mod expect;
mod export;
mod export_command;
mod export_support;
mod export_tools;
mod faults;
mod first_daemon;
mod full_disk;
mod history;
mod history_support;
mod job_keys;
mod judge_gate;
mod judged;
#[path = "../../../drift-watch/tests/it/process/mod.rs"]
mod living;
mod mlflow;
#[path = "../../../shared/tests/it/mlflow_loopback/mod.rs"]
mod mlflow_loopback;
#[path = "../../../manifest-gen/tests/it/mlflow_process/mod.rs"]
mod mlflow_process;
mod once_status;
mod plan;
mod postgres_server;
mod process;
mod process_first;
mod process_lost;
mod process_output;
mod process_support;
mod properties;
#[path = "../../../manifest-gen/tests/it/python/mod.rs"]
mod python;
mod queueing;
mod race;
mod real;
mod serve;
mod serve_live;
mod shared_daemon;
mod shared_lock;
mod simulation;
mod size;
mod store;
mod store_asked;
mod store_crash;
mod store_faults;
mod store_kept;
mod store_model;
mod store_race;
mod store_support;
mod systemd;
mod zones;
