//! The commands that ask a schedule, and the one that hands it over.

pub mod asked;
pub mod explain;
pub mod export;
pub mod next;
