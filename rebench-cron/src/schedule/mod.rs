//! Schedules: expressions in four dialects, time zones, changes of clocks. Values in, values out; no clock, no files.
//!
//! An expression is read ([`Pattern::parse`]) into sets of times on the wall ([`Calendar`]); with a [`Zone`] and a rule for
//! changes of the clocks ([`Dst`]) it is a [`Schedule`], which can be asked for the next and the previous fire.

mod calendar;
mod civil;
mod dialect;
mod fault;
mod fires;
pub mod sentence;
mod text;
mod walk;
pub mod warnings;
pub mod written;
mod zone;

pub use calendar::Calendar;
pub use dialect::{Dialect, Dst};
pub use fault::Fault;
pub use fires::{Fires, Pattern, Schedule};
pub use text::Expression;
pub use zone::Zone;
