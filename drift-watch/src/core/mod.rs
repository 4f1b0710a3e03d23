//! Decisions: values in, values out. No clock, file, socket or thread-local generator.

pub mod chunk;
pub mod detector;
pub mod moments;
pub mod sample;
