//! Servers of others, started for a test on free ports of the loopback, and ended with it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part; a panic is its answer")]

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_PATIENCE: Duration = Duration::from_mins(1);

/// A server that ends with the test.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The first of these names by which a program can be run, which Debian packages as `package`. Without it a skip that is hard
/// to overlook; in CI, a failure.
pub(crate) fn program(names: &[&'static str], package: &str) -> Option<&'static str> {
    let runs = |name: &&&str| {
        let version = Command::new(**name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    let found = names.iter().find(runs).copied();
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI needs {package} (apt-get install {package})");
        // Past the test harness, which keeps what passing tests print to itself.
        let skip = format!("\n*** SKIPPED: there is no {} (apt-get install {package})\n", names[0]);
        std::io::stderr().write_all(skip.as_bytes()).unwrap();
    }
    found
}

/// Alertmanager, by Debian's name or its own.
pub(crate) fn alertmanager() -> Option<&'static str> {
    program(&["prometheus-alertmanager", "alertmanager"], "prometheus-alertmanager")
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Starts Alertmanager with this configuration and its data in `folder`; returns its address.
pub(crate) fn start_alertmanager(program: &str, folder: &Path, config: &str) -> (Process, String) {
    let file = folder.join("alertmanager.yml");
    shared::fsio::write_atomic(&file, config.as_bytes()).unwrap();
    start(folder, "/-/ready", |address| {
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.join("alertmanager-data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=");
        command
    })
}

/// Starts Prometheus with the configuration in this file and its data in `folder`; returns its address.
pub(crate) fn start_prometheus(program: &str, folder: &Path, config: &Path) -> (Process, String) {
    start(folder, "/-/ready", |address| {
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("prometheus-data").display()))
            .arg(format!("--web.listen-address={address}"))
            // It knows its Alertmanager only a moment after its first alerts.
            .arg("--rules.alert.resend-delay=1s");
        command
    })
}

/// Starts a server on a free port and waits until it answers well under this path.
pub(crate) fn start(folder: &Path, ready: &str, command: impl FnOnce(SocketAddr) -> Command) -> (Process, String) {
    let address = free_address();
    let log = folder.join(format!("server-{}.log", address.port()));
    let written = std::fs::File::create(&log).unwrap();
    let mut command = command(address);
    let child = command.current_dir(folder).stdout(written.try_clone().unwrap()).stderr(written).spawn().unwrap();
    let process = Process(child);
    let (base, started) = (format!("http://{address}"), Instant::now());
    while get(&format!("{base}{ready}")).is_none() {
        let log = || std::fs::read_to_string(&log).unwrap_or_default();
        assert!(started.elapsed() < START_PATIENCE, "the server does not start: {}", log());
        std::thread::sleep(Duration::from_millis(50));
    }
    (process, base)
}

/// What a server answers, if it answers well.
pub(crate) fn get(url: &str) -> Option<String> {
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    client.get(url).send().ok()?.error_for_status().ok()?.text().ok()
}
