//! The same table through the engines that teams keep forecasts in: every sum, estimate, interval and p-value of a gate on an
//! engine's statistics equals that of a gate on the rows.

mod awkward;
mod dialects;
mod example;
#[path = "../../../rebench-cron/tests/it/postgres_server.rs"]
#[allow(dead_code, reason = "the tests of shared jobs do more with a server")]
mod postgres_server;
mod spark;
mod table;
