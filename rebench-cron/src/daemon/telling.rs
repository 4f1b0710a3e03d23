//! Alerts leave the records: each transition is queued for the receivers, and then marked as told.

use jiff::Timestamp;
use serde_json::json;
use shared::alert::{Alert, Transition};
use shared::error::Result;

use super::Daemon;
use crate::store::{AlertRow, Denied, RunState, Store};

/// The tool, as receivers know it.
pub const SOURCE: &str = "rebench-cron";

impl Daemon {
    pub(super) fn tell(&mut self, now: Timestamp) -> Result<()> {
        let untold = self.shop.store.untold()?;
        for row in &untold {
            if let Some(transition) = transition(row) {
                self.telling.tell(&transition, now)?;
            }
            self.shop.store.told(row.number, now)?;
        }
        self.telling.show(&self.firing()?);
        finish(&self.shop.store, &self.shop.host.name, now)
    }

    fn firing(&self) -> Result<Vec<Alert>> {
        let rows = self.shop.store.all_firing()?;
        let is_ours = |row: &&AlertRow| self.plan.job(&row.alert.job).is_some();
        Ok(rows.iter().filter(is_ours).filter_map(alert).collect())
    }
}

/// Notes that the alerts of runs are handed out.
///
/// # Errors
/// If it cannot be written.
pub fn finish(store: &Store, host: &str, now: Timestamp) -> Result<()> {
    for run in store.unfinished(Some(host))?.iter().filter(|run| run.state == RunState::Recorded) {
        match store.alerted(&run.ticket, now) {
            Ok(()) | Err(Denied::Stale(_)) => {}
            Err(Denied::Failed(error)) => return Err(error),
        }
    }
    Ok(())
}

/// The transition of a record; none if it is not one.
pub fn transition(row: &AlertRow) -> Option<Transition> {
    let payload = json!({"job": row.alert.job, "run": row.run.map(|run| run.0)});
    Some(Transition::new(SOURCE, alert(row)?, payload))
}

/// The alert of a record; none if it is not one.
pub fn alert(row: &AlertRow) -> Option<Alert> {
    serde_json::from_value(row.alert.body.clone()).ok()
}
