//! `--map`: where the columns are in a table whose layout is not recognised.

use std::str::FromStr;

/// A column mapping, parsed from `model=…,task=col+col,metric=…` (long: one row for each task and model) or
/// `task=col+col,models=A+B` (wide: one row for each task, one column for each model; `models=*` takes every column
/// that nothing else names). Optional: `leaked`, `training`, `inference`. A comma or plus in a name is written `\,` or `\+`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Map {
    /// Columns that together name a task.
    pub task: Vec<String>,
    /// Long: the column that names the model.
    pub model: Option<String>,
    /// Long: the columns of scores; wide: at most one, the name that the scores go by.
    pub metrics: Vec<String>,
    /// Wide: the columns of the models.
    pub models: Option<Models>,
    /// The column that says whether the model was trained on the task's data.
    pub leaked: Option<String>,
    /// The column of training times in seconds.
    pub training: Option<String>,
    /// The column of inference times in seconds.
    pub inference: Option<String>,
}

/// The columns of the models in a wide table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Models {
    /// Every column that nothing else names.
    Rest,
    /// These.
    Named(Vec<String>),
}

impl FromStr for Map {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut map = Self::default();
        for part in split(text, ',') {
            let (key, value) = part.split_once('=').ok_or(format!("{part:?} has no `=`"))?;
            map.set(key.trim(), value.trim())?;
        }
        map.checked()
    }
}

impl Map {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let names: Vec<String> = split(value, '+').iter().map(|name| unescaped(name)).collect();
        if names.iter().any(String::is_empty) {
            return Err(format!("`{key}` names no column"));
        }
        match key {
            "task" => self.task = names,
            "metric" => self.metrics = names,
            "models" => self.models = Some(if value == "*" { Models::Rest } else { Models::Named(names) }),
            "model" => self.model = Some(only(key, names)?),
            "leaked" => self.leaked = Some(only(key, names)?),
            "training" => self.training = Some(only(key, names)?),
            "inference" => self.inference = Some(only(key, names)?),
            _ => return Err(format!("{key:?} is not one of task, model, models, metric, leaked, training, inference")),
        }
        Ok(())
    }

    fn checked(self) -> Result<Self, String> {
        let fault = match (&self.model, &self.models) {
            _ if self.task.is_empty() => "`task` is missing",
            (Some(_), Some(_)) => "`model` (long) and `models` (wide) exclude each other",
            (None, None) => "one of `model` (long) and `models` (wide) is needed",
            (None, Some(_)) if self.metrics.len() > 1 => "a wide table holds one metric",
            _ => return Ok(self),
        };
        Err(fault.to_owned())
    }
}

fn only(key: &str, mut names: Vec<String>) -> Result<String, String> {
    match names.len() {
        1 => Ok(names.remove(0)),
        _ => Err(format!("`{key}` is one column")),
    }
}

/// Splits at `separator` where no backslash stands before it.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut escaped = false;
    text.split(|c: char| {
        let here = c == separator && !escaped;
        escaped = c == '\\' && !escaped;
        here
    })
    .collect()
}

fn unescaped(name: &str) -> String {
    name.replace("\\+", "+").replace("\\,", ",").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_wide_are_understood() {
        let long: Map = "model=algo,task=data+h,metric=mae".parse().unwrap();
        assert_eq!((long.task.len(), long.model.as_deref(), &*long.metrics[0]), (2, Some("algo"), "mae"));
        let wide: Map = r"task=data,models=A\+B+C\,D".parse().unwrap();
        assert_eq!(wide.models, Some(Models::Named(vec!["A+B".into(), "C,D".into()])));
        assert_eq!("task=d,models=*".parse::<Map>().unwrap().models, Some(Models::Rest));
    }

    #[test]
    fn faults_are_named() {
        for (text, fault) in [
            ("model=a", "`task` is missing"),
            ("task=a", "one of `model`"),
            ("task=a,model=b,models=c", "exclude"),
            ("task=a,modle=b", "\"modle\" is not one of"),
            ("task", "no `=`"),
            ("task=,model=b", "`task` names no column"),
        ] {
            let error = text.parse::<Map>().unwrap_err();
            assert!(error.contains(fault), "{text}: {error}");
        }
    }
}
