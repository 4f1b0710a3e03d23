//! The history of a model, and what follows from it: aliases, entries, yanks. Pure.

use std::collections::BTreeMap;

use shared::format::registry::{Action, Event, Model, Version, Yanked};
use shared::{Error, Result};

use crate::store::Stored;

/// The `chain` of the first event.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Appends an event, chained to the one before, and carries it out. `stored` is the release that an alias is set to.
///
/// # Errors
/// None that can occur with finite numbers.
pub fn append(model: &mut Model, event: Event, stored: Option<&Stored>) -> Result<()> {
    let chain = model.history.last().map_or(GENESIS, |last| &last.sha256).to_owned();
    let mut event = Event { chain, ..event };
    event.sha256 = event.digest()?;
    if let Some(stored) = stored {
        register(model, &event, stored);
    }
    if let Some(alias) = &event.alias {
        model.aliases.insert(alias.clone(), event.version.clone());
    }
    if let (Action::Yank, Some(version)) = (event.action, model.versions.get_mut(&event.version)) {
        version.yanked = Some(Yanked { at: event.at.clone(), reason: event.reason.clone().unwrap_or_default() });
    }
    model.history.push(event);
    Ok(())
}

/// Enters a release, or enters it again as it is.
fn register(model: &mut Model, event: &Event, stored: &Stored) {
    let known = model.versions.get(&event.version);
    let promoted_at = known.map_or_else(|| event.at.clone(), |version| version.promoted_at.clone());
    let yanked = known.and_then(|version| version.yanked.clone());
    let entry = Version::of(&stored.manifest, &stored.sha256, event.signature_sha256.as_deref(), &promoted_at, yanked);
    model.versions.insert(event.version.clone(), entry);
}

/// What the history says of a version: when it came, which bytes it has, whether it was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When it was first promoted.
    pub promoted_at: String,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
    /// SHA-256 of its signature.
    pub signature_sha256: Option<String>,
    /// Why it was withdrawn.
    pub yanked: Option<Yanked>,
}

/// What the history of a model says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Story {
    /// By version.
    pub versions: BTreeMap<String, Told>,
    /// Where each alias points.
    pub aliases: BTreeMap<String, String>,
    /// What is wrong with the events themselves.
    pub faults: Vec<String>,
}

/// Reads the history from its first event.
pub fn replay(history: &[Event]) -> Story {
    let mut story = Story::default();
    let mut chain = GENESIS.to_owned();
    for (index, event) in history.iter().enumerate() {
        let digest = event.digest().unwrap_or_default();
        if event.chain != chain || event.sha256 != digest {
            story.faults.push(format!("event {} of the history was changed", index + 1));
        }
        chain.clone_from(&event.sha256);
        story.take(event);
    }
    story
}

impl Story {
    fn take(&mut self, event: &Event) {
        if let Some(alias) = &event.alias {
            self.aliases.insert(alias.clone(), event.version.clone());
        }
        let told = self.versions.entry(event.version.clone()).or_insert_with(|| Told {
            promoted_at: event.at.clone(),
            manifest_sha256: event.manifest_sha256.clone(),
            signature_sha256: event.signature_sha256.clone(),
            yanked: None,
        });
        if told.manifest_sha256 != event.manifest_sha256 || told.signature_sha256 != event.signature_sha256 {
            self.faults.push(format!("the history names two releases {}", event.version));
        }
        if event.action == Action::Yank {
            told.yanked = Some(Yanked { at: event.at.clone(), reason: event.reason.clone().unwrap_or_default() });
        }
    }
}

/// What is wrong with the part of the registry that stands under `name`, as far as name and history tell.
pub fn faults(name: &str, model: &Model) -> Vec<String> {
    let story = replay(&model.history);
    let mut faults = story.faults.clone();
    if story.aliases != model.aliases {
        faults.push("the aliases are not those of the history".to_owned());
    }
    let named: Vec<&String> = story.versions.keys().collect();
    if named != model.versions.keys().collect::<Vec<_>>() {
        faults.push("the versions are not those of the history".to_owned());
    }
    for (number, version) in &model.versions {
        if version.release != format!("releases/{name}/{number}") {
            faults.push(format!("{number} is the release {}, which belongs to another name", version.release));
        }
        let found = Told {
            promoted_at: version.promoted_at.clone(),
            manifest_sha256: version.manifest_sha256.clone(),
            signature_sha256: version.signature_sha256.clone(),
            yanked: version.yanked.clone(),
        };
        if story.versions.get(number).is_some_and(|told| *told != found) {
            faults.push(format!("the entry of {number} is not that of the history"));
        }
    }
    faults
}

