//! numpy's own files: a header, then raw data or, for objects, a pickle.

use super::allow::AllowList;
use super::container;
use super::dtype::{self, Dtype};
use super::limits;
use super::machine::Machine;
use super::scan::Findings;
use super::source::Source;

pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

pub(super) fn scan(source: &mut Source, allow: &AllowList, findings: &mut Findings) {
    findings.note("npy".to_owned());
    let Some((dtype, count)) = header(source) else {
        return findings.unsure("npy:the header is not understood".to_owned());
    };
    if dtype.has_object {
        let mut machine = Machine::new(findings, allow);
        if let Err(fault) = machine.run(source, false) {
            let note = machine.describe(&fault);
            return machine.findings.unsure(note);
        }
        container::settle(&mut machine);
    } else if count.checked_mul(dtype.item_bytes).is_none_or(|bytes| source.skip(bytes).is_err()) {
        return findings.unsure("npy:the data end early".to_owned());
    }
    container::trailing(source, findings);
}

/// Type and number of the items.
fn header(source: &mut Source) -> Option<(Dtype, u64)> {
    let start: [u8; 8] = source.array().ok()?;
    let length = match start[6] {
        1 => u64::from(u16::from_le_bytes(source.array().ok()?)),
        2 | 3 => u64::from(u32::from_le_bytes(source.array().ok()?)),
        _ => return None,
    };
    if length > limits::NPY_HEADER as u64 {
        return None;
    }
    let bytes = source.prefix(length, limits::NPY_HEADER).ok()?;
    description(std::str::from_utf8(&bytes).ok()?)
}

/// The header exactly as numpy writes it: Python would take it in other spellings, too, and then it could mean two things.
fn description(text: &str) -> Option<(Dtype, u64)> {
    let mut header = Header { rest: text.strip_prefix("{'descr': ")?, seen: 0 };
    let dtype = match header.peek()? {
        '[' => header.list()?,
        _ => dtype::of_code(&header.text()?)?,
    };
    let rest = header.rest.strip_prefix(", 'fortran_order': ")?;
    let rest = rest.strip_prefix("True").or_else(|| rest.strip_prefix("False"))?;
    header.rest = rest.strip_prefix(", 'shape': ")?;
    let count = header.shape()?;
    let end = header.rest.trim_end();
    (i64::try_from(count).is_ok() && matches!(end, ", }" | "}" | ",}")).then_some((dtype, count))
}

/// A reader of the type: a code, or a list of fields, each with a name, a code and perhaps a shape.
struct Header<'t> {
    rest: &'t str,
    seen: usize,
}

impl Header<'_> {
    fn eat(&mut self, character: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(character)?;
        Some(())
    }

    fn peek(&self) -> Option<char> {
        self.rest.trim_start().chars().next()
    }

    fn text(&mut self) -> Option<String> {
        let quote = self.peek().filter(|quote| matches!(quote, '\'' | '"'))?;
        self.eat(quote)?;
        let (text, rest) = self.rest.split_once(quote)?;
        self.rest = rest;
        (!text.contains('\\')).then(|| text.to_owned())
    }

    fn list(&mut self) -> Option<Dtype> {
        self.seen += 1;
        self.eat('[')?;
        let mut whole = Dtype { item_bytes: 0, has_object: false };
        while self.peek()? != ']' {
            let field = self.field()?;
            whole.item_bytes = whole.item_bytes.checked_add(field.item_bytes)?;
            whole.has_object |= field.has_object;
            if self.peek()? == ',' {
                self.eat(',')?;
            }
        }
        self.eat(']')?;
        Some(whole)
    }

    fn field(&mut self) -> Option<Dtype> {
        self.eat('(')?;
        match self.peek()? {
            '(' => self.titled()?,
            _ => drop(self.text()?),
        }
        self.eat(',')?;
        let mut dtype = match self.peek()? {
            '[' if self.seen < 32 => self.list()?,
            _ => dtype::of_code(&self.text()?)?,
        };
        if self.peek()? == ',' {
            self.eat(',')?;
            dtype.item_bytes = dtype.item_bytes.checked_mul(self.shape()?)?;
        }
        self.eat(')')?;
        Some(dtype)
    }

    fn titled(&mut self) -> Option<()> {
        self.eat('(')?;
        self.text()?;
        self.eat(',')?;
        self.text()?;
        self.eat(')')
    }

    fn shape(&mut self) -> Option<u64> {
        self.eat('(')?;
        let (shape, rest) = self.rest.split_once(')')?;
        self.rest = rest;
        let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
        let mut lengths = lengths.map(|length| length.trim_end_matches('L').parse::<u64>().ok());
        lengths.try_fold(1_u64, |count, length| count.checked_mul(length?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Headers as numpy 2.4 writes them; sizes of numpy.dtype(descr).itemsize.
    #[test]
    fn headers_read_as_numpy_wrote_them() {
        let read = |text| description(text).map(|(dtype, count)| (dtype.item_bytes, dtype.has_object, count));
        assert_eq!(read("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }  \n"), Some((8, false, 12)));
        assert_eq!(read("{'descr': '|O', 'fortran_order': True, 'shape': (), }"), Some((8, true, 1)));
        let fields = "{'descr': [('a', '<f8'), ('b', '<U3', (2, 2)), ('c', [('d', '|O')])], 'fortran_order': False, 'shape': (2,), }";
        assert_eq!(read(fields), Some((8 + 12 * 4 + 8, true, 2)));
    }

    #[test]
    fn headers_with_two_answers_are_not_understood() {
        for text in [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'desc' 'r': '|O', }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
            "{'descr': [('a', '<f8'",
        ] {
            assert_eq!(description(text), None, "{text}");
        }
    }
}
