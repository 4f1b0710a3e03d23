//! Inputs: forecast tables, result tables, benchmark files.

pub mod benchmark;
pub mod forecasts;
pub mod input;
pub mod results;
