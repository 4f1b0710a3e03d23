//! Deliveries to a server that answers as a real one was recorded to, and to one that misbehaves: nothing is lost, nothing
//! takes long, and the reason is said.
#![cfg(feature = "http")]
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{promote, release, run, said, store};
use manifest_gen::mlflow::{self, Settings};
use manifest_gen::store::{Store, Stored};
use shared::Exit;
use shared::format::registry::Action;

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/mlflow/");

/// A recorded answer with the length of its body.
fn recorded(name: &str) -> String {
    let text = std::fs::read_to_string(format!("{RECORDINGS}{name}.http")).unwrap();
    let (_, answer) = text.split_once("---\n").unwrap();
    let (head, body) = answer.split_once("\n\n").unwrap();
    let head: Vec<&str> =
        head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("transfer-encoding")).collect();
    format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len())
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A server that answers request lines by `answer`; nothing means that it never does. The second part is what it was asked.
fn serve(answer: impl Fn(&str) -> Option<String> + Clone + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (answer, log) = (answer.clone(), Arc::clone(&log));
            thread::spawn(move || respond(stream, &answer, &log));
        }
    });
    (format!("http://{address}"), asked)
}

fn respond(mut stream: TcpStream, answer: &impl Fn(&str) -> Option<String>, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let lines: Vec<String> =
        reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(request) = lines.first().cloned() else { return };
    let length = lines.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = Vec::new();
    _ = reader.take(length.unwrap_or(0)).read_to_end(&mut body);
    log.lock().unwrap().push(request.clone());
    match answer(&request) {
        Some(text) => _ = stream.write_all(text.as_bytes()),
        None => thread::sleep(Duration::from_secs(30)),
    }
}

fn settings(uri: &str) -> Settings {
    Settings { tracking_uri: Some(uri.to_owned()), experiment: "walmart".to_owned() }
}

/// A folder of models with one promotion that waits.
fn waiting(alias: &str) -> (tempfile::TempDir, Store, Stored) {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let release = release(&store, "2", b"model", |_| ());
    promote(&store, &release, alias, Action::Promote, "2026-01-05T00:00:00Z");
    mlflow::queue(&store, &release, alias, &settings("")).unwrap();
    (folder, store, release)
}

/// The reason why the promotion waits, after one delivery to this server.
fn reason(answer: impl Fn(&str) -> Option<String> + Clone + Send + 'static) -> String {
    let (_folder, store, _) = waiting("champion");
    let report = mlflow::deliver(&store, &settings(&serve(answer).0), Duration::from_secs(2));
    assert_eq!((report.exit(), report.waiting.len()), (Exit::Environment, 1), "{report:?}");
    report.waiting[0].reason.clone().unwrap()
}

#[test]
fn errors_of_servers_are_told_and_the_promotion_waits() {
    for (name, expected) in [
        ("28_bad_json", "HTTP 500: <!doctype html> <html lang=en> <title>500"),
        ("30_no_such_path", "HTTP 404"),
        ("63_bad_host", "HTTP 403: Invalid Host header"),
        ("01_no_credentials", "HTTP 401: You are not authenticated"),
        ("06_read_only_user_writes", "HTTP 403: Permission denied"),
    ] {
        let found = reason(move |_| Some(recorded(name)));
        assert!(found.contains(expected), "{name}: {found}");
    }
    assert!(reason(|_| Some(recorded("01_no_credentials"))).contains("MLFLOW_TRACKING_TOKEN"));
    let login_page = answer("200 OK", "text/html", "<html>log in</html>");
    assert!(reason(move |_| Some(login_page.clone())).contains("the answer is no JSON"));
    let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_owned();
    assert!(reason(move |_| Some(moved.clone())).contains("redirects are not followed"));
    assert!(reason(|_| Some("SSH-2.0-OpenSSH_9.6\r\n".to_owned())).contains("cannot be reached"));
}

#[test]
fn a_server_that_never_answers_costs_the_time_that_was_given() {
    let start = Instant::now();
    assert!(reason(|_| None).contains("no answer within"));
    assert!(start.elapsed() < Duration::from_secs(6));
}

