//! Reads a request: JSON in the layouts that model servers take, JSON Lines, CSV; every value with its place.

use std::path::Path;

use shared::format::json::{self, Fault, Node, Position};
use shared::{Error, Place, Result};

/// Larger requests are refused.
const MAX_BYTES: usize = 64 << 20;

/// The fields that hold rows by themselves.
const ROWS: [&str; 3] = ["instances", "dataframe_records", "inputs"];

/// How a request is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Each value has its name; the order is only a habit.
    Named,
    /// Values are told by their place alone.
    Positional,
    /// A header gives the order of all rows.
    Table,
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `json`, `jsonl` or `csv`.
    pub format: &'static str,
    /// The names in the header of a table.
    pub header: Option<Vec<Cell>>,
    /// The rows.
    pub rows: Vec<Row>,
    /// Fields beside the rows, such as `horizon`.
    pub fields: Vec<Cell>,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where it begins.
    pub at: Position,
    /// How it is laid out.
    pub layout: Layout,
    /// Its values.
    pub cells: Vec<Cell>,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Where its name stands; where the value does if it has none.
    pub name_at: Position,
    /// Where it stands.
    pub at: Position,
    /// Its name; empty in a positional row.
    pub name: String,
    /// What it is.
    pub value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, an empty cell.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// An array; of whole numbers where a horizon is meant.
    List(Vec<f64>),
    /// An object.
    Object,
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null or empty"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "the text {:?}", text.chars().take(40).collect::<String>()),
            Self::List(_) => f.write_str("an array"),
            Self::Object => f.write_str("an object"),
        }
    }
}

/// Reads the request that is called `path`.
///
/// # Errors
/// If it is too large, or neither JSON, JSON Lines nor CSV.
pub fn read(path: &Path, bytes: &[u8]) -> Result<Request> {
    if bytes.len() > MAX_BYTES {
        let found = format!("a request of {} bytes", bytes.len());
        return Err(Error::input(Place::file(path), found, format!("at most {MAX_BYTES}")));
    }
    let bytes = &bytes[json::byte_order_mark(bytes)..];
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match ending.as_str() {
        "csv" => csv_table(path, bytes),
        "jsonl" | "ndjson" => json_lines(path, bytes),
        "json" => json_request(path, bytes),
        _ if matches!(first, Some(b'{' | b'[')) => json_request(path, bytes),
        _ => csv_table(path, bytes),
    }
}

/// JSON; where a second value follows the first, JSON Lines.
fn json_request(path: &Path, bytes: &[u8]) -> Result<Request> {
    match json::parse(bytes) {
        Ok(root) => of_root(path, &root),
        Err(fault) if follows(&fault) => json_lines(path, bytes),
        Err(fault) => Err(fault.in_file(path)),
    }
}

fn follows(fault: &Fault) -> bool {
    fault.found.ends_with("after the end of the value")
}

fn json_lines(path: &Path, bytes: &[u8]) -> Result<Request> {
    let mut request = Request { format: "jsonl", header: None, rows: Vec::new(), fields: Vec::new() };
    for (line, number) in bytes.split(|&byte| byte == b'\n').zip(1..) {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let in_line = |fault: Fault| Fault { at: Position { line: number, ..fault.at }, ..fault }.in_file(path);
        let node = json::parse(line).map_err(in_line)?;
        let mut row = row(path, &node).map_err(|error| in_line_of(error, number))?;
        row.at.line = number;
        row.cells.iter_mut().for_each(|cell| (cell.at.line, cell.name_at.line) = (number, number));
        request.rows.push(row);
    }
    Ok(request)
}

fn in_line_of(mut error: Error, number: u64) -> Error {
    if let Error::Input { problem, .. } = &mut error {
        problem.place.line = Some(number);
    }
    error
}

fn of_root(path: &Path, root: &Node) -> Result<Request> {
    let mut request = Request { format: "json", header: None, rows: Vec::new(), fields: Vec::new() };
    if let Some(items) = root.items() {
        request.rows = rows(path, root, items)?;
        return Ok(request);
    }
    let members = root.members().unwrap_or_default();
    let is_rows = |key: &str| ROWS.contains(&key) || key == "dataframe_split";
    let Some(holder) = members.iter().find(|member| is_rows(&member.key)) else {
        request.rows = vec![row(path, root)?];
        return Ok(request);
    };
    let others = members.iter().filter(|member| member.key != holder.key);
    request.fields = others.map(|member| cell(member.at, &member.key, &member.node)).collect();
    if holder.key == "dataframe_split" {
        return split(path, &holder.node, request);
    }
    let items = holder.node.items().ok_or_else(|| malformed(path, &holder.node, "an array of rows"))?;
    request.rows = rows(path, &holder.node, items)?;
    Ok(request)
}

