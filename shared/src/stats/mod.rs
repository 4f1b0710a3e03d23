//! Statistics: slices in, numbers out. Nothing here reads a clock, a file or a thread-local generator.

mod alternative;
mod bootstrap_means;
pub mod clustered;
pub mod diebold_mariano;
pub mod direction;
pub mod giacomini_white;
mod incomplete;
pub mod looks;
pub mod matrix;
pub mod mcs;
pub mod multiple;
pub mod numpy;
pub mod power;
mod quadrature;
pub mod quantile;
pub mod rank;
pub mod resample;
mod roots;
pub mod sign;
pub mod sign_flip;
pub mod spa;
pub mod special;
mod studentised_range;
pub mod undefined;
pub mod wilcoxon;

pub use alternative::Alternative;
pub use undefined::Undefined;
