//! The event log (format 4.11): a line for every alert that begins or ends. Lines carry numbers, so that none is written twice.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::error::{Error, Result};

use crate::core::alerts::Transition;
use crate::core::summary::alert_view;

/// How much of the end of the file is read to find the last number.
const TAIL_BYTES: u64 = 1 << 20;

/// Lines that wait while the file cannot be written; the oldest of more are lost, and said.
const MOST_WAITING: usize = 10_000;

/// After a failed write the file is left alone for so long.
const PAUSE: Duration = Duration::from_secs(2);

/// The event log.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    file: Option<File>,
    next: u64,
    torn: bool,
    /// Lines that are not written, with their numbers.
    waiting: VecDeque<(u64, String)>,
    failed: Option<(Instant, String)>,
}

impl Events {
    /// Opens the file and finds the number of its last event.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let (last, torn) = end(path).map_err(|source| Error::io(path, "read", source))?;
        let next = last.map_or(0, |last| last + 1);
        Ok(Self { path: path.to_owned(), file: None, next, torn, waiting: VecDeque::new(), failed: None })
    }

    /// Takes the transitions that are not there yet; `first` is the number of the first of them.
    pub fn add(&mut self, transitions: &[Transition], first: u64) {
        let new = transitions.iter().zip(first..).filter(|(_, number)| *number >= self.next);
        self.waiting.extend(new.map(|(transition, number)| (number, line(transition, number))));
        self.next = self.next.max(first + transitions.len() as u64);
        let surplus = self.waiting.len().saturating_sub(MOST_WAITING);
        if surplus > 0 {
            tracing::error!(surplus, "events are lost, as the event log cannot be written");
            self.waiting.drain(..surplus);
        }
    }

    /// Appends what waits; after a failure, not before some time has passed.
    ///
    /// # Errors
    /// If it cannot be written; it waits.
    pub fn write(&mut self) -> Result<()> {
        let must_wait = self.failed.as_ref().is_some_and(|(when, _)| when.elapsed() < PAUSE);
        if self.waiting.is_empty() || must_wait {
            return Ok(());
        }
        let written = self.append();
        self.failed = written.as_ref().err().map(|error| (Instant::now(), error.to_string()));
        written.map_err(|source| Error::io(&self.path, "write", source))
    }

    /// Why events wait, if they do.
    pub fn trouble(&self) -> Option<String> {
        let why = self.failed.as_ref().map(|(_, why)| why)?;
        Some(format!("{}: the event log cannot be written: {why}", self.path.display()))
    }

    fn append(&mut self) -> std::io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.reopen()?,
        };
        let start = if std::mem::take(&mut self.torn) { "\n" } else { "" };
        let lines: Vec<&str> = self.waiting.iter().map(|(_, line)| line.as_str()).collect();
        if !lines.is_empty() {
            file.write_all(format!("{start}{}\n", lines.join("\n")).as_bytes())?;
            file.sync_data()?;
        }
        self.waiting.clear();
        self.file = Some(file);
        Ok(())
    }

    /// Opens the file. Where a write has failed, a part of the lines may be there all the same.
    fn reopen(&mut self) -> std::io::Result<File> {
        let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        let (last, torn) = end(&self.path)?;
        self.torn = torn;
        self.waiting.retain(|(number, _)| last.is_none_or(|last| *number > last));
        Ok(file)
    }
}

fn line(transition: &Transition, number: u64) -> String {
    let (event, record) = match transition {
        Transition::Fired(record) => ("fired", record),
        Transition::Resolved(record) => ("resolved", record),
    };
    let value = json!({"schema": "drift-watch/event/1", "number": number, "event": event, "alert": alert_view(record)});
    value.to_string()
}

/// The number of the last whole event, and whether a crash has cut a line after it.
fn end(path: &Path) -> std::io::Result<(Option<u64>, bool)> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((None, false)),
        file => file?,
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let text = String::from_utf8_lossy(&tail);
    let number = |line: &str| serde_json::from_str::<Value>(line).ok()?.get("number")?.as_u64();
    Ok((text.lines().rev().find_map(number), !tail.is_empty() && tail.last() != Some(&b'\n')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alerts::{Alerts, Cause, Condition, Key, Patience};
    use crate::view::AlertKind;

    #[test]
    fn an_event_is_written_once_whatever_a_crash_repeats() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let mut alerts = Alerts::default();
        let mut observe = |now: i64| {
            let key = Key { kind: AlertKind::Rule, model: "m".into(), version: "1".into(), subject: now.to_string() };
            let patience = Patience { hold: 1, keep: 1, cooldown: 0 };
            alerts.observe(&key, Condition::Holds, patience, now, Cause::default).unwrap()
        };
        let all = [observe(1), observe(2), observe(3)];
        let add = |events: &mut Events, transitions: &[Transition], first| {
            events.add(transitions, first);
            events.write().unwrap();
        };
        add(&mut Events::open(&path).unwrap(), &all[..2], 0);
        let mut again = Events::open(&path).unwrap();
        add(&mut again, &all, 0);
        add(&mut again, &all[1..], 1);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"numb").unwrap();
        assert_eq!(end(&path).unwrap(), (Some(2), true));
        let mut mended = Events::open(&path).unwrap();
        add(&mut mended, &[observe(4)], 3);
        assert_eq!(end(&path).unwrap(), (Some(3), false));
    }

    #[test]
    fn events_wait_for_a_file_that_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later").join("events.jsonl");
        let mut alerts = Alerts::default();
        let key = Key { kind: AlertKind::Rule, model: "m".into(), version: "1".into(), subject: "s".into() };
        let patience = Patience { hold: 1, keep: 1, cooldown: 0 };
        let fired = alerts.observe(&key, Condition::Holds, patience, 1, Cause::default).unwrap();
        let ended = alerts.observe(&key, Condition::Clear, patience, 2, Cause::default).unwrap();
        let mut events = Events::open(&path).unwrap();
        events.add(&[fired], 0);
        assert!(events.write().is_err());
        assert!(events.trouble().unwrap().contains("events.jsonl"));
        events.add(&[ended], 1);
        std::fs::create_dir(folder.path().join("later")).unwrap();
        events.failed = events.failed.map(|(when, why)| (when.checked_sub(PAUSE).unwrap(), why));
        events.write().unwrap();
        assert!(events.trouble().is_none());
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!((text.lines().count(), end(&path).unwrap()), (2, (Some(1), false)), "{text}");
    }
}
