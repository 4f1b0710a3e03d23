//! Where a change sits: an exact additive split of it.

use shared::stats::multiple::{Correction, adjust};
use shared::stats::special::normal_sf;

use crate::view::DriverView;

/// A part is named only if it moved at least this part of the way that the one did which moved farthest.
const MATERIAL: f64 = 0.25;

/// A part is named where its own change is beyond chance at this level, all parts together (Holm).
const NAMED_AT: f64 = 0.01;

/// What a part (a series, a segment, a horizon) adds to a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What is split: `series`, `horizon`, or a segment column.
    pub by: String,
    /// The part.
    pub name: String,
    /// Sum over its rows of value less what is usual of it.
    pub excess: f64,
    /// How far its own mean score lies from its baseline, in the unit of the score.
    pub shift: f64,
    /// How far its own mean lies from its baseline, in standard errors of that difference; absent where no baseline is known.
    pub z: Option<f64>,
}

/// The parts of a change, largest first within each split.
///
/// `direction` is the sign of the change that is asked about. The change of a mean over `rows` rows is the sum of its parts' contributions `excess / rows`, exactly. A part is *named* if it moved by itself in that
/// direction, beyond chance, and at least a quarter as far as the part that moved farthest: beside a broken series a restless one is not to blame.
pub fn split(parts: Vec<Part>, rows: f64, direction: f64) -> Vec<DriverView> {
    let mut all = Vec::new();
    let mut splits: Vec<String> = parts.iter().map(|part| part.by.clone()).collect();
    splits.sort();
    splits.dedup();
    for by in splits {
        let own: Vec<&Part> = parts.iter().filter(|part| part.by == by).collect();
        let total: f64 = own.iter().map(|part| part.excess).sum();
        let named = named(&own, direction);
        let mut drivers: Vec<DriverView> = own
            .iter()
            .zip(named)
            .map(|(part, named)| DriverView {
                by: by.clone(),
                name: part.name.clone(),
                share_ratio: if total == 0.0 { 0.0 } else { part.excess / total },
                contribution: part.excess / rows.max(1.0),
                named,
            })
            .collect();
        let size = |driver: &DriverView| direction * driver.contribution;
        drivers.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.name.cmp(&b.name)));
        all.extend(drivers);
    }
    all
}

fn named(parts: &[&Part], direction: f64) -> Vec<bool> {
    let p_values: Vec<f64> = parts.iter().map(|part| part.z.map_or(1.0, |z| normal_sf(direction * z))).collect();
    let farthest = parts.iter().map(|part| direction * part.shift).fold(0.0, f64::max);
    let is_material = |part: &&Part| direction * part.shift >= MATERIAL * farthest;
    match adjust(&p_values, Correction::Holm) {
        Ok(adjusted) => adjusted.iter().zip(parts).map(|(p, part)| *p <= NAMED_AT && is_material(part)).collect(),
        Err(_) => vec![false; parts.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_movers_are_named_where_a_large_part_scatters_the_other_way() {
        let part = |name: &str, excess: f64, z: f64| Part {
            by: "series".into(),
            name: name.into(),
            excess,
            shift: z / 2.0,
            z: Some(z),
        };
        let drivers = split(vec![part("small", 2.0, 8.0), part("large", -50.0, -0.5)], 4.0, 1.0);
        let named: Vec<&str> =
            drivers.iter().filter(|driver| driver.named).map(|driver| driver.name.as_str()).collect();
        assert_eq!(named, ["small"]);
    }

    #[test]
    fn contributions_add_up_and_movers_are_named() {
        let part = |name: &str, excess: f64, z: f64| Part {
            by: "series".into(),
            name: name.into(),
            excess,
            shift: z / 2.0,
            z: Some(z),
        };
        let drivers = split(vec![part("a", 6.0, 5.0), part("b", -1.0, -4.0), part("c", 3.0, 1.0)], 4.0, 1.0);
        let names: Vec<(&str, bool)> = drivers.iter().map(|driver| (driver.name.as_str(), driver.named)).collect();
        assert_eq!(names, [("a", true), ("c", false), ("b", false)]);
        assert!((drivers.iter().map(|driver| driver.contribution).sum::<f64>() - 2.0).abs() < 1e-12);
        assert!((drivers.iter().map(|driver| driver.share_ratio).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
