//! Parameters, metrics and tags in the form that a server takes: allowed keys, finite numbers, bounded texts, small requests.
//!
//! One bad key makes a server refuse a whole request, and one bare NaN makes it drop the rest of the request in silence
//! (measured with MLflow 3.17.2). So nothing of the kind leaves this module.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::digest;

/// The most metrics in one request; the server's limit is 1000 items.
const MOST_METRICS: usize = 900;

/// The most parameters, or tags, in one request; the server's limit is 100, and 1 MB in all.
const MOST_TEXTS: usize = 90;

/// The longest key, in characters.
const MOST_KEY: usize = 250;

/// The longest value of a parameter, in characters.
const MOST_PARAM: usize = 6000;

/// The longest value of a tag, in characters.
const MOST_TAG: usize = 8000;

/// The tag that names the metrics without a finite value.
const NOT_FINITE: &str = "not_finite";

/// Hexadecimal digits that tell apart keys which would become one.
const KEY_DIGITS: usize = 8;

/// One value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The metric, as [`key`] made it.
    pub key: String,
    /// A finite number.
    pub value: f64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Its place on the axis of steps.
    pub step: i64,
}

/// What is logged to one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    metrics: Vec<Point>,
    params: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    not_finite: Vec<String>,
}

impl Batch {
    /// Adds a value of a metric; one that is not finite is left out, and a tag says so.
    pub fn metric(&mut self, name: &str, value: f64, timestamp: i64, step: i64) {
        let key = key(name);
        match value.is_finite() {
            true => self.metrics.push(Point { key, value, timestamp, step }),
            false => self.not_finite.push(key),
        }
    }

    /// Adds a parameter. Of two names that become the same key, the later one gets a suffix.
    pub fn param(&mut self, name: &str, value: &str) {
        insert(&mut self.params, name, shortened(value, MOST_PARAM));
    }

    /// Adds a tag, in the same way.
    pub fn tag(&mut self, name: &str, value: &str) {
        insert(&mut self.tags, name, shortened(value, MOST_TAG));
    }

    /// The metrics that are sent.
    pub fn metrics(&self) -> &[Point] {
        &self.metrics
    }

    /// The parameters that are sent.
    pub fn params(&self) -> &BTreeMap<String, String> {
        &self.params
    }

    /// The tags that are sent, with the one that names what was left out.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let mut tags = self.tags.clone();
        if !self.not_finite.is_empty() {
            tags.insert(NOT_FINITE.to_owned(), shortened(&self.not_finite.join(", "), MOST_TAG));
        }
        tags
    }

    /// The bodies of the requests that log all of it to `run`.
    pub fn requests(&self, run: &str) -> Vec<Value> {
        let point = |point: &Point| {
            let Point { key, value, timestamp, step } = point;
            json!({"key": key, "value": value, "timestamp": timestamp, "step": step})
        };
        let metrics: Vec<Value> = self.metrics.iter().map(point).collect();
        let all = [
            ("params", pairs(&self.params), MOST_TEXTS),
            ("tags", pairs(&self.tags()), MOST_TEXTS),
            ("metrics", metrics, MOST_METRICS),
        ];
        let requests = all
            .iter()
            .flat_map(|(kind, items, most)| items.chunks(*most).map(|items| json!({"run_id": run, *kind: items})));
        requests.collect()
    }
}

/// Keys and values as the server takes them.
pub(super) fn pairs<'a>(texts: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Value> {
    texts.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

fn insert(texts: &mut BTreeMap<String, String>, name: &str, value: String) {
    let mut key = key(name);
    if texts.get(&key).is_some_and(|known| *known != value) {
        key = with_digest(&key, name);
    }
    texts.insert(key, value);
}

/// A name as a key that servers take: letters, digits, `_`, `-`, `.`, `:`, space and `/`, no empty or dotted part, at most 250
/// characters. `walmart@2012-08-03` becomes `walmart/2012-08-03`.
pub fn key(name: &str) -> String {
    let allowed = |c: char| match c {
        '@' => '/',
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '.' | ':' | ' ' | '/' => c,
        _ => '_',
    };
    let text: String = name.trim().chars().map(allowed).collect();
    let part = |part: &str| if part.chars().all(|c| c == '.') { "_".to_owned() } else { part.to_owned() };
    let key = text.split('/').map(part).collect::<Vec<_>>().join("/");
    if key.len() <= MOST_KEY { key } else { with_digest(&key, name) }
}

