//! What a daemon tells systemd: that it is ready, alive, reloading, stopping. Without systemd nothing is told.

use std::time::Duration;

use sd_notify::NotifyState;

/// Signs of life in one period of the watchdog: one may be late, and one lost.
const SIGNS: u32 = 3;

/// The service manager that started this process, if one did.
#[derive(Debug, Clone, Copy)]
pub struct Systemd {
    watchdog: Option<Duration>,
}

impl Systemd {
    /// From the environment of this process: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    pub fn from_env() -> Self {
        Self { watchdog: sd_notify::watchdog_enabled().filter(|period| !period.is_zero()) }
    }

    /// How often [`Self::alive`] must be called; nothing if nobody waits for it.
    pub fn alive_every(&self) -> Option<Duration> {
        self.watchdog.map(|period| period / SIGNS)
    }

    /// State is loaded and the sockets listen; also the end of a reload.
    pub fn ready(&self, status: &str) {
        tell(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
    }

    /// A sign of life. Call it from the loop that does the work, not from a thread of its own that outlives a stuck one.
    pub fn alive(&self) {
        tell(&[NotifyState::Watchdog]);
    }

    /// The configuration is being read again; [`Self::ready`] must follow, also where the old one is kept.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!("systemd is not told of the reload, there is no monotonic clock: {error}"),
        }
    }

    /// The daemon drains and ends.
    pub fn stopping(&self, status: &str) {
        tell(&[NotifyState::Stopping, NotifyState::Status(&one_line(status))]);
    }

    /// What `systemctl status` shows.
    pub fn status(&self, text: &str) {
        tell(&[NotifyState::Status(&one_line(text))]);
    }
}

/// A service goes on where its manager does not listen.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("systemd is not told: {error}");
    }
}

/// A line end would begin another assignment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
