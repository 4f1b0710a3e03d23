//! `rebench-cron run`: the daemon.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use shared::alert::{AlertArgs, Carriers};
use shared::cli::{Context, note, parse_from};
use shared::config::Config;
use shared::error::{Error, Place, Problem, Result};
use shared::serve::{self, Secret};
use shared::systemd::Systemd;
use shared::{Exit, span};

use super::outgoing::{LABELS, Outgoing, PATIENCE};
use super::shop::ShopArgs;
use super::status;
use crate::args::Cli;
use crate::daemon::{Daemon, Setup};
use crate::job::{self, Job};
use crate::mlflow::{Flags, Logger};
use crate::serve::{Live, Server};
use crate::signals;
use crate::store::Store;
use crate::work::clock::{Clock, Event, Wall};

const SERVER: &str = "Server";

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
    /// End when nothing is due or asked for any more, and all that ran is judged
    #[arg(long)]
    pub until_idle: bool,
    /// Where metrics, health and status are served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9465", help_heading = SERVER)]
    pub listen: SocketAddr,
    /// Serve nothing
    #[arg(long, help_heading = SERVER)]
    pub no_listen: bool,
    /// Who may read them: a file with a token
    #[arg(long, value_name = "FILE", help_heading = SERVER)]
    pub read_token_file: Option<PathBuf>,
    /// Where runs are logged
    #[command(flatten)]
    pub mlflow: Flags,
    /// Who is told
    #[command(flatten)]
    pub alerts: AlertArgs,
}

/// Runs the command. It ends with SIGTERM, or with `--until-idle` when there is nothing left to do.
///
/// # Errors
/// If the settings are wrong, or the state folder or the address cannot be had.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let count = jobs(context)?;
    let token = args.read_token_file.as_deref().map(Secret::read).transpose()?;
    let outgoing = Arc::new(outgoing(args, context)?);
    let mut daemon = Daemon::new(setup(args, context, Arc::clone(&outgoing))?)?;
    let live = Arc::new(live(args, context, &daemon, &outgoing)?);
    let server = match args.no_listen {
        true => None,
        false => Some(Server::start(args.listen, token, Arc::clone(&live) as Arc<_>)?),
    };
    listen(&daemon.sender())?;
    let place = server.as_ref().map_or_else(|| "no server".to_owned(), |server| format!("http://{}", server.address()));
    let next = daemon.plan().wake().map_or_else(String::new, |wake| format!(", next at {wake:.0}"));
    note(&format!("rebench-cron: {count} jobs, state in {}, {place}{next}", args.shop.state.state.display()));
    let systemd = Systemd::from_env();
    systemd.ready(&place);
    let sender = daemon.sender();
    daemon.live(None, &mut |daemon| {
        live.beat(daemon);
        systemd.alive();
        if args.until_idle && daemon.is_idle() {
            // It holds the other end itself.
            _ = sender.send(Event::Stop);
        }
    })?;
    systemd.stopping("ended");
    drop(daemon);
    server.into_iter().for_each(Server::stop);
    drop(live);
    if args.until_idle {
        outgoing.settle(PATIENCE);
    }
    // What is still on its way waits in its queue.
    Arc::into_inner(outgoing).into_iter().for_each(Outgoing::stop);
    note("rebench-cron: ended");
    Ok(Exit::Ok)
}

/// How many jobs there are; a daemon without any has nothing to do.
fn jobs(context: &Context) -> Result<usize> {
    match job::jobs(&context.config)?.len() {
        0 => Err(Error::usage("no jobs", "a table [rebench-cron.jobs.NAME] in promotion.toml")
            .with_help("its keys are in promotion.toml(5)")),
        count => Ok(count),
    }
}

fn setup(args: &Args, context: &Context, outgoing: Arc<Outgoing>) -> Result<Setup> {
    Ok(Setup {
        shop: args.shop.shop(context.config.project.as_deref())?,
        config: context.config.clone(),
        reload: Box::new(again),
        telling: Box::new(outgoing),
        most_runs: args.most_runs.into(),
        drain: args.drain,
    })
}

