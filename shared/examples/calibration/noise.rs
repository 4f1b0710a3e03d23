//! Random numbers: Gaussian or Student t(3), and AR(1) paths of them with variance 1.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Tails of the innovations and effects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tails {
    Normal,
    /// Student t with 3 degrees of freedom, scaled to variance 1.
    StudentThree,
}

pub(crate) struct Noise {
    generator: ChaCha8Rng,
    tails: Tails,
    spare: Option<f64>,
}

impl Noise {
    pub(crate) fn new(generator: ChaCha8Rng, tails: Tails) -> Self {
        Self { generator, tails, spare: None }
    }

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

    /// A number with variance 1 and the tails asked for.
    pub(crate) fn draw(&mut self) -> f64 {
        match self.tails {
            Tails::Normal => self.normal(),
            Tails::StudentThree => {
                let square: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
                self.normal() / square.sqrt()
            }
        }
    }

    /// A stationary AR(1) path, started afresh after every `restart` values.
    pub(crate) fn path(&mut self, length: usize, rho: f64, restart: usize) -> Vec<f64> {
        let innovation = (1.0 - rho * rho).sqrt();
        let mut last = 0.0;
        let mut next = |i: usize| {
            let fresh = self.draw();
            last = if i.is_multiple_of(restart) { fresh } else { rho * last + innovation * fresh };
            last
        };
        (0..length).map(&mut next).collect()
    }
}
