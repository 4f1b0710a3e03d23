//! Values from elsewhere that rules watch: metrics that runs of `MLflow` log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::time::Micros;

/// A value, with the place in its series that tells what is newer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct External {
    /// The value.
    pub value: f64,
    /// When it was logged, or the time that it was logged for.
    pub time: Micros,
    /// The step that it was logged for.
    pub step: i64,
}

/// The newest value of each name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Externals(BTreeMap<String, External>);

impl Externals {
    /// Takes a value in; whether it is newer than what is known. Old ones come again after a restart.
    pub fn take(&mut self, name: &str, found: External) -> bool {
        let place = |one: &External| (one.time, one.step);
        let is_newer = self.0.get(name).is_none_or(|known| place(known) < place(&found));
        if is_newer {
            self.0.insert(name.to_owned(), found);
        }
        is_newer
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &External)> {
        self.0.iter().map(|(name, found)| (name.as_str(), found))
    }
}
