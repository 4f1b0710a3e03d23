//! A durable queue of what goes out over a network: a folder of small JSON files, one a message.
//!
//! A message is *pending* (in the folder itself), *done* (`done/`) or *refused* by its receiver for good (`refused/`); it goes
//! from one to another by a rename, so that a process killed at any moment leaves it in exactly one of them. It may be
//! delivered a second time if the process dies between the delivery and that rename: receivers are idempotent. Messages of
//! one target go out in the order in which they were put; a target that fails waits for the next delivery and holds up no
//! other. Files that cannot be read are moved to `damaged/` and reported.

mod folder;
mod message;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fsio;

use folder::{Lock, Slot};

pub use message::{MOST_BODY_BYTES, Message, SCHEMA};

/// How many messages may wait; the queue of a server that nobody restarts stays bounded.
pub const MOST_PENDING: usize = 10_000;

/// How many delivered messages are remembered, so that their keys are known.
pub const MOST_DONE: usize = 10_000;

/// The queue in one folder.
#[derive(Debug, Clone)]
pub struct Outbox {
    folder: PathBuf,
}

/// How an attempt at a message ended, unless it failed with an error and will be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It has arrived.
    Done,
    /// The receiver will never take it, and why.
    Refused(String),
    /// It was not tried, and why; this counts as no attempt.
    Later(String),
}

/// Whether [`Outbox::put`] queued a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is pending now.
    Queued,
    /// A message of this key is pending, done or refused already.
    Known,
}

/// What a delivery did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Delivery {
    /// What has arrived, in order.
    pub delivered: Vec<Message>,
    /// What a receiver refused for good, now or earlier; it lies in `refused/`.
    pub refused: Vec<Message>,
    /// What still waits, each with its last error.
    pub waiting: Vec<Message>,
    /// Files that could not be read, where they lie now.
    pub damaged: Vec<PathBuf>,
}

impl Outbox {
    /// The queue in `folder`, which is made when something is put into it.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where it stands.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Queues a message, unless one of the same key is known. When this returns, a crash does not lose it.
    ///
    /// # Errors
    /// [`Error::Usage`] if the message is too large, [`Error::Environment`] if the queue is full or its lock is not free
    /// within seconds, [`Error::Io`].
    pub fn put(&self, message: &Message) -> Result<Put> {
        let bytes = message.to_bytes()?;
        folder::create(&self.folder)?;
        let _lock = Lock::wait(&self.folder, folder::PUT_LOCK)?;
        if folder::knows(&self.folder, &message.key)? {
            return Ok(Put::Known);
        }
        let pending = folder::slots(&self.folder)?.len();
        if pending >= MOST_PENDING {
            let what = format!("{}: {pending} messages wait for delivery", self.folder.display());
            let help = "see why they are not delivered; what nobody wants any more can be deleted";
            return Err(Error::Environment { what, help: Some(help.to_owned()) });
        }
        let name = Slot::name(folder::next_number(&self.folder)?, &message.key);
        fsio::write_atomic(&self.folder.join(name), &bytes)?;
        Ok(Put::Queued)
    }

