//! A server on the loopback that answers as a real MLflow server was recorded to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use shared::mlflow::{Config, Limits, Tracker};

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/mlflow/");

/// A recorded answer with the length of its body.
pub(crate) fn recorded(name: &str) -> String {
    let text = std::fs::read_to_string(format!("{RECORDINGS}{name}.http")).unwrap();
    let (_, answer) = text.split_once("---\n").unwrap();
    let (head, body) = answer.split_once("\n\n").unwrap();
    let head: Vec<&str> =
        head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("transfer-encoding")).collect();
    format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len())
}

/// An answer with this body.
pub(crate) fn answer(body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A server that answers request lines and bodies by `answer`; nothing means that it closes the connection.
pub(crate) fn serve(answer: impl Fn(&str, &str) -> Option<String> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| respond(stream, &answer)));
    format!("http://{address}")
}

fn respond(mut stream: TcpStream, answer: &impl Fn(&str, &str) -> Option<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let lines: Vec<String> =
        reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let length = lines.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = String::new();
    _ = reader.take(length.unwrap_or(0)).read_to_string(&mut body);
    if let Some(text) = lines.first().and_then(|request| answer(request, &body)) {
        _ = stream.write_all(text.as_bytes());
    }
}

/// A tracker for the server at this address.
pub(crate) fn tracker(base: &str) -> Tracker {
    let config = Config::from_variables(|name| (name == "MLFLOW_TRACKING_URI").then(|| base.to_owned())).unwrap();
    let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(20) };
    Tracker::new(&config, limits).unwrap()
}
