//! The queue under kill -9: what was put is delivered at least once, in order, and then known as done.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;
use shared::outbox::{Delivered, Message, Outbox, Put};

/// Set for the process that is killed: the folder that it works in.
const VICTIM: &str = "OUTBOX_VICTIM";

const KILLS: u64 = 40;

/// Appends a line to a file, which is what the receiver and the sender remember of it.
fn log(path: &Path, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn receive(received: &Path, message: &Message) -> Delivered {
    log(received, &message.key);
    Delivered::Done
}

/// Puts and delivers until it is killed. Run by itself it has nothing to do.
#[test]
fn victim() {
    let Ok(folder) = std::env::var(VICTIM) else { return };
    let folder = PathBuf::from(folder);
    let outbox = Outbox::new(folder.join("outbox"));
    for number in lines(&folder.join("put")).len().. {
        let key = format!("{number:06}");
        outbox.put(&Message::new(&key, "t", "test", "2026-01-01T00:00:00Z", json!(number))).unwrap();
        log(&folder.join("put"), &key);
        if number % 3 == 0 {
            let tired = number % 2 == 0;
            let mut count = 0;
            let send = |message: &Message| {
                count += 1;
                if tired && count > 1 {
                    return Err(shared::Error::Environment { what: "down".to_owned(), help: None });
                }
                Ok(receive(&folder.join("received"), message))
            };
            outbox.deliver(send).unwrap();
        }
    }
}

fn kill_after(folder: &Path, delay: Duration) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "outbox::victim"])
        .env(VICTIM, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(delay);
    assert!(child.try_wait().unwrap().is_none(), "the victim ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn nothing_is_lost_by_kill() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..KILLS {
        kill_after(folder.path(), Duration::from_millis(20 + round * 7 % 40));
    }
    let outbox = Outbox::new(folder.path().join("outbox"));
    let received = folder.path().join("received");
    let last = outbox.deliver(|message| Ok(receive(&received, message))).unwrap();
    assert!(last.waiting.is_empty() && last.damaged.is_empty() && last.refused.is_empty(), "{last:?}");
    let put = lines(&folder.path().join("put"));
    assert!(put.len() as u64 > KILLS, "only {} messages were put", put.len());
    let mut first = Vec::new();
    for key in lines(&received) {
        if !first.contains(&key) {
            first.push(key);
        }
    }
    // A victim that is killed between putting and noting puts the same key again, which is known.
    assert!(first.len() >= put.len() && first.is_sorted(), "{first:?}");
    put.iter().for_each(|key| assert!(outbox.done(key).unwrap(), "{key}"));
    let repeated = lines(&received).len() - first.len();
    assert!(repeated as u64 <= KILLS, "{repeated} second deliveries by {KILLS} kills");
    let again = Message::new(&put[0], "t", "test", "2026-01-01T00:00:00Z", json!(0));
    assert_eq!(outbox.put(&again).unwrap(), Put::Known);
}
