//! The alternatives of a paired test, in one meaning throughout.

use super::special::{normal_sf, t_sf};

/// What a paired test looks for. The first method is compared with the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alternative {
    /// The two differ.
    #[default]
    TwoSided,
    /// The first has the smaller loss: the statistic is small.
    Less,
    /// The first has the larger loss: the statistic is large.
    Greater,
}

impl Alternative {
    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoSided => "two-sided",
            Self::Less => "less",
            Self::Greater => "greater",
        }
    }

    /// The p-value of a statistic whose distribution under no difference is symmetric about 0, from its upper tail.
    pub(super) fn symmetric_p(self, statistic: f64, upper_tail: impl Fn(f64) -> f64) -> f64 {
        match self {
            Self::TwoSided => (2.0 * upper_tail(statistic.abs())).min(1.0),
            Self::Less => upper_tail(-statistic),
            Self::Greater => upper_tail(statistic),
        }
    }

    /// The p-value of a Student t statistic.
    pub fn t_p(self, statistic: f64, df: f64) -> f64 {
        self.symmetric_p(statistic, |t| t_sf(t, df))
    }

    /// The p-value of a standard normal statistic.
    pub fn normal_p(self, statistic: f64) -> f64 {
        self.symmetric_p(statistic, normal_sf)
    }

    /// The p-value from the exact probabilities `P(W <= w)` and `P(W >= w)`; two-sided: twice the smaller, at most 1.
    pub(super) fn exact_p(self, at_most: f64, at_least: f64) -> f64 {
        let p = match self {
            Self::TwoSided => 2.0 * at_most.min(at_least),
            Self::Less => at_most,
            Self::Greater => at_least,
        };
        p.min(1.0)
    }
}
