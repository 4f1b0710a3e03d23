//! What survives a crash: a journal of the input, snapshots of the state that it leads to, one daemon a folder.

pub mod disk;
pub mod journal;
mod layout;
pub mod lock;
pub mod reading;
mod segment;
pub mod snapshot;
pub mod store;
