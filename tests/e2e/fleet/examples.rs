//! What a fleet is given to copy is right by those who read it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use e2e::{Place, root};

use super::broker::of_debian;

fn example(name: &str) -> PathBuf {
    root().join("examples/fleet").join(name)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// Runs a program that may be missing; in CI it may not.
fn asked(command: &mut Command) -> Option<Output> {
    let output = command.output().ok();
    assert!(output.is_some() || std::env::var_os("CI").is_none(), "CI has no {command:?}");
    output
}

#[test]
fn the_broker_takes_its_configuration() {
    let Some(program) = of_debian() else { return };
    let output = asked(Command::new(program).arg("-c").arg(example("nats.conf")).arg("-t")).unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn the_template_unit_is_one_and_starts_a_replica_with_flags_that_it_has() {
    let place = Place::new();
    let unit = fs::read_to_string(example("drift-watch-fleet@.service")).unwrap();
    let started = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap().replace("%i", "1");
    let words: Vec<&str> = started.split_whitespace().skip(1).chain(["--help"]).collect();
    assert_eq!(place.run("drift-watch", &words).status, 0);
    let path = place.path("drift-watch-fleet@1.service");
    shared::fsio::write_atomic(&path, unit.replace("/usr/bin/", &format!("{}/", e2e::binaries().display())).as_bytes())
        .unwrap();
    let Some(output) = asked(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path)) else { return };
    assert!(output.status.success() && !said(&output).contains("drift-watch"), "{}", said(&output));
}

#[test]
fn the_manifest_is_valid_and_its_settings_are_ours() {
    let text = fs::read_to_string(example("kubernetes.yaml")).unwrap();
    let settings = text.split_once("promotion.toml: |\n").unwrap().1.split_once("---").unwrap().0;
    let place = Place::new();
    let settings: String = settings.lines().map(|line| line.trim_start().to_owned() + "\n").collect();
    shared::fsio::write_atomic(&place.path("promotion.toml"), settings.as_bytes()).unwrap();
    let checked = place.run("drift-watch", &["check"]);
    assert_eq!(checked.status, 0, "{}", checked.stderr);
    let Some(python) = std::env::var_os("FORECAST_PYTHON").filter(|python| !python.is_empty()) else { return };
    let validator = PathBuf::from(python).with_file_name("kubernetes-validate");
    let Some(output) = asked(Command::new(&validator).arg("--strict").arg(example("kubernetes.yaml"))) else { return };
    assert!(output.status.success(), "{}", said(&output));
    // It can fail.
    let wrong = place.path("wrong.yaml");
    shared::fsio::write_atomic(&wrong, text.replace("replicas: 3", "replica: 3").as_bytes()).unwrap();
    assert!(!asked(Command::new(&validator).arg("--strict").arg(&wrong)).unwrap().status.success());
}
