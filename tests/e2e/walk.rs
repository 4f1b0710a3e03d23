//! The commands of an example's README, run as they stand, in a project's folder.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::{binaries, root};
use shared::fsio;

use crate::project::Project;
use crate::real_process::free_address;

/// How long a walk may take; it starts servers.
const PATIENCE: Duration = Duration::from_mins(3);

/// A shell and all that it started.
struct Shell(Child);

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        _ = self.0.wait();
    }
}

impl Project {
    /// Runs what a shell runs of a page, with free ports in place of the usual ones; what was printed.
    pub(crate) fn walk(&self, page: &str, ports: &[&str]) -> String {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let blocks: Vec<&str> = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(blocks.len() >= 2, "{page}: {blocks:?}");
        let moved = |script: String, usual: &&str| {
            assert!(script.contains(*usual), "{page}: {usual}");
            script.replace(*usual, &free_address().port().to_string())
        };
        let script = ports.iter().fold(blocks.join("\n"), moved);
        let script = format!("set -eu\n{script}\nwait\necho THE END\n");
        fsio::write_atomic(&self.place.path("walk.sh"), script.as_bytes()).unwrap();
        self.shell()
    }

    fn shell(&self) -> String {
        let said = File::create(self.place.path("said")).unwrap();
        let mut command = Command::new("bash");
        command.arg("walk.sh").current_dir(self.place.path("")).process_group(0).stdin(Stdio::null());
        command.env("PATH", self.search_path()).env("NO_COLOR", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdout(said.try_clone().unwrap()).stderr(said);
        let mut shell = Shell(command.spawn().unwrap());
        let (started, mut ended) = (Instant::now(), None);
        while ended.is_none() && started.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
            ended = shell.0.try_wait().unwrap();
        }
        let said = fs::read_to_string(self.place.path("said")).unwrap();
        assert!(ended.is_some_and(|status| status.success()) && said.ends_with("THE END\n"), "{said}");
        said
    }

    /// The tools under test, and the programs of the project's Python.
    fn search_path(&self) -> String {
        let python = Path::new(&self.python).parent().unwrap();
        format!("{}:{}:{}", binaries().display(), python.display(), std::env::var("PATH").unwrap())
    }
}
