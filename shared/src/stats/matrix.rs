//! A table of losses: a row for each time or task, a column for each method.

use super::undefined::{Undefined, require_count, require_finite};

/// Finite losses, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Losses {
    columns: usize,
    values: Vec<f64>,
}

impl Losses {
    /// From values row by row.
    ///
    /// # Errors
    /// [`Undefined::TooFew`] without columns or rows; [`Undefined::Lengths`] where the last row is not full;
    /// [`Undefined::NonFinite`].
    pub fn new(columns: usize, values: Vec<f64>) -> Result<Self, Undefined> {
        require_count("methods", columns, 1)?;
        require_count("rows", values.len(), 1)?;
        if !values.len().is_multiple_of(columns) {
            return Err(Undefined::Lengths { left: columns, right: values.len() % columns });
        }
        require_finite("the loss table", &values)?;
        Ok(Self { columns, values })
    }

    /// From rows of equal length.
    ///
    /// # Errors
    /// As [`Losses::new`].
    pub fn from_rows<R: AsRef<[f64]>>(rows: &[R]) -> Result<Self, Undefined> {
        let columns = rows.first().map_or(0, |row| row.as_ref().len());
        if let Some(odd) = rows.iter().find(|row| row.as_ref().len() != columns) {
            return Err(Undefined::Lengths { left: columns, right: odd.as_ref().len() });
        }
        Self::new(columns, rows.iter().flat_map(|row| row.as_ref().iter().copied()).collect())
    }

    /// How many methods.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many times or tasks.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// One row.
    pub fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.columns..(index + 1) * self.columns]
    }

    /// All rows.
    pub fn each_row(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.columns)
    }

    /// One column.
    pub fn column(&self, index: usize) -> Vec<f64> {
        self.each_row().map(|row| row[index]).collect()
    }

    /// The mean of each column.
    pub fn means(&self) -> Vec<f64> {
        let rows = self.rows() as f64;
        (0..self.columns).map(|index| self.each_row().map(|row| row[index]).sum::<f64>() / rows).collect()
    }
}
