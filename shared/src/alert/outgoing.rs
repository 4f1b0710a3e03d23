//! An alert as Alertmanager's version 2 interface takes it: labels made safe, faults found before anything is sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Alert;
use super::text::{capped, capped_distinct};

/// The longest label value, in characters.
const MOST_VALUE_CHARACTERS: usize = 256;

/// The longest annotation, in characters.
const MOST_ANNOTATION_CHARACTERS: usize = 4096;

/// The longest name of a label or annotation, in characters.
const MOST_NAME_CHARACTERS: usize = 128;

/// An alert as it goes to Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outgoing {
    /// Identifier of the [`Alert`]; not sent, Alertmanager tells alerts apart by their labels.
    #[serde(skip)]
    pub id: String,
    /// All labels, `alertname` and `severity` among them.
    pub labels: BTreeMap<String, String>,
    /// Texts.
    pub annotations: BTreeMap<String, String>,
    /// When it began.
    #[serde(serialize_with = "milliseconds")]
    pub starts_at: Timestamp,
    /// When it ended; while it fires, when Alertmanager may take it for ended if nobody says otherwise.
    #[serde(serialize_with = "milliseconds")]
    pub ends_at: Timestamp,
}

/// Go's parser of RFC 3339 takes nine digits, older ones of the interface's description three: three suit all.
fn milliseconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}

impl Outgoing {
    /// The alert as Alertmanager takes it. `ends_at` holds where the alert still fires.
    ///
    /// Names of labels and annotations are made of letters, digits and `_`; values stay as they are and are cut where they
    /// are very long, with a digest so that different ones stay different. An end before the beginning is moved to it.
    pub fn new(alert: &Alert, ends_at: Timestamp) -> Self {
        let mut labels = vec![("alertname", alert.name.as_str()), ("severity", alert.severity.name())];
        labels.extend(pairs(&alert.labels));
        let mut annotations = vec![("summary", alert.summary.as_str())];
        annotations.extend(pairs(&alert.annotations));
        Self {
            id: alert.id.clone(),
            labels: safe(&labels, |value| capped_distinct(value, MOST_VALUE_CHARACTERS)),
            annotations: safe(&annotations, |value| capped(value, MOST_ANNOTATION_CHARACTERS)),
            starts_at: alert.starts_at,
            ends_at: alert.ends_at.unwrap_or(ends_at).max(alert.starts_at),
        }
    }

    /// What Alertmanager would refuse, or take and mishandle; nothing if all is well.
    pub fn fault(&self) -> Option<String> {
        let named = |name: &&String| !is_name(name);
        if self.labels.is_empty() {
            return Some("no labels (expected at least alertname)".to_owned());
        }
        if let Some(name) = self.labels.keys().chain(self.annotations.keys()).find(named) {
            return Some(format!("label or annotation {:?} (expected [a-zA-Z_][a-zA-Z0-9_]*)", capped(name, 60)));
        }
        if self.labels.get("alertname").is_none_or(String::is_empty) {
            return Some("no label alertname, or an empty one".to_owned());
        }
        let turned = self.starts_at > self.ends_at;
        turned.then(|| format!("startsAt {} is after endsAt {}", self.starts_at, self.ends_at))
    }
}

fn pairs(map: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    map.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}

/// Whether releases without UTF-8 names take this name.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The pairs under safe names. Names that are safe already keep theirs, the first of several; others that fall together with
/// one get a number. Empty values are left out, as Alertmanager does, but for `alertname`, whose lack is a fault to tell of.
fn safe(pairs: &[(&str, &str)], value: impl Fn(&str) -> String) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let as_is = |name: &str| is_name(name) && name.len() <= MOST_NAME_CHARACTERS;
    let (first, later): (Vec<_>, Vec<_>) = pairs.iter().partition(|(name, _)| as_is(name));
    for &(name, text) in first.into_iter().chain(later) {
        if !text.is_empty() {
            let name = free_name(&out, &safe_name(name));
            out.insert(name, value(text));
        }
    }
    out
}

