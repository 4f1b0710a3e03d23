//! The service of `examples/serving`, started on a project, and what it has answered.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use e2e::root;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::process::wait_for;
use crate::project::Project;
use crate::real_process::{Process, start};

/// Series that requests are about.
const SHOPS: i64 = 12;

/// The running service and what it has answered.
pub(crate) struct Service {
    _process: Process,
    base: String,
    client: Client,
    first_day: Timestamp,
    asked: AtomicI64,
    answers: Mutex<Vec<Answer>>,
}

/// The version that answered, and its forecast.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) forecast: f64,
}

impl Service {
    /// Starts it beside the logger that it shares with `examples/live`.
    pub(crate) fn start(project: &Project) -> Self {
        let examples = root().join("examples");
        let (process, base) = start(&project.place.path(""), "/openapi.json", |address| {
            let mut command = Command::new(&project.python);
            command.args(["-B", "-m", "uvicorn", "app:app", "--log-level", "warning", "--app-dir"]);
            command.arg(examples.join("serving")).args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
            command.env("PYTHONPATH", examples.join("live"));
            command.env("MODELS", project.place.path("models")).env("MODEL", "demand");
            command.env("RECORDS", project.place.path("records"));
            command
        });
        let client = Client::builder().no_proxy().build().unwrap();
        let (asked, answers) = (AtomicI64::new(0), Mutex::default());
        Self { _process: process, base, client, first_day: day_after_tomorrow(), asked, answers }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.client.post(format!("{}{path}", self.base)).json(body).send().unwrap();
        (answer.status().as_u16(), answer.json().unwrap())
    }

    /// Asks about a series and a target time that nobody has asked about; the answer counts as one more.
    pub(crate) fn ask(&self) -> Answer {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let (status, answer) = self.post("/predict", &self.question(number));
        assert_eq!(status, 200, "{answer}");
        let forecast = answer["predictions"][0].as_f64().unwrap();
        let answer = Answer { version: answer["version"].as_str().unwrap().to_owned(), forecast };
        self.answers.lock().unwrap().push(answer.clone());
        answer
    }

    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.answers.lock().unwrap().clone()
    }

    /// Waits until a version has answered so many requests more.
    pub(crate) fn wait_for_more(&self, version: &str, more: usize) {
        let count = || self.answers().iter().filter(|answer| answer.version == version).count();
        let before = count();
        wait_for(&format!("answers of {version}"), || count() >= before + more);
    }

    /// How many requests there were.
    pub(crate) fn asked(&self) -> i64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// A row of features, and what it is about.
    pub(crate) fn question(&self, number: i64) -> Value {
        json!({"instances": [{"lag": 20.0, "week": 3.0}], "about": [self.about(number)]})
    }

    /// Series and target time of a request: days to come, for each of which all series are asked about.
    pub(crate) fn about(&self, number: i64) -> Value {
        let series = format!("shop_{:02}", number % SHOPS);
        json!({"series": series, "target_time": self.target(number).to_string(), "horizon": 1})
    }

    /// The target time of a request.
    pub(crate) fn target(&self, number: i64) -> Timestamp {
        self.first_day.checked_add((number / SHOPS * 24).hours()).unwrap()
    }
}

/// A day that has not begun when the test ends.
fn day_after_tomorrow() -> Timestamp {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).start_of_day().unwrap();
    today.checked_add(2.days()).unwrap().timestamp()
}
