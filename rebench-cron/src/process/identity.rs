//! Who a run is, also for a daemon that starts again: its number alone may be another's by then.

use super::table;

/// Names the first process of a run, on this machine and for this boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its number, which is that of its group.
    pub pid: i32,
    /// When it was started, in clock ticks since boot; unknown where `/proc` is not to be had.
    pub start_ticks: Option<u64>,
    /// The boot.
    pub boot_id: Option<String>,
}

impl Identity {
    pub(super) fn of(pid: i32, start_ticks: Option<u64>) -> Self {
        Self { pid, start_ticks, boot_id: table::boot_id() }
    }

    /// Whether it still runs. What is not known for sure counts as gone.
    pub fn lives(&self) -> bool {
        let found = || table::own().and_then(|_| table::read(self.pid)).filter(|row| !row.ended);
        let same_boot = self.boot_id.is_some() && self.boot_id == table::boot_id();
        same_boot && self.start_ticks.is_some() && found().map(|row| row.start_ticks) == self.start_ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_of_the_number_is_not_it() {
        let own = table::own().unwrap();
        let identity = Identity::of(own.pid, Some(own.start_ticks));
        assert!(identity.lives());
        assert!(!Identity { start_ticks: Some(own.start_ticks + 1), ..identity.clone() }.lives());
        assert!(!Identity { boot_id: Some("another".to_owned()), ..identity.clone() }.lives());
        assert!(!Identity { start_ticks: None, ..identity }.lives());
    }
}
