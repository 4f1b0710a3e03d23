//! Two answers that differ by rounding only.

use serde_json::Value;

/// The share by which numbers may differ for having been added in another order.
const ROUNDING: f64 = 1e-12;

/// What tells where the numbers come from, and must differ.
const ORIGINS: [&str; 2] = ["inputs", "notes"];

/// Asserts that two answers are the same but for their origins, and hold so many numbers.
pub(crate) fn assert_same(left: &Value, right: &Value, what: &str, numbers: usize) {
    let mut compared = 0;
    compare(left, right, what, &mut compared);
    assert!(compared >= numbers, "{what}: only {compared} numbers were compared");
}

fn compare(left: &Value, right: &Value, path: &str, compared: &mut usize) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(left), keys(right), "{path}");
            for (key, value) in left.iter().filter(|(key, _)| !ORIGINS.contains(&key.as_str())) {
                compare(value, &right[key], &format!("{path}/{key}"), compared);
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            assert_eq!(left.len(), right.len(), "{path}");
            for (place, (left, right)) in left.iter().zip(right).enumerate() {
                compare(left, right, &format!("{path}/{place}"), compared);
            }
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            assert!((one - other).abs() <= ROUNDING * one.abs().max(other.abs()), "{path}: {one} {other}");
            *compared += 1;
        }
        _ => assert_eq!(left, right, "{path}"),
    }
}

#[test]
#[should_panic(expected = "x/a: 1 1.00001")]
fn numbers_that_differ_are_seen() {
    compare(&serde_json::json!({"a": 1.0}), &serde_json::json!({"a": 1.000_01}), "x", &mut 0);
}
