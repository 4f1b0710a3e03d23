//! `--mape-unit`: what the numbers in a benchmark file mean.

use clap::ValueEnum;

use crate::format::benchmark::MapeUnit;

/// The unit of `mape`, as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MapeUnitArg {
    /// 8.2 means 8.2 %, as the class writes
    Percent,
    /// 0.082 means 8.2 %
    Fraction,
}

impl From<MapeUnitArg> for MapeUnit {
    fn from(arg: MapeUnitArg) -> Self {
        match arg {
            MapeUnitArg::Percent => Self::Percent,
            MapeUnitArg::Fraction => Self::Fraction,
        }
    }
}
