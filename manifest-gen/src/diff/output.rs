//! The result of `diff`: for people, programs and pull requests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::format::input::Tool;

use crate::store::Stored;

use super::compare::{Change, Kind, compare};

/// The `schema` of the JSON output.
pub(super) const SCHEMA: &str = "manifest-gen/diff/1";

/// The result of `manifest-gen diff`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DiffReport {
    /// `manifest-gen/diff/1`.
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The model.
    pub name: String,
    /// The earlier release.
    pub old: Side,
    /// The later release.
    pub new: Side,
    /// Whether nothing changed but the number.
    pub same: bool,
    /// The changes, in the order of the manifest.
    pub changes: Vec<Change>,
}

/// One of the two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// Strict semantic version.
    pub version: String,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
}

impl Side {
    fn of(release: &Stored) -> Self {
        Self { version: release.manifest.version.clone(), manifest_sha256: release.sha256.clone() }
    }
}

impl DiffReport {
    /// Compares two releases.
    pub fn of(old: &Stored, new: &Stored) -> Self {
        let changes = compare(&old.manifest, &new.manifest);
        Self {
            schema: SCHEMA.to_owned(),
            tool: crate::print::tool(),
            name: new.manifest.name.clone(),
            old: Side::of(old),
            new: Side::of(new),
            same: changes.is_empty(),
            changes,
        }
    }

    fn title(&self) -> String {
        let count = match self.changes.len() {
            0 => "nothing changed".to_owned(),
            1 => "1 change".to_owned(),
            count => format!("{count} changes"),
        };
        format!("{} {} to {}: {count}", self.name, self.old.version, self.new.version)
    }

    /// For people: a line for each change, `+`, `-`, `~` or `>` first.
    pub fn text(&self) -> String {
        let line = |change: &Change| {
            let values = match (&change.old, &change.new) {
                (Some(old), Some(new)) => format!(": {old} -> {new}"),
                (Some(only), None) | (None, Some(only)) if *only != change.what && change.area != "global" => {
                    format!(": {only}")
                }
                _ => String::new(),
            };
            let difference = change.difference.map(|difference| format!(" ({difference:+})")).unwrap_or_default();
            format!("{} {} {}{values}{difference}\n", sign(change.kind), change.area, change.what)
        };
        self.title() + "\n" + &self.changes.iter().map(line).collect::<String>()
    }

    /// For programs.
    pub fn json(&self) -> String {
        // Metrics of a manifest are finite, and differences that are not are left out.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// For a pull request.
    pub fn markdown(&self) -> String {
        let cell = |text: Option<&str>| text.unwrap_or_default().replace('|', "\\|").replace(['\n', '\r'], " ");
        let row = |change: &Change| {
            let difference = change.difference.map(|difference| format!("{difference:+}"));
            let cells = [
                cell(Some(&change.area)),
                format!("`{}`", cell(Some(&change.what)).replace('`', "'")),
                cell(change.old.as_deref()),
                cell(change.new.as_deref()),
                cell(difference.as_deref()),
            ];
            format!("| {} {} |\n", sign(change.kind), cells.join(" | "))
        };
        let rows: String = self.changes.iter().map(row).collect();
        let table = match rows.is_empty() {
            true => rows,
            false => format!("\n| area | what | old | new | difference |\n| --- | --- | --- | --- | --- |\n{rows}"),
        };
        format!("**manifest-gen diff**: {}\n{table}", self.title())
    }
}

fn sign(kind: Kind) -> &'static str {
    match kind {
        Kind::Added => "+",
        Kind::Removed => "-",
        Kind::Changed => "~",
        Kind::Moved => ">",
    }
}
