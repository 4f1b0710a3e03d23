//! The models of a project: one identity for what files call differently.

use std::collections::BTreeMap;
use std::path::Path;

use super::document::{Entry, Position, Scalar, Table, Value};
use super::{unknown, wrong};
use crate::error::Problem;

/// Every name of every model, and the model that it means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Models {
    identities: BTreeMap<String, String>,
}

impl Models {
    /// Reads the tables `[models.NAME]`.
    pub(super) fn read(file: &Path, table: Table) -> Result<Self, Vec<Problem>> {
        let mut models = Self::default();
        let mut problems = Vec::new();
        for entry in &table.entries {
            models.claim(file, &entry.key, &entry.key, entry.at, &mut problems);
        }
        for entry in table.entries {
            models.read_model(file, entry, &mut problems);
        }
        if problems.is_empty() { Ok(models) } else { Err(problems) }
    }

    fn read_model(&mut self, file: &Path, model: Entry, problems: &mut Vec<Problem>) {
        let Value::Table(table) = model.value else {
            problems.push(wrong(file, model.at, &model.key, &model.value, "a table with names"));
            return;
        };
        for entry in table.entries {
            match (entry.key.as_str(), entry.value) {
                ("names", Value::Many(names)) => self.claim_all(file, &model.key, names, problems),
                ("names", other) => problems.push(wrong(file, entry.at, "names", &other, "a list of texts")),
                (key, _) => problems.push(unknown(file, entry.at, key, ["names"].into_iter())),
            }
        }
    }

    fn claim_all(&mut self, file: &Path, model: &str, names: Vec<Scalar>, problems: &mut Vec<Problem>) {
        for name in names {
            self.claim(file, model, &name.text, name.at, problems);
        }
    }

    /// Notes that `name` means `model`, unless it means another one already.
    fn claim(&mut self, file: &Path, model: &str, name: &str, at: Position, problems: &mut Vec<Problem>) {
        let owner = self.identities.entry(name.to_owned()).or_insert_with(|| model.to_owned());
        if owner != model {
            let found = format!("the name \"{name}\" is claimed by \"{owner}\" and by \"{model}\"");
            problems.push(Problem { place: at.of(file), found, expected: "each name under one model".to_owned() });
        }
    }

    /// The model that `name` means; the name itself if it is not known.
    pub fn identity<'a>(&'a self, name: &'a str) -> &'a str {
        self.identities.get(name).map_or(name, String::as_str)
    }

    /// Every name and the model that it means.
    pub fn names(&self) -> &BTreeMap<String, String> {
        &self.identities
    }

    /// The models, and all their names, sorted.
    pub fn all(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut models: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, model) in &self.identities {
            models.entry(model).or_default().push(name);
        }
        models
    }
}
