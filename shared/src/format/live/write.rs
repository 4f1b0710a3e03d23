//! A live record as a line of JSON.

use serde_json::{Map, Value, json};

use super::{Actual, Prediction, Record};

/// The record as one line of JSON, without the line break; [`super::parse_json`] gives the same record again.
pub fn to_json(record: &Record<'_>) -> String {
    let object = match record {
        Record::Prediction(prediction) => of_prediction(prediction),
        Record::Actual(actual) => of_actual(actual),
    };
    Value::Object(object).to_string()
}

fn of_prediction(record: &Prediction<'_>) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
    put("model", json!(record.model));
    put("version", json!(record.version));
    put("series", json!(record.series));
    put("issued_at", json!(record.issued_at));
    put("target_time", json!(record.target_time));
    record.horizon.into_iter().for_each(|horizon| put("horizon", json!(horizon)));
    put("y_hat", json!(record.y_hat));
    if let Some((lo, hi)) = record.interval {
        put("lo", json!(lo));
        put("hi", json!(hi));
    }
    record.level.into_iter().for_each(|level| put("level", json!(level)));
    record.segments.iter().for_each(|(name, value)| put(&format!("segment.{name}"), json!(value)));
    object
}

fn of_actual(record: &Actual<'_>) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
    put("series", json!(record.series));
    put("target_time", json!(record.target_time));
    put("y", json!(record.y));
    put("observed_at", json!(record.observed_at));
    record.revision.into_iter().for_each(|revision| put("revision", json!(revision)));
    object
}
