//! A real MLflow server for the tests.

use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const START_PATIENCE: Duration = Duration::from_mins(4);

/// A server in a process group of its own, which ends with the test.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts one with its data in `folder`, and waits until it listens.
    pub(crate) fn start(python: &str, folder: &Path, port: u16) -> Self {
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let child = Command::new(python)
            .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}", folder.join("mlflow.db").display()))
            .arg("--artifacts-destination")
            .arg(folder.join("artifacts"))
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .current_dir(folder)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let server = Self { child };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
            assert!(start.elapsed() < START_PATIENCE, "the server does not start: {}", log());
            thread::sleep(Duration::from_millis(300));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The group: the server has workers.
        let group = format!("-{}", self.child.id());
        _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        _ = self.child.wait();
    }
}
