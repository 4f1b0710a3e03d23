//! Integrals by Gauss-Legendre on equal panels, and expectations over a χ-distributed scale.

use std::f64::consts::PI;

use super::incomplete::gamma_factor;

/// Points of a panel; exact for polynomials of degree 31.
const POINTS: usize = 16;

/// Nodes and weights of Gauss-Legendre on [-1, 1], by Newton's method on the Legendre polynomial.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    nodes: [(f64, f64); POINTS],
}

impl Rule {
    pub(super) fn new() -> Self {
        Self { nodes: std::array::from_fn(gauss_legendre) }
    }

    /// ∫ f from `low` to `high` on panels no wider than `width`.
    pub(super) fn integrate(&self, low: f64, high: f64, width: f64, f: impl Fn(f64) -> f64) -> f64 {
        let panels = ((high - low) / width).ceil().max(1.0);
        let half = 0.5 * (high - low) / panels;
        let mut sum = 0.0;
        let mut panel = 0.0;
        while panel < panels {
            let centre = low + (2.0 * panel + 1.0) * half;
            sum += self.nodes.iter().map(|(node, weight)| weight * f(centre + half * node)).sum::<f64>();
            panel += 1.0;
        }
        sum * half
    }

    /// `E[g(S)]` where S² is χ² with `df` degrees of freedom divided by `df`; infinite `df` gives g(1).
    ///
    /// Over ln S, where the density `2 w^a e^-w / Γ(a)`, a = df/2, w = a S², is smooth for every df. `least` is where g
    /// puts most weight, if below 1: the range of integration begins well below it.
    pub(super) fn over_chi_scale(&self, df: f64, least: f64, g: impl Fn(f64) -> f64) -> f64 {
        if df.is_infinite() {
            return g(1.0);
        }
        let spread = df.sqrt().recip();
        let low = least.min(1.0).ln() - 10.0 * spread - 45.0 / df;
        let high = (13.0 * spread).ln_1p();
        let shape = 0.5 * df;
        self.integrate(low, high, (1.5 * spread).min(0.5), |log_scale| {
            let density = 2.0 * gamma_factor(shape, shape * (2.0 * log_scale).exp());
            if density == 0.0 { 0.0 } else { density * g(log_scale.exp()) }
        })
    }
}

fn gauss_legendre(index: usize) -> (f64, f64) {
    let mut x = (PI * (index as f64 + 0.75) / (POINTS as f64 + 0.5)).cos();
    for _ in 0..20 {
        let (value, slope) = legendre(x);
        x -= value / slope;
    }
    let (_, slope) = legendre(x);
    (x, 2.0 / ((1.0 - x * x) * slope * slope))
}

/// The Legendre polynomial of degree [`POINTS`] and its derivative.
fn legendre(x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for degree in 2..=POINTS {
        let n = degree as f64;
        (before, value) = (value, ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n);
    }
    (value, POINTS as f64 * (before - x * value) / (1.0 - x * x))
}
