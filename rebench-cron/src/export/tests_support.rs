//! Jobs for tests of this module.

use std::path::Path;

use shared::config::Config;

use crate::job::{self, Job};

/// The job that these keys describe.
pub(crate) fn job(keys: &str) -> Job {
    let text = format!("[rebench-cron.jobs.walmart]\ncommand = [\"true\"]\n{keys}\n");
    let config = Config::parse(Path::new("promotion.toml"), &text).unwrap();
    job::named(&config, "walmart").unwrap()
}
