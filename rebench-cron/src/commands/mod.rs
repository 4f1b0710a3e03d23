//! The commands.

pub mod asked;
pub mod explain;
pub mod export;
pub mod history;
pub mod next;
pub mod once;
pub mod outgoing;
pub mod run;
pub mod shop;
pub mod status;
pub mod trigger;
