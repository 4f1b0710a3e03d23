//! Random shocks with mean 0 and variance 1.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How shocks are distributed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Normal,
    /// Student t with 3 degrees of freedom, scaled to variance 1.
    StudentThree,
    /// Exponential, less its mean: forecasts are sometimes far too high and never far too low.
    Skewed,
}

/// A generator of its own for each replication, so that results do not depend on threads.
pub(crate) struct Noise {
    generator: ChaCha8Rng,
    spare: Option<f64>,
}

impl Noise {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self { generator, spare: None }
    }

    /// Uniform on [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.generator.random()
    }

    /// A standard normal number (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    pub(crate) fn draw(&mut self, shape: Shape) -> f64 {
        match shape {
            Shape::Normal => self.normal(),
            Shape::StudentThree => {
                // Variance 3 before scaling: N / sqrt(chi2 / 3) / sqrt(3).
                let squares: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
                self.normal() / squares.sqrt()
            }
            Shape::Skewed => -(1.0 - self.uniform()).ln() - 1.0,
        }
    }
}
