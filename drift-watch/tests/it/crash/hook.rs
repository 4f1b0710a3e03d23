//! A webhook of the test's own: it notes what it is told, dawdles at times, and may kill the daemon before or after its answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::stream::Dice;
use crate::alert_support::{Answer, Server, http, serve};
use crate::process::Killer;

/// What the receiver does with the next delivery.
#[derive(Default)]
struct Plan {
    /// Kills this one.
    kill: Mutex<Option<Killer>>,
    kills: AtomicU64,
}

impl Plan {
    fn kill(&self, killer: &Killer) {
        self.kills.fetch_add(killer.kill().into(), Ordering::SeqCst);
    }
}

/// A webhook.
pub(crate) struct Hook {
    server: Server,
    plan: Arc<Plan>,
}

impl Hook {
    pub(crate) fn start(seed: u64) -> Self {
        let plan = Arc::new(Plan::default());
        let (doing, dice) = (Arc::clone(&plan), Arc::new(Mutex::new(Dice::new(seed))));
        let server = serve(move |_, _| {
            let (early, dawdle) = {
                let mut dice = dice.lock().unwrap();
                (dice.one_in(2), if dice.one_in(3) { dice.below(40) } else { 0 })
            };
            answer(&doing, early, Duration::from_millis(dawdle.into()))
        });
        Self { server, plan }
    }

    pub(crate) fn url(&self) -> &str {
        &self.server.url
    }

    /// Kills the daemon while the next delivery is under way.
    pub(crate) fn kill_at_next(&self, killer: Option<Killer>) {
        *self.plan.kill.lock().unwrap() = killer;
    }

    /// How often it has killed.
    pub(crate) fn kills(&self) -> u64 {
        self.plan.kills.load(Ordering::SeqCst)
    }

    /// The bodies of each key, in the order of their arrival.
    pub(crate) fn told(&self) -> BTreeMap<String, Vec<Vec<u8>>> {
        let mut told: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for request in self.server.requests() {
            told.entry(request.headers["webhook-id"].clone()).or_default().push(request.body);
        }
        told
    }
}

/// Kills before the answer, or right after it was written, while the daemon takes note of it.
fn answer(plan: &Arc<Plan>, early: bool, dawdle: Duration) -> Answer {
    std::thread::sleep(dawdle);
    let killer = plan.kill.lock().unwrap().take();
    match killer {
        Some(killer) if early => plan.kill(&killer),
        Some(killer) => {
            let plan = Arc::clone(plan);
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_micros(500));
                plan.kill(&killer);
            });
        }
        None => {}
    }
    http("200 OK", "", "")
}
