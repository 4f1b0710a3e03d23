//! Why a statistic has no value: an error of its own, so that NaN never leaves this crate's statistics.

/// A statistic that is not defined for its input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Undefined {
    /// A value is NaN or infinite.
    #[error("value {index} of {what} is not finite")]
    NonFinite {
        /// Which input.
        what: &'static str,
        /// Its place, from 0.
        index: usize,
    },
    /// Inputs that belong together differ in length.
    #[error("the inputs have {left} and {right} values; they are compared pair by pair")]
    Lengths {
        /// Values of the first.
        left: usize,
        /// Values of the second.
        right: usize,
    },
    /// A setting has no meaning.
    #[error("{what}")]
    Setting {
        /// What was asked for, and what can be.
        what: String,
    },
    /// There are too few observations.
    #[error("{found} {what} are too few (at least {needed} are needed)")]
    TooFew {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// The horizon leaves no independent observations.
    #[error(
        "horizon {horizon} with {n} observations: the long-run variance cannot be estimated (the horizon must be smaller)"
    )]
    Horizon {
        /// Forecast steps ahead.
        horizon: usize,
        /// Observations.
        n: usize,
    },
    /// The data do not vary where the test needs them to.
    #[error("{what}")]
    NoVariation {
        /// What does not vary, and what that means.
        what: &'static str,
    },
}

impl Undefined {
    /// Whether the input itself is wrong; otherwise it is sound, and only too little or too regular for this test.
    pub fn is_bad_input(&self) -> bool {
        matches!(self, Self::NonFinite { .. } | Self::Lengths { .. } | Self::Setting { .. })
    }

    /// An [`Undefined::Setting`].
    pub fn setting(what: impl Into<String>) -> Self {
        Self::Setting { what: what.into() }
    }
}

/// Refuses what is not finite.
///
/// # Errors
/// [`Undefined::NonFinite`] with the first such value.
pub fn require_finite(what: &'static str, values: &[f64]) -> Result<(), Undefined> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Undefined::NonFinite { what, index }),
        None => Ok(()),
    }
}

/// Refuses two inputs that are not pairs of finite numbers.
///
/// # Errors
/// [`Undefined::Lengths`] or [`Undefined::NonFinite`].
pub fn require_pairs(first: &[f64], second: &[f64]) -> Result<(), Undefined> {
    if first.len() != second.len() {
        return Err(Undefined::Lengths { left: first.len(), right: second.len() });
    }
    require_finite("the first input", first)?;
    require_finite("the second input", second)
}

/// Refuses fewer than `needed` observations.
///
/// # Errors
/// [`Undefined::TooFew`].
pub fn require_count(what: &'static str, found: usize, needed: usize) -> Result<(), Undefined> {
    if found < needed { Err(Undefined::TooFew { what, found, needed }) } else { Ok(()) }
}