/// A name as a key in the same way; one that servers do not take as it is gets a mark, so that no two names share a key.
pub fn distinct_key(name: &str) -> String {
    let text = name.replace('=', ":");
    match key(&text) {
        key if key == text => key,
        lossy => key(&format!("{lossy}-{}", &digest::of_bytes(name.as_bytes())[..KEY_DIGITS])),
    }
}

/// The key with a mark of the name that it stands for.
fn with_digest(key: &str, name: &str) -> String {
    // Keys are ASCII, so that any index is between two characters.
    let kept = key.len().min(MOST_KEY - KEY_DIGITS - 1);
    format!("{}-{}", &key[..kept], &digest::of_bytes(name.as_bytes())[..KEY_DIGITS])
}

fn shortened(value: &str, most: usize) -> String {
    match value.chars().count() <= most {
        true => value.to_owned(),
        false => value.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_hold_what_servers_take() {
        assert_eq!(key("walmart@2012-08-03"), "walmart/2012-08-03");
        // The recordings 20 to 25: `%`, `@`, `..` and 251 characters are refused; space and colon are taken.
        assert_eq!(key("mape_%"), "mape__");
        assert_eq!(key("../x"), "_/x");
        assert_eq!(key("/a//b/"), "_/a/_/b/_");
        assert_eq!(key("live:mape store_01.h-1"), "live:mape store_01.h-1");
        assert_eq!(key("Umsatz (Ä)"), "Umsatz ___");
        assert_eq!(key(""), "_");
        let (long, other) = (key(&"x".repeat(251)), key(&"x".repeat(252)));
        assert_eq!((long.len(), other.len()), (250, 250));
        assert_ne!(long, other);
    }

    #[test]
    fn keys_stay_apart_and_alike() {
        assert_eq!(distinct_key("live/mape_ratio/1/region=north"), "live/mape_ratio/1/region:north");
        let (a, b) = (distinct_key("live/mape/Köln"), distinct_key("live/mape/Kàln"));
        assert!(a != b && a.starts_with("live/mape/K_ln-"), "{a} {b}");
        assert_eq!(a, distinct_key("live/mape/Köln"));
        assert!(distinct_key(&"x".repeat(400)).len() <= 250);
        assert_eq!(key(&a), a, "a key stays what it is");
    }

    #[test]
    fn what_is_not_finite_is_named_and_not_sent() {
        let mut batch = Batch::default();
        batch.metric("mape", 0.05, 1, 0);
        batch.metric("a@b", f64::NAN, 1, 0);
        batch.metric("c", f64::INFINITY, 1, 0);
        assert_eq!(batch.metrics().len(), 1);
        assert_eq!(batch.tags()["not_finite"], "a/b, c");
        assert!(!batch.requests("r").iter().any(|request| request.to_string().contains("null")));
    }

    #[test]
    fn requests_stay_below_the_limits() {
        let mut batch = Batch::default();
        (0..2000).for_each(|step| batch.metric("m", 1.0, 1, step));
        (0..200).for_each(|number| batch.param(&format!("p{number}"), &"v".repeat(9000)));
        (0..100).for_each(|number| batch.tag(&format!("t{number}"), &"v".repeat(9000)));
        let requests = batch.requests("r");
        let counts = |kind: &str| -> Vec<usize> {
            requests.iter().filter_map(|request| Some(request.get(kind)?.as_array()?.len())).collect()
        };
        assert_eq!((counts("metrics"), counts("params")), (vec![900, 900, 200], vec![90, 90, 20]));
        assert_eq!(counts("tags"), [90, 10]);
        assert!(requests.iter().all(|request| request.to_string().len() < 1_000_000));
    }

    #[test]
    fn names_that_become_one_key_are_told_apart() {
        let mut batch = Batch::default();
        batch.param("a(", "1");
        batch.param("a)", "2");
        batch.param("a)", "2");
        assert_eq!(batch.params().len(), 2);
    }
}
