//! Several p-values at once: adjusted so that each can be compared with the level as it stands.
//!
//! With m p-values sorted upwards, `p₍₁₎ <= … <= p₍ₘ₎`, each adjusted value is cut at 1 and made monotone:
//! Bonferroni `m p`; Holm (1979) the running maximum of `(m - i + 1) p₍ᵢ₎`; Hochberg (1988) the running minimum from the top of the
//! same; Benjamini & Hochberg (1995) the running minimum from the top of `m p₍ᵢ₎ / i`; Benjamini & Yekutieli (2001) that times
//! `Σ 1/i`. The first three hold the chance of any false finding (Hochberg for independent or positively dependent tests only), the
//! last two the expected share of false findings (Benjamini-Yekutieli under any dependence).

use super::undefined::Undefined;

/// A correction for several chances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Times the number of tests.
    Bonferroni,
    /// Step-down; never worse than Bonferroni, under any dependence.
    Holm,
    /// Step-up; independent or positively dependent tests.
    Hochberg,
    /// False discovery rate; independent or positively dependent tests.
    BenjaminiHochberg,
    /// False discovery rate under any dependence.
    BenjaminiYekutieli,
}

/// The adjusted p-values, in the order given. Equal p-values get equal results.
///
/// # Errors
/// [`Undefined::Setting`] where a p-value is NaN or outside [0, 1].
///
/// ```
/// use shared::stats::multiple::{Correction, adjust};
/// let adjusted = adjust(&[0.01, 0.04, 0.03], Correction::Holm)?;
/// assert_eq!(adjusted, [0.03, 0.06, 0.06]); // R: p.adjust(c(.01, .04, .03), "holm")
/// # Ok::<(), shared::stats::Undefined>(())
/// ```
pub fn adjust(p_values: &[f64], correction: Correction) -> Result<Vec<f64>, Undefined> {
    if let Some(wrong) = p_values.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(Undefined::setting(format!("{wrong} is not a p-value (a number from 0 to 1)")));
    }
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut scaled: Vec<f64> = order
        .iter()
        .enumerate()
        .map(|(place, &index)| factor(correction, place, order.len()) * p_values[index])
        .collect();
    make_monotone(&mut scaled, correction);
    let mut adjusted = vec![0.0; p_values.len()];
    order.iter().zip(scaled).for_each(|(&index, value)| adjusted[index] = value.min(1.0));
    Ok(adjusted)
}

/// What the p-value at a place, from 0, is multiplied by.
fn factor(correction: Correction, place: usize, count: usize) -> f64 {
    let (place, m) = (place as f64, count as f64);
    match correction {
        Correction::Bonferroni => m,
        Correction::Holm | Correction::Hochberg => m - place,
        Correction::BenjaminiHochberg => m / (place + 1.0),
        Correction::BenjaminiYekutieli => m / (place + 1.0) * harmonic(count),
    }
}

fn harmonic(count: usize) -> f64 {
    (1..=count).map(|i| 1.0 / i as f64).sum()
}

fn make_monotone(sorted: &mut [f64], correction: Correction) {
    match correction {
        Correction::Bonferroni => {}
        Correction::Holm => running(sorted.iter_mut(), f64::max),
        _ => running(sorted.iter_mut().rev(), f64::min),
    }
}

fn running<'a>(values: impl Iterator<Item = &'a mut f64>, choose: fn(f64, f64) -> f64) {
    let mut so_far = None;
    for value in values {
        *value = so_far.map_or(*value, |before| choose(before, *value));
        so_far = Some(*value);
    }
}
