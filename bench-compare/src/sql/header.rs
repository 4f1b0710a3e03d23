//! What a file of sufficient statistics says of itself: the query that made it, in every row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::format::sufficient::Measure;
use shared::predicate;

use super::Dialect;
use crate::load::forecasts::{ColumnMap, Direction};

/// The `schema` of the statistics.
pub const SCHEMA: &str = "bench-compare/sufficient/1";

/// A query for sufficient statistics, and so what its result holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: String,
    /// The engine.
    pub dialect: Dialect,
    /// The forecast table, as the engine names it.
    pub table: String,
    /// The training table.
    pub train: Option<String>,
    /// Seasonal lag, in rows, of the scales.
    pub season: u32,
    /// What directional accuracy compares with.
    pub direction: Direction,
    /// What the tables call their columns.
    pub columns: Names,
    /// The models: `m0`, `m1`, … in the columns of the result.
    pub models: Vec<String>,
    /// Whether each model has an interval.
    pub intervals: Vec<bool>,
    /// Level of the intervals, in percent.
    pub level: Option<f64>,
    /// The measures summed.
    pub measures: Vec<Measure>,
    /// The slices, as written: groups 1, 2, …
    pub slices: Vec<String>,
    /// The columns by whose levels rows are grouped: the groups after the slices.
    pub by: Vec<String>,
}

/// The columns of a forecast table; without a cutoff each series is one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Names {
    /// The series.
    pub id: String,
    /// Target time.
    pub ds: String,
    /// Forecast origin.
    pub cutoff: Option<String>,
    /// Actual.
    pub y: String,
}

impl Names {
    /// As the reader of forecast tables has them.
    pub fn map(&self) -> ColumnMap {
        let cutoff = self.cutoff.clone().unwrap_or_else(|| ColumnMap::default().cutoff);
        ColumnMap { id: self.id.clone(), ds: self.ds.clone(), cutoff, y: self.y.clone() }
    }
}

impl Header {
    /// The column with one end of a model's interval: `A-lo-90`.
    pub fn bound(&self, model: usize, side: &str) -> Option<String> {
        let level = self.level.filter(|_| self.intervals[model])?;
        Some(format!("{}-{side}-{level}", self.models[model]))
    }

    /// The columns that the forecast table must have, each once.
    ///
    /// # Errors
    /// For slices that do not parse.
    pub fn table_columns(&self) -> Result<Vec<String>> {
        let Names { id, ds, cutoff, y } = &self.columns;
        let mut columns: Vec<String> =
            [Some(id), Some(ds), cutoff.as_ref(), Some(y)].into_iter().flatten().cloned().collect();
        columns.extend(self.models.iter().cloned());
        for model in 0..self.models.len() {
            columns.extend(["lo", "hi"].into_iter().filter_map(|side| self.bound(model, side)));
        }
        for slice in &self.slices {
            columns.extend(predicate::parse(slice)?.columns().into_iter().map(str::to_owned));
        }
        columns.extend(self.by.iter().cloned());
        let mut seen = std::collections::HashSet::new();
        columns.retain(|name| seen.insert(name.clone()));
        Ok(columns)
    }
}
