//! What a killed daemon leaves is found by its identity, and ended.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use rebench_cron::process::{Identity, run};
use shared::fsio;

use crate::process_support::{Trial, alive, text, unique, wait_until};

const VICTIM: &str = "PROCESS_VICTIM";
const WORD: &str = "PROCESS_VICTIM_WORD";

/// Runs until it is killed. Run by itself it has nothing to do.
#[test]
fn victim() {
    let (Ok(note), Ok(word)) = (std::env::var(VICTIM), std::env::var(WORD)) else { return };
    let trial = Trial::new();
    let script = format!("trap '' TERM; set -m; sleep {word} & sleep {word}; sleep {word}");
    let command = trial.command(&["bash", "-c", &script]);
    let note = |identity: &Identity| {
        let Identity { pid, start_ticks, boot_id, token } = identity.clone();
        let line = format!("{pid} {} {} {token}", start_ticks.unwrap(), boot_id.unwrap());
        fsio::write_atomic(Path::new(&note), line.as_bytes()).unwrap();
    };
    run(&command, &trial.slot(), &trial.cancel, Timestamp::now, note).unwrap();
}

fn noted(line: &str) -> Identity {
    let mut words = line.split(' ').map(str::to_owned);
    Identity {
        pid: words.next().unwrap().parse().unwrap(),
        start_ticks: words.next().unwrap().parse().ok(),
        boot_id: words.next(),
        token: words.next().unwrap(),
    }
}

#[test]
fn a_run_of_a_killed_daemon_lives_on_and_is_ended() {
    let (folder, word) = (tempfile::tempdir().unwrap(), unique());
    let note = folder.path().join("identity");
    let mut daemon = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process_lost::victim"])
        .envs([(VICTIM, note.as_os_str()), (WORD, word.as_ref())])
        .env("TMPDIR", folder.path())
        .spawn()
        .unwrap();
    // The shell, and the two that sleep.
    wait_until("the run is up", || note.exists() && alive(&word).len() == 3);
    let identity = noted(&text(&note));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(identity.lives());
    let other = Identity { token: "another".to_owned(), start_ticks: Some(1), ..identity.clone() };
    assert!(!other.lives() && other.end(Duration::ZERO).is_empty());
    assert!(identity.lives(), "another run of the number is another");
    assert_eq!(identity.end(Duration::from_millis(200)), []);
    assert!(!identity.lives());
    assert_eq!(alive(&word), Vec::<String>::new());
}
