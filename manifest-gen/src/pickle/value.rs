//! The values of the symbolic machine, kept in an arena so that no nesting of a file becomes nesting of ours.

use super::limits;

/// A value on the stack, in the memo or in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// Something of which nothing is remembered.
    Unknown,
    /// A number, bytes or the like: certainly no text, no global, no object.
    Plain,
    /// `None`.
    None,
    /// A boolean.
    Bool(bool),
    /// An integer that fits.
    Int(i64),
    /// A text that is remembered.
    Text(u32),
    /// A text that is not.
    LongText,
    /// A global, by number.
    Global(u32),
    /// A container or object.
    Node(u32),
}

/// A container or object.
#[derive(Debug)]
pub(super) enum Node {
    /// A tuple.
    Tuple(Vec<Value>),
    /// A list; the flag says whether all items are remembered.
    List(Vec<Value>, bool),
    /// A dict; the flag says whether all items are remembered.
    Dict(Vec<(Value, Value)>, bool),
    /// What a call or construction makes.
    Object {
        /// The global called, or the class where that is known.
        class: Option<u32>,
        /// What it was called with.
        args: Value,
        /// The last state set.
        state: Value,
    },
}

/// Owner of all texts, containers and objects of a scan.
#[derive(Debug, Default)]
pub(super) struct Arena {
    texts: Vec<Box<str>>,
    text_bytes: usize,
    nodes: Vec<Node>,
    elements: usize,
}

impl Arena {
    /// Remembers a text.
    pub(super) fn text(&mut self, text: &str) -> Value {
        self.text_bytes += text.len();
        let full = self.texts.len() >= limits::TEXTS || self.text_bytes > limits::TEXT_BYTES;
        if full || text.len() > limits::TEXT {
            return Value::LongText;
        }
        self.texts.push(text.into());
        Value::Text(u32::try_from(self.texts.len() - 1).unwrap_or(u32::MAX))
    }

    /// The text of a value.
    pub(super) fn as_text(&self, value: Value) -> Option<&str> {
        match value {
            Value::Text(index) => self.texts.get(index as usize).map(AsRef::as_ref),
            _ => None,
        }
    }

    fn room(&mut self, count: usize) -> bool {
        self.elements = self.elements.saturating_add(count);
        self.elements <= limits::ELEMENTS
    }

    fn add(&mut self, node: Node) -> Value {
        if self.nodes.len() >= limits::NODES {
            return Value::Unknown;
        }
        self.nodes.push(node);
        Value::Node(u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX))
    }

    pub(super) fn tuple(&mut self, items: &[Value]) -> Value {
        match self.room(items.len()) {
            true => self.add(Node::Tuple(items.to_vec())),
            false => Value::Unknown,
        }
    }

    pub(super) fn list(&mut self) -> Value {
        self.add(Node::List(Vec::new(), true))
    }

    pub(super) fn dict(&mut self) -> Value {
        self.add(Node::Dict(Vec::new(), true))
    }

    pub(super) fn object(&mut self, class: Option<u32>, args: Value) -> Value {
        self.add(Node::Object { class, args, state: Value::None })
    }

    pub(super) fn node(&self, value: Value) -> Option<&Node> {
        match value {
            Value::Node(index) => self.nodes.get(index as usize),
            _ => None,
        }
    }

    fn node_mut(&mut self, value: Value) -> Option<&mut Node> {
        match value {
            Value::Node(index) => self.nodes.get_mut(index as usize),
            _ => None,
        }
    }

    /// Appends to a list; nothing happens to what is none.
    pub(super) fn extend(&mut self, list: Value, more: &[Value]) {
        let room = self.room(more.len());
        if let Some(Node::List(items, whole)) = self.node_mut(list) {
            if room { items.extend_from_slice(more) } else { *whole = false }
        }
    }

    /// Sets items of a dict, given as key, value, key, value; nothing happens to what is none.
    pub(super) fn set_items(&mut self, dict: Value, pairs: &[Value]) {
        let room = self.room(pairs.len());
        if let Some(Node::Dict(items, whole)) = self.node_mut(dict) {
            match room {
                true => items.extend(pairs.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
                false => *whole = false,
            }
        }
    }

    /// Sets the state of an object.
    pub(super) fn set_state(&mut self, object: Value, new: Value) {
        if let Some(Node::Object { state, .. }) = self.node_mut(object) {
            *state = new;
        }
    }

    /// The items of a tuple.
    pub(super) fn as_tuple(&self, value: Value) -> Option<&[Value]> {
        match self.node(value)? {
            Node::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The items of a small dict all of whose items are remembered and all of whose keys are texts that are.
    pub(super) fn as_record(&self, value: Value) -> Option<Vec<(&str, Value)>> {
        match self.node(value)? {
            Node::Dict(items, true) if items.len() <= limits::RECORD => {
                items.iter().map(|&(key, item)| Some((self.as_text(key)?, item))).collect()
            }
            _ => None,
        }
    }

    /// The global that made an object.
    pub(super) fn class_of(&self, value: Value) -> Option<u32> {
        match self.node(value)? {
            Node::Object { class, .. } => *class,
            _ => None,
        }
    }
}