#[test]
fn after_one_silence_nothing_else_is_tried() {
    let (_folder, store, _) = waiting("champion");
    let other = release(&store, "1", b"model", |manifest| manifest.name = "ridge".to_owned());
    mlflow::queue(&store, &other, "champion", &settings("")).unwrap();
    let (uri, asked) = serve(|_| None);
    let report = mlflow::deliver(&store, &settings(&uri), Duration::from_secs(1));
    let attempts: Vec<u32> = report.waiting.iter().map(|line| line.attempts).collect();
    assert_eq!((attempts, asked.lock().unwrap().len()), (vec![1, 0], 1));
}

#[test]
fn a_refused_connection_is_exit_3_and_credentials_stay_hidden() {
    let (_folder, store, _) = waiting("champion");
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let uri = format!("http://ann:pass-word-7@{unused}");
    let (text, exit) = said(&run(&store, &["sync", "--json"], &[("MLFLOW_TRACKING_URI", &uri)]));
    assert!(exit == 3 && text.contains("cannot be reached") && !text.contains("pass-word-7"), "{text}");
    let (text, exit) = said(&run(&store, &["sync", "--tracking-uri", &uri], &[]));
    assert!(exit == 3 && text.contains("a login in --tracking-uri") && !text.contains("pass-word-7"), "{text}");
    let (text, exit) = said(&run(&store, &["sync"], &[]));
    assert!(exit == 3 && text.contains("no MLflow server in MLFLOW_TRACKING_URI"), "{text}");
    let (text, exit) = said(&run(&store, &["sync", "--format", "csv"], &[]));
    assert!(exit == 2 && text.contains("--format text or json"), "{text}");
}

/// Answers for a release that the server knows as version 1; `alias` answers about aliases.
fn known<T: Fn(&str) -> String + Clone>(
    release: &Stored,
    alias: T,
) -> impl Fn(&str) -> Option<String> + Clone + use<T> {
    let versions = recorded("55_search_model_versions");
    let (_, body) = versions.split_once("\r\n\r\n").unwrap();
    let body = body.replace("\"abc\"", &format!("\"{}\"", release.sha256));
    move |request| {
        Some(match request.contains("model-versions/search") {
            true => answer("200 OK", "application/json", &body),
            false => alias(request),
        })
    }
}

#[test]
fn an_alias_that_the_server_calls_invalid_is_put_aside_and_can_be_tried_again() {
    let (_folder, store, release) = waiting("latest");
    let alias =
        |request: &str| recorded(if request.starts_with("GET") { "51_get_alias_404" } else { "52_alias_reserved" });
    let (uri, asked) = serve(known(&release, alias));
    let (text, exit) = said(&run(&store, &["sync", "--tracking-uri", &uri], &[]));
    assert!(exit == 1 && text.starts_with("refused lightgbm 2.0.0 as latest: "), "{text}");
    assert!(text.contains("alias name (case insensitive) is reserved"), "{text}");
    assert_eq!(asked.lock().unwrap().len(), 3);
    let (again, exit) = said(&run(&store, &["sync", "--tracking-uri", &uri], &[]));
    assert_eq!((again, exit, asked.lock().unwrap().len()), (text, 1, 3));

    let moved = Arc::new(Mutex::new(false));
    let alias = move |request: &str| {
        let mut moved = moved.lock().unwrap();
        *moved |= request.starts_with("POST");
        recorded(match (request.starts_with("POST"), *moved) {
            (true, _) => "49_set_alias",
            (false, true) => "50_get_alias",
            (false, false) => "51_get_alias_404",
        })
    };
    let (uri, _) = serve(known(&release, alias));
    let (text, exit) = said(&run(&store, &["sync", "--retry-refused", "--tracking-uri", &uri], &[]));
    assert_eq!((text.as_str(), exit), ("delivered lightgbm 2.0.0 as latest\n", 0));
}

