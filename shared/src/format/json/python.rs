//! JSON as Python's `json.dump(…, indent=2)` writes it, byte for byte: ASCII only, floats as `repr` gives them.

use std::fmt::Write;

use super::{Node, Number, Value};

/// The text that Python would write for `node`; floats that Python read from it keep their value.
pub fn to_python(node: &Node) -> String {
    let mut out = String::new();
    write_value(&mut out, &node.value, 0);
    out
}

fn write_value(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => write_block(out, ('[', ']'), depth, items, |out, item| {
            write_value(out, &item.value, depth + 1);
        }),
        Value::Object(members) => write_block(out, ('{', '}'), depth, members, |out, member| {
            write_string(out, &member.key);
            out.push_str(": ");
            write_value(out, &member.node.value, depth + 1);
        }),
    }
}

fn write_block<T>(
    out: &mut String,
    brackets: (char, char),
    depth: usize,
    items: &[T],
    write_one: impl Fn(&mut String, &T),
) {
    out.push(brackets.0);
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        new_line(out, depth + 1);
        write_one(out, item);
    }
    if !items.is_empty() {
        new_line(out, depth);
    }
    out.push(brackets.1);
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Whole numbers keep their text, whatever their size; others are written as `repr` writes the double.
fn number_text(number: &Number) -> String {
    let whole = number.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if whole { number.text.clone() } else { float(number.value) }
}

/// `repr` of a Python float: the shortest digits that read back, an exponent below 1e-4 and from 1e16 on.
pub fn float(value: f64) -> String {
    let magnitude = value.abs();
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        _ if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) => scientific(&shortest(value)),
        _ => plain(value),
    }
}

/// The shortest digits that read back, with an exponent. Where the double lies exactly between two of them, Python takes the
/// even one and Rust the upper one; printing to the same number of digits rounds to even.
fn shortest(value: f64) -> String {
    let shortest = format!("{value:e}");
    let even = format!("{value:.*e}", decimals(&shortest));
    if even.parse() == Ok(value) { even } else { shortest }
}

fn decimals(scientific: &str) -> usize {
    let mantissa = scientific.split('e').next().unwrap_or_default();
    mantissa.split_once('.').map_or(0, |(_, digits)| digits.len())
}

fn plain(value: f64) -> String {
    let shortest = format!("{value:?}");
    let even = format!("{value:.*}", shortest.split_once('.').map_or(0, |(_, digits)| digits.len()));
    if even.parse() == Ok(value) { even } else { shortest }
}

/// Rust's `1.5e-7` and `1e16` with Python's sign and at least two digits in the exponent.
pub(crate) fn scientific(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => write_escaped(out, character),
        }
    }
    out.push('"');
}

fn write_escaped(out: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_repr_writes_them() {
        // Python 3.11: repr(x) of each.
        let cases = [
            (1.430_511_474_609_375e-6, "1.430511474609375e-06"),
            (6e9, "6000000000.0"),
            (1e16, "1e+16"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e-4, "0.0001"),
            (9.999e-5, "9.999e-05"),
            (-0.0, "-0.0"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1.815_284_729_003_906_2, "1.8152847290039062"), // exactly between …062 and …063
            (123.0, "123.0"),
        ];
        for (value, expected) in cases {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn texts_are_escaped_to_ascii() {
        let node = super::super::parse("[\"é\\u007f\\u0001\u{1f600}/\", {}, []]".as_bytes()).unwrap();
        // Python 3.11: json.dumps(["é\x7f\x01\U0001f600/", {}, []], indent=2)
        assert_eq!(to_python(&node), "[\n  \"\\u00e9\\u007f\\u0001\\ud83d\\ude00/\",\n  {},\n  []\n]");
    }
}
