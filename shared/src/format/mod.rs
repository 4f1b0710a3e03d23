//! The files that the tools exchange: their types, how they are read and how they are written.

pub mod benchmark;
pub mod input;
pub mod json;
pub mod live;
pub mod manifest;
pub mod profile;
pub mod registry;
pub mod sufficient;
pub mod verdict;
pub mod versioned;
