//! The commands that ask a schedule and change nothing.

pub mod asked;
pub mod explain;
pub mod next;
