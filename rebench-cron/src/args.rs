//! The command line.

use clap::{Parser, Subcommand};
use shared::cli::{CommonArgs, CommonCommand, Examples, Tables, Tool};

use crate::commands::{explain, export, history, next, once, run, status, trigger};
use crate::job;

/// Schedule re-benchmarks of promoted forecasters and judge them over time.
#[derive(Debug, Parser)]
#[command(name = "rebench-cron", version, propagate_version = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub common: CommonArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run jobs when they are due, until SIGTERM
    Run(Box<run::Args>),
    /// Run a job now, and judge it
    Once(Box<once::Args>),
    /// Say how the jobs stand; status 1 if one is overdue or its last run failed
    Status(status::Args),
    /// Show what came of a job over time: effects, evidence, what changed and when
    History(history::Args),
    /// Ask for a run out of turn, once for each key
    Trigger(trigger::Args),
    /// Print when a schedule fires
    Next(Box<next::Args>),
    /// Say in words what an expression means, and what is easily misread in it
    Explain(Box<explain::Args>),
    /// Hand schedules over to crontab, systemd, Kubernetes, Airflow or Slurm, and say what differs there
    Export(Box<export::Args>),
    /// What every tool has.
    #[command(flatten)]
    Common(CommonCommand),
}

impl Tool for Cli {
    const TABLES: Tables = job::TABLES;
    const EXAMPLES: Examples = &[
        (
            "",
            &[
                "rebench-cron run --config promotion.toml",
                "rebench-cron once walmart",
                "rebench-cron explain '0 3 1-7 * 1' --tz Europe/Berlin",
                "rebench-cron next --expr '30 2 * * 1' --tz America/New_York -n 10",
                "rebench-cron check",
            ],
        ),
        (
            "run",
            &[
                "rebench-cron run --config promotion.toml",
                "rebench-cron run --state /var/lib/rebench-cron --most-runs 2 --alertmanager http://127.0.0.1:9093",
                "rebench-cron run --until-idle --no-listen",
            ],
        ),
        (
            "once",
            &[
                "rebench-cron once walmart --config promotion.toml",
                "rebench-cron once walmart --inconclusive pass --json",
                "rebench-cron once walmart --bench-compare ./bin/bench-compare",
            ],
        ),
        (
            "status",
            &[
                "rebench-cron status",
                "rebench-cron status walmart --json",
                "rebench-cron status --state /var/lib/rebench-cron",
            ],
        ),
        (
            "history",
            &[
                "rebench-cron history walmart",
                "rebench-cron history walmart --html trend.html --limit 104",
                "rebench-cron history walmart --format csv -o runs.csv",
            ],
        ),
        (
            "trigger",
            &[
                "rebench-cron trigger walmart",
                "rebench-cron trigger walmart --reason drift --key 4f1c --evidence bundle.json",
                "rebench-cron trigger walmart --reason drift --key 4f1c --json",
            ],
        ),
        (
            "next",
            &[
                "rebench-cron next --expr '30 2 * * 1' --tz America/New_York --from 2026-03-01T00:00:00Z -n 5",
                "rebench-cron next walmart --expr 'H 3 * * 1' --tz Europe/Berlin --json",
                "rebench-cron next --expr 'Mon *-*-01..07 04:00' --dialect oncalendar --dst instant",
            ],
        ),
        (
            "explain",
            &[
                "rebench-cron explain '0 3 1-7 * 1'",
                "rebench-cron explain '30 2 * * *' --tz Europe/Berlin",
                "rebench-cron explain '0 15 10 ? * 6L' --dialect quartz --json",
            ],
        ),
        (
            "export",
            &[
                "rebench-cron export walmart --to systemd -o units",
                "rebench-cron export --to kubernetes --image registry.example.org/bench:1 --claim bench -o manifests",
                "rebench-cron export --to crontab --system-tz Europe/Berlin -o . --json",
            ],
        ),
        ("check", &["rebench-cron check", "rebench-cron check --config other.toml", "rebench-cron check --json"]),
        (
            "show-config",
            &["rebench-cron show-config", "rebench-cron show-config --format csv", "rebench-cron show-config --json"],
        ),
    ];
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn verify_clap() {
        Cli::command().debug_assert();
        shared::cli::command::<Cli>().debug_assert();
    }
}
