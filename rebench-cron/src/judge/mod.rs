//! Does the promoted model still win? From the files of a run to an outcome, and from outcomes to evidence over time.
//!
//! [`program`] asks `bench-compare` and [`files`] reads; all else is pure.

pub mod champion;
pub mod change;
mod error;
pub mod files;
pub mod history;
pub mod noise;
pub mod outcome;
pub mod program;
pub mod question;
pub mod reproduce;

pub use champion::{Champion, baseline_id};
pub use change::{Change, Circumstances, Difference, change, differences};
pub use files::{champion_of_file, results_of_file};
pub use history::{Baseline, Evidence, Past, Rules, course, evidence};
pub use noise::Noise;
pub use outcome::{Judgement, Outcome, judge};
pub use program::{Asked, Program};
pub use question::{Question, Way};
pub use reproduce::Reproduced;
