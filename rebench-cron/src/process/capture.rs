//! Reads an output of a program in a thread of its own, so that neither a slow disk nor a pipe that stays open holds up who
//! watches the program.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::cancel::{notify, wake};
use super::kept::{Captured, Kept, Sizes};

const PIECE_BYTES: usize = 64 << 10;

/// How often the tail goes to the file while the output goes on, so that a daemon that is killed leaves most of it.
const SETTLES: Duration = Duration::from_secs(5);

/// How many pieces are read once the program is over: what a pipe can hold by default limits, twice. Something that lives on
/// elsewhere may go on writing.
const MOST_LAST_PIECES: usize = 32;

/// How long the disk may take for what is left.
const MOST_FINISHING: Duration = Duration::from_secs(30);

/// An output that is being read.
pub(super) struct Capture {
    path: PathBuf,
    result: Receiver<Captured>,
    stop: Arc<OwnedFd>,
}

impl Capture {
    /// Reads the pipe to its end, or to [`Capture::finish`].
    pub(super) fn start(pipe: PipeReader, path: &Path, sizes: Sizes) -> io::Result<Self> {
        let stop = Arc::new(wake()?);
        let (sender, result) = sync_channel(1);
        let reader = Reader { pipe, stop: Arc::clone(&stop), kept: Kept::new(path, sizes) };
        thread::Builder::new().name("output".to_owned()).spawn(move || {
            // Nobody waits for it any more where the disk took too long.
            _ = sender.send(reader.read_all());
        })?;
        Ok(Self { path: path.to_owned(), result, stop })
    }

    /// What was captured, once the program is over.
    pub(super) fn finish(self) -> Captured {
        notify(&self.stop);
        self.result.recv_timeout(MOST_FINISHING).unwrap_or_else(|_| lost(self.path))
    }
}

fn lost(path: PathBuf) -> Captured {
    let fault = format!("the disk took more than {} s; what the file holds is not known", MOST_FINISHING.as_secs());
    Captured { path, bytes: 0, kept: 0, sha256: String::new(), truncated: true, fault: Some(fault) }
}

struct Reader {
    pipe: PipeReader,
    stop: Arc<OwnedFd>,
    kept: Kept,
}

impl Reader {
    fn read_all(mut self) -> Captured {
        let mut piece = vec![0; PIECE_BYTES];
        let mut settled = Instant::now();
        loop {
            match ready(&[self.pipe.as_fd(), self.stop.as_fd()], SETTLES).as_deref() {
                Ok([_, true]) => break self.read_rest(&mut piece),
                Ok([true, _]) if !self.read(&mut piece) => break,
                Ok(_) => {}
                Err(_) => break,
            }
            if settled.elapsed() >= SETTLES {
                self.kept.settle();
                settled = Instant::now();
            }
        }
        self.kept.finish()
    }

    /// What is in the pipe now.
    fn read_rest(&mut self, piece: &mut [u8]) {
        for _ in 0..MOST_LAST_PIECES {
            let is_ready = ready(&[self.pipe.as_fd()], Duration::ZERO).is_ok_and(|ready| ready == [true]);
            if !is_ready || !self.read(piece) {
                break;
            }
        }
    }

    /// Whether there may be more.
    fn read(&mut self, piece: &mut [u8]) -> bool {
        match self.pipe.read(piece) {
            Ok(0) => false,
            Ok(count) => {
                self.kept.push(&piece[..count]);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        }
    }
}

/// Which of the files can be read, or have ended, within this time.
pub(super) fn ready(files: &[BorrowedFd<'_>], patience: Duration) -> io::Result<Vec<bool>> {
    let mut all: Vec<PollFd<'_>> = files.iter().map(|file| PollFd::from_borrowed_fd(*file, PollFlags::IN)).collect();
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    match poll(&mut all, Some(&patience)) {
        Ok(_) => Ok(all.iter().map(|file| !file.revents().is_empty()).collect()),
        Err(Errno::INTR) => Ok(vec![false; files.len()]),
        Err(error) => Err(error.into()),
    }
}
