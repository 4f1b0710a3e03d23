//! The symbolic pickle machine: stack, marks and memo of the unpickler, with descriptions in place of objects.
//!
//! It fails where the unpickler fails and nowhere else ([`Fault::Broken`], [`Fault::Ends`]), except at our own bounds
//! ([`Fault::Limit`]). That matters: a file is called inert only if the unpickler is certain to give up on it.

use std::collections::HashMap;

use super::allow::{AllowList, Standing};
use super::scan::Findings;
use super::source::{End, Source, WINDOW};
use super::value::{Arena, Value};
use super::{limits, literal, opcode, rules};

/// Why a pickle was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The unpickler raises here.
    Broken(String),
    /// The data ends before `STOP`.
    Ends,
    /// A bound of ours, or something that cannot be known without loading.
    Limit(String),
}

impl From<End> for Fault {
    fn from(_: End) -> Self {
        Self::Ends
    }
}

/// How the text of a `LightGBM` model begins.
const MODEL: &str = "tree\nversion=";

pub(super) type Result<T> = std::result::Result<T, Fault>;

pub(super) fn broken<T>(message: &str) -> Result<T> {
    Err(Fault::Broken(message.to_owned()))
}

pub(super) fn limit<T>(what: &str) -> Result<T> {
    Err(Fault::Limit(what.to_owned()))
}

/// A global that was named.
pub(super) struct Name {
    pub(super) text: String,
    pub(super) standing: Standing,
    /// The pickle that named it last.
    scope: u32,
}

/// What one pickle has to itself.
#[derive(Default, Clone)]
struct Run {
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Value>,
    sparse: HashMap<u64, Value>,
    /// Where the current frame ends, and where the furthest does.
    frame_end: u64,
    furthest_frame: u64,
    /// Read by joblib, whose wrappers are followed by raw data.
    joblib: bool,
}

/// The machine; one for a file, so that nested pickles share names and bounds.
pub(super) struct Machine<'m> {
    pub(super) arena: Arena,
    pub(super) names: Vec<Name>,
    known: HashMap<String, u32>,
    pub(super) findings: &'m mut Findings,
    allow: &'m AllowList,
    /// Whether a class was named whose objects must be recognised.
    pub(super) guarded: bool,
    /// Whether the first array was read without joblib, too.
    forked: bool,
    pub(super) conditional: rules::Conditional,
    /// The features of the first `LightGBM` model.
    pub(super) model_features: Option<Vec<String>>,
    run: Run,
    scope: u32,
    scopes: u32,
    nesting: usize,
    /// Offset after the opcode in hand, and its byte.
    at: (u64, u8),
}

impl<'m> Machine<'m> {
    pub(super) fn new(findings: &'m mut Findings, allow: &'m AllowList) -> Self {
        let (run, conditional) = (Run::default(), rules::Conditional::default());
        let (names, known, arena) = (Vec::new(), HashMap::new(), Arena::default());
        let (guarded, forked) = (false, false);
        let (scope, scopes, nesting, at) = (0, 0, 0, (0, 0));
        Self {
            arena,
            names,
            known,
            findings,
            allow,
            guarded,
            forked,
            conditional,
            model_features: None,
            run,
            scope,
            scopes,
            nesting,
            at,
        }
    }

    /// Runs a pickle to its `STOP`; gives what it would return.
    pub(super) fn run(&mut self, source: &mut Source, joblib: bool) -> Result<Value> {
        let outer = std::mem::replace(&mut self.run, Run { joblib, ..Run::default() });
        let (scope, at) = (self.scope, self.at);
        self.scopes += 1;
        self.scope = self.scopes;
        let outcome = self.steps(source);
        let inner = std::mem::replace(&mut self.run, outer);
        self.scope = scope;
        if outcome.is_ok() {
            self.at = at;
            if inner.furthest_frame > source.offset() && source.at_end() {
                let end = inner.furthest_frame;
                self.findings.unsure(format!("frame@{end}:ends after the data"));
            }
        }
        outcome
    }

    fn steps(&mut self, source: &mut Source) -> Result<Value> {
        loop {
            self.at.1 = 0;
            let code = source.byte()?;
            self.at = (source.offset(), code);
            if code == b'.' {
                return self.pop();
            }
            let _done = self.literal(code, source)?
                || self.arrange(code, source)?
                || self.contain(code)?
                || self.make(code, source)?
                || broken(&format!("unknown opcode 0x{code:02x}"))?;
        }
    }

