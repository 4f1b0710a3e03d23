//! A result of the query of `bench-compare sql`, to be changed.
//!
//! `tests/data/sufficient/duckdb.csv` is what `DuckDB` made of two series of the unemployment table.

use std::path::PathBuf;

use bench_compare::load::forecasts::{Loaded, Request, Statistics};
use shared::format::sufficient::Measure;
use shared::{Error, Result};

pub(crate) const STATISTICS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/sufficient/duckdb.csv");
pub(crate) const CV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv/bls_unemployment_cv.csv");
pub(crate) const MODELS: [&str; 2] = ["LightGBM", "SeasonalNaive"];

/// A result as rows of fields, to be changed.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// Files in a folder of their own.
pub(crate) struct Files {
    folder: tempfile::TempDir,
}

impl Table {
    pub(crate) fn read() -> Self {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(STATISTICS).unwrap();
        let fields = |record: csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
        let mut rows: Vec<Vec<String>> = reader.records().map(|record| fields(record.unwrap())).collect();
        Self { header: rows.remove(0), rows }
    }

    pub(crate) fn column(&self, name: &str) -> usize {
        self.header.iter().position(|column| column == name).expect(name)
    }

    /// The place of the first cell of a group that has paired rows.
    pub(crate) fn cell(&self, group: &str) -> usize {
        let column = self.column("group_id");
        self.rows.iter().position(|row| row[column] == group).unwrap()
    }

    pub(crate) fn set(&mut self, row: usize, name: &str, value: &str) -> String {
        let column = self.column(name);
        std::mem::replace(&mut self.rows[row][column], value.to_owned())
    }

    pub(crate) fn text(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        std::iter::once(&self.header).chain(&self.rows).for_each(|row| writer.write_record(row).unwrap());
        writer.into_inner().unwrap()
    }

    pub(crate) fn loaded(&self) -> Result<Loaded> {
        let files = Files::new();
        files.write("s.csv", &self.text());
        read(&[files.path("s.csv")], &request())
    }

    pub(crate) fn refused(&self) -> Error {
        let error = self.loaded().expect_err("the change is refused");
        assert!(error.help().is_some(), "{error}");
        error
    }
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        shared::fsio::write_atomic(&self.path(name), bytes).unwrap();
    }
}

pub(crate) fn request() -> Request {
    Request {
        models: MODELS.map(str::to_owned).into(),
        measures: vec![Measure::AbsoluteError, Measure::AbsolutePercentageError, Measure::AbsoluteScaledError],
        slices: vec!["holiday = 1".to_owned()],
        by: vec!["holiday".to_owned()],
        ..Request::default()
    }
}

pub(crate) fn read(files: &[PathBuf], request: &Request) -> Result<Loaded> {
    Statistics::open(files, request)?.read(request)
}
