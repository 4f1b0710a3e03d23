//! `drift-watch status`: how the watched models stand, asked of a running daemon.

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::cli::{Context, Format};
use shared::error::{Error, Place, Result};
use shared::{Exit, fsio};

use crate::replay::json;
use crate::view::{AlertKind, AlertState, Standing, View};

/// How long the daemon may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const MOST_BYTES: u64 = 256 << 20;

/// Flags of `drift-watch status`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where the daemon listens
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9464")]
    pub url: String,
    /// A file with the token that opens its status
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// Runs the command. The exit status is 1 where some model drifts, 4 where none is watched yet.
///
/// # Errors
/// If the daemon does not answer.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let view = ask(args)?;
    context.emit(&match context.format {
        Format::Json => json(&view)?,
        _ => text(&view),
    })?;
    Ok(exit(&view))
}

fn exit(view: &View) -> Exit {
    let fires = |kind| view.alerts.iter().any(|alert| alert.kind == kind && alert.state == AlertState::Firing);
    match () {
        () if fires(AlertKind::Drift) || fires(AlertKind::Rule) => Exit::No,
        () if view.models.iter().any(|model| model.standing == Standing::Ok) => Exit::Ok,
        () => Exit::Undecided,
    }
}

fn ask(args: &Args) -> Result<View> {
    let failed = |what: String| Error::Environment {
        what: format!("{}: {what}", args.url),
        help: Some("is `drift-watch run` running, and does it listen there?".to_owned()),
    };
    let client = reqwest::blocking::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let mut request = client.get(format!("{}/api/v1/status", args.url.trim_end_matches('/')));
    if let Some(path) = &args.token_file {
        request = request.bearer_auth(token(path)?);
    }
    let response = request.send().map_err(|error| failed(root(&error)))?;
    let status = response.status();
    let mut bytes = Vec::new();
    response.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if !status.is_success() {
        return Err(failed(format!("it answers {status}")));
    }
    serde_json::from_slice(&bytes).map_err(|error| failed(format!("it answers something else: {error}")))
}

/// The token in a file; anything else would fail as if the daemon were at fault.
fn token(path: &Path) -> Result<String> {
    let text = String::from_utf8_lossy(&fsio::read(path)?).trim().to_owned();
    match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text),
        false => Err(Error::input(Place::file(path), "it holds no token", "one token of printable ASCII characters")
            .with_help("it is what `drift-watch run --read-token-file` was given")),
    }
}

/// What lies at the bottom of an error, without the address, which may hold a secret.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}

fn text(view: &View) -> String {
    let mut out = String::new();
    let ready = if view.ready { "ready".to_owned() } else { format!("not ready: {}", view.not_ready.join("; ")) };
    _ = writeln!(out, "{ready}, records until {}", view.time.as_deref().unwrap_or("none"));
    for model in &view.models {
        let standing = match model.standing {
            Standing::Drift => "DRIFT",
            Standing::Feed => "FEED",
            Standing::Warming => "WARMING",
            Standing::Ok => "OK",
        };
        _ = writeln!(out, "{standing:<8} {} {}  {}", model.model, model.version, model.reason);
    }
    for alert in view.alerts.iter().filter(|alert| alert.state == AlertState::Firing) {
        _ = writeln!(out, "since {}  {} {}: {}", alert.since, alert.name, alert.model, alert.reason);
    }
    for one in &view.external {
        _ = writeln!(out, "{} is {} since {}", one.name, one.value, one.time);
    }
    for feed in view.feeds.iter().filter(|feed| !feed.healthy) {
        _ = writeln!(out, "feed {}: {}", feed.name, feed.reason);
    }
    for one in view.receivers.iter().filter(|one| !one.healthy) {
        _ = writeln!(out, "receiver {}: {} messages wait: {}", one.name, one.waiting, one.reason);
    }
    out
}
