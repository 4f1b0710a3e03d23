//! Sequential detectors.

pub mod adwin;
pub mod classic;
pub mod cusum;
pub mod ddm;
pub mod page_hinkley;
pub(crate) mod spec;
