//! What says that a run is on: to others on this machine, and to other hosts.

use serde_json::{Value, json};
use shared::error::Result;

use super::Shop;
use super::state::JobLock;
use crate::job::Job;
use crate::shared_lock::HostsClaim;
use crate::store::Ticket;

/// Why a run is not recorded whose job is another host's by now.
pub const OVERTAKEN: &str = "another host took the job over";

/// What says that a run is on, as long as it lives.
#[derive(Debug)]
pub struct Hold {
    /// To other hosts, where there are any. Given back first: who waits for it on this machine waits for the lock as well.
    pub shared: Option<HostsClaim>,
    /// To others on this machine.
    pub lock: JobLock,
}

impl Shop {
    /// Notes under which fence other hosts know the run.
    pub(super) fn note_fence(&self, job: &Job, ticket: &Ticket, shared: Option<&HostsClaim>) -> Result<()> {
        let Some(shared) = shared else { return Ok(()) };
        let mut detail = described(shared);
        detail["run"] = ticket.run.0.into();
        self.store.note("shared", Some(&job.name), &detail, self.clock.now())
    }
}

/// What is written of a claim: `{"namespace": "shop", "fence": 7}`.
pub(super) fn described(shared: &HostsClaim) -> Value {
    json!({"namespace": shared.namespace(), "fence": shared.fence()})
}
