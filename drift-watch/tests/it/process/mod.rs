//! `drift-watch run` as a process of its own, which tests kill, signal and ask.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part; a panic is its answer")]
#![allow(missing_docs, unreachable_pub, reason = "test support")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::Value;

/// Longer than anything takes that works, on a machine that others use too.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for a condition, not for a time.
#[track_caller]
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An answer of the daemon.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// A running daemon; it ends with this value.
pub struct Daemon {
    killer: Killer,
    said: Arc<Mutex<String>>,
    client: Client,
    address: Option<String>,
}

/// Kills the daemon, from any thread.
#[derive(Clone)]
pub struct Killer(Arc<Mutex<Child>>);

impl Killer {
    /// Sends SIGKILL and waits until the process is gone; whether it was still there.
    pub fn kill(&self) -> bool {
        let mut child = self.0.lock().unwrap();
        let was_alive = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        was_alive
    }
}

impl Daemon {
    /// Starts it; whoever needs its address waits for it.
    pub fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || listen(stderr, &heard));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        Self { killer: Killer(Arc::new(Mutex::new(child))), said, client, address: None }
    }

    /// Starts it and waits until it answers.
    #[track_caller]
    pub fn start(command: Command) -> Self {
        let mut daemon = Self::spawn(command);
        assert!(daemon.address().is_some(), "{}", daemon.said());
        daemon
    }

    pub fn killer(&self) -> Killer {
        self.killer.clone()
    }

    pub fn pid(&self) -> u32 {
        self.killer.0.lock().unwrap().id()
    }

    /// What it wrote on standard error.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    #[track_caller]
    pub fn says(&self, what: &str) {
        wait_for(&format!("{what:?} in what the daemon says"), || self.said().contains(what));
    }

    pub fn is_alive(&self) -> bool {
        self.killer.0.lock().unwrap().try_wait().unwrap().is_none()
    }

    /// Sends a signal; whether the process was still there.
    pub fn signal(&self, name: &str) -> bool {
        let mut child = self.killer.0.lock().unwrap();
        let is_there = child.try_wait().unwrap().is_none();
        is_there
            && Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(&self) -> ExitStatus {
        wait_for("the end of the daemon", || !self.is_alive());
        self.killer.0.lock().unwrap().wait().unwrap()
    }

    /// Asks it to end, which it does well.
    #[track_caller]
    pub fn stop(self) {
        assert!(self.signal("TERM"), "{}", self.said());
        assert_eq!(self.ended().code(), Some(0), "{}", self.said());
    }

    /// Where it listens; nothing if it ends before it does.
    pub fn address(&mut self) -> Option<&str> {
        if self.address.is_none() {
            wait_for("the address of the daemon", || self.said().contains("http://") || !self.is_alive());
            let said = self.said();
            let lines = said.lines().filter(|line| line.contains("state in "));
            self.address = lines
                .filter_map(|line| line[line.find("http://")?..].split(',').next().map(|url| url.trim().to_owned()))
                .next_back();
        }
        self.address.as_deref()
    }

    pub fn get(&mut self, path: &str) -> Result<Answer, String> {
        let url = self.url(path)?;
        answer(self.client.get(url))
    }

    pub fn post(&mut self, path: &str, body: &str) -> Result<Answer, String> {
        self.post_as(path, body, None)
    }

    /// The same with a bearer token.
    pub fn post_as(&mut self, path: &str, body: &str, token: Option<&str>) -> Result<Answer, String> {
        let url = self.url(path)?;
        let request = self.client.post(url).header("content-type", "application/x-ndjson").body(body.to_owned());
        answer(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    fn url(&mut self, path: &str) -> Result<String, String> {
        self.address().map(|address| format!("{address}{path}")).ok_or_else(|| "it ended early".to_owned())
    }

    /// The state as it is shown; nothing where nobody answers.
    pub fn status(&mut self) -> Option<Value> {
        self.get("/api/v1/status").ok().filter(|answer| answer.status == 200).map(|answer| answer.json())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        _ = self.killer.kill();
    }
}

fn answer(request: reqwest::blocking::RequestBuilder) -> Result<Answer, String> {
    let response = request.send().map_err(|error| format!("{error:?}"))?;
    let status = response.status().as_u16();
    Ok(Answer { status, text: response.text().map_err(|error| format!("{error:?}"))? })
}

fn listen(stderr: impl Read, said: &Mutex<String>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        said.lock().unwrap().push_str(&(line + "\n"));
    }
}
