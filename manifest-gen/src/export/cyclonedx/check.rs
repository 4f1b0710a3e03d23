//! What the official schemas do not catch: references that are ambiguous or lead nowhere, cards of things that are no models.

use std::collections::BTreeSet;

use serde_json::Value;

/// Everything that is wrong with a document, in its own order.
pub fn check(bom: &Value) -> Vec<String> {
    let mut found = Found::default();
    found.walk(bom, "");
    let mut problems = found.problems;
    let dangling = found.references.iter().filter(|(_, to)| !found.names.contains(to));
    problems.extend(dangling.map(|(place, to)| format!("{place} refers to {to:?}, which is not there")));
    problems.extend(version(bom));
    problems
}

fn version(bom: &Value) -> Option<String> {
    let text = |key: &str| bom.get(key).and_then(Value::as_str).unwrap_or_default();
    let expected = format!("http://cyclonedx.org/schema/bom-{}.schema.json", text("specVersion"));
    let schema = text("$schema");
    (schema != expected).then(|| format!("specVersion is {:?} and $schema {schema:?}", text("specVersion")))
}

#[derive(Default)]
struct Found {
    names: BTreeSet<String>,
    /// Place and name of each reference.
    references: Vec<(String, String)>,
    problems: Vec<String>,
}

impl Found {
    fn walk(&mut self, value: &Value, place: &str) {
        match value {
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| self.walk(item, &format!("{place}[{index}]")));
            }
            Value::Object(members) => {
                self.object(value, place);
                members.iter().for_each(|(key, member)| self.walk(member, &format!("{place}/{key}")));
            }
            _ => {}
        }
    }

    fn object(&mut self, object: &Value, place: &str) {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        if let Some(name) = text("bom-ref")
            && !self.names.insert(name.to_owned())
        {
            self.problems.push(format!("{place} has the bom-ref {name:?} of another one"));
        }
        if object.get("modelCard").is_some() && text("type") != Some("machine-learning-model") {
            self.problems.push(format!("{place} has a model card and is no machine-learning-model"));
        }
        self.references.extend(text("ref").map(|to| (format!("{place}/ref"), to.to_owned())));
        let depends_on = object.get("dependsOn").and_then(Value::as_array).into_iter().flatten();
        let depends_on = depends_on.filter_map(Value::as_str);
        self.references.extend(depends_on.map(|to| (format!("{place}/dependsOn"), to.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Spec, text};
    use super::*;
    use crate::export::sample;
    use crate::store::Stored;

    fn bom() -> Value {
        let release = Stored { manifest: sample::manifest(), bytes: Vec::new(), sha256: "e".repeat(64) };
        serde_json::from_str(&text(&release, None, Spec::V1_6).unwrap()).unwrap()
    }

    fn problem(break_it: impl FnOnce(&mut Value)) -> String {
        let mut bom = bom();
        break_it(&mut bom);
        let problems = check(&bom);
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].clone()
    }

    #[test]
    fn a_good_document_has_no_problem() {
        assert_eq!(check(&bom()), Vec::<String>::new());
    }

    #[test]
    fn ambiguous_references_are_found() {
        let found = problem(|bom| {
            let twin = bom["components"][0].clone();
            bom["components"].as_array_mut().unwrap().push(twin);
        });
        assert_eq!(found, "/components[1] has the bom-ref \"data:data/walmart.csv\" of another one");
    }

    #[test]
    fn references_to_nothing_are_found() {
        let found = problem(|bom| bom["dependencies"][0]["dependsOn"][0] = json!("file:gone"));
        assert!(found.starts_with("/dependencies[0]/dependsOn refers to \"file:gone\""), "{found}");
        let found = problem(|bom| bom["dependencies"][0]["ref"] = json!("model:other"));
        assert!(found.contains("/dependencies[0]/ref"), "{found}");
        let found = problem(|bom| {
            bom["metadata"]["component"]["modelCard"]["modelParameters"]["datasets"][0]["ref"] = json!("data:gone");
        });
        assert!(found.contains("datasets[0]/ref refers to \"data:gone\""), "{found}");
    }

    #[test]
    fn cards_of_other_things_are_found() {
        let found = problem(|bom| bom["components"][0]["modelCard"] = json!({}));
        assert!(found.starts_with("/components[0] has a model card"), "{found}");
    }

    #[test]
    fn another_schema_than_the_version_is_found() {
        assert!(problem(|bom| bom["specVersion"] = json!("1.5")).starts_with("specVersion is \"1.5\""));
    }

    #[test]
    fn two_files_of_one_path_are_refused() {
        let mut manifest = sample::manifest();
        manifest.artifacts[1].path = manifest.artifacts[0].path.clone();
        let release = Stored { manifest, bytes: Vec::new(), sha256: "e".repeat(64) };
        let error = text(&release, None, Spec::V1_6).unwrap_err();
        assert_eq!(error.exit(), shared::Exit::Usage);
    }
}