#[test]
fn what_reads_back_otherwise_waits() {
    let (_folder, store, release) = waiting("champion");
    // The alias is set, and still points nowhere.
    let alias = |request: &str| recorded(if request.starts_with("GET") { "51_get_alias_404" } else { "49_set_alias" });
    let report = mlflow::deliver(&store, &settings(&serve(known(&release, alias)).0), Duration::from_secs(5));
    let reason = report.waiting[0].reason.clone().unwrap();
    assert!(reason.contains("alias champion reads back as version nothing (written was 1)"), "{reason}");
}

#[test]
fn a_release_that_changed_is_never_sent() {
    let (_folder, store, release) = waiting("champion");
    let (uri, asked) = serve(|_| Some(answer("200 OK", "application/json", "{}")));
    shared::fsio::write_atomic(&store.root.join("releases/lightgbm/2.0.0/lightgbm_v2.pkl"), b"other bytes").unwrap();
    let report = mlflow::deliver(&store, &settings(&uri), Duration::from_secs(5));
    assert_eq!(report.exit(), Exit::No);
    assert!(report.refused[0].reason.as_ref().unwrap().contains("lightgbm_v2.pkl"), "{report:?}");
    // Only the question whether the server knows it.
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert!(asked.lock().unwrap()[0].contains("model-versions/search"), "{}", release.sha256);
}

#[test]
fn the_same_event_is_queued_once() {
    let (_folder, store, release) = waiting("champion");
    mlflow::queue(&store, &release, "champion", &settings("")).unwrap();
    assert_eq!(mlflow::outbox(&store).pending().unwrap().0.len(), 1);
    promote(&store, &release, "champion", Action::Promote, "2026-02-05T00:00:00Z");
    mlflow::queue(&store, &release, "champion", &settings("")).unwrap();
    assert_eq!(mlflow::outbox(&store).pending().unwrap().0.len(), 2);
}

/// What a server of one release was told, and when it loses the connection.
#[derive(Default)]
struct Memory {
    asked: usize,
    /// How many requests it answers.
    limit: usize,
    /// Whether it carries out the request whose answer is lost.
    carries_out: bool,
    runs: usize,
    versions: usize,
    files: std::collections::BTreeMap<String, Vec<u8>>,
}

#[test]
fn a_delivery_that_breaks_off_anywhere_is_finished_by_the_next_one() {
    [false, true].iter().for_each(|&carries_out| break_off_everywhere(carries_out));
}

fn break_off_everywhere(carries_out: bool) {
    let (_folder, store, release) = waiting("champion");
    let memory = Arc::new(Mutex::new(Memory { carries_out, ..Memory::default() }));
    let (run, sha256) = ("0123456789abcdef0123456789abcdef", release.sha256.clone());
    let shared = Arc::clone(&memory);
    let answers = move |request: &str, body: &[u8]| respond_as_mlflow(&shared, request, body, run, &sha256);
    let uri = serve_bodies(answers);
    let mut deliveries = 0;
    loop {
        // One request further each time.
        deliveries += 1;
        let mut told = memory.lock().unwrap();
        (told.asked, told.limit) = (0, deliveries);
        drop(told);
        let report = mlflow::deliver(&store, &settings(&uri), Duration::from_secs(20));
        if report.exit() == Exit::Ok {
            break;
        }
        assert_eq!((report.exit(), report.waiting.len()), (Exit::Environment, 1), "{report:?}");
        assert!(deliveries < 100, "{report:?}");
    }
    let memory = memory.lock().unwrap();
    assert!(deliveries > 10, "{deliveries} requests are too few for a delivery");
    assert_eq!((memory.runs, memory.versions), (1, 1));
    let sent = memory.files.iter().find(|(path, _)| path.ends_with("release/lightgbm_v2.pkl")).unwrap();
    assert_eq!(sent.1.as_slice(), b"model");
}