fn safe_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let mut out: String = name.chars().take(MOST_NAME_CHARACTERS).map(plain).collect();
    if !is_name(&out) {
        out.insert(0, '_');
    }
    out
}

fn free_name(taken: &BTreeMap<String, String>, name: &str) -> String {
    let numbered = (2_u64..).map(|number| format!("{name}_{number}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains_key(name));
    // The numbers never end; there are fewer labels than numbers.
    free.unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::Severity;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn alert(labels: &[(&str, &str)]) -> Alert {
        Alert {
            id: "a".to_owned(),
            name: "ForecastDrift".to_owned(),
            severity: Severity::Critical,
            labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            summary: "MAPE doubled".to_owned(),
            annotations: BTreeMap::new(),
            starts_at: at(100),
            ends_at: None,
        }
    }

    fn labels(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let found = Outgoing::new(&alert(pairs), at(200));
        assert_eq!(found.fault(), None);
        found.labels.into_iter().filter(|(key, _)| key != "severity").collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_json_is_that_of_the_interface() {
        let json = serde_json::to_value(Outgoing::new(&alert(&[("model", "m")]), at(200))).unwrap();
        let expected = serde_json::json!({
            "labels": {"alertname": "ForecastDrift", "model": "m", "severity": "critical"},
            "annotations": {"summary": "MAPE doubled"},
            "startsAt": "1970-01-01T00:01:40.000Z", "endsAt": "1970-01-01T00:03:20.000Z",
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn names_are_made_safe_and_stay_apart() {
        let found = labels(&[("a-b", "1"), ("a_b", "2"), ("a.b", "3"), ("1st", "4"), ("ä\n", "5"), ("", "6")]);
        let expected = [
            ("_", "6"),
            ("_1st", "4"),
            ("__", "5"),
            ("a_b", "2"),
            ("a_b_2", "1"),
            ("a_b_3", "3"),
            ("alertname", "ForecastDrift"),
        ];
        assert_eq!(found, owned(&expected));
    }

    #[test]
    fn a_label_of_the_data_does_not_take_the_name_of_the_alert() {
        let found = labels(&[("alertname", "Evil"), ("empty", "")]);
        assert_eq!(found, owned(&[("alertname", "ForecastDrift"), ("alertname_2", "Evil")]));
    }

    #[test]
    fn hostile_values_stay_as_they_are_and_long_ones_stay_apart() {
        let hostile = "\"}{<!channel>\u{0}\n";
        assert_eq!(labels(&[("series", hostile)])[1].1, hostile);
        let long = |end: char| labels(&[("series", &format!("{}{end}", "x".repeat(1000)))])[1].1.clone();
        assert_eq!(long('1').chars().count(), MOST_VALUE_CHARACTERS);
        assert_ne!(long('1'), long('2'));
    }

    #[test]
    fn what_alertmanager_refuses_or_mishandles_is_a_fault() {
        let good = Outgoing::new(&alert(&[]), at(200));
        assert_eq!(Outgoing { ends_at: good.starts_at, ..good.clone() }.fault(), None);
        let with = |key: &str| {
            let labels = BTreeMap::from([("alertname".to_owned(), "A".to_owned()), (key.to_owned(), "v".to_owned())]);
            Outgoing { labels, ..good.clone() }
        };
        let nameless = BTreeMap::from([("model".to_owned(), "m".to_owned())]);
        let bad = [
            Outgoing { labels: BTreeMap::new(), ..good.clone() },
            Outgoing { labels: nameless, ..good.clone() },
            with("bad-name"),
            with(""),
            with("1a"),
            Outgoing { annotations: with("x y").labels, ..good.clone() },
            Outgoing { ends_at: at(99), ..good.clone() },
            Outgoing::new(&Alert { name: String::new(), ..alert(&[]) }, at(200)),
        ];
        bad.iter().for_each(|bad| assert!(bad.fault().is_some(), "{bad:?}"));
    }
}