/// An array that begins with a scalar is one positional row; any other holds rows.
fn rows(path: &Path, node: &Node, items: &[Node]) -> Result<Vec<Row>> {
    let is_row = |item: &Node| item.items().is_some() || item.members().is_some();
    if items.first().is_some_and(|first| !is_row(first)) {
        return Ok(vec![row(path, node)?]);
    }
    items.iter().map(|item| row(path, item)).collect()
}

/// MLflow's `{"columns": […], "data": [[…]]}`: a table in JSON.
fn split(path: &Path, node: &Node, mut request: Request) -> Result<Request> {
    let parts = node.get("columns").and_then(Node::items).zip(node.get("data").and_then(Node::items));
    let (columns, data) = parts.ok_or_else(|| malformed(path, node, "columns and data"))?;
    let header: Vec<Cell> = columns.iter().map(|name| cell(name.at, name.as_str().unwrap_or_default(), name)).collect();
    request.rows = data.iter().map(|item| row(path, item)).collect::<Result<_>>()?;
    for row in &mut request.rows {
        row.layout = Layout::Table;
        row.cells.iter_mut().zip(&header).for_each(|(cell, column)| cell.name.clone_from(&column.name));
    }
    request.header = Some(header);
    Ok(request)
}

fn row(path: &Path, node: &Node) -> Result<Row> {
    if let Some(members) = node.members() {
        let cells = members.iter().map(|member| cell(member.at, &member.key, &member.node)).collect();
        return Ok(Row { at: node.at, layout: Layout::Named, cells });
    }
    let items = node.items().ok_or_else(|| malformed(path, node, "a row: an object or an array"))?;
    let cells = items.iter().map(|item| cell(item.at, "", item)).collect();
    Ok(Row { at: node.at, layout: Layout::Positional, cells })
}

fn malformed(path: &Path, node: &Node, expected: &str) -> Error {
    Error::input(node.at.of(path), node.value.to_string(), expected)
}

fn cell(name_at: Position, name: &str, node: &Node) -> Cell {
    let value = match &node.value {
        json::Value::Null => Value::Null,
        json::Value::Bool(flag) => Value::Bool(*flag),
        json::Value::Number(number) => Value::Number(number.value),
        json::Value::String(text) => Value::Text(text.clone()),
        json::Value::Array(items) => Value::List(items.iter().map(|item| item.as_f64().unwrap_or(f64::NAN)).collect()),
        json::Value::Object(_) => Value::Object,
    };
    Cell { name_at, at: node.at, name: name.to_owned(), value }
}

fn csv_table(path: &Path, bytes: &[u8]) -> Result<Request> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut request = Request { format: "csv", header: None, rows: Vec::new(), fields: Vec::new() };
    for record in reader.records() {
        let record = record.map_err(|error| not_csv(path, &error))?;
        let line = record.position().map_or(1, csv::Position::line);
        let at = |index: usize| Position { line, column: index as u64 + 1 };
        let Some(header) = &request.header else {
            let name = |(index, name): (usize, &str)| Cell {
                name_at: at(index),
                at: at(index),
                name: name.to_owned(),
                value: Value::Null,
            };
            request.header = Some(record.iter().enumerate().map(name).collect());
            continue;
        };
        let name = |index: usize| header.get(index).map(|cell| cell.name.clone()).unwrap_or_default();
        let cells = record.iter().enumerate().map(|(index, text)| Cell {
            name_at: at(index),
            at: at(index),
            name: name(index),
            value: of_text(text),
        });
        let cells = cells.collect();
        request.rows.push(Row { at: at(0), layout: Layout::Table, cells });
    }
    Ok(request)
}

fn not_csv(path: &Path, error: &csv::Error) -> Error {
    let line = error.position().map(csv::Position::line);
    Error::input(Place { path: path.to_owned(), line, column: None }, error.to_string(), "CSV in UTF-8")
}

fn of_text(text: &str) -> Value {
    match text.trim() {
        "" => Value::Null,
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        trimmed => trimmed.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Number),
    }
}
