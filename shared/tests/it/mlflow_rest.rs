//! Artifacts over REST, against a server that answers as a real one was recorded to, and against one that misbehaves.
#![cfg(feature = "http")]
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use shared::error::Error;
use shared::mlflow::{ArtifactPath, Config, DEFAULT_ARTIFACT, RunId, artifact};

const RUN: &str = "e61f144a58734694a2220858d2108196";
const UNKNOWN: &str = "0123456789abcdef0123456789abcdef";
const ARTIFACT: &str = "{\"results\": [{\"mape\": NaN}]}";

/// What a request was answered with: the raw bytes, and how long the server then holds the connection open.
type Answer = (Vec<u8>, Duration);

/// A server on a loopback port; it answers each request line and header by `answer`, one connection a thread, and ends
/// with the test process.
fn serve(answer: impl Fn(&str, &[String]) -> Answer + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || respond(stream, &answer));
        }
    });
    format!("http://{address}")
}

fn respond(mut stream: TcpStream, answer: &impl Fn(&str, &[String]) -> Answer) {
    let lines: Vec<String> =
        BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let (bytes, hold) = answer(lines.first().unwrap(), &lines);
    _ = stream.write_all(&bytes);
    thread::sleep(hold);
}

fn http(status: &str, kind: &str, body: &str) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
    ((head + body).into_bytes(), Duration::ZERO)
}

fn json(status: &str, body: &str) -> Answer {
    http(status, "application/json", body)
}

fn raw(text: &str, hold: Duration) -> Answer {
    (text.as_bytes().to_vec(), hold)
}

fn run_record(uri: &str, stage: &str) -> String {
    format!(
        "{{\"run\": {{\"info\": {{\"run_uuid\": \"{RUN}\", \"experiment_id\": \"1\", \"status\": \"FINISHED\",\n\
         \"artifact_uri\": \"{uri}\", \"lifecycle_stage\": \"{stage}\", \"run_id\": \"{RUN}\"}}, \"data\": {{}}}}}}"
    )
}

fn proxied() -> String {
    run_record(&format!("mlflow-artifacts:/1/{RUN}/artifacts"), "active")
}

const NO_RUN: &str = "{\"error_code\": \"RESOURCE_DOES_NOT_EXIST\", \"message\": \"Run with id=0123 not found\", \
                      \"sqlstate\": \"KAM00\", \"error_class\": \"RESOURCE_NOT_FOUND\"}";

/// The recorded shapes of mlflow 3.17.2: `27_run_404`, `33_get_run`, `38_download_artifact`, `30_no_such_path`.
fn recorded(request: &str, _: &[String]) -> Answer {
    let path = request.split(' ').nth(1).unwrap_or_default();
    match path {
        _ if path == format!("/api/2.0/mlflow/runs/get?run_id={RUN}") => json("200 OK", &proxied()),
        _ if path.starts_with("/api/2.0/mlflow/runs/get?") => json("404 Not Found", NO_RUN),
        _ if path.ends_with(&format!("artifacts/1/{RUN}/artifacts/{DEFAULT_ARTIFACT}")) => {
            http("200 OK", "text/plain", ARTIFACT)
        }
        _ if path.contains("/mlflow-artifacts/artifacts/") => json("404 Not Found", NO_RUN),
        _ => http("404 Not Found", "text/html; charset=utf-8", "<!doctype html>\n<title>404 Not Found</title>"),
    }
}

fn ask(base: &str, run: &str, path: &str, more: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
    let config = Config::from_variables(|name| match name {
        "MLFLOW_TRACKING_URI" => Some(base.to_owned()),
        "MLFLOW_HTTP_REQUEST_TIMEOUT" => Some("1".to_owned()),
        _ => more.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
    });
    artifact(&config?, &RunId::new(run)?, &ArtifactPath::new(path)?)
}

fn fault(base: &str, more: &[(&str, &str)]) -> (u8, String) {
    let error = ask(base, RUN, DEFAULT_ARTIFACT, more).unwrap_err();
    assert!(error.help().is_some(), "{error}");
    (error.exit().code(), error.to_string())
}

#[test]
fn a_recorded_server_gives_the_artifact() {
    let base = serve(recorded);
    assert_eq!(ask(&base, RUN, DEFAULT_ARTIFACT, &[]).unwrap(), ARTIFACT.as_bytes());
    let named = format!("mlflow-artifacts://mlflow.example.com:5000/1/{RUN}/artifacts");
    let base = serve(move |request, lines| match request.contains("runs/get") {
        true => json("200 OK", &run_record(&named, "active")),
        false => recorded(request, lines),
    });
    assert_eq!(ask(&base, RUN, DEFAULT_ARTIFACT, &[]).unwrap(), ARTIFACT.as_bytes());
}

#[test]
fn what_does_not_exist_is_bad_input() {
    let base = serve(recorded);
    let error = ask(&base, UNKNOWN, DEFAULT_ARTIFACT, &[]).unwrap_err();
    assert_eq!((error.exit().code(), error.to_string().contains("no MLflow run 0123")), (2, true), "{error}");
    let error = ask(&base, RUN, "other/a b.json", &[]).unwrap_err();
    assert_eq!((error.exit().code(), error.to_string().contains("no artifact other/a b.json")), (2, true), "{error}");
    let deleted = run_record("mlflow-artifacts:/x", "deleted");
    let base = serve(move |_, _| json("200 OK", &deleted));
    assert!(fault(&base, &[]).1.contains("is deleted"));
}

