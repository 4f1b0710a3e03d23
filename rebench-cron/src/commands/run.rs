//! `rebench-cron run`: the daemon.

use std::sync::mpsc::Sender;
use std::time::Duration;

use jiff::Timestamp;
use shared::alert::{Alert, AlertArgs, Carriers, Transition};
use shared::cli::{Context, note, parse_from};
use shared::config::Config;
use shared::error::{Error, Result};
use shared::{Exit, span};

use super::once::LABELS;
use super::shop::ShopArgs;
use crate::args::Cli;
use crate::daemon::{Daemon, Setup, Telling};
use crate::job;
use crate::signals;
use crate::work::clock::Event;

/// Flags of `rebench-cron run`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where and with what jobs run
    #[command(flatten)]
    pub shop: ShopArgs,
    /// The most runs that may be on at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub most_runs: u16,
    /// How long runs may go on after SIGTERM, before they are ended too
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = span::parse)]
    pub drain: Duration,
    /// Who is told
    #[command(flatten)]
    pub alerts: AlertArgs,
}

/// Runs the command. It ends with SIGTERM.
///
/// # Errors
/// If the settings are wrong, or the state folder cannot be had.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let jobs = job::jobs(&context.config)?;
    if jobs.is_empty() {
        let error = Error::usage("no jobs", "a table [rebench-cron.jobs.NAME] in promotion.toml");
        return Err(error.with_help("`rebench-cron man promotion.toml` names its keys").into());
    }
    let (receivers, managers) = (args.alerts.receivers(&LABELS)?, args.alerts.managers()?);
    let shop = args.shop.shop()?;
    let state = shop.state.folder().display().to_string();
    let queues = shop.state.folder().join("outbox");
    let carriers = Carriers::start(receivers, managers, &queues, args.alerts.resend);
    let setup = Setup {
        shop,
        config: context.config.clone(),
        reload: Box::new(again),
        telling: Box::new(Told { carriers, project: context.config.project.clone() }),
        most_runs: args.most_runs.into(),
        drain: args.drain,
    };
    let mut daemon = Daemon::new(setup)?;
    listen(&daemon.sender())?;
    note(&format!("rebench-cron: {} jobs, state in {state}{}", jobs.len(), next(&daemon)));
    daemon.live(None, &mut |_| {})?;
    note("rebench-cron: ended");
    Ok(Exit::Ok)
}

fn next(daemon: &Daemon) -> String {
    daemon.plan().wake().map_or_else(String::new, |wake| format!(", next at {wake:.0}"))
}

/// Hands signals on as events.
fn listen(sender: &Sender<Event>) -> Result<()> {
    let (end, reload) = (sender.clone(), sender.clone());
    // A daemon that has ended hears nothing, and need not.
    signals::on_end(move |_| _ = end.send(Event::Stop))?;
    signals::on_hang_up(move |_| _ = reload.send(Event::Reload))
}

/// The settings, read anew with the file.
fn again() -> Result<Config> {
    let words: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let parsed = parse_from::<Cli>(&words, &|name| std::env::var_os(name));
    parsed.map(|parsed| parsed.context.config).map_err(|error| {
        error.downcast().unwrap_or_else(|error| Error::usage(error.to_string(), "settings that can be read"))
    })
}

/// The receivers of the flags.
struct Told {
    carriers: Carriers,
    project: Option<String>,
}

impl Told {
    fn of_project(&self, alert: &Alert) -> Alert {
        let mut alert = alert.clone();
        alert.labels.extend(self.project.iter().map(|project| ("project".to_owned(), project.clone())));
        alert
    }
}

impl Telling for Told {
    fn tell(&self, transition: &Transition, now: Timestamp) -> Result<()> {
        let transition = Transition { alert: self.of_project(&transition.alert), ..transition.clone() };
        self.carriers.queue(&transition, now, |_| true)
    }

    fn show(&self, firing: &[Alert]) {
        self.carriers.show(&firing.iter().map(|alert| self.of_project(alert)).collect::<Vec<_>>());
    }
}

/// Whether everything that the flags name could be used; starts nothing and changes nothing.
///
/// # Errors
/// What is wrong with them.
pub fn check(args: &Args, context: &Context) -> Result<usize> {
    args.alerts.receivers(&LABELS)?;
    args.alerts.managers()?;
    Ok(job::jobs(&context.config)?.len())
}
