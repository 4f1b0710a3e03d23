//! Faults of tables: columns and cells of CSV, fields of JSON Lines.

/// The row that is spoiled, counted from 0 after the header.
const ROW: usize = 4;

/// Text as cells, and back.
fn cells(line: &str) -> Vec<&str> {
    line.split(',').collect()
}

fn lines(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(cells).collect()
}

fn written(lines: &[Vec<&str>]) -> Vec<u8> {
    lines.iter().flat_map(|cells| (cells.join(",") + "\n").into_bytes()).collect()
}

fn column(lines: &[Vec<&str>], name: &str) -> usize {
    lines[0].iter().position(|cell| *cell == name).unwrap()
}

/// The header and the first rows.
pub(crate) fn rows(text: &str, count: usize) -> Vec<u8> {
    written(&lines(text)[..=count])
}

/// Without a column.
pub(crate) fn without(text: &str, name: &str) -> Vec<u8> {
    let mut lines = lines(text);
    let at = column(&lines, name);
    for cells in &mut lines {
        cells.remove(at);
    }
    written(&lines)
}

/// With a column twice.
pub(crate) fn twice(text: &str, name: &str) -> Vec<u8> {
    let mut lines = lines(text);
    let at = column(&lines, name);
    lines.iter_mut().for_each(|cells| cells.extend_from_within(at..=at));
    written(&lines)
}

/// With another cell in the spoiled row.
pub(crate) fn cell(text: &str, name: &str, value: &str) -> Vec<u8> {
    let mut lines = lines(text);
    let at = column(&lines, name);
    lines[ROW + 1][at] = value;
    written(&lines)
}

/// The spoiled row lacks its last cell.
pub(crate) fn short(text: &str) -> Vec<u8> {
    let mut lines = lines(text);
    lines[ROW + 1].pop();
    written(&lines)
}

/// The spoiled row has a cell too many.
pub(crate) fn long(text: &str) -> Vec<u8> {
    let mut lines = lines(text);
    lines[ROW + 1].push("extra");
    written(&lines)
}

/// JSON Lines with another value of a field in the spoiled row.
pub(crate) fn field(text: &str, name: &str, value: &str) -> Vec<u8> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (start, rest) = lines[ROW].split_once(&format!("\"{name}\":")).unwrap();
    let end = rest.find([',', '}']).unwrap();
    lines[ROW] = format!("{start}\"{name}\":{value}{}", &rest[end..]);
    lines.join("\n").into()
}

/// The first half, torn a few bytes after the beginning of a line: in the middle of a row.
pub(crate) fn torn(bytes: &[u8]) -> Vec<u8> {
    let half = bytes.len() / 2;
    let in_a_row = bytes[half..].iter().position(|byte| *byte == b'\n').map(|end| half + end + 4);
    bytes[..in_a_row.filter(|end| *end < bytes.len()).unwrap_or(half)].to_vec()
}