/// As a real server was recorded to answer, in short.
fn respond_as_mlflow(memory: &Mutex<Memory>, request: &str, body: &[u8], run: &str, sha256: &str) -> Option<String> {
    let mut memory = memory.lock().unwrap();
    memory.asked += 1;
    let lost = memory.asked > memory.limit;
    if lost && !memory.carries_out {
        return None;
    }
    let reply = |text: String| Some(answer("200 OK", "application/json", &text));
    let missing = || {
        let body = "{\"error_code\": \"RESOURCE_DOES_NOT_EXIST\", \"message\": \"no\"}";
        Some(answer("404 Not Found", "application/json", body))
    };
    let tags = format!("\"tags\": [{{\"key\": \"manifest_sha256\", \"value\": \"{sha256}\"}}{}]", version_tags());
    let info = format!(
        "{{\"info\": {{\"run_id\": \"{run}\", \"status\": \"RUNNING\", \"artifact_uri\": \
         \"mlflow-artifacts:/1/{run}/artifacts\"}}, \"data\": {}}}",
        memory.files.get("log").map_or("{}".to_owned(), |text| String::from_utf8(text.clone()).unwrap())
    );
    let version = format!("{{\"version\": 1, \"run_id\": \"{run}\", {tags}}}");
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let found = match () {
        () if path.contains("experiments/get-by-name") => reply("{\"experiment\": {\"experiment_id\": \"1\"}}".into()),
        () if path.contains("runs/search") && memory.runs == 0 => reply("{}".into()),
        () if path.contains("runs/search") => reply(format!("{{\"runs\": [{info}]}}")),
        () if path.contains("runs/create") => {
            memory.runs += 1;
            reply(format!("{{\"run\": {info}}}"))
        }
        () if path.contains("runs/log-batch") => {
            log_batch(&mut memory, body);
            reply("{}".into())
        }
        () if path.contains("runs/get") => reply(format!("{{\"run\": {info}}}")),
        () if request.starts_with("PUT") => {
            memory.files.insert(path, body.to_vec());
            reply("{}".into())
        }
        () if path.contains("mlflow-artifacts") => match memory.files.get(&path) {
            Some(bytes) => Some(answer("200 OK", "text/plain", std::str::from_utf8(bytes).unwrap())),
            None => missing(),
        },
        () if path.contains("registered-models/get") => missing(),
        () if path.contains("model-versions/search") && memory.versions == 0 => reply("{}".into()),
        () if path.contains("model-versions/search") => reply(format!("{{\"model_versions\": [{version}]}}")),
        () if path.contains("model-versions/create") => {
            memory.versions += 1;
            reply(format!("{{\"model_version\": {version}}}"))
        }
        () if path.contains("model-versions/get") => reply(format!("{{\"model_version\": {version}}}")),
        () if path.contains("registered-models/alias?") => reply(format!("{{\"model_version\": {version}}}")),
        () => reply("{}".into()),
    };
    if lost { None } else { found }
}

/// The other tags of the version, as the release of these tests has them.
fn version_tags() -> String {
    let tags = [
        ("version", "2.0.0"),
        ("file_version", "2"),
        ("model", "lightgbm"),
        ("model_name", "lightgbm_v2"),
        ("promoted_at", "2026-01-05T00:00:00Z"),
        ("gate", "promote"),
    ];
    tags.map(|(key, value)| format!(", {{\"key\": \"{key}\", \"value\": \"{value}\"}}")).concat()
}

/// Keeps what was logged, as the record of the run shows it.
fn log_batch(memory: &mut Memory, body: &[u8]) {
    let mut data: serde_json::Value =
        memory.files.get("log").map_or(serde_json::json!({}), |text| serde_json::from_slice(text).unwrap());
    let sent: serde_json::Value = serde_json::from_slice(body).unwrap();
    for kind in ["params", "tags", "metrics"] {
        if let Some(items) = sent.get(kind) {
            data[kind] = items.clone();
        }
    }
    memory.files.insert("log".to_owned(), serde_json::to_vec(&data).unwrap());
}

/// A server that answers request line and body; nothing means that the connection is lost.
fn serve_bodies(answer: impl Fn(&str, &[u8]) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let lines: Vec<String> =
                reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let Some(request) = lines.first() else { continue };
            let length =
                lines.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = Vec::new();
            _ = reader.take(length.unwrap_or(0)).read_to_end(&mut body);
            if let Some(text) = answer(request, &body) {
                _ = stream.write_all(text.as_bytes());
            }
        }
    });
    format!("http://{address}")
}