    /// The messages that wait, in order. Files that cannot be read are moved aside first; they are the second list.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn pending(&self) -> Result<(Vec<Message>, Vec<PathBuf>)> {
        let (messages, damaged) = self.load()?;
        Ok((messages.into_iter().map(|(_, message)| message).collect(), damaged))
    }

    /// The messages that a receiver refused for good, in order.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn refused(&self) -> Result<Vec<Message>> {
        let slots = folder::slots(&self.folder.join(folder::REFUSED))?;
        Ok(slots.iter().filter_map(|slot| slot.read().ok()).collect())
    }

    /// Whether a message of this key has been delivered.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn done(&self, key: &str) -> Result<bool> {
        folder::holds(&self.folder.join(folder::DONE), key)
    }

    /// Sends what waits, in order for each target. After an error the later messages of that target wait too.
    ///
    /// # Errors
    /// [`Error::Environment`] if another process delivers at this moment, [`Error::Io`].
    pub fn deliver(&self, mut send: impl FnMut(&Message) -> Result<Delivered>) -> Result<Delivery> {
        let mut report = Delivery::default();
        if !self.folder.exists() {
            return Ok(report);
        }
        folder::create(&self.folder)?;
        let _lock = Lock::try_now(&self.folder, folder::DELIVERY_LOCK)?;
        let (messages, damaged) = self.load()?;
        report.damaged = damaged;
        let mut blocked = BTreeSet::new();
        for (slot, message) in messages {
            match blocked.contains(&message.target) {
                true => report.waiting.push(message),
                false => self.attempt(&slot, message, &mut send, &mut blocked, &mut report)?,
            }
        }
        folder::prune(&self.folder.join(folder::DONE), MOST_DONE)?;
        report.refused = self.refused()?;
        Ok(report)
    }

    /// Lets what was refused wait again, behind what waits now; returns how many messages that are.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn retry_refused(&self) -> Result<usize> {
        let refused = self.folder.join(folder::REFUSED);
        if !refused.exists() {
            return Ok(0);
        }
        let _lock = Lock::wait(&self.folder, folder::PUT_LOCK)?;
        let slots = folder::slots(&refused)?;
        for slot in &slots {
            let name = slot.renumbered(folder::next_number(&self.folder)?);
            fsio::rename(&slot.path, &self.folder.join(name))?;
        }
        Ok(slots.len())
    }

    fn attempt(
        &self,
        slot: &Slot,
        mut message: Message,
        send: &mut impl FnMut(&Message) -> Result<Delivered>,
        blocked: &mut BTreeSet<String>,
        report: &mut Delivery,
    ) -> Result<()> {
        match send(&message) {
            Ok(Delivered::Done) => {
                slot.move_to(&self.folder.join(folder::DONE))?;
                report.delivered.push(message);
            }
            Ok(Delivered::Refused(why)) => {
                message.failed(&why);
                fsio::write_atomic(&slot.path, &message.to_bytes()?)?;
                slot.move_to(&self.folder.join(folder::REFUSED))?;
            }
            Ok(Delivered::Later(why)) => {
                blocked.insert(message.target.clone());
                message.last_error.get_or_insert(why);
                report.waiting.push(message);
            }
            Err(error) => {
                blocked.insert(message.target.clone());
                message.failed(&error.to_string());
                fsio::write_atomic(&slot.path, &message.to_bytes()?)?;
                report.waiting.push(message);
            }
        }
        Ok(())
    }

    /// The messages that wait with their files, and what was moved aside.
    fn load(&self) -> Result<(Vec<Waiting>, Vec<PathBuf>)> {
        let mut messages = Vec::new();
        let mut damaged = Vec::new();
        for slot in folder::slots(&self.folder)? {
            match slot.read() {
                Ok(message) => messages.push((slot, message)),
                // Delivered by another process since the folder was listed.
                Err(_) if !slot.path.exists() => {}
                Err(Error::Io { path, action, source }) => return Err(Error::Io { path, action, source }),
                Err(_) => damaged.push(slot.move_to(&self.folder.join(folder::DAMAGED))?),
            }
        }
        Ok((messages, damaged))
    }
}

/// A message that waits, and its file.
type Waiting = (Slot, Message);

#[cfg(test)]
mod tests {
    use std::fs::File;

    use serde_json::json;

    use super::*;

    fn outbox() -> (tempfile::TempDir, Outbox) {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(folder.path().join(".outbox/x"));
        (folder, outbox)
    }

    fn message(key: &str, target: &str) -> Message {
        Message::new(key, target, "test", "2026-01-02T03:04:05Z", json!({"key": key}))
    }

    fn put(outbox: &Outbox, messages: &[(&str, &str)]) {
        messages.iter().for_each(|(key, target)| assert_eq!(outbox.put(&message(key, target)).unwrap(), Put::Queued));
    }

    fn keys(messages: &[Message]) -> Vec<&str> {
        messages.iter().map(|message| message.key.as_str()).collect()
    }

    fn down() -> Result<Delivered> {
        Err(Error::Environment { what: "down".to_owned(), help: None })
    }

    #[test]
    fn a_key_is_queued_once_for_ever() {
        let (_folder, outbox) = outbox();
        put(&outbox, &[("a", "t")]);
        assert_eq!(outbox.put(&message("a", "t")).unwrap(), Put::Known);
        assert!(!outbox.done("a").unwrap());
        assert_eq!(keys(&outbox.deliver(|_| Ok(Delivered::Done)).unwrap().delivered), ["a"]);
        assert!(outbox.done("a").unwrap());
        assert_eq!(outbox.put(&message("a", "t")).unwrap(), Put::Known);
        assert_eq!(outbox.deliver(|_| panic!("nothing waits")).unwrap(), Delivery::default());
    }

