//! Effects, margins and values of a gate in the unit that they are spoken of: percent, percentage points, or the
//! metric's own.

use shared::format::verdict::{Gate, GateKind, Scale, Verdict};

use super::number::{self, Decimals, NONE};

/// How numbers on a gate's scale are printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    factor: f64,
    suffix: &'static str,
    decimals: Decimals,
}

impl Unit {
    /// The unit of the gate's effect, with the digits that its interval supports.
    pub fn of_gate(gate: &Gate) -> Self {
        let (factor, suffix) = match gate.scale {
            Scale::Relative => (100.0, "%"),
            Scale::Difference if is_proportion(&gate.metric) => (100.0, "points"),
            Scale::Difference => (1.0, ""),
        };
        let by_value = || Decimals::of_value(factor * gate.estimate.unwrap_or(f64::NAN));
        let by_interval = |[low, high]: [f64; 2]| Decimals::of_interval([factor * low, factor * high]);
        Self { factor, suffix, decimals: gate.interval.map_or_else(by_value, by_interval) }
    }

    /// `+4.3 %`, `-1.2 points`, `+0.031`.
    pub fn show(self, effect: f64) -> String {
        number::with_unit(number::signed(self.factor * effect, self.decimals), self.suffix)
    }

    /// As [`Unit::show`] without sign: `4.3 %`.
    pub fn size(self, effect: f64) -> String {
        number::with_unit(number::unsigned((self.factor * effect).abs(), self.decimals), self.suffix)
    }

    /// A number that somebody wrote, with no more digits than it has: `+2 %`.
    pub fn exact(self, margin: f64) -> String {
        let text = number::shortest(self.factor * margin);
        let is_one = text.trim_start_matches(['+', '-']) == "1";
        number::with_unit(text, if is_one { self.suffix.trim_end_matches('s') } else { self.suffix })
    }

    /// What a tick of an axis on this scale is called: `+5 %`.
    pub fn tick(self, value: f64) -> String {
        number::with_unit(number::shortest(self.factor * value), if self.suffix == "%" { "%" } else { "" })
    }

    /// `percent`, `percentage points`, or nothing where the metric's own unit is meant.
    pub fn name(self) -> &'static str {
        match self.suffix {
            "%" => "percent",
            "points" => "percentage points",
            _ => "",
        }
    }
}

/// The gate's estimate, or what stands for none.
pub fn estimate(gate: &Gate) -> String {
    gate.estimate.map_or_else(|| NONE.to_owned(), |value| Unit::of_gate(gate).show(value))
}

/// The gate's interval, `+1.2 % to +7.5 %` or `-1.2 to +0.5 points`, or nothing.
pub fn interval(gate: &Gate) -> String {
    let unit = Unit::of_gate(gate);
    let bare = |text: String| text.trim_end_matches(" points").to_owned();
    gate.interval.map_or_else(String::new, |[low, high]| format!("{} to {}", bare(unit.show(low)), unit.show(high)))
}

/// The number below which the effect must be shown to lie: `< +2 %`; a fixed limit may be reached, `<= +20 %`.
pub fn margin(gate: &Gate) -> String {
    let sign = if gate.kind == GateKind::Limit { "<=" } else { "<" };
    gate.margin.map_or_else(String::new, |margin| format!("{sign} {}", Unit::of_gate(gate).exact(margin)))
}

/// The text with the short form of its unit, for the cells of a table.
pub fn brief(text: &str) -> String {
    text.replace(" points", " pp").replace(" point", " pp")
}

/// The p-value that decided: the adjusted one where there is one.
pub fn deciding_p(gate: &Gate) -> String {
    gate.p_adjusted.or(gate.p_value).map_or_else(String::new, number::p_value)
}

/// A value of a metric: proportions in percent, anything else with four significant digits.
pub fn value(metric: &str, value: Option<f64>) -> String {
    match value {
        None => NONE.to_owned(),
        Some(value) if is_proportion(metric) => number::percent(value),
        Some(value) => number::unsigned(value, Decimals::significant(value, 4)),
    }
}

/// The effect at a part of the data, on the scale of the primary gate.
pub fn of_part(primary: Option<&Gate>, estimate: Option<f64>) -> String {
    let (Some(gate), Some(effect)) = (primary, estimate) else { return NONE.to_owned() };
    let unit = Unit::of_gate(gate);
    let decimals = if unit.factor > 1.0 { Decimals::ONE } else { Decimals::of_value(effect) };
    Unit { decimals, ..unit }.show(effect)
}

/// The gate on the primary metric: the first one.
pub fn primary(verdict: &Verdict) -> Option<&Gate> {
    verdict.gates.iter().find(|gate| gate.metric == verdict.metric && gate.slice.is_none() && gate.estimate.is_some())
}

/// The confidence level of the intervals, where the policy states it (`level`, or a number that it can be told from).
pub fn level(verdict: &Verdict) -> Option<f64> {
    let settings = &verdict.policy.settings;
    let stated = ["/level", "/gate/level"].into_iter().find_map(|path| settings.pointer(path)?.as_f64());
    stated.filter(|level| (0.0..1.0).contains(level))
}

/// `95 % interval`, or `interval` where the level is not known.
pub fn interval_name(level: Option<f64>) -> String {
    level.map_or_else(
        || "interval".to_owned(),
        |level| format!("{} % interval", number::shortest(100.0 * level).trim_start_matches('+')),
    )
}

/// Whether the metric is stored as a proportion and spoken of in percent.
fn is_proportion(metric: &str) -> bool {
    let name = metric.strip_suffix("_ratio").unwrap_or(metric);
    let known = ["mape", "smape", "wape", "da", "directional_accuracy"];
    known.contains(&name) || name.starts_with("coverage")
}

/// Whether a larger value of the metric is known to be worse, so that `higher` and `lower` can be said of it.
pub fn is_loss(metric: &str) -> bool {
    let name = metric.strip_suffix("_ratio").unwrap_or(metric);
    let losses = ["mape", "smape", "wape", "mase", "rmsse", "mae", "rmse", "mse", "pinball", "crps", "sql", "wql"];
    losses.contains(&name) || name.starts_with("pinball") || name.ends_with("_time")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn gate(scale: Scale, metric: &str) -> Gate {
        Gate { scale, metric: metric.to_owned(), ..fixtures::gate("x", 0.0432, Some([0.012, 0.075])) }
    }

    #[test]
    fn each_scale_has_its_unit() {
        let texts = |gate: &Gate| [estimate(gate), interval(gate), margin(gate)];
        assert_eq!(texts(&gate(Scale::Relative, "rmse")), ["+4.3 %", "+1.2 % to +7.5 %", "< +2 %"]);
        assert_eq!(texts(&gate(Scale::Difference, "da")), ["+4.3 points", "+1.2 to +7.5 points", "< +2 points"]);
        assert_eq!(texts(&gate(Scale::Difference, "bias")), ["+0.043", "+0.012 to +0.075", "< +0.02"]);
    }

    #[test]
    fn what_does_not_exist_is_not_invented() {
        let empty = Gate { estimate: None, interval: None, margin: None, ..gate(Scale::Relative, "mape") };
        assert_eq!([estimate(&empty), interval(&empty), margin(&empty)], [NONE, "", ""]);
        assert_eq!(value("mape", None), NONE);
        assert_eq!(interval_name(None), "interval");
    }

    #[test]
    fn the_level_is_the_policys() {
        let mut verdict = fixtures::promote();
        assert_eq!(interval_name(level(&verdict)), "95 % interval");
        verdict.policy.settings = serde_json::json!({"level": 95});
        assert_eq!(level(&verdict), None);
    }
}
