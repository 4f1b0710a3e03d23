//! The bodies that webhooks take: our own JSON, Slack's, and that of `PagerDuty`'s Events version 2.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::digest;
use crate::secret::Secret;

use super::text::capped;
use super::{Alert, Status, Transition};

/// The longest text of a block in Slack is 3000 characters; escapes are not counted on.
const SLACK_TEXT: usize = 2800;

/// Labels that a Slack message lists.
const SLACK_LABELS: usize = 12;

/// The longest value that a Slack message shows, in characters.
const SLACK_VALUE: usize = 150;

/// Names of drivers that a Slack message lists.
const SLACK_DRIVERS: usize = 5;

/// `PagerDuty`'s limits, in characters.
const PAGERDUTY_SUMMARY: usize = 1024;
const PAGERDUTY_DEDUP_KEY: usize = 255;

/// Slack's `{text, blocks}`.
pub(super) fn slack(transition: &Transition) -> Value {
    let alert = &transition.alert;
    let status = transition.status.name().to_uppercase();
    let severity = alert.severity.name();
    let head = format!("{status} {severity}: {} - ", escaped(&alert.name, SLACK_VALUE));
    let summary = escaped(&alert.summary, SLACK_TEXT - head.chars().count() - 2);
    let mut blocks = vec![section(&format!("*{}*\n{summary}", head.trim_end_matches(" - ")))];
    blocks.extend(
        [labels(alert), drivers(&transition.payload)].iter().filter(|text| !text.is_empty()).map(|t| section(t)),
    );
    let times = match alert.ends_at {
        None => format!("since {}", alert.starts_at),
        Some(end) => format!("{} to {end}", alert.starts_at),
    };
    let note = format!("{times} | {} | {}", escaped(&transition.source, SLACK_VALUE), escaped(&alert.id, SLACK_VALUE));
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": note}]}));
    json!({"text": format!("{head}{summary}"), "blocks": blocks})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

fn labels(alert: &Alert) -> String {
    let line = |(key, value): (&String, &String)| format!("{}: {}", escaped(key, 40), escaped(value, SLACK_VALUE));
    let mut lines: Vec<String> = alert.labels.iter().take(SLACK_LABELS).map(line).collect();
    let hidden = alert.labels.len().saturating_sub(SLACK_LABELS);
    if hidden > 0 {
        lines.push(format!("… and {hidden} more labels"));
    }
    lines.join("\n")
}

/// The first names of `drivers`, a list of texts or of objects with a `name`.
fn drivers(payload: &Value) -> String {
    let name = |driver: &Value| driver.get("name").unwrap_or(driver).as_str().map(|name| escaped(name, SLACK_VALUE));
    let all = payload.get("drivers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names: Vec<String> = all.iter().take(SLACK_DRIVERS).filter_map(name).collect();
    match names.is_empty() {
        true => String::new(),
        false if all.len() > names.len() => {
            format!("driven by {} and {} more", names.join(", "), all.len() - names.len())
        }
        false => format!("driven by {}", names.join(", ")),
    }
}

/// The text with `&`, `<` and `>` as Slack wants them, so that a name is no mention and no link; at most `most` characters,
/// and no escape is cut.
fn escaped(text: &str, most: usize) -> String {
    let (mut out, mut length) = (String::new(), 0);
    for c in text.chars() {
        let (piece, size): (&str, usize) = match c {
            '&' => ("&amp;", 5),
            '<' => ("&lt;", 4),
            '>' => ("&gt;", 4),
            _ => ("", 1),
        };
        length += size;
        if length >= most {
            out.push('…');
            return out;
        }
        // Writing to a String cannot fail.
        _ = if piece.is_empty() { write!(out, "{c}") } else { write!(out, "{piece}") };
    }
    out
}

/// An event of `PagerDuty`: `trigger` or `resolve`, held together by the `dedup_key`.
pub(super) fn pagerduty(transition: &Transition, routing_key: &Secret) -> Value {
    let dedup_key = dedup_key(&transition.alert.id);
    match transition.status {
        Status::Resolved => {
            json!({"routing_key": routing_key.expose(), "event_action": "resolve", "dedup_key": dedup_key})
        }
        Status::Firing => json!({
            "routing_key": routing_key.expose(), "event_action": "trigger", "dedup_key": dedup_key,
            "payload": details(transition),
        }),
    }
}

fn details(transition: &Transition) -> Value {
    let alert = &transition.alert;
    let mut details = json!({
        "summary": capped(&format!("{}: {}", alert.name, alert.summary), PAGERDUTY_SUMMARY),
        "source": capped(&transition.source, PAGERDUTY_DEDUP_KEY),
        // info, warning and critical are among the four that it knows.
        "severity": alert.severity.name(),
        "timestamp": alert.starts_at.to_string(),
        "class": capped(&alert.name, PAGERDUTY_DEDUP_KEY),
        "custom_details": {"labels": alert.labels, "annotations": alert.annotations, "payload": transition.payload},
    });
    if let Some(model) = alert.labels.get("model") {
        details["component"] = capped(model, PAGERDUTY_DEDUP_KEY).into();
    }
    details
}

/// The identifier, or its digest where it is too long or empty.
fn dedup_key(id: &str) -> String {
    let fits = (1..=PAGERDUTY_DEDUP_KEY).contains(&id.chars().count());
    if fits { id.to_owned() } else { digest::of_bytes(id.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_whole_and_bounded() {
        assert_eq!(escaped("<!channel> & co", 100), "&lt;!channel&gt; &amp; co");
        assert_eq!(escaped("a&b", 6), "a…");
        assert_eq!(escaped("a&b", 8), "a&amp;b");
        assert!(escaped(&"<".repeat(9_999), 100).chars().count() <= 100);
    }

    #[test]
    fn drivers_are_named_whatever_their_shape() {
        assert_eq!(
            drivers(&json!({"drivers": [{"name": "EWR_B6", "share_ratio": 0.4}, "<b>"]})),
            "driven by EWR_B6, &lt;b&gt;"
        );
        assert_eq!(
            drivers(&json!({"drivers": ["1", "2", "3", "4", "5", "6", "7"]})),
            "driven by 1, 2, 3, 4, 5 and 2 more"
        );
        for other in [json!(null), json!({"drivers": 3}), json!({"drivers": [null, {"name": 1}]})] {
            assert_eq!(drivers(&other), "");
        }
    }

    #[test]
    fn keys_that_pagerduty_would_refuse_become_digests() {
        assert_eq!(dedup_key(&"x".repeat(255)).len(), 255);
        assert_eq!((dedup_key(&"x".repeat(256)).len(), dedup_key("").len()), (64, 64));
    }
}
