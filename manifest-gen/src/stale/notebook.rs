//! The cells of a notebook as text, each byte with its place in the file.

use std::path::Path;

use shared::Result;
use shared::format::json::{self, Node, Position};

use super::language::Language;

/// The source of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// Its number, from 1.
    pub(super) number: u64,
    pub(super) language: Language,
    /// As the notebook shows it.
    pub(super) text: Vec<u8>,
    /// For each byte of the text, and for its end, the offset in the file.
    pub(super) offsets: Vec<usize>,
}

/// The cells of the notebook, in the order of the file.
///
/// # Errors
/// If it is no JSON.
pub(super) fn cells(path: &Path, bytes: &[u8]) -> Result<Vec<Cell>> {
    let mark = json::byte_order_mark(bytes);
    let root = json::parse(&bytes[mark..]).map_err(|fault| fault.in_file(path))?;
    let mut places = Places { bytes, at: mark, line: 1, column: 1 };
    let nodes = root.get("cells").and_then(Node::items).unwrap_or_default();
    Ok(nodes.iter().zip(1..).filter_map(|(node, number)| cell(node, number, &mut places)).collect())
}

fn cell(node: &Node, number: u64, places: &mut Places) -> Option<Cell> {
    let language = match node.get("cell_type").and_then(Node::as_str) {
        Some("code") => Language::Python,
        Some("markdown") => Language::Markdown,
        _ => return None,
    };
    let source = node.get("source")?;
    let mut cell = Cell { number, language, text: Vec::new(), offsets: Vec::new() };
    let lines = source.items().unwrap_or(std::slice::from_ref(source));
    for line in lines.iter().filter(|line| line.as_str().is_some()) {
        let open = places.offset(line.at);
        decode(places.bytes, open + 1, &mut cell);
    }
    cell.offsets.push(cell.offsets.last().map_or(0, |last| last + 1));
    Some(cell)
}

/// Turns line and column into an offset; the places come in the order of the file.
struct Places<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
    column: u64,
}

impl Places<'_> {
    fn offset(&mut self, to: Position) -> usize {
        while (self.line, self.column) < (to.line, to.column) && self.at < self.bytes.len() {
            let is_end = self.bytes[self.at] == b'\n';
            self.at += 1;
            while self.bytes.get(self.at).is_some_and(|byte| byte & 0xC0 == 0x80) {
                self.at += 1;
            }
            (self.line, self.column) = if is_end { (self.line + 1, 1) } else { (self.line, self.column + 1) };
        }
        self.at
    }
}

/// Appends the JSON string whose first character stands at `at`.
fn decode(bytes: &[u8], mut at: usize, cell: &mut Cell) {
    while let Some(&byte) = bytes.get(at) {
        let length = match byte {
            b'"' => return,
            b'\\' => escape(bytes, at, cell),
            _ => push(cell, &[byte], at, 1),
        };
        at += length;
    }
}

fn push(cell: &mut Cell, text: &[u8], at: usize, length: usize) -> usize {
    cell.text.extend_from_slice(text);
    cell.offsets.resize(cell.text.len(), at);
    length
}

fn escape(bytes: &[u8], at: usize, cell: &mut Cell) -> usize {
    match bytes.get(at + 1) {
        Some(b'n') => push(cell, b"\n", at, 2),
        Some(b't') => push(cell, b"\t", at, 2),
        Some(b'r') => push(cell, b"\r", at, 2),
        Some(b'u') => {
            let digits = bytes.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
            let char = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
            let mut buffer = [0; 4];
            // Halves of surrogate pairs are in no name that is looked for.
            push(cell, char.unwrap_or('?').encode_utf8(&mut buffer).as_bytes(), at, 6)
        }
        Some(&other) => push(cell, &[other], at, 2),
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_cell_knows_its_place_in_the_file() {
        let file = "{\"cells\": [\n {\"cell_type\": \"markdown\", \"source\": \"\\u00e9 \\\"a\\\"\\nb\"},\n {\"cell_type\": \"raw\", \"source\": []},\n {\"cell_type\": \"code\", \"source\": [\"x = 1\\n\",\n   \"y\"]}]}";
        let cells = cells(Path::new("a.ipynb"), file.as_bytes()).unwrap();
        assert_eq!(cells.iter().map(|cell| cell.number).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(String::from_utf8(cells[0].text.clone()).unwrap(), "é \"a\"\nb");
        assert_eq!(String::from_utf8(cells[1].text.clone()).unwrap(), "x = 1\ny");
        let at = |cell: &Cell, char: u8| cell.offsets[cell.text.iter().position(|&byte| byte == char).unwrap()];
        assert_eq!(&file[at(&cells[0], b'b')..][..2], "b\"");
        assert_eq!(&file[at(&cells[1], b'y')..][..2], "y\"");
    }
}
