//! The units of the daemons fit what the packages bring with them.

use std::fs;
use std::process::{Command, Stdio};

use e2e::{Place, root};

const UNITS: [(&str, &str); 2] = [("drift-watch", "examples/live"), ("rebench-cron", "examples/rebench")];

fn unit(daemon: &str, folder: &str) -> String {
    fs::read_to_string(root().join(folder).join(format!("{daemon}.service"))).unwrap()
}

/// The value of a key of a unit.
fn value<'a>(unit: &'a str, key: &str) -> &'a str {
    unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default()
}

#[test]
fn each_daemon_has_a_user_that_the_packages_make() {
    let users = fs::read_to_string(root().join("packaging/forecast-promotion.conf")).unwrap();
    for (daemon, folder) in UNITS {
        let unit = unit(daemon, folder);
        let made = |line: &str| line.split_whitespace().take(2).eq(["u", value(&unit, "User")]);
        assert!(users.lines().any(made), "{daemon}: {}", value(&unit, "User"));
        assert_eq!(value(&unit, "WorkingDirectory"), format!("/var/lib/{}", value(&unit, "StateDirectory")));
    }
}

#[test]
fn each_unit_starts_its_tool_with_flags_that_it_has() {
    for (daemon, folder) in UNITS {
        let unit = unit(daemon, folder);
        let mut words = value(&unit, "ExecStart").split_whitespace();
        assert_eq!(words.next(), Some(format!("/usr/bin/{daemon}").as_str()));
        // `--help` ends the tool once the flags before it are read.
        let said = Place::new().run(daemon, &words.chain(["--help"]).collect::<Vec<_>>());
        assert_eq!(said.status, 0, "{daemon}: {}", said.stderr);
    }
}

#[test]
fn both_daemons_take_the_settings_that_are_installed() {
    let settings = root().join("packaging/promotion.toml").display().to_string();
    for (daemon, _) in UNITS {
        let said = Place::new().run(daemon, &["check", "--config", &settings]);
        assert_eq!(said.status, 0, "{daemon}: {}", said.stderr);
    }
}

#[test]
fn systemd_finds_nothing_to_say_on_the_units() {
    let place = Place::new();
    let installed = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !installed(Command::new("systemd-analyze").arg("--version")) {
        assert!(std::env::var_os("CI").is_none(), "CI has no systemd-analyze");
        return;
    }
    for (daemon, folder) in UNITS {
        // Programs are looked for where they are, and here they are not in /usr/bin.
        let text = unit(daemon, folder).replace("/usr/bin/", &format!("{}/", e2e::binaries().display()));
        let path = place.path(&format!("{daemon}.service"));
        std::io::Write::write_all(&mut fs::File::create(&path).unwrap(), text.as_bytes()).unwrap();
        let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains(daemon), "{said}");
    }
}
