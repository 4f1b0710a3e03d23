//! The JSON Schema (draft 2020-12) of a request, for services that check their own.

use serde_json::{Map, Value, json};
use shared::format::manifest::{Feature, Horizon};

use super::Contract;
use super::check::HORIZON_FIELDS;

/// The schema of what the contract takes: a row, an array of rows, or `{"instances": […]}`; rows by name or by position.
///
/// The order of named fields, which JSON Schema cannot state, is in `x-feature-order`.
pub fn request_schema(contract: &Contract, allowed: &[String]) -> Value {
    let Contract { name, version, features, .. } = contract;
    let order: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Request to {name} {version}"),
        "x-feature-order": order,
        "anyOf": [
            { "$ref": "#/$defs/row" },
            { "$ref": "#/$defs/values" },
            { "$ref": "#/$defs/rows" },
            {
                "type": "object",
                "properties": instances(contract.horizon),
                "required": ["instances"],
            },
        ],
        "$defs": {
            "rows": { "type": "array", "minItems": 1, "items": { "anyOf": [{ "$ref": "#/$defs/row" }, { "$ref": "#/$defs/values" }] } },
            "row": named(contract, &order, allowed),
            "values": {
                "type": "array",
                "prefixItems": features.iter().map(|feature| of_feature(feature, contract.horizon)).collect::<Vec<_>>(),
                "items": false,
                "minItems": features.len(),
            },
        },
    })
}

fn instances(horizon: Option<Horizon>) -> Value {
    let mut properties = horizon_fields(horizon);
    properties.insert("instances".to_owned(), json!({ "$ref": "#/$defs/rows" }));
    properties.into()
}

fn named(contract: &Contract, order: &[&str], allowed: &[String]) -> Value {
    let mut properties = horizon_fields(contract.horizon);
    properties.extend(allowed.iter().map(|field| (field.clone(), json!(true))));
    for feature in &contract.features {
        properties.insert(feature.name.clone(), of_feature(feature, contract.horizon));
    }
    json!({ "type": "object", "properties": properties, "required": order, "additionalProperties": false })
}

fn horizon_fields(horizon: Option<Horizon>) -> Map<String, Value> {
    let Some(horizon) = horizon else {
        return HORIZON_FIELDS.iter().map(|field| ((*field).to_owned(), json!(true))).collect();
    };
    let one = step(horizon);
    let schema = json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }, { "type": "string" }] });
    HORIZON_FIELDS.iter().map(|field| ((*field).to_owned(), schema.clone())).collect()
}

fn step(horizon: Horizon) -> Value {
    json!({ "type": "integer", "minimum": horizon.from, "maximum": horizon.to })
}

/// A feature that is the step ahead has its range too.
fn of_feature(feature: &Feature, horizon: Option<Horizon>) -> Value {
    let kind = of_kind(feature.kind.as_deref());
    let step = horizon.filter(|_| HORIZON_FIELDS.contains(&feature.name.as_str())).map(step);
    step.map_or(kind.clone(), |step| json!({ "allOf": [kind, step] }))
}

fn of_kind(kind: Option<&str>) -> Value {
    match kind {
        Some("number") => json!({ "type": "number" }),
        Some("integer") => json!({ "type": "integer" }),
        Some("boolean") => json!({ "enum": [true, false, 0, 1] }),
        Some("category") => json!({ "type": ["string", "integer"] }),
        Some("text") => json!({ "type": "string" }),
        _ => json!({ "type": ["number", "string", "boolean"] }),
    }
}
