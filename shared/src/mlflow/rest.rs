//! MLflow's REST interface, as far as reading an artifact needs it: the run's record, then the file.

use std::fmt::Write;
use std::io::Read;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::redirect::Policy;

use crate::error::{Error, Result};
use crate::format::json::{self, Node};

use super::{ArtifactPath, Config, MOST_ARTIFACT_BYTES, RunId, absent};

/// The largest answer about a run that is read, in bytes.
const MOST_RECORD_BYTES: u64 = 4 << 20;

/// How much of a server's message an error quotes, in characters.
const QUOTED_CHARACTERS: usize = 200;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The bytes of an artifact of a run that the server at `base` tracks.
pub(super) fn artifact(config: &Config, base: &str, run: &RunId, path: &ArtifactPath) -> Result<Vec<u8>> {
    let server = Server { client: client(config, base)?, config, base };
    let record = server.get(&format!("/api/2.0/mlflow/runs/get?run_id={run}"), MOST_RECORD_BYTES)?;
    let record = record.ok_or_else(|| server.no_run(run))?;
    let location = server.location(&record, run)?;
    let bytes = server.get(&artifact_request(&location, run, path), MOST_ARTIFACT_BYTES)?;
    bytes.ok_or_else(|| {
        let help = "see the run's Artifacts page, log it with mlflow.log_artifact(…, \"benchmark\"), or name another path: \
                    mlflow:RUN_ID/PATH";
        absent(format!("{base}: MLflow run {run} has no artifact {path}"), help)
    })
}

/// Where the server keeps a run's artifacts.
enum Location {
    /// Below `/api/2.0/mlflow-artifacts/artifacts/`, percent-encoded.
    Proxied(String),
    /// In a store of the server's own, which `/get-artifact` reads.
    Own,
}

fn artifact_request(location: &Location, run: &RunId, path: &ArtifactPath) -> String {
    match location {
        Location::Proxied(root) => format!("/api/2.0/mlflow-artifacts/artifacts/{root}/{}", encoded(path.as_str())),
        Location::Own => format!("/get-artifact?run_uuid={run}&path={}", encoded(path.as_str())),
    }
}

/// Percent-encodes everything but letters, digits, `-._~` and the `/` between parts.
fn encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => _ = write!(out, "%{byte:02X}"),
        }
        out
    })
}

/// A client that follows no redirect (it would carry the login elsewhere), asks no proxy for a loopback address, and opens a
/// connection for each of its two requests, since a kept one may be closed by the server at any moment.
fn client(config: &Config, base: &str) -> Result<Client> {
    let builder = Client::builder()
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT.min(config.timeout))
        .timeout(config.timeout)
        .user_agent(concat!("forecast-promotion/", env!("CARGO_PKG_VERSION")));
    let builder = if loopback(base) { builder.no_proxy() } else { builder };
    builder
        .build()
        .map_err(|error| failed(format!("cannot set up HTTP: {}", chain(&error)), "see the TLS set-up of this machine"))
}

fn loopback(base: &str) -> bool {
    let host = base.split("://").nth(1).unwrap_or_default();
    ["127.", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
}

struct Server<'a> {
    client: Client,
    config: &'a Config,
    base: &'a str,
}

