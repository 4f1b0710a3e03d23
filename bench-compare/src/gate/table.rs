//! The gates of a verdict as a CSV table.

use shared::format::verdict::{Gate, Verdict};

const HEADER: [&str; 16] = [
    "gate",
    "kind",
    "metric",
    "slice",
    "baseline",
    "outcome",
    "candidate_value",
    "baseline_value",
    "estimate",
    "lower",
    "upper",
    "margin",
    "p_value",
    "rows",
    "series",
    "cutoffs",
];

/// One line for each gate, numbers as they stand in the JSON.
pub(super) fn gates(verdict: &Verdict) -> anyhow::Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(HEADER)?;
    for gate in &verdict.gates {
        table.write_record(record(gate)?)?;
    }
    Ok(String::from_utf8(table.into_inner().map_err(csv::IntoInnerError::into_error)?)?)
}

fn record(gate: &Gate) -> serde_json::Result<Vec<String>> {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let name = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let [lower, upper] = gate.interval.map_or([None, None], |ends| ends.map(Some));
    Ok(vec![
        gate.name.clone(),
        name(serde_json::to_value(gate.kind)?),
        gate.metric.clone(),
        text(&gate.slice),
        text(&gate.baseline),
        name(serde_json::to_value(gate.outcome)?),
        number(gate.candidate_value),
        number(gate.baseline_value),
        number(gate.estimate),
        number(lower),
        number(upper),
        number(gate.margin),
        number(gate.p_value),
        gate.n.rows.to_string(),
        gate.n.series.to_string(),
        gate.n.cutoffs.to_string(),
    ])
}
