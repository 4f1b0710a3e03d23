//! The size of a numpy dtype as a pickle describes it.
//!
//! A dtype is pickled as `numpy.dtype("f8", False, True)` and a state (version, byte order, subarray, names, fields, size,
//! alignment, flags). joblib reads `count * itemsize` raw bytes, or a pickle if the flags say that the dtype holds objects.
//! Where type code, size, fields and flags do not agree, numpy's reading is anybody's guess: nothing is returned.

use super::limits;
use super::machine::Machine;
use super::value::{Node, Value};

/// `NPY_ITEM_REFCOUNT`, which `dtype.hasobject` tests.
const HAS_OBJECT: i64 = 1;

/// What is needed to step over an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dtype {
    pub(super) item_bytes: u64,
    pub(super) has_object: bool,
}

/// The size that a type code gives, as `f8`, `U10`, `<M8[ns]`; zero and `true` for objects.
pub(super) fn of_code(code: &str) -> Option<Dtype> {
    let code = code.trim_start_matches(['<', '>', '|', '=']);
    let code = code.split_once('[').map_or(code, |(code, _)| code);
    let mut letters = code.chars();
    let kind = letters.next()?;
    let digits = letters.as_str();
    let size: u64 = if digits.is_empty() { u64::from(matches!(kind, '?' | 'b' | 'B')) } else { digits.parse().ok()? };
    let (item_bytes, has_object) = match (kind, size) {
        ('O', 0 | 8) => (8, true),
        ('?' | 'b' | 'B', 1) | ('i' | 'u', 1 | 2 | 4 | 8) | ('f', 2 | 4 | 8 | 12 | 16) => (size, false),
        ('c', 8 | 16 | 24 | 32) | ('m' | 'M', 8) | ('S' | 'a' | 'V', _) => (size, false),
        ('U', _) => (size.checked_mul(4)?, false),
        _ => return None,
    };
    Some(Dtype { item_bytes, has_object })
}

/// The dtype that a value of the machine describes.
pub(super) fn of_value(machine: &Machine, value: Value) -> Option<Dtype> {
    of_value_at(machine, value, &mut 0)
}

fn of_value_at(machine: &Machine, value: Value, seen: &mut usize) -> Option<Dtype> {
    let Some(Node::Object { class: Some(class), args, state }) = machine.arena.node(value) else { return None };
    *seen += 1;
    if *seen > limits::DTYPES || machine.name_of(Value::Global(*class)) != Some("numpy.dtype") {
        return None;
    }
    let code = machine.arena.as_text(*machine.arena.as_tuple(*args)?.first()?)?;
    let coded = of_code(code)?;
    if *state == Value::None {
        return Some(coded);
    }
    let state = machine.arena.as_tuple(*state)?;
    let [_, _, subarray, _, fields, size, _, flags, ..] = *state else { return None };
    let Value::Int(flags) = flags else { return None };
    let sized = size == Value::Int(-1) || size == Value::Int(i64::try_from(coded.item_bytes).ok()?);
    let objects = coded.has_object || any_object(machine, subarray, fields, seen)?;
    let agreed = sized && objects == (flags & HAS_OBJECT != 0);
    agreed.then_some(Dtype { has_object: objects, ..coded })
}

/// Whether a field or the item of a subarray holds objects; nothing if that is not known.
fn any_object(machine: &Machine, subarray: Value, fields: Value, seen: &mut usize) -> Option<bool> {
    let of_item = match subarray {
        Value::None => false,
        _ => of_value_at(machine, *machine.arena.as_tuple(subarray)?.first()?, seen)?.has_object,
    };
    if fields == Value::None {
        return Some(of_item);
    }
    let mut any = of_item;
    for (_, field) in machine.arena.as_record(fields)? {
        any |= of_value_at(machine, *machine.arena.as_tuple(field)?.first()?, seen)?.has_object;
    }
    Some(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Values of numpy.dtype(code).itemsize, numpy 2.4.
    #[test]
    fn type_codes_have_the_sizes_that_numpy_gives() {
        for (code, size) in
            [("f8", 8), ("<U10", 40), ("|S3", 3), ("V16", 16), ("b1", 1), ("?", 1), ("<M8[ns]", 8), ("c16", 16)]
        {
            assert_eq!(of_code(code).map(|dtype| dtype.item_bytes), Some(size), "{code}");
        }
        assert_eq!(of_code("|O").map(|dtype| dtype.has_object), Some(true));
        for code in ["", "f3", "U99999999999999999999", "x8", "T16"] {
            assert_eq!(of_code(code), None, "{code}");
        }
    }
}