impl Server<'_> {
    /// The body of a successful answer; nothing if the server knows no such thing.
    fn get(&self, request: &str, most_bytes: u64) -> Result<Option<Vec<u8>>> {
        let response = self.login(self.client.get(format!("{}{request}", self.base))).send();
        let response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = self.body(response, most_bytes)?;
        match status {
            StatusCode::OK => Ok(Some(body)),
            StatusCode::NOT_FOUND if is_record(&body) => Ok(None),
            _ => Err(self.refused(status, &body)),
        }
    }

    fn login(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.config.token, &self.config.basic) {
            (Some(token), _) => request.bearer_auth(token.expose()),
            (None, Some((user, password))) => request.basic_auth(user, Some(password.expose())),
            (None, None) => request,
        }
    }

    fn body(&self, response: Response, most_bytes: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = response.take(most_bytes + 1).read_to_end(&mut bytes);
        read.map_err(|error| {
            let what = format!("{}: the answer broke off after {} bytes: {}", self.base, bytes.len(), chain(&error));
            failed(what, "try again; raise MLFLOW_HTTP_REQUEST_TIMEOUT if the server is slow")
        })?;
        if bytes.len() as u64 > most_bytes {
            let what = format!("{}: the answer is larger than {most_bytes} bytes", self.base);
            return Err(failed(what, "see whether this address is an MLflow server, or name a smaller artifact"));
        }
        Ok(bytes)
    }

    fn location(&self, record: &[u8], run: &RunId) -> Result<Location> {
        let root = json::parse(record).ok();
        let info = root.as_ref().and_then(|root| root.get("run")?.get("info"));
        let text = |key: &str| info.and_then(|info| info.get(key)).and_then(Node::as_str);
        if text("lifecycle_stage") == Some("deleted") {
            let found = format!("{}: MLflow run {run} is deleted", self.base);
            return Err(absent(found, "restore it with `mlflow runs restore`"));
        }
        let uri = text("artifact_uri").ok_or_else(|| self.not_mlflow())?;
        let Some(rest) = uri.strip_prefix("mlflow-artifacts:") else { return Ok(Location::Own) };
        // `mlflow-artifacts:/1/RUN/artifacts`, or with the server's name: `mlflow-artifacts://host/1/RUN/artifacts`.
        let path = rest.strip_prefix("//").map_or(Some(rest), |rest| rest.split_once('/').map(|(_, path)| path));
        let path = path.unwrap_or_default().trim_matches('/');
        let below_run = path.split('/').any(|part| part == run.as_str()) && ArtifactPath::new(path).is_ok();
        if below_run { Ok(Location::Proxied(encoded(path))) } else { Err(self.not_mlflow()) }
    }

    fn no_run(&self, run: &RunId) -> Error {
        let help = "see the run ID and MLFLOW_TRACKING_URI: each server tracks its own runs";
        absent(format!("{}: no MLflow run {run}", self.base), help)
    }

    fn not_mlflow(&self) -> Error {
        let what = format!("{}: the answer does not say where the run's artifacts are", self.base);
        failed(what, "see whether MLFLOW_TRACKING_URI names an MLflow tracking server")
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        if error.is_timeout() {
            let what = format!("{}: no answer within {} s", self.base, self.config.timeout.as_secs_f64());
            return failed(what, "try again, or raise MLFLOW_HTTP_REQUEST_TIMEOUT");
        }
        // The text of a reqwest error holds the address; ours has no login in it.
        let what = format!("{}: cannot be reached: {}", self.base, chain(error));
        failed(what, "start the server or correct MLFLOW_TRACKING_URI")
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> Error {
        let help = match status.as_u16() {
            401 => "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or …_FILE)",
            403 => "ask for read permission, or start the server with this host in --allowed-hosts",
            404 => {
                "see whether MLFLOW_TRACKING_URI names an MLflow tracking server, with its path prefix if it has one"
            }
            300..=399 => "redirects are not followed: put the final address into MLFLOW_TRACKING_URI",
            _ => "try again; see the server's log",
        };
        failed(format!("{}: HTTP {}: {}", self.base, status.as_u16(), self.quoted(body)), help)
    }

    /// The server's message on one line, without any secret that it may echo.
    fn quoted(&self, body: &[u8]) -> String {
        let message = json::parse(body).ok().and_then(|root| root.get("message")?.as_str().map(str::to_owned));
        let text = message.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
        let mut words: Vec<&str> = text.split_whitespace().collect();
        for index in 1..words.len() {
            if matches!(words[index - 1], "Basic" | "Bearer") {
                words[index] = "***";
            }
        }
        self.redacted(&words.join(" ")).chars().take(QUOTED_CHARACTERS).collect()
    }

    fn redacted(&self, text: &str) -> String {
        let password = self.config.basic.as_ref().map(|(_, password)| password);
        let secrets = [self.config.token.as_ref(), password].into_iter().flatten();
        secrets
            .filter(|secret| !secret.expose().is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "***"))
    }
}

/// Whether a 404 is MLflow's own (a JSON record with an error code) and not that of some other server.
fn is_record(body: &[u8]) -> bool {
    json::parse(body).is_ok_and(|root| root.get("error_code").is_some())
}

fn failed(what: String, help: &str) -> Error {
    Error::Environment { what, help: Some(help.to_owned()) }
}

/// An error with all its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
