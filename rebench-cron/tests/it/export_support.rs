//! Jobs to be handed over, and the tools that check what comes out.

use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use rebench_cron::export::{Engine, Export, Options, export};
use rebench_cron::job::{self, Job};
use shared::config::Config;

pub(crate) const ENGINES: [Engine; 5] =
    [Engine::Crontab, Engine::Systemd, Engine::Kubernetes, Engine::Airflow, Engine::Slurm];

/// A job with these keys, in TOML.
pub(crate) fn named(name: &str, keys: &str) -> Job {
    let text = format!("[rebench-cron.jobs.{name}]\ncommand = [\"true\"]\n{keys}\n");
    let config = Config::parse(Path::new("promotion.toml"), &text).unwrap();
    job::named(&config, name).unwrap()
}

pub(crate) fn job(keys: &str) -> Job {
    named("walmart", keys)
}

pub(crate) fn options(now: &str) -> Options {
    Options {
        program: "rebench-cron".to_owned(),
        config: "/srv/bench/promotion.toml".to_owned(),
        image: Some("registry.example.org/bench:1".to_owned()),
        claim: Some("bench".to_owned()),
        user: Some("bench".to_owned()),
        mail_to: None,
        system_zone: None,
        cron_tz: false,
        now: now.parse().unwrap(),
    }
}

/// The first seconds of 2026.
pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";

#[track_caller]
pub(crate) fn exported(engine: Engine, keys: &str) -> Export {
    export(engine, &job(keys), &options(NOW)).unwrap()
}

#[track_caller]
pub(crate) fn reasons(engine: Engine, keys: &str) -> Vec<String> {
    export(engine, &job(keys), &options(NOW)).unwrap_err()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Runs a tool that may be missing: then a skip that is hard to overlook, and in CI a failure.
pub(crate) fn tool(program: &str, words: &[&str]) -> Option<Output> {
    let output = Command::new(program).env("TZ", "UTC").env("SYSTEMD_COLORS", "0").args(words).output();
    if output.is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI has no {program}");
        eprintln!("\n*** SKIPPED: {program} is not installed\n");
    }
    output.ok()
}

/// The Python of the tests, if it has the validator of Kubernetes' schemas.
pub(crate) fn kubernetes_validate(files: &[&str]) -> Option<Output> {
    let python = std::env::var("FORECAST_PYTHON").unwrap_or_default();
    let validator = Path::new(&python).with_file_name("kubernetes-validate");
    let program = if python.is_empty() { "kubernetes-validate" } else { validator.to_str().unwrap() };
    tool(program, &[&["--strict"], files].concat())
}

#[track_caller]
pub(crate) fn passes(output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
