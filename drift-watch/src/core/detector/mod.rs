//! Sequential detectors: values of a score in, evidence out.
//!
//! - [`reference`](mod@reference) and [`hits`]: e-values of a score against its baseline.
//! - [`evidence`]: the e-detector that multiplies and adds them up over time.
//! - [`monitor`]: one score of one group, interleaved by horizon, with its evidence.
//! - [`classic`]: ADWIN, Page-Hinkley, CUSUM and DDM, whose rates of false alarms are measured, not promised.

pub mod adwin;
pub mod classic;
pub mod cusum;
pub mod ddm;
pub mod evidence;
pub mod hits;
pub mod monitor;
pub mod page_hinkley;
pub mod reference;
pub(crate) mod spec;

/// How many bets are made on each score, of equal stakes.
pub const BETS: usize = 3;

/// The rates at which is bet: small for shifts of half a standard deviation, large for shifts of two.
pub const RATES: [f64; BETS] = [0.5, 1.0, 2.0];
