//! A real `PostgreSQL` server for the tests, in a folder of its own.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postgres::{Client, NoTls};
use shared::secret::Secret;
use tempfile::TempDir;

use crate::process_support::wait_until;

/// The server; it ends with the test.
pub(crate) struct Server {
    folder: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    port: u16,
    child: Option<Child>,
}

/// The folder with the programs of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let found = glob::glob("/usr/lib/postgresql/*/bin").ok()?.flatten();
    let version = |path: &PathBuf| path.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    found.filter(|path| path.join("initdb").exists()).max_by_key(version)
}

fn number(flag: &str) -> u32 {
    let output = Command::new("id").args([flag, "postgres"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

impl Server {
    /// Starts one; none, loudly, where it is not installed.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os("CI").is_none(), "CI has no PostgreSQL (apt-get install postgresql)");
            eprintln!("\n*** SKIPPED {test}: PostgreSQL is not installed\n");
            return None;
        };
        // It refuses to run as root.
        let user = rustix::process::geteuid().is_root().then(|| (number("-u"), number("-g")));
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self { folder, programs, user, port: 0, child: None };
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(server.folder.path(), Some(user), Some(group)).unwrap();
        }
        let made = server
            .program("initdb")
            .args(["--auth=trust", "--username=postgres", "--no-sync", "--no-locale", "--encoding=UTF8", "-D"])
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        server.go();
        Some(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.folder.path()).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Starts it, on the port that it had.
    pub(crate) fn go(&mut self) {
        let log = File::create(self.folder.path().join("log")).unwrap();
        let child = self
            .program("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "fsync=off", "-c", "max_connections=40"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        wait_until("the server answers", || Client::connect(&self.text("postgres"), NoTls).is_ok());
    }

    /// Ends it, and with it all sessions.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // SIGINT: sessions are ended, and what was committed is on disk.
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        child.wait().unwrap();
    }

    /// Ends it and starts it again.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.go();
    }

    /// How to reach a database of it.
    pub(crate) fn text(&self, database: &str) -> String {
        format!("postgresql://postgres:geheim@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// How to reach it.
    pub(crate) fn url(&self) -> Secret {
        Secret::new(self.text("postgres"))
    }

    /// A session of somebody who looks after it.
    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.text("postgres"), NoTls).unwrap()
    }

    /// Ends the sessions of all others, as where their network is gone.
    pub(crate) fn cut(&self) {
        let sql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND application_name = 'rebench-cron'";
        self.client().execute(sql, &[]).unwrap();
    }

    /// Writes the connection string into a file.
    pub(crate) fn write_url(&self, path: &Path) {
        shared::fsio::write_atomic(path, format!("{}\n", self.text("postgres")).as_bytes()).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // SIGQUIT: at once, with all its processes.
            _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
            _ = child.wait();
        }
    }
}
