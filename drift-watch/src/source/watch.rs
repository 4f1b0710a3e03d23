//! Events of the file system, as hints that a poll is worth while. Events are missed on network file systems and where queues
//! overflow, so that polls happen without them too, only later.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Events come in bursts; those that follow within this time are one hint.
const BURST: Duration = Duration::from_millis(20);

/// Why waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Something happened in a folder, events were lost, or [`Waker::wake`] was called.
    Changed,
    /// Nothing did.
    Timeout,
}

/// Watches the folders of the sources.
#[derive(Debug)]
pub struct Watch {
    folders: BTreeMap<PathBuf, RecursiveMode>,
    watched: BTreeMap<PathBuf, RecursiveMode>,
    watcher: Option<RecommendedWatcher>,
    waker: Waker,
    hints: Receiver<()>,
}

/// Ends the waiting from elsewhere.
#[derive(Debug, Clone)]
pub struct Waker(SyncSender<()>);

impl Waker {
    /// Gives a hint.
    pub fn wake(&self) {
        // A hint that is not taken yet says the same.
        _ = self.0.try_send(());
    }
}

impl Watch {
    /// Watches the folders of these paths and patterns; with `only_poll`, and where events cannot be had, none.
    pub fn new(patterns: &[String], only_poll: bool) -> Self {
        let (sender, hints) = sync_channel(1);
        let waker = Waker(sender);
        let watcher = if only_poll { None } else { watcher(waker.clone()) };
        let mut folders = BTreeMap::new();
        for (folder, mode) in patterns.iter().map(|pattern| folder_of(pattern)) {
            let known = folders.entry(folder).or_insert(mode);
            *known = if mode == RecursiveMode::Recursive { mode } else { *known };
        }
        let mut watch = Self { folders, watched: BTreeMap::new(), watcher, waker, hints };
        watch.refresh();
        watch
    }

    /// Gives hints by hand.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Whether all folders are watched; if not, only polls see what happens in some.
    pub fn is_complete(&self) -> bool {
        self.watched.len() == self.folders.len()
    }

    /// Watches folders that were not there before. [`Self::wait`] does it too.
    pub fn refresh(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        // The watch of a folder ends with it, and another folder may take its name.
        self.watched.retain(|folder, _| folder.is_dir());
        for (folder, mode) in &self.folders {
            if !self.watched.contains_key(folder) {
                match watcher.watch(folder, *mode) {
                    Ok(()) => drop(self.watched.insert(folder.clone(), *mode)),
                    Err(error) => tracing::debug!(folder = %folder.display(), %error, "the folder is only polled"),
                }
            }
        }
    }

    /// Waits until something may have happened, at most `timeout`.
    pub fn wait(&mut self, timeout: Duration) -> Hint {
        self.refresh();
        match self.hints.recv_timeout(timeout) {
            Ok(()) => {
                std::thread::sleep(BURST.min(timeout));
                _ = self.hints.try_recv();
                Hint::Changed
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Hint::Timeout,
        }
    }
}

fn watcher(waker: Waker) -> Option<RecommendedWatcher> {
    let handler = move |event: notify::Result<Event>| {
        if event.as_ref().is_ok_and(is_noise) {
            return;
        }
        waker.wake(); // Also where events were lost: the poll lists everything.
    };
    notify::recommended_watcher(handler)
        .inspect_err(|error| tracing::warn!(%error, "the file system gives no events; files are polled"))
        .ok()
}

/// Reading a file is an event too; ours must not wake us.
fn is_noise(event: &Event) -> bool {
    let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
    event.kind.is_access() && event.kind != closed && !event.need_rescan()
}

/// The deepest folder of a pattern that has no wildcard in its path, and whether the folders in it matter.
fn folder_of(pattern: &str) -> (PathBuf, RecursiveMode) {
    let parts: Vec<_> = Path::new(pattern).components().collect();
    let is_wild = |part: &std::path::Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
    let names = parts.len().saturating_sub(1);
    let plain = parts[..names].iter().position(is_wild).unwrap_or(names);
    let mut folder: PathBuf = parts[..plain].iter().collect();
    if folder.as_os_str().is_empty() {
        folder.push(".");
    }
    let mode = if plain == names { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive };
    (folder, mode)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(60);

    #[test]
    fn the_folder_of_a_pattern_has_no_wildcard() {
        assert_eq!(folder_of("live/x.jsonl"), ("live".into(), RecursiveMode::NonRecursive));
        assert_eq!(folder_of("/live/*.jsonl*"), ("/live".into(), RecursiveMode::NonRecursive));
        assert_eq!(folder_of("live/*/x.jsonl"), ("live".into(), RecursiveMode::Recursive));
        assert_eq!(folder_of("x.jsonl"), (".".into(), RecursiveMode::NonRecursive));
    }

    #[test]
    fn writing_wakes_and_reading_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later/x.jsonl");
        let mut watch = Watch::new(&[path.to_string_lossy().into_owned()], false);
        assert!(!watch.is_complete());
        std::fs::create_dir(folder.path().join("later")).unwrap();
        watch.refresh();
        assert!(watch.is_complete());
        let mut file = File::create(&path).unwrap();
        file.write_all(b"x").unwrap();
        assert_eq!(watch.wait(LONG), Hint::Changed);
        while watch.wait(SHORT) == Hint::Changed {}
        File::open(&path).unwrap().read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(watch.wait(SHORT), Hint::Timeout);
    }

    #[test]
    fn a_waker_ends_the_wait_where_nothing_is_watched() {
        let mut watch = Watch::new(&["/x/y".to_owned()], true);
        watch.waker().wake();
        assert_eq!(watch.wait(LONG), Hint::Changed);
        assert_eq!(watch.wait(Duration::ZERO), Hint::Timeout);
    }
}