    #[test]
    fn a_failing_target_keeps_its_order_and_holds_up_no_other() {
        let (_folder, outbox) = outbox();
        put(&outbox, &[("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b")]);
        let report = outbox.deliver(|m| if m.target == "a" { down() } else { Ok(Delivered::Done) }).unwrap();
        assert_eq!((keys(&report.delivered), keys(&report.waiting)), (vec!["b1", "b2"], vec!["a1", "a2"]));
        let (waiting, _) = outbox.pending().unwrap();
        assert_eq!((waiting[0].attempts, waiting[0].last_error.as_deref()), (1, Some("down")));
        assert_eq!((waiting[1].attempts, waiting[1].last_error.as_deref()), (0, None));
        assert_eq!(keys(&outbox.deliver(|_| Ok(Delivered::Done)).unwrap().delivered), ["a1", "a2"]);
    }

    #[test]
    fn what_is_not_tried_is_no_attempt() {
        let (_folder, outbox) = outbox();
        put(&outbox, &[("a", "t")]);
        let report = outbox.deliver(|_| Ok(Delivered::Later("time is up".to_owned()))).unwrap();
        assert_eq!(report.waiting[0].last_error.as_deref(), Some("time is up"));
        assert_eq!(outbox.pending().unwrap().0[0].attempts, 0);
    }

    #[test]
    fn what_is_refused_lies_aside_and_can_be_tried_again() {
        let (_folder, outbox) = outbox();
        put(&outbox, &[("a", "t"), ("b", "t")]);
        let refuse = |m: &Message| match m.key.as_str() {
            "a" => Ok(Delivered::Refused("no such thing".to_owned())),
            _ => Ok(Delivered::Done),
        };
        let report = outbox.deliver(refuse).unwrap();
        assert_eq!((keys(&report.refused), keys(&report.delivered)), (vec!["a"], vec!["b"]));
        assert_eq!(outbox.put(&message("a", "t")).unwrap(), Put::Known);
        assert_eq!(outbox.retry_refused().unwrap(), 1);
        let (waiting, _) = outbox.pending().unwrap();
        assert_eq!((waiting[0].attempts, waiting[0].last_error.as_deref()), (1, Some("no such thing")));
    }

    #[test]
    fn damaged_files_are_moved_aside_and_reported() {
        let (_folder, outbox) = outbox();
        put(&outbox, &[("a", "t"), ("b", "t"), ("c", "t")]);
        let slots = folder::slots(outbox.folder()).unwrap();
        fsio::write_atomic(&slots[0].path, b"{\"schema\": \"outbox").unwrap();
        // A message under the name of another one.
        std::fs::copy(&slots[2].path, &slots[1].path).unwrap();
        let report = outbox.deliver(|_| Ok(Delivered::Done)).unwrap();
        assert_eq!((report.damaged.len(), keys(&report.delivered)), (2, vec!["c"]));
        assert!(report.damaged.iter().all(|path| path.exists()));
    }

    #[test]
    fn two_processes_do_not_deliver_at_once_and_putting_does_not_wait_for_delivery() {
        let (_folder, outbox) = outbox();
        put(&outbox, &[("a", "t")]);
        let report = outbox.deliver(|_| {
            put(&outbox, &[("b", "t")]);
            let error = outbox.deliver(|_| Ok(Delivered::Done)).unwrap_err();
            assert_eq!(error.exit(), crate::Exit::Environment);
            Ok(Delivered::Done)
        });
        assert_eq!(keys(&report.unwrap().delivered), ["a"]);
        assert_eq!(keys(&outbox.pending().unwrap().0), ["b"]);
    }

    #[test]
    fn bounds_hold() {
        let (_folder, outbox) = outbox();
        let large = Message::new("k", "t", "test", "2026-01-02T03:04:05Z", json!("x".repeat(MOST_BODY_BYTES)));
        assert_eq!(outbox.put(&large).unwrap_err().exit(), crate::Exit::Usage);
        put(&outbox, &[("a", "t")]);
        for number in 0..MOST_PENDING {
            File::create(outbox.folder().join(Slot::name(number as u64 + 5, "filler"))).unwrap();
        }
        assert_eq!(outbox.put(&message("b", "t")).unwrap_err().exit(), crate::Exit::Environment);
    }

    #[test]
    fn only_the_newest_delivered_messages_are_remembered() {
        let (_folder, outbox) = outbox();
        let done = outbox.folder().join(folder::DONE);
        folder::create(outbox.folder()).unwrap();
        for number in 0..5 {
            File::create(done.join(Slot::name(number, "x"))).unwrap();
        }
        folder::prune(&done, 2).unwrap();
        let left: Vec<u64> = folder::slots(&done).unwrap().iter().map(|slot| slot.number).collect();
        assert_eq!(left, [3, 4]);
    }
}
