//! Decisions: values in, values out. No clock, file, socket or thread-local generator.

pub mod detector;
