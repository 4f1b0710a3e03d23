//! A session with the server, which may hold the lock of a job.

use postgres::{Client, Config, Error, NoTls};

/// The server ends no session that is only quiet, and within half a minute one whose host is gone. No question takes longer than a
/// daemon can wait.
const SETTINGS: &str = "SET statement_timeout = '10s'; SET idle_session_timeout = 0; SET tcp_keepalives_idle = 15;
    SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";

/// A session. The lock goes with it.
pub(super) struct Session {
    pub(super) client: Client,
    lock: Option<i64>,
}

impl Session {
    /// A session without a lock.
    pub(super) fn open(config: &Config) -> Result<Self, Error> {
        let mut client = config.connect(NoTls)?;
        client.batch_execute(SETTINGS)?;
        Ok(Self { client, lock: None })
    }

    /// Tries to have the lock; whether this session holds it now.
    pub(super) fn try_lock(&mut self, key: i64) -> Result<bool, Error> {
        if self.lock == Some(key) {
            return Ok(true);
        }
        let is_locked = self.client.query_one("SELECT pg_try_advisory_lock($1)", &[&key])?.get(0);
        self.lock = if is_locked { Some(key) } else { None };
        Ok(is_locked)
    }
}

/// The end of a session gives its lock back too, but some time after it: the next run of the job may be due at once.
impl Drop for Session {
    fn drop(&mut self) {
        if let Some(key) = self.lock {
            // A session that is lost has no lock.
            self.client.execute("SELECT pg_advisory_unlock($1)", &[&key]).unwrap_or_default();
        }
    }
}
