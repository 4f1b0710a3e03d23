//! Sequential detectors.
