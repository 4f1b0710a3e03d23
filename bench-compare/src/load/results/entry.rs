//! What is kept of each row of a result table.

/// One result as it was read. There may be millions, so its numbers are small.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) line: u64,
    task: u32,
    model: u32,
    file: u32,
    pub(super) leaked: Option<bool>,
}

#[expect(clippy::cast_possible_truncation, reason = "more than 2^32 names or files do not fit in memory")]
impl Entry {
    pub(super) fn new((task, model, file): (usize, usize, usize), line: u64, leaked: Option<bool>) -> Self {
        Self { line, task: task as u32, model: model as u32, file: file as u32, leaked }
    }

    pub(super) fn task(&self) -> usize {
        self.task as usize
    }

    pub(super) fn model(&self) -> usize {
        self.model as usize
    }

    pub(super) fn file(&self) -> usize {
        self.file as usize
    }
}

/// A number of each entry, which takes no memory where no file has its column.
#[derive(Debug, Default)]
pub(super) struct Seconds(Vec<f64>);

impl Seconds {
    /// The number of an entry; NaN where the file does not say.
    pub(super) fn get(&self, entry: usize) -> f64 {
        self.0.get(entry).copied().unwrap_or(f64::NAN)
    }

    /// Entries come in order; those that are left out have none.
    pub(super) fn set(&mut self, entry: usize, value: f64) {
        if !value.is_nan() {
            self.0.resize(entry, f64::NAN);
            self.0.push(value);
        }
    }
}
