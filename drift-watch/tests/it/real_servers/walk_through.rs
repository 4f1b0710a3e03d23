//! The walk through `examples/live`, as its README has it, in a copy of the folder.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{example, text_of_example};
use crate::process::wait_for;
use crate::real_process::{alertmanager, free_address, program};
use crate::replayed::Place;
use crate::served::installed;

/// The files that a copy needs: all but the page itself and the unit of systemd.
const FILES: [&str; 6] =
    ["log_live.py", "serve_90_days.py", "promotion.toml", "prometheus.yml", "rules.yml", "alertmanager.yml"];

/// A shell and all that it started.
struct Shell(Child);

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        _ = self.0.wait();
    }
}

/// The blocks of a page that a shell runs.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Ports that are free here in place of the usual ones, and a Prometheus in a hurry.
fn here(text: &str, ports: &[(&str, SocketAddr)]) -> String {
    let moved = ports.iter().fold(text.to_owned(), |text, (usual, ours)| text.replace(usual, &ours.to_string()));
    moved.replace("interval: 15s", "interval: 1s")
}

#[test]
fn the_commands_of_the_readme_work_as_written() {
    let names = [program(&["prometheus"], "prometheus"), alertmanager()];
    if names.contains(&None) || !["python3", "curl", "amtool", "promtool"].iter().all(|name| installed(name)) {
        return;
    }
    let place = Place::new();
    let ports = ["127.0.0.1:9464", "127.0.0.1:9090", "127.0.0.1:9093"].map(|usual| (usual, free_address()));
    for name in FILES {
        place.write(name, here(&text_of_example(name), &ports));
    }
    let page = text_of_example("README.md");
    let blocks = blocks(&page);
    assert!(blocks.len() >= 6, "{blocks:?}");
    let status = format!("drift-watch status --url http://{}", ports[0].1);
    let script = here(&blocks.join("\n"), &ports).replace("drift-watch status", &status);
    let script = script.replace("prometheus-alertmanager ", &format!("{} ", names[1].unwrap()));
    place.write("walk.sh", format!("set -eu\n{script}\necho THE END\n"));

    let tool = Path::new(env!("CARGO_BIN_EXE_drift-watch")).parent().unwrap();
    let path = format!("{}:{}", tool.display(), std::env::var("PATH").unwrap());
    let said = std::fs::File::create(place.path("said")).unwrap();
    let mut command = Command::new("bash");
    command.arg("walk.sh").current_dir(place.path("")).env("PATH", path).env("NO_COLOR", "1").process_group(0);
    command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
    let mut shell = Shell(command.spawn().unwrap());
    let mut ended = None;
    let read = || std::fs::read_to_string(place.path("said")).unwrap();
    wait_for("the end of the walk", || {
        ended = shell.0.try_wait().unwrap();
        ended.is_some()
    });
    let said = read();
    assert!(ended.unwrap().success() && said.ends_with("THE END\n"), "{said}");
    for part in ["north", "DRIFT    demand 2", "ForecastDrift", "standing=\"drift\"", "state/evidence/"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn the_folder_holds_what_its_readme_lists() {
    let page = text_of_example("README.md");
    let rows = page.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let mut listed: Vec<&str> = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    listed.sort_unstable();
    // Folders are left by whoever took the walk in this place.
    let entries = example("").read_dir().unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    let mut there: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    there.retain(|name| name != "README.md");
    there.sort_unstable();
    assert_eq!(there, listed);
}
