//! A gate on its way to the verdict, with what the verdict itself does not keep.

use shared::format::verdict::Gate;

/// A gate and the p-value of its opposite, which Holm's correction of failures needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// The gate; its reason is written last.
    pub(super) gate: Gate,
    /// One-sided p-value of "above the margin", for gates that rest on a test.
    pub(super) p_above: Option<f64>,
}

impl Asked {
    /// A gate whose outcome does not rest on a test.
    pub(super) fn fixed(gate: Gate) -> Self {
        Self { gate, p_above: None }
    }
}
