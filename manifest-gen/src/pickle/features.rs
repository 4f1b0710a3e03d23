//! The feature names that a pickled estimator remembers, read without loading it.

use std::collections::{HashSet, VecDeque};
use std::io::Read;

use super::allow::AllowList;
use super::container;
use super::limits::{self, Budget};
use super::machine::Machine;
use super::scan::Findings;
use super::source::Source;
use super::value::{Node, Value};

/// Where scikit-learn, `LightGBM`, `XGBoost` and `CatBoost` keep names, the first that is found counts.
const KEYS: [&str; 4] = ["feature_names_in_", "_feature_name", "feature_name_", "feature_names"];

/// The names of the features that a pickled estimator was fitted on, in their order: of the outermost object that has them,
/// else of what it contains, breadth first (so a pipeline's first step). Else those of the
/// text of a `LightGBM` model. Nothing if there are none, or if the file cannot be read.
pub fn feature_names(reader: impl Read) -> Option<Vec<String>> {
    let budget = Budget::default();
    let mut source = Source::new(reader);
    container::innermost(&mut source, &budget, 0, &mut |source| {
        let (mut findings, allow) = (Findings::default(), AllowList::shipped());
        let mut machine = Machine::new(&mut findings, &allow);
        let root = machine.run(source, true).ok()?;
        search(&machine, root).or(machine.model_features)
    })
}

/// Breadth first, each container once.
fn search(machine: &Machine, root: Value) -> Option<Vec<String>> {
    let mut seen = HashSet::new();
    let mut waiting = VecDeque::from([root]);
    while let Some(value) = waiting.pop_front() {
        let Value::Node(index) = value else { continue };
        if !seen.insert(index) || seen.len() > limits::NODES {
            continue;
        }
        match machine.arena.node(value)? {
            Node::Tuple(items) | Node::List(items, _) => waiting.extend(items),
            Node::Dict(items, _) => {
                if let Some(names) = named(machine, items) {
                    return Some(names);
                }
                waiting.extend(items.iter().map(|(_, item)| item));
            }
            Node::Object { args, state, .. } => waiting.extend([state, args]),
        }
    }
    None
}

fn named(machine: &Machine, items: &[(Value, Value)]) -> Option<Vec<String>> {
    let of_key = |wanted: &str| {
        let values = items.iter().rev().filter(|(key, _)| machine.arena.as_text(*key) == Some(wanted));
        values.map(|(_, value)| *value).next()
    };
    KEYS.iter().filter_map(|key| of_key(key)).find_map(|value| texts(machine, value))
}

/// The texts of a list, or of an array of objects, whose state ends with the list of its items.
fn texts(machine: &Machine, value: Value) -> Option<Vec<String>> {
    let items = match machine.arena.node(value)? {
        Node::List(items, true) => items,
        Node::Object { state, .. } => match machine.arena.node(*machine.arena.as_tuple(*state)?.last()?)? {
            Node::List(items, true) => items,
            _ => return None,
        },
        _ => return None,
    };
    let names: Option<Vec<String>> = items.iter().map(|item| machine.arena.as_text(*item).map(str::to_owned)).collect();
    names.filter(|names| !names.is_empty())
}
