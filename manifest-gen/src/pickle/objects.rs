//! Calls, constructions and states: what a pickle does with the globals it names, against the rules.

use super::allow::Standing;
use super::array;
use super::machine::{Machine, Result, broken};
use super::source::Source;
use super::value::{Node, Value};
use super::{limits, rules};

impl Machine<'_> {
    pub(super) fn name_of(&self, value: Value) -> Option<&str> {
        match value {
            Value::Global(index) => self.names.get(index as usize).map(|name| name.text.as_str()),
            _ => None,
        }
    }

    fn class_name(&self, object: Value) -> Option<&str> {
        self.arena.class_of(object).and_then(|class| self.name_of(Value::Global(class)))
    }

    fn standing(&self, value: Value) -> Standing {
        match value {
            Value::Global(index) => self.names.get(index as usize).map_or(Standing::Refused, |name| name.standing),
            _ => Standing::Refused,
        }
    }

    /// A conditional global that is put somewhere is out of sight: its harmless uses are calls.
    pub(super) fn escape(&mut self, values: &[Value]) {
        for &value in values {
            if let Some(name) = self.name_of(value).filter(|name| rules::is_conditional(name)).map(str::to_owned) {
                self.conditional.used(&name, false);
            }
        }
    }

    /// `REDUCE`, `INST`, `OBJ`: a call with arguments of the file.
    pub(super) fn call(&mut self, function: Value, args: Value) -> Result<Value> {
        let Some(name) = self.name_of(function).map(str::to_owned) else {
            return self.call_of_no_global(function, args);
        };
        let known = self.arena.as_tuple(args).filter(|items| items.len() <= limits::ARGUMENTS);
        let Some(items) = known.map(<[Value]>::to_vec) else {
            self.findings.unsure(format!("call_args:{name}"));
            return Ok(Value::Unknown);
        };
        if rules::is_conditional(&name) {
            return self.call_conditional(function, &name, args, &items);
        }
        if self.standing(function) == Standing::Named {
            self.findings.forbid(&name, format!("call:{name}"));
        }
        let class = self.class_made(function, &name, &items);
        Ok(self.arena.object(class, args))
    }

    /// Calling what a call gave: no pickle of an estimator does.
    fn call_of_no_global(&mut self, function: Value, args: Value) -> Result<Value> {
        let may_be_callable = match function {
            Value::Unknown => true,
            Value::Node(_) => matches!(self.arena.node(function), Some(Node::Object { .. })),
            _ => false,
        };
        if !may_be_callable {
            return broken("object is not callable");
        }
        self.findings.refuse("call_of_object".to_owned());
        Ok(self.arena.object(None, args))
    }

    fn call_conditional(&mut self, function: Value, name: &str, args: Value, items: &[Value]) -> Result<Value> {
        let allowed = |value: &Value| self.standing(*value) > Standing::Refused;
        let harmless = match *items {
            [global] if allowed(&global) => rules::harmless(name, self.name_of(global).unwrap_or_default(), None),
            [global, text] if allowed(&global) && self.arena.as_text(text).is_some() => {
                rules::harmless(name, self.name_of(global).unwrap_or_default(), self.arena.as_text(text))
            }
            _ => false,
        };
        self.conditional.used(name, harmless);
        match function {
            Value::Global(index) if rules::is_partial(name) => Ok(self.arena.object(Some(index), args)),
            _ if harmless => Ok(Value::Global(self.intern(rules::ZONE_UNPICKLE.to_owned(), Standing::Called)?)),
            _ => Ok(self.arena.object(None, args)),
        }
    }

    /// The class of what a call makes: the class called, or the one handed to `copyreg._reconstructor`.
    fn class_made(&mut self, function: Value, name: &str, items: &[Value]) -> Option<u32> {
        let Value::Global(called) = function else { return None };
        if rules::is_reconstructor(name) {
            let base = items.get(1).and_then(|base| self.name_of(*base));
            if !base.is_some_and(rules::is_builtin) {
                self.findings.refuse("reconstructor_base".to_owned());
            }
            return match items.first() {
                Some(Value::Global(class)) => Some(*class),
                _ => None,
            };
        }
        let encoding = items.get(1).and_then(|encoding| self.arena.as_text(*encoding));
        if name == "_codecs.encode" && !matches!(encoding, Some("latin1" | "latin-1")) {
            self.findings.refuse("codec".to_owned());
        }
        let hidden = |item: &&Value| self.name_of(**item).is_some_and(rules::needs_known_class);
        if let Some(class) = items.iter().find(hidden).and_then(|item| self.name_of(*item)).map(str::to_owned) {
            self.findings.refuse(format!("made_by_function:{class}"));
        }
        Some(called)
    }

    /// `NEWOBJ`, `NEWOBJ_EX`: an object without `__init__`.
    pub(super) fn construct(&mut self, code: u8) -> Result<()> {
        let keywords = if code == 0x92 { Some(self.pop()?) } else { None };
        let (args, class) = (self.pop()?, self.pop()?);
        self.escape(&[args, class]);
        self.escape(keywords.as_slice());
        let made = match class {
            Value::Global(index) => self.arena.object(Some(index), args),
            Value::Unknown | Value::Node(_) => {
                self.findings.refuse("construct_of_object".to_owned());
                self.arena.object(None, args)
            }
            _ => return broken("NEWOBJ class argument must be a type"),
        };
        self.push(made)
    }

    /// `BUILD`: state for the object below it on the stack.
    pub(super) fn build(&mut self, object: Value, state: Value, source: &mut Source) -> Result<()> {
        self.escape(&[state]);
        if let Some(name) = self.name_of(object).map(str::to_owned) {
            self.build_of_global(&name);
            return Ok(());
        }
        self.arena.set_state(object, state);
        match self.class_name(object).map(str::to_owned) {
            None => {
                self.unknown_build(object);
                Ok(())
            }
            Some(class) if rules::is_partial(&class) => {
                self.check_partial(object, state);
                Ok(())
            }
            Some(class) if rules::evaluates_formula(&class) => {
                self.check_formula(&class, state);
                Ok(())
            }
            Some(class) if rules::needs_known_class(&class) && self.reads_joblib() => {
                array::read(self, &class, state, source)
            }
            Some(_) => Ok(()),
        }
    }

    /// State set on a class or function changes it for the whole process.
    fn build_of_global(&mut self, name: &str) {
        if rules::is_conditional(name) {
            self.conditional.used(name, false);
        } else if !self.findings.refused.contains(name) {
            self.findings.forbid(name, format!("build_of_global:{name}"));
        }
    }

    /// An object of unknown class could be one whose state matters.
    fn unknown_build(&mut self, object: Value) {
        let may_be_one =
            matches!(object, Value::Unknown) || matches!(self.arena.node(object), Some(Node::Object { .. }));
        if self.guarded && may_be_one {
            self.findings.unsure("build_of_unknown".to_owned());
        }
    }

    /// The state of a partial holds its function again.
    fn check_partial(&mut self, object: Value, state: Value) {
        let made_of = match self.arena.node(object) {
            Some(Node::Object { args, .. }) => self.arena.as_tuple(*args).and_then(<[Value]>::first).copied(),
            _ => None,
        };
        let same = self.arena.as_tuple(state).and_then(<[Value]>::first).copied() == made_of && made_of.is_some();
        if !same {
            self.conditional.used("functools.partial", false);
        }
    }

    /// A state that restores the design of a formula evaluates the formula.
    fn check_formula(&mut self, class: &str, state: Value) {
        if !self.formula_is_harmless(state).unwrap_or(false) {
            self.findings.forbid(class, format!("formula:{class}"));
        }
    }

    /// Nothing if the state is not known in full.
    fn formula_is_harmless(&self, state: Value) -> Option<bool> {
        let record = self.arena.as_record(state)?;
        let evaluates = record.iter().any(|(key, _)| rules::RESTORE_KEYS.contains(key));
        let formulas: Vec<Option<&str>> = record
            .iter()
            .filter(|(key, _)| *key == "formula")
            .map(|(_, formula)| self.arena.as_text(*formula))
            .collect();
        let plain = formulas.iter().all(|formula| formula.is_some_and(rules::is_plain_formula));
        Some(!evaluates || plain && !formulas.is_empty())
    }
}
