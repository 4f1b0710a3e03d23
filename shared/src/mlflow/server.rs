//! One MLflow server: requests with login and time limits, answers of bounded size, errors without secrets.

use std::fmt::Write;
use std::io::Read;
use std::time::{Duration, Instant};

use reqwest::blocking::{Body, Client, RequestBuilder, Response};
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::error::Error;
use crate::format::json::{self, Node};

use super::failure::{Failure, Kind, Outcome};
use super::{ArtifactPath, Config, RunId};

/// The largest record that is read, in bytes.
pub(super) const MOST_RECORD_BYTES: u64 = 4 << 20;

/// How much of a server's message an error quotes, in characters.
const QUOTED_CHARACTERS: usize = 200;

/// Where the server keeps a run's artifacts.
pub(super) enum Location {
    /// Below `/api/2.0/mlflow-artifacts/artifacts/`, percent-encoded.
    Proxied(String),
    /// In a store of the server's own, which `/get-artifact` reads.
    Own,
}

/// Percent-encodes everything but letters, digits, `-._~` and the `/` between parts.
pub(super) fn encoded(path: &str) -> String {
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
/// connection for each request, since a kept one may be closed by the server at any moment.
fn client(config: &Config, base: &str, connect_timeout: Duration) -> Outcome<Client> {
    let builder = Client::builder()
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .connect_timeout(connect_timeout.min(config.timeout))
        .timeout(config.timeout)
        .user_agent(concat!("forecast-promotion/", env!("CARGO_PKG_VERSION")));
    let builder = if loopback(base) { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| {
        let what = format!("cannot set up HTTP: {}", chain(&error));
        Failure::new(Kind::Later, what, "see the TLS set-up of this machine")
    })
}

fn loopback(base: &str) -> bool {
    let host = base.split("://").nth(1).unwrap_or_default();
    ["127.", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
}

/// A server and how to talk to it.
pub(super) struct Server {
    client: Client,
    config: Config,
    base: String,
    /// When the whole conversation has to be over.
    deadline: Option<Instant>,
}

/// An answer of any status.
struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Server {
    pub(super) fn new(
        config: &Config,
        base: &str,
        connect_timeout: Duration,
        deadline: Option<Instant>,
    ) -> Outcome<Self> {
        let client = client(config, base, connect_timeout)?;
        Ok(Self { client, config: config.clone(), base: base.to_owned(), deadline })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The body of a successful answer; nothing if the server knows no such thing.
    pub(super) fn get(&self, request: &str, most_bytes: u64) -> Outcome<Option<Vec<u8>>> {
        let answer = self.send(self.request(Method::GET, request), most_bytes)?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body)),
            StatusCode::NOT_FOUND if error_code(&answer.body).is_some() => Ok(None),
            _ => Err(self.refused(&answer)),
        }
    }

    /// The record that answers a GET; nothing if the server knows no such thing.
    pub(super) fn get_record(&self, request: &str) -> Outcome<Option<Node>> {
        let body = self.get(request, MOST_RECORD_BYTES)?;
        body.map(|body| self.record(&body)).transpose()
    }

    /// The record that answers a POST.
    pub(super) fn post(&self, request: &str, body: &Value) -> Outcome<Node> {
        let answer = self.send(self.request(Method::POST, request).json(body), MOST_RECORD_BYTES)?;
        match answer.status {
            StatusCode::OK => self.record(&answer.body),
            _ => Err(self.refused(&answer)),
        }
    }

    /// Sends a file.
    pub(super) fn put(&self, request: &str, body: impl Into<Body>) -> Outcome<()> {
        let request = self.request(Method::PUT, request).header("content-type", "application/octet-stream");
        let response = self.open(request.body(body), self.long_patience()?)?;
        let answer = self.answer(response, MOST_RECORD_BYTES)?;
        if answer.status.is_success() { Ok(()) } else { Err(self.refused(&answer)) }
    }

    /// What `read` makes of the body of a successful answer; nothing if the server knows no such thing.
    pub(super) fn stream<T>(
        &self,
        request: &str,
        read: impl FnOnce(&mut dyn Read) -> std::io::Result<T>,
    ) -> Outcome<Option<T>> {
        let response = self.open(self.request(Method::GET, request), self.long_patience()?)?;
        if response.status() == StatusCode::OK {
            let mut response = response;
            return read(&mut response).map(Some).map_err(|error| self.broke_off(&chain(&error)));
        }
        let answer = self.answer(response, MOST_RECORD_BYTES)?;
        match answer.status == StatusCode::NOT_FOUND && error_code(&answer.body).is_some() {
            true => Ok(None),
            false => Err(self.refused(&answer)),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.login(self.client.request(method, format!("{}{path}", self.base)))
    }

    fn login(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.config.token, &self.config.basic) {
            (Some(token), _) => request.bearer_auth(token.expose()),
            (None, Some((user, password))) => request.basic_auth(user, Some(password.expose())),
            (None, None) => request,
        }
    }

    fn send(&self, request: RequestBuilder, most_bytes: u64) -> Outcome<Answer> {
        self.answer(self.open(request, self.patience()?)?, most_bytes)
    }

    fn open(&self, request: RequestBuilder, patience: Duration) -> Outcome<Response> {
        request.timeout(patience).send().map_err(|error| self.unreachable(&error, patience))
    }

    /// How long a request for a record may take: its own limit, or what is left of the conversation.
    fn patience(&self) -> Outcome<Duration> {
        Ok(self.left()?.map_or(self.config.timeout, |left| left.min(self.config.timeout)))
    }

    /// How long the transport of a file may take: all that is left, since files may be large.
    fn long_patience(&self) -> Outcome<Duration> {
        Ok(self.left()?.unwrap_or(self.config.timeout))
    }

    /// What is left of the conversation, if it has an end.
    fn left(&self) -> Outcome<Option<Duration>> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let what = format!("{}: the time for this delivery is over", self.base);
            return Err(Failure::new(Kind::OutOfTime, what, "what waits is sent by the next delivery"));
        }
        Ok(Some(left))
    }

    fn answer(&self, response: Response, most_bytes: u64) -> Outcome<Answer> {
        let status = response.status();
        let mut body = Vec::new();
        let read = response.take(most_bytes + 1).read_to_end(&mut body);
        read.map_err(|error| self.broke_off(&format!("after {} bytes: {}", body.len(), chain(&error))))?;
        if body.len() as u64 > most_bytes {
            let what = format!("{}: the answer is larger than {most_bytes} bytes", self.base);
            let help = "see whether this address is an MLflow server, or name a smaller artifact";
            return Err(Failure::new(Kind::Later, what, help));
        }
        Ok(Answer { status, body })
    }

    fn broke_off(&self, how: &str) -> Failure {
        let what = format!("{}: the answer broke off {how}", self.base);
        Failure::new(Kind::Later, what, "try again; raise MLFLOW_HTTP_REQUEST_TIMEOUT if the server is slow")
    }

    fn record(&self, body: &[u8]) -> Outcome<Node> {
        json::parse(body).map_err(|fault| {
            let what = format!("{}: the answer is no JSON: {}: {}", self.base, fault.found, self.quoted(body));
            Failure::new(Kind::Later, what, "see whether MLFLOW_TRACKING_URI names an MLflow tracking server")
        })
    }

    /// Where the artifacts are of the run that this record tells of.
    pub(super) fn location(&self, record: &Node, run: &RunId) -> Outcome<Location> {
        self.location_of(record.get("run").unwrap_or(record), run)
    }

    /// The same from the record's `run`.
    pub(super) fn location_of(&self, record: &Node, run: &RunId) -> Outcome<Location> {
        let info = record.get("info");
        let text = |key: &str| info.and_then(|info| info.get(key)).and_then(Node::as_str);
        if text("lifecycle_stage") == Some("deleted") {
            let found = format!("{}: MLflow run {run} is deleted", self.base);
            let error = super::absent(found, "restore it with `mlflow runs restore`");
            return Err(Failure { kind: Kind::Refused, code: None, error });
        }
        let uri = text("artifact_uri").ok_or_else(|| self.not_mlflow())?;
        let Some(rest) = uri.strip_prefix("mlflow-artifacts:") else { return Ok(Location::Own) };
        // `mlflow-artifacts:/1/RUN/artifacts`, or with the server's name: `mlflow-artifacts://host/1/RUN/artifacts`.
        let path = rest.strip_prefix("//").map_or(Some(rest), |rest| rest.split_once('/').map(|(_, path)| path));
        let path = path.unwrap_or_default().trim_matches('/');
        let below_run = path.split('/').any(|part| part == run.as_str()) && ArtifactPath::new(path).is_ok();
        if below_run { Ok(Location::Proxied(encoded(path))) } else { Err(self.not_mlflow()) }
    }

    fn not_mlflow(&self) -> Failure {
        let what = format!("{}: the answer does not say where the run's artifacts are", self.base);
        Failure::new(Kind::Later, what, "see whether MLFLOW_TRACKING_URI names an MLflow tracking server")
    }

    fn unreachable(&self, error: &reqwest::Error, patience: Duration) -> Failure {
        if error.is_timeout() && !error.is_connect() {
            let what = format!("{}: no answer within {} s", self.base, patience.as_secs_f64());
            return Failure::new(Kind::Unreachable, what, "try again, or raise MLFLOW_HTTP_REQUEST_TIMEOUT");
        }
        // The text of a reqwest error holds the address; ours has no login in it.
        let what = format!("{}: cannot be reached: {}", self.base, chain(error));
        Failure::new(Kind::Unreachable, what, "start the server or correct MLFLOW_TRACKING_URI")
    }

    fn refused(&self, answer: &Answer) -> Failure {
        let code = error_code(&answer.body);
        let status = answer.status.as_u16();
        let help = match status {
            401 => "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or …_FILE)",
            403 => "ask for permission, or start the server with this host in --allowed-hosts",
            404 => {
                "see whether MLFLOW_TRACKING_URI names an MLflow tracking server, with its path prefix if it has one"
            }
            300..=399 => "redirects are not followed: put the final address into MLFLOW_TRACKING_URI",
            _ => "try again; see the server's log",
        };
        // Everything else may be put right at the server, by a login or by waiting.
        let hopeless = status == 413 || (status == 400 && code.as_deref() == Some("INVALID_PARAMETER_VALUE"));
        let kind = if hopeless { Kind::Refused } else { Kind::Later };
        let what = format!("{}: HTTP {status}: {}", self.base, self.quoted(&answer.body));
        Failure { code, ..Failure::new(kind, what, help) }
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

    /// An answer that is a record and lacks what it should say.
    pub(super) fn incomplete(&self, what: &str) -> Failure {
        let what = format!("{}: the answer does not say {what}", self.base);
        Failure::new(Kind::Later, what, "see whether MLFLOW_TRACKING_URI names an MLflow tracking server")
    }

    /// What was read back is not what was written.
    pub(super) fn differs(&self, what: &str, found: &str, written: &str) -> Failure {
        let what = format!("{}: {what} reads back as {found} (written was {written})", self.base);
        Failure::new(Kind::Later, what, "see who else writes there, and the server's log")
    }

    /// The run does not exist, or is deleted for good.
    pub(super) fn no_run(&self, run: &RunId) -> Failure {
        let what = format!("{}: no MLflow run {run}", self.base);
        Failure::new(Kind::Later, what, "copy the run ID from the run's page")
    }

    /// More than is read from one server at once.
    pub(super) fn too_many(&self, what: &str, most: usize) -> Failure {
        let what = format!("{}: {what} has more than {most} points", self.base);
        Failure::new(Kind::Later, what, "log to a new run, and watch that one")
    }

    /// Artifacts go to a store that only the server itself reaches.
    pub(super) fn no_uploads(&self) -> Failure {
        let what = format!("{}: the server takes no artifacts over HTTP", self.base);
        Failure::new(Kind::Later, what, "start it with --serve-artifacts and --artifacts-destination")
    }
}

/// The code of MLflow's own error record; an error of some other server has none.
fn error_code(body: &[u8]) -> Option<String> {
    json::parse(body).ok()?.get("error_code").map(|code| code.as_str().unwrap_or_default().to_owned())
}

/// An error with all its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}