#[test]
fn a_store_of_the_servers_own_is_asked_through_the_server() {
    let base = serve(|request, _| match request.contains("/get-artifact?run_uuid=") {
        true => http("200 OK", "application/octet-stream", ARTIFACT),
        false => json("200 OK", &run_record("s3://bucket/1/x/artifacts", "active")),
    });
    assert_eq!(ask(&base, RUN, DEFAULT_ARTIFACT, &[]).unwrap(), ARTIFACT.as_bytes());
}

#[test]
fn artifact_addresses_that_leave_the_run_are_refused() {
    for uri in ["mlflow-artifacts:/1/other/artifacts".to_owned(), format!("mlflow-artifacts:/1/{RUN}/../../secret")] {
        let base = serve(move |_, _| json("200 OK", &run_record(&uri, "active")));
        assert_eq!(fault(&base, &[]).0, 3);
    }
}

#[test]
fn other_servers_and_failing_ones_are_the_environments_fault() {
    for (answer, word) in [
        (http("404 Not Found", "text/html", "<!doctype html>\n<title>404</title>"), "HTTP 404"),
        (http("500 Internal Server Error", "text/html", "<h1>oops</h1>"), "HTTP 500"),
        (http("403 Forbidden", "text/plain", "Invalid Host header - possible DNS rebinding attack"), "Invalid Host"),
        (
            raw("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", Duration::ZERO),
            "302",
        ),
        (http("200 OK", "text/html", "<html>a login page</html>"), "does not say where"),
        (raw("SSH-2.0-OpenSSH_9.6\r\n", Duration::ZERO), "cannot be reached"),
        (raw("", Duration::ZERO), "cannot be reached"),
    ] {
        let base = serve(move |_, _| answer.clone());
        let (exit, message) = fault(&base, &[]);
        assert!(exit == 3 && message.contains(word), "{word}: {exit} {message}");
    }
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(fault(&format!("http://{unused}"), &[]).1.contains("cannot be reached"));
}

/// Answers the run's record well and the artifact with `answer`.
fn broken_artifact(answer: Answer) -> String {
    serve(move |request, _| match request.contains("runs/get") {
        true => json("200 OK", &proxied()),
        false => answer.clone(),
    })
}

#[test]
fn slow_cut_and_oversized_answers_end_in_an_error() {
    let start = Instant::now();
    let (exit, message) = fault(&broken_artifact(raw("", Duration::from_secs(5))), &[]);
    assert!(exit == 3 && message.contains("no answer within 1 s"), "{message}");
    let dripping = raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", Duration::from_secs(5));
    assert!(fault(&broken_artifact(dripping), &[]).1.contains("broke off"));
    assert!(start.elapsed() < Duration::from_secs(5));
    let cut = raw("HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n{\"results\": [", Duration::ZERO);
    assert!(fault(&broken_artifact(cut), &[]).1.contains("broke off after"));
    let chunk = raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{\"results\"", Duration::ZERO);
    assert!(fault(&broken_artifact(chunk), &[]).1.contains("broke off"));
    let huge = serve(|_, _| json("200 OK", &" ".repeat(5 << 20)));
    assert!(fault(&huge, &[]).1.contains("larger than"));
}

#[test]
fn logins_are_sent_and_never_shown() {
    let base = serve(|request, lines| {
        let login = lines.iter().find(|line| line.to_ascii_lowercase().starts_with("authorization"));
        match login.map(String::as_str) {
            Some(line) if line.ends_with("Bearer right-token") || line.ends_with("Basic YW5uOnJpZ2h0LXdvcmQ=") => {
                recorded(request, lines)
            }
            Some(line) => http("401 Unauthorized", "text/html", &format!("You are not authenticated: {line}")),
            None => http("401 Unauthorized", "text/html", "You are not authenticated."),
        }
    });
    let token = |text| [("MLFLOW_TRACKING_TOKEN", text)];
    assert!(ask(&base, RUN, DEFAULT_ARTIFACT, &token("right-token")).is_ok());
    let basic = [("MLFLOW_TRACKING_USERNAME", "ann"), ("MLFLOW_TRACKING_PASSWORD", "right-word")];
    assert!(ask(&base, RUN, DEFAULT_ARTIFACT, &basic).is_ok());
    let inside = base.replace("http://", "http://ann:right-word@");
    assert_eq!(
        ask(&inside, RUN, DEFAULT_ARTIFACT, &[]).map_err(|error| error.to_string()).unwrap(),
        ARTIFACT.as_bytes()
    );
    let (exit, message) = fault(&base, &token("wrong-token"));
    assert!(exit == 3 && message.contains("Bearer ***") && !message.contains("wrong-token"), "{message}");
    let (_, message) = fault(&base.replace("http://", "http://ann:wrong-word@"), &[]);
    assert!(message.contains("Basic ***"), "{message}");
    assert!(fault(&base, &[]).1.contains("HTTP 401"));
}
