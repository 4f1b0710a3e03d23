//! joblib's arrays: a place-holder in the pickle, straight after it the bytes of the array.

use super::dtype::{self, Dtype};
use super::machine::{Machine, Result, limit};
use super::rules;
use super::source::Source;
use super::value::Value;

/// What the state of a place-holder may hold; anything else could change how joblib reads.
const KEYS: [&str; 6] = ["subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"];

/// How an array lies in the stream.
#[derive(Debug)]
struct Layout {
    dtype: Dtype,
    count: u64,
    padded: bool,
}

/// Steps over the array whose place-holder has just been built, and puts the array in its place.
pub(super) fn read(machine: &mut Machine, class: &str, state: Value, source: &mut Source) -> Result<()> {
    if rules::is_file_wrapper(class) {
        companion(machine, state);
        return Ok(());
    }
    let Some(layout) = layout(machine, state) else { return limit("the description of an array is not understood") };
    if machine.inside_frame(source) {
        machine.findings.refuse(format!("array_inside_frame@{}", source.offset()));
    }
    let array = match layout.dtype.has_object {
        true => objects(machine, source)?,
        false => raw(machine, &layout, source)?,
    };
    machine.replace_top(array);
    Ok(())
}

/// Objects are a pickle of their own, up to its `STOP`, read without place-holders.
fn objects(machine: &mut Machine, source: &mut Source) -> Result<Value> {
    machine.findings.note("object_array_nested_pickle".to_owned());
    machine.run(source, false)
}

fn raw(machine: &mut Machine, layout: &Layout, source: &mut Source) -> Result<Value> {
    let Some(bytes) = layout.count.checked_mul(layout.dtype.item_bytes) else { return limit("the size of an array") };
    machine.findings.note(format!("raw_array:{bytes}"));
    machine.read_without_joblib(source);
    if layout.padded {
        let padding = source.byte()?;
        source.skip(u64::from(padding))?;
    }
    source.skip(bytes)?;
    Ok(machine.arena.object(None, Value::Unknown))
}

fn layout(machine: &Machine, state: Value) -> Option<Layout> {
    let record = machine.arena.as_record(state)?;
    if record.iter().any(|(key, _)| !KEYS.contains(key)) {
        return None;
    }
    let get = |key: &str| record.iter().rev().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let dtype = dtype::of_value(machine, get("dtype")?)?;
    let shape = machine.arena.as_tuple(get("shape")?)?;
    let count = shape.iter().try_fold(1_i64, |count, length| match length {
        Value::Int(length) if *length >= 0 => count.checked_mul(*length),
        _ => None,
    })?;
    let padded = match get("numpy_array_alignment_bytes") {
        None | Some(Value::None) => false,
        Some(Value::Int(_)) => true,
        _ => return None,
    };
    Some(Layout { dtype, count: u64::try_from(count).ok()?, padded })
}

/// An array in a file of its own, as joblib before 0.10 wrote them: it must be scanned, too.
fn companion(machine: &mut Machine, state: Value) {
    let record = machine.arena.as_record(state).unwrap_or_default();
    let file = record.iter().find(|(key, _)| *key == "filename").and_then(|(_, name)| machine.arena.as_text(*name));
    let note = format!("companion_file:{}", file.unwrap_or("?"));
    machine.findings.unsure(note);
}
