//! Slots that several hosts share: each is one host's, and of a job that must not overlap one run is on, wherever it is.
//!
//! Each host keeps its own records. What they share is one table and one advisory lock for each job, in a `PostgreSQL` database. The lock
//! belongs to a session, so it goes when its host does; but a host that is paused may wake up after that. So each claim has a fence, a
//! number that only rises, and before a run is recorded the server is asked whether a newer one is there (Kleppmann, 2016).

mod claim;
mod failure;
mod holder;
mod key;
mod pause;
mod session;
mod standing;
mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use postgres::Config;
use postgres::config::TargetSessionAttrs;
use shared::error::Result;
use shared::secret::Secret;

use failure::{explain, malformed};
use session::Session;

pub use claim::{Answer, HostsClaim, SharedSlot};
pub use holder::holder;
pub use key::key;
pub use pause::pause;
pub use standing::{Facts, Standing, standing};

/// Longer than this nobody waits for the way to a server.
const CONNECTING: Duration = Duration::from_secs(5);

/// What the server has not acknowledged after so long is lost.
const ACKNOWLEDGING: Duration = Duration::from_secs(10);

/// A run that has ended waits so long for a server that cannot be reached.
const PATIENCE: Duration = Duration::from_mins(15);

/// The hosts that share jobs, seen from one of them.
#[derive(Clone)]
pub struct Hosts {
    config: Arc<Config>,
    namespace: String,
    holder: String,
    patience: Duration,
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, holder, .. } = self;
        f.debug_struct("Hosts").field("namespace", namespace).field("holder", holder).finish_non_exhaustive()
    }
}

impl Hosts {
    /// Joins those who share the jobs of a namespace, under a name that no other of them has ([`holder`]). Makes the table if it is not
    /// there.
    ///
    /// # Errors
    /// [`shared::Error::Usage`] if the text is no connection string; [`shared::Error::Environment`] if the server cannot be reached, is too
    /// old, or lets us neither make nor use the table.
    pub fn connect(url: &Secret, namespace: &str, holder: &str) -> Result<Self> {
        let (namespace, holder) = (namespace.to_owned(), holder.to_owned());
        let hosts = Self { config: Arc::new(config(url)?), namespace, holder, patience: PATIENCE };
        let mut session = hosts.session().map_err(|error| explain(&error))?;
        table::prepare(&mut session.client)?;
        Ok(hosts)
    }

    /// The same, but a run that has ended waits only so long for a server that cannot be reached.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Asks for a slot. A host that has it already has it again, with a newer fence.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the server cannot be asked: then nothing may run.
    pub fn claim(&self, slot: &SharedSlot) -> Result<Answer> {
        claim::claim(self, slot).map_err(|error| explain(&error))
    }

    /// The other host that has a slot, if one has.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the server cannot be asked.
    pub fn elsewhere(&self, slot: &SharedSlot) -> Result<Option<String>> {
        let found = self.session().and_then(|mut session| claim::other(self, slot, &mut session));
        found.map_err(|error| explain(&error))
    }

    fn session(&self) -> Result<Session, postgres::Error> {
        Session::open(&self.config)
    }
}

/// How to reach the server. Where several are named, the one that can be written is the right one.
///
/// # Errors
/// [`shared::Error::Usage`] if the text is no connection string.
pub fn config(url: &Secret) -> Result<Config> {
    let mut config: Config = url.expose().parse().map_err(|_| malformed())?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(malformed());
    }
    config.target_session_attrs(TargetSessionAttrs::ReadWrite).tcp_user_timeout(ACKNOWLEDGING);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECTING);
    }
    if config.get_application_name().is_none() {
        config.application_name("rebench-cron");
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_that_is_none_is_not_shown() {
        for text in ["", "postgresql://u:geheim@h:nan/d", "host=h password=a geheim=c", "geheim"] {
            let said = match config(&Secret::new(text)) {
                Ok(config) => format!("{config:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!said.contains("geheim"), "{said}");
        }
    }

    #[test]
    fn what_the_string_says_of_patience_stays() {
        let patient = config(&Secret::new("host=h connect_timeout=2")).unwrap();
        assert_eq!(patient.get_connect_timeout(), Some(&Duration::from_secs(2)));
        assert_eq!(config(&Secret::new("host=h")).unwrap().get_connect_timeout(), Some(&Duration::from_secs(5)));
    }
}