fn outgoing(args: &Args, context: &Context) -> Result<Outgoing> {
    let (receivers, managers) = (args.alerts.receivers(&LABELS)?, args.alerts.managers()?);
    let state = &args.shop.state.state;
    let logger = args.mlflow.settings()?.map(|settings| Logger::start(settings, state.join("mlflow"))).transpose()?;
    let carriers = Carriers::start(receivers, managers, &state.join("outbox"), args.alerts.resend);
    Ok(Outgoing { carriers, logger, project: context.config.project.clone() })
}

/// What the server tells of the daemon.
fn live(args: &Args, context: &Context, daemon: &Daemon, outgoing: &Arc<Outgoing>) -> Result<Live> {
    let (folder, config) = (args.shop.state.state.clone(), context.config.clone());
    let receivers = Arc::downgrade(outgoing);
    let receivers = move || receivers.upgrade().map(|outgoing| outgoing.health()).unwrap_or_default();
    let clock: Arc<dyn Clock> = Arc::new(Wall);
    let status = move || Ok(json!(status::report(&config, &Store::read(&folder)?, None, Timestamp::now())?));
    Live::new(&args.shop.state.state, clock, daemon, receivers, status)
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

/// Whether everything that the flags name could be used; starts nothing and changes nothing.
///
/// # Errors
/// What is wrong with them.
pub fn check(args: &Args, context: &Context) -> Result<usize> {
    args.alerts.receivers(&LABELS)?;
    args.alerts.managers()?;
    args.mlflow.settings()?;
    args.shop.check(context.config.project.as_deref())?;
    let token = args.read_token_file.as_deref().map(Secret::read).transpose()?;
    if !args.no_listen {
        serve::check_bind(args.listen, token.is_some())?;
    }
    let jobs = job::jobs(&context.config)?;
    let faults: Vec<Problem> = jobs.iter().flat_map(|job| faults(job, &context.config)).collect();
    match faults.len() {
        0 => Ok(jobs.len()),
        count => Err(Error::rows(faults, count as u64).with_help("paths start from the folder of promotion.toml")),
    }
}

/// What a job names and is not there, each at its key.
fn faults(job: &Job, config: &Config) -> Vec<Problem> {
    let judge = job.judge.as_ref();
    let files = [
        ("judge", "recorded", judge.and_then(|judge| judge.recorded.as_ref())),
        ("judge", "registry", judge.and_then(|judge| judge.registry.as_ref())),
        ("", "ping-url-file", job.ping_url_file.as_ref()),
    ];
    let named = files.into_iter().filter_map(|(table, key, path)| Some((table, key, job.folder.join(path?))));
    let missing = named.filter(|(_, _, path)| !path.is_file());
    let program = job.argv.first().filter(|program| program.contains('/')).map(|program| job.folder.join(program));
    let program = program.filter(|program| !program.exists()).map(|program| ("", "command", program));
    let folder = Some(&job.folder).filter(|folder| !folder.is_dir()).map(|folder| ("", "folder", folder.clone()));
    let all = missing.chain(program).chain(folder);
    all.map(|(table, key, path)| Problem {
        place: place_of(config, &job.name, table, key),
        found: format!("job {}: {} is not there", job.name, path.display()),
        expected: "files and folders that are there".to_owned(),
    })
    .collect()
}

/// Where a key of a job stands; the file as a whole where it is not written there.
fn place_of(config: &Config, job: &str, table: &str, key: &str) -> Place {
    let file = config.path.clone().unwrap_or_default();
    let job = config.tool("rebench-cron").and_then(|tool| tool.table("jobs")?.table(job));
    let within = if table.is_empty() { job } else { job.and_then(|job| job.table(table)) };
    within.and_then(|within| within.get(key)).map_or_else(|| Place::file(&file), |entry| entry.at.of(&file))
}
