//! What a run used of the machine.

use std::time::Duration;

/// Processor time and memory of a run, all its processes together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time in its own code. A process that was started in the background and waited for by nobody counts as well, unless it
    /// left its group and ended between two looks.
    pub user: Duration,
    /// Time in the kernel.
    pub system: Duration,
    /// The most memory that one of its processes held. Exact above the peak of this process itself, from which the system
    /// begins to count; below it the largest of looks up to a second apart.
    pub peak_rss_bytes: u64,
}

impl Usage {
    /// Adds that of another process.
    pub(super) fn add(&mut self, other: Self) {
        self.user += other.user;
        self.system += other.system;
        self.peak(other.peak_rss_bytes);
    }

    /// Notes how much memory a process held.
    pub(super) fn peak(&mut self, bytes: u64) {
        self.peak_rss_bytes = self.peak_rss_bytes.max(bytes);
    }
}