/// The version that `alias` pointed at before the present one, and that may still be used.
///
/// # Errors
/// [`Error::Refused`] if there is none.
pub fn before(name: &str, model: &Model, alias: &str) -> Result<String> {
    let current = model.aliases.get(alias).ok_or_else(|| {
        Error::usage(format!("{name} has no alias {alias:?}"), "an alias that `manifest-gen promote` has set")
    })?;
    let is_usable = |version: &&String| {
        *version != current && model.versions.get(*version).is_some_and(|entry| entry.yanked.is_none())
    };
    let trail = trail(&model.history, alias);
    trail.iter().rev().find(is_usable).cloned().ok_or_else(|| {
        let reason = format!("{name} {current} is the only version that may be used");
        Error::refused(format!("there is nothing to roll {alias} back to"), vec![reason])
    })
}

/// The versions that an alias stood on: a promotion adds one, a rollback returns to an earlier one.
fn trail(history: &[Event], alias: &str) -> Vec<String> {
    let mut trail: Vec<String> = Vec::new();
    for event in history.iter().filter(|event| event.alias.as_deref() == Some(alias)) {
        match (event.action, trail.iter().rposition(|version| *version == event.version)) {
            (Action::Rollback, Some(position)) => trail.truncate(position + 1),
            _ => trail.push(event.version.clone()),
        }
    }
    trail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: Action, version: &str) -> Event {
        let alias = (action != Action::Yank).then(|| "champion".to_owned());
        Event {
            at: "2026-01-01T00:00:00Z".into(),
            action,
            version: version.into(),
            alias,
            previous: None,
            by: "x@y".into(),
            reason: None,
            forced: None,
            overruled: Vec::new(),
            manifest_sha256: version.into(),
            signature_sha256: None,
            evidence: Vec::new(),
            chain: String::new(),
            sha256: String::new(),
        }
    }

    fn chained(events: Vec<Event>) -> Vec<Event> {
        let mut history: Vec<Event> = Vec::new();
        for mut event in events {
            event.chain = history.last().map_or(GENESIS, |last| &last.sha256).to_owned();
            event.sha256 = event.digest().unwrap();
            history.push(event);
        }
        history
    }

    fn history() -> Vec<Event> {
        chained(["1.0.0", "2.0.0", "3.0.0"].map(|version| event(Action::Promote, version)).to_vec())
    }

    #[test]
    fn each_rollback_goes_one_further_back() {
        let mut events = history();
        assert_eq!(trail(&events, "champion"), ["1.0.0", "2.0.0", "3.0.0"]);
        events.push(event(Action::Rollback, "2.0.0"));
        assert_eq!(trail(&events, "champion"), ["1.0.0", "2.0.0"]);
        events.push(event(Action::Promote, "3.0.0"));
        assert_eq!(trail(&events, "champion"), ["1.0.0", "2.0.0", "3.0.0"]);
        assert!(trail(&events, "challenger").is_empty());
    }

    #[test]
    fn a_changed_event_is_seen() {
        assert!(replay(&history()).faults.is_empty());
        for change in [
            |event: &mut Event| event.by.push('x'),
            |event: &mut Event| event.version = "9.0.0".into(),
            |event: &mut Event| event.sha256.push('0'),
            |event: &mut Event| event.forced = Some("because".into()),
        ] {
            let mut events = history();
            change(&mut events[1]);
            assert!(!replay(&events).faults.is_empty());
        }
    }

    #[test]
    fn a_removed_event_is_seen() {
        let mut events = history();
        events.remove(1);
        assert!(!replay(&events).faults.is_empty());
    }

    #[test]
    fn aliases_follow_from_the_history() {
        let model = Model { history: history(), ..Model::default() };
        assert!(faults("lightgbm", &model).iter().any(|fault| fault.contains("aliases")));
    }
}
