//! The event log (format 4.11): a line for every alert that begins or ends. Lines carry numbers, so that none is written twice.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shared::error::{Error, Result};

use crate::core::alerts::Transition;
use crate::core::summary::alert_view;

/// How much of the end of the file is read to find the last number.
const TAIL_BYTES: u64 = 1 << 20;

/// The event log.
#[derive(Debug)]
pub struct Events {
    path: PathBuf,
    file: Option<File>,
    next: u64,
    torn: bool,
}

impl Events {
    /// Opens the file and finds the number of its last event.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let (last, torn) = end(path).map_err(|source| Error::io(path, "read", source))?;
        Ok(Self { path: path.to_owned(), file: None, next: last.map_or(0, |last| last + 1), torn })
    }

    /// Appends the transitions that are not there yet; `first` is the number of the first of them.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn add(&mut self, transitions: &[Transition], first: u64) -> Result<()> {
        let new = transitions.iter().zip(first..).filter(|(_, number)| *number >= self.next);
        let lines: Vec<String> = new.map(|(transition, number)| line(transition, number)).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let start = if std::mem::take(&mut self.torn) { "\n" } else { "" };
        let written = self.write(&format!("{start}{}\n", lines.join("\n")));
        written.map_err(|source| Error::io(&self.path, "write", source))?;
        self.next = first + transitions.len() as u64;
        Ok(())
    }

    fn write(&mut self, text: &str) -> std::io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().create(true).append(true).open(&self.path)?,
        };
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        self.file = Some(file);
        Ok(())
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
    file.read_to_end(&mut tail)?;
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
        Events::open(&path).unwrap().add(&all[..2], 0).unwrap();
        let mut again = Events::open(&path).unwrap();
        again.add(&all, 0).unwrap();
        again.add(&all[1..], 1).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"numb").unwrap();
        assert_eq!(end(&path).unwrap(), (Some(2), true));
        let mut mended = Events::open(&path).unwrap();
        mended.add(&[observe(4)], 3).unwrap();
        assert_eq!(end(&path).unwrap(), (Some(3), false));
    }
}