    /// The note that a fault leaves.
    pub(super) fn describe(&self, fault: &Fault) -> String {
        let (offset, code) = self.at;
        match fault {
            Fault::Broken(message) => format!("vm_error@{offset}:{}:{message}", opcode::name(code)),
            Fault::Ends => format!("vm_error@{offset}:EOF:pickle exhausted before seeing STOP"),
            Fault::Limit(what) => format!("limit@{offset}:{what}"),
        }
    }

    // ---- stack ----

    fn fence(&self) -> usize {
        self.run.marks.last().copied().unwrap_or(0)
    }

    pub(super) fn push(&mut self, value: Value) -> Result<()> {
        if self.run.stack.len() >= limits::STACK {
            return limit("stack");
        }
        self.run.stack.push(value);
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Result<Value> {
        match self.run.stack.len() > self.fence() {
            true => Ok(self.run.stack.pop().unwrap_or(Value::Unknown)),
            false => broken("pop from empty list"),
        }
    }

    pub(super) fn top(&self) -> Result<Value> {
        match self.run.stack.last() {
            Some(&value) if self.run.stack.len() > self.fence() => Ok(value),
            _ => broken("list index out of range"),
        }
    }

    /// All since the last mark, which goes too.
    fn pop_mark(&mut self) -> Result<Vec<Value>> {
        match self.run.marks.pop() {
            Some(mark) => Ok(self.run.stack.split_off(mark)),
            None => broken("pop from empty list"),
        }
    }

    // ---- memo ----

    fn memo_len(&self) -> u64 {
        (self.run.memo.len() + self.run.sparse.len()) as u64
    }

    fn put(&mut self, index: u64) -> Result<()> {
        let value = self.top()?;
        let memo = &mut self.run.memo;
        match usize::try_from(index) {
            Ok(known) if known < memo.len() => memo[known] = value,
            Ok(next) if next == memo.len() && !self.run.sparse.contains_key(&index) => {
                if memo.len() >= limits::MEMO {
                    return limit("memo");
                }
                memo.push(value);
            }
            _ => {
                self.run.sparse.insert(index, value);
                if self.run.sparse.len() > limits::SPARSE_MEMO {
                    return limit("memo");
                }
            }
        }
        Ok(())
    }

    fn get(&mut self, index: u64) -> Result<()> {
        let dense = usize::try_from(index).ok().and_then(|index| self.run.memo.get(index));
        match dense.or_else(|| self.run.sparse.get(&index)).copied() {
            Some(value) => self.push(value),
            None => broken(&format!("Memo value not found at index {index}")),
        }
    }

    fn text_index(source: &mut Source) -> Result<u64> {
        let line = source.line(limits::TEXT);
        match literal::index(&line.bytes) {
            literal::Index::At(index) if line.whole => Ok(index),
            literal::Index::Wrong if line.whole => broken("invalid memo index"),
            _ => limit("memo index"),
        }
    }

    /// Stack and memo.
    fn arrange(&mut self, code: u8, source: &mut Source) -> Result<bool> {
        match code {
            b'(' => {
                if self.run.marks.len() >= limits::STACK {
                    return limit("marks");
                }
                self.run.marks.push(self.run.stack.len());
            }
            b'0' => match self.run.stack.len() > self.fence() {
                true => drop(self.pop()?),
                false => drop(self.pop_mark()?),
            },
            b'1' => drop(self.pop_mark()?),
            b'2' => self.push(self.top()?)?,
            b'p' => Self::text_index(source).and_then(|index| self.put(index))?,
            b'q' => self.put(u64::from(source.byte()?))?,
            b'r' => self.put(u64::from(u32::from_le_bytes(source.array()?)))?,
            0x94 => self.put(self.memo_len())?,
            b'g' => Self::text_index(source).and_then(|index| self.get(index))?,
            b'h' => {
                let index = source.byte()?;
                self.get(u64::from(index))?;
            }
            b'j' => {
                let index = u32::from_le_bytes(source.array()?);
                self.get(u64::from(index))?;
            }
            0x80 => {
                if source.byte()? > 5 {
                    return broken("unsupported pickle protocol");
                }
            }
            0x95 => self.frame(source)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn frame(&mut self, source: &mut Source) -> Result<()> {
        let length = u64::from_le_bytes(source.array()?);
        self.run.frame_end = source.offset().saturating_add(length);
        self.run.furthest_frame = self.run.furthest_frame.max(self.run.frame_end);
        Ok(())
    }

    /// Whether opcodes of the current frame are still to come: joblib reads raw data from behind the frame.
    pub(super) fn inside_frame(&self, source: &Source) -> bool {
        source.offset() < self.run.frame_end
    }

    pub(super) fn reads_joblib(&self) -> bool {
        self.run.joblib
    }

    /// Puts the array in place of its wrapper.
    pub(super) fn replace_top(&mut self, value: Value) {
        if let Some(top) = self.run.stack.last_mut() {
            *top = value;
        }
    }

    /// What `pickle.load` would make of the raw data that joblib steps over: opcodes. In a file that joblib wrote the first of
    /// them is none; in one that was made to be read in two ways the names that this reading reaches count.
    pub(super) fn read_without_joblib(&mut self, source: &mut Source) {
        let starts = source.peek(1).first().is_some_and(|&byte| opcode::is_one(byte));
        if !starts || std::mem::replace(&mut self.forked, true) {
            return;
        }
        let window = source.peek(WINDOW).to_vec();
        let saved = (self.run.clone(), std::mem::take(self.findings), self.at);
        self.run.joblib = false;
        let outcome = self.steps(&mut Source::new(&window[..]));
        let found = std::mem::replace(self.findings, saved.1);
        (self.run, self.at) = (saved.0, saved.2);
        let gives_up = match outcome {
            Err(Fault::Broken(_)) => true,
            Err(Fault::Ends) => window.len() < WINDOW,
            _ => false,
        };
        if !gives_up || !found.refused.is_empty() {
            self.findings.refuse("reads_otherwise_without_joblib".to_owned());
            self.findings.refused.extend(found.refused);
        }
    }

    // ---- literals ----

    /// Opcodes that push a constant.
    fn literal(&mut self, code: u8, source: &mut Source) -> Result<bool> {
        let value = match code {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Int(i64::from(source.byte()?)),
            b'M' => Value::Int(i64::from(u16::from_le_bytes(source.array()?))),
            b'J' => Value::Int(i64::from(i32::from_le_bytes(source.array()?))),
            b'G' => source.array::<8>().map(|_| Value::Plain)?,
            b'I' | b'L' | b'F' => number_line(source)?,
            0x8a => {
                let length = u64::from(source.byte()?);
                long(source, length)?
            }
            0x8b => {
                let length = i32::from_le_bytes(source.array()?);
                let Ok(length) = u64::try_from(length) else { return broken("LONG pickle has negative byte count") };
                long(source, length)?
            }
            b'S' | b'V' => self.text_line(code, source)?,
            b'T' | b'U' | b'X' | 0x8c | 0x8d => self.counted_text(code, source)?,
            b'B' | b'C' | 0x8e | 0x96 => self.counted_bytes(code, source)?,
            _ => return Ok(false),
        };
        self.push(value)?;
        Ok(true)
    }

    fn text_line(&mut self, code: u8, source: &mut Source) -> Result<Value> {
        let line = source.line(WINDOW);
        let text = if code == b'S' { literal::quoted(&line.bytes) } else { literal::raw_unicode(&line.bytes) };
        if let Some(text) = &text {
            self.note_model(text);
        }
        match text {
            _ if !line.whole => Ok(Value::LongText),
            Some(text) => Ok(self.arena.text(&text)),
            None => broken("the text is not quoted or escaped as it must be"),
        }
    }

    fn counted_text(&mut self, code: u8, source: &mut Source) -> Result<Value> {
        let length = length(code, source)?;
        if length > limits::TEXT as u64 {
            let model = source.peek(MODEL.len()) == MODEL.as_bytes();
            let start = source.prefix(length, if model { WINDOW } else { 0 })?;
            self.note_model(&String::from_utf8_lossy(&start));
            return Ok(Value::LongText);
        }
        let bytes = source.prefix(length, limits::TEXT)?;
        Ok(match std::str::from_utf8(&bytes) {
            Ok(text) => {
                self.note_model(text);
                self.arena.text(text)
            }
            Err(_) if matches!(code, b'T' | b'U') => self.arena.text(&literal::latin(&bytes)),
            Err(_) => Value::LongText,
        })
    }

    /// `LightGBM` keeps the names of features only in the text of its model.
    fn note_model(&mut self, text: &str) {
        if !text.starts_with(MODEL) || self.model_features.is_some() {
            return;
        }
        let line = text.split_once("\nfeature_names=").and_then(|(_, rest)| rest.split_once('\n'));
        self.model_features = line.map(|(names, _)| names.split(' ').map(str::to_owned).collect());
    }

    fn counted_bytes(&mut self, code: u8, source: &mut Source) -> Result<Value> {
        let length = length(code, source)?;
        let nested = length > 2 && self.nesting < limits::NESTED_PICKLES && matches!(source.peek(2), [0x80, 0..=5]);
        match nested {
            true => self.nested_pickle(source, length)?,
            false => source.skip(length)?,
        }
        Ok(Value::Plain)
    }

    /// Bytes that are a pickle do nothing unless something loads them: what it names is reported, apart from the globals.
    fn nested_pickle(&mut self, source: &mut Source, length: u64) -> Result<()> {
        let start = source.offset();
        let outer = std::mem::take(self.findings);
        let earlier = source.narrow(length);
        self.nesting += 1;
        let at = self.at;
        let complete = self.run(source, false).is_ok();
        self.at = at;
        self.nesting -= 1;
        source.widen(earlier);
        source.skip(start + length - source.offset())?;
        let inner = std::mem::replace(self.findings, outer);
        self.findings.nested(start, complete, inner);
        Ok(())
    }

    // ---- containers ----

    /// Opcodes that make or fill a container.
    fn contain(&mut self, code: u8) -> Result<bool> {
        match code {
            b')' => self.tuple_of(0)?,
            0x85 => self.tuple_of(1)?,
            0x86 => self.tuple_of(2)?,
            0x87 => self.tuple_of(3)?,
            b't' => {
                let items = self.pop_mark()?;
                self.push_tuple(&items)?;
            }
            b']' => {
                let list = self.arena.list();
                self.push(list)?;
            }
            b'l' => {
                let items = self.pop_mark()?;
                let list = self.arena.list();
                self.append(list, &items);
                self.push(list)?;
            }
            b'}' => {
                let dict = self.arena.dict();
                self.push(dict)?;
            }
            b'd' => {
                let items = self.pop_mark()?;
                let dict = self.arena.dict();
                self.set_items(dict, &items);
                self.push(dict)?;
            }
            0x8f => self.push(Value::Unknown)?,
            0x91 => {
                let items = self.pop_mark()?;
                self.escape(&items);
                self.push(Value::Unknown)?;
            }
            _ => return self.fill(code),
        }
        Ok(true)
    }

    fn fill(&mut self, code: u8) -> Result<bool> {
        let items = match code {
            b'a' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            b'e' | b'u' | 0x90 => self.pop_mark()?,
            _ => return Ok(false),
        };
        let target = self.top()?;
        match code {
            b'a' | b'e' => self.append(target, &items),
            b's' | b'u' => self.set_items(target, &items),
            _ => self.escape(&items),
        }
        Ok(true)
    }

    fn tuple_of(&mut self, count: usize) -> Result<()> {
        let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<Value>>>()?;
        items.reverse();
        self.push_tuple(&items)
    }

    fn push_tuple(&mut self, items: &[Value]) -> Result<()> {
        self.escape(items);
        let tuple = self.arena.tuple(items);
        self.push(tuple)
    }

    fn append(&mut self, list: Value, items: &[Value]) {
        self.escape(items);
        self.arena.extend(list, items);
    }

    fn set_items(&mut self, dict: Value, pairs: &[Value]) {
        self.escape(pairs);
        self.arena.set_items(dict, pairs);
    }

    // ---- globals and objects ----

    /// Opcodes that name globals, call them, make objects or set their state.
    fn make(&mut self, code: u8, source: &mut Source) -> Result<bool> {
        match code {
            b'c' => {
                let global = self.global_line(source)?;
                self.push(global)?;
            }
            0x93 => self.stack_global()?,
            b'i' => {
                let global = self.global_line(source)?;
                let args = self.pop_mark()?;
                self.call_with(global, &args)?;
            }
            b'o' => {
                let mut items = self.pop_mark()?;
                if items.is_empty() {
                    return broken("pop from empty list");
                }
                let class = items.remove(0);
                self.call_with(class, &items)?;
            }
            b'R' => {
                let args = self.pop()?;
                let function = self.pop()?;
                let made = self.call(function, args)?;
                self.push(made)?;
            }
            0x81 | 0x92 => self.construct(code)?,
            b'b' => {
                let state = self.pop()?;
                let object = self.top()?;
                self.build(object, state, source)?;
            }
            0x82..=0x84 => self.extension(code, source)?,
            b'P' | b'Q' => self.persistent(code, source)?,
            0x97 => return broken("pickle stream refers to out-of-band data but no *buffers* argument was given"),
            0x98 => drop(self.top()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn global_line(&mut self, source: &mut Source) -> Result<Value> {
        let (module, name) = (source.line(limits::TEXT), source.line(limits::TEXT));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (module_text, name_text) = (text(&module.bytes), text(&name.bytes));
        if module.whole && std::str::from_utf8(&module.bytes).is_err() {
            return broken("the name of the module is not UTF-8");
        }
        self.name(&module_text, &name_text, module.whole && name.whole)
    }

    fn stack_global(&mut self) -> Result<()> {
        let (name, module) = (self.pop()?, self.pop()?);
        let known = (self.arena.as_text(module).map(str::to_owned), self.arena.as_text(name).map(str::to_owned));
        let may_be_text = |value: Value, arena: &Arena| match value {
            Value::Text(_) | Value::LongText | Value::Unknown => true,
            Value::Node(_) => arena.class_of(value).is_some(),
            _ => false,
        };
        if !may_be_text(module, &self.arena) || !may_be_text(name, &self.arena) {
            return broken("STACK_GLOBAL requires str");
        }
        let whole = known.0.is_some() && known.1.is_some();
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
        let global = self.name(&or_unknown(known.0), &or_unknown(known.1), whole)?;
        self.push(global)
    }

    /// Notes that a global is named. One whose name is not known for certain is refused whatever the list says.
    fn name(&mut self, module: &str, name: &str, certain: bool) -> Result<Value> {
        let text = format!("{module}.{name}");
        let standing = if certain { self.allow.standing(&text) } else { Standing::Refused };
        let conditional = certain && standing == Standing::Refused && rules::is_conditional(&text);
        let index = self.intern(text, standing)?;
        self.findings.importable |= rules::importable(module);
        let known = &mut self.names[index as usize];
        if known.scope != self.scope {
            known.scope = self.scope;
            self.findings.global(&known.text, standing > Standing::Refused || conditional);
        }
        if conditional {
            self.conditional.named(&self.names[index as usize].text);
        }
        Ok(Value::Global(index))
    }

    /// The number of a name.
    pub(super) fn intern(&mut self, text: String, standing: Standing) -> Result<u32> {
        if let Some(&index) = self.known.get(&text) {
            return Ok(index);
        }
        if self.names.len() >= limits::GLOBALS {
            return limit("globals");
        }
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.known.insert(text.clone(), index);
        self.guarded |= rules::needs_known_class(&text);
        self.names.push(Name { text, standing, scope: 0 });
        Ok(index)
    }

    /// Codes of the `copyreg` registry depend on the process that loads.
    fn extension(&mut self, code: u8, source: &mut Source) -> Result<()> {
        let number = match code {
            0x82 => i64::from(source.byte()?),
            0x83 => i64::from(u16::from_le_bytes(source.array()?)),
            _ => i64::from(i32::from_le_bytes(source.array()?)),
        };
        self.findings.importable = true;
        self.never(format!("EXT.{number}"))
    }

    /// What a persistent id stands for is up to the loader.
    fn persistent(&mut self, code: u8, source: &mut Source) -> Result<()> {
        match code {
            b'P' => drop(source.line(limits::TEXT)),
            _ => drop(self.pop()?),
        }
        self.never("PERSID".to_owned())
    }

    /// A global that no list can allow.
    fn never(&mut self, text: String) -> Result<()> {
        let index = self.intern(text, Standing::Refused)?;
        self.findings.global(&self.names[index as usize].text, false);
        self.push(Value::Global(index))
    }

    fn call_with(&mut self, function: Value, args: &[Value]) -> Result<()> {
        self.escape(args);
        let args = self.arena.tuple(args);
        let made = self.call(function, args)?;
        self.push(made)
    }
}

fn number_line(source: &mut Source) -> Result<Value> {
    let line = source.line(limits::TEXT);
    match line.whole && !literal::may_be_number(&line.bytes) {
        true => broken("not a number"),
        false => Ok(match literal::index(&line.bytes) {
            literal::Index::At(number) if line.whole => i64::try_from(number).map_or(Value::Plain, Value::Int),
            _ => Value::Plain,
        }),
    }
}

fn long(source: &mut Source, length: u64) -> Result<Value> {
    let bytes = source.prefix(length, 8)?;
    if length > 8 {
        return Ok(Value::Plain);
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut padded = [if negative { 0xff } else { 0 }; 8];
    padded[..bytes.len()].copy_from_slice(&bytes);
    Ok(Value::Int(i64::from_le_bytes(padded)))
}

/// The length that precedes a text or bytes.
fn length(code: u8, source: &mut Source) -> Result<u64> {
    match code {
        b'U' | b'C' | 0x8c => Ok(u64::from(source.byte()?)),
        b'T' => match u64::try_from(i32::from_le_bytes(source.array()?)) {
            Ok(length) => Ok(length),
            Err(_) => broken("BINSTRING pickle has negative byte count"),
        },
        b'X' | b'B' => Ok(u64::from(u32::from_le_bytes(source.array()?))),
        _ => match u64::from_le_bytes(source.array()?) {
            length if i64::try_from(length).is_ok() => Ok(length),
            _ => broken("exceeds system's maximum size"),
        },
    }
}
