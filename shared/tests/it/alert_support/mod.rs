//! A server on a loopback port that answers as it is told, byte by byte and late, and remembers what it was asked.
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use shared::alert::{Alert, Severity};

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Pieces of an answer, each with the time for which the server then does nothing.
pub(crate) type Answer = Vec<(Vec<u8>, Duration)>;

pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// Answers the n-th request, from 0, by `answer`; one connection a thread; ends with the test process.
pub(crate) fn serve(answer: impl Fn(usize, &Request) -> Answer + Clone + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (answer, seen) = (answer.clone(), Arc::clone(&seen));
            thread::spawn(move || respond(stream, &answer, &seen));
        }
    });
    Server { url, requests }
}

fn respond(mut stream: TcpStream, answer: &impl Fn(usize, &Request) -> Answer, seen: &Mutex<Vec<Request>>) {
    let Some(request) = read(&stream) else { return };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    for (bytes, hold) in answer(number, &request) {
        if stream.write_all(&bytes).is_err() {
            return;
        }
        thread::sleep(hold);
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let line = lines.next()?;
    let pair = |line: String| line.split_once(':').map(|(k, v)| (k.to_lowercase(), v.trim().to_owned()));
    let headers: BTreeMap<String, String> = lines.filter_map(pair).collect();
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line, headers, body })
}

/// An answer in one piece.
pub(crate) fn http(status: &str, headers: &str, body: &str) -> Answer {
    raw(&format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))
}

pub(crate) fn raw(text: &str) -> Answer {
    vec![(text.as_bytes().to_vec(), Duration::ZERO)]
}

/// Waits until a condition holds; fails the test if that takes too long.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_mins(1), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn alert(id: &str) -> Alert {
    Alert {
        id: id.to_owned(),
        name: "ForecastDrift".to_owned(),
        severity: Severity::Critical,
        labels: BTreeMap::from([("model".to_owned(), "m".to_owned()), ("series".to_owned(), id.to_owned())]),
        summary: "MAPE 0.21, baseline 0.08".to_owned(),
        annotations: BTreeMap::new(),
        starts_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        ends_at: None,
    }
}
