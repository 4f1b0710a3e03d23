//! What holds the forecasts of a gate or a score: a table, or the sums that an engine made of one.

use std::path::PathBuf;

use shared::Result;
use shared::format::sufficient::Measure;

use super::sufficient::Statistics;
use super::{Forecasts, Loaded, Request};

/// A table of forecasts, or its sufficient statistics.
#[derive(Debug)]
pub enum Opened {
    /// The rows.
    Rows(Forecasts),
    /// The sums.
    Sums(Box<Statistics>),
}

impl Opened {
    /// Opens the sums, if any are named, else the files of the request.
    ///
    /// # Errors
    /// As [`Forecasts::open`] and [`Statistics::open`].
    pub fn open(request: &Request, sufficient: &[PathBuf]) -> Result<Self> {
        if sufficient.is_empty() {
            Forecasts::open(request).map(Self::Rows)
        } else {
            Statistics::open(sufficient, request).map(Box::new).map(Self::Sums)
        }
    }

    /// The models: those asked for, or those found.
    pub fn models(&self) -> &[String] {
        match self {
            Self::Rows(forecasts) => forecasts.models(),
            Self::Sums(statistics) => statistics.models(),
        }
    }

    /// Takes a model that is not there for the one that `same` says is the same under another name.
    pub fn rename_models(&mut self, same: impl Fn(&str, &str) -> bool) {
        match self {
            Self::Rows(forecasts) => forecasts.rename_models(same),
            Self::Sums(statistics) => statistics.rename_models(same),
        }
    }

    /// The levels, in percent, of the intervals that the models have, rising.
    pub fn levels(&self) -> Vec<f64> {
        match self {
            Self::Rows(forecasts) => forecasts.levels(),
            Self::Sums(statistics) => statistics.levels(),
        }
    }

    /// Whether these can be summed up.
    pub fn has(&self, measures: impl Iterator<Item = Measure>) -> bool {
        match self {
            Self::Rows(_) => true,
            Self::Sums(statistics) => statistics.has(measures),
        }
    }

    /// The seasonal lag of the scales, where it is settled already.
    pub fn season(&self) -> Option<u32> {
        match self {
            Self::Rows(_) => None,
            Self::Sums(statistics) => statistics.season(),
        }
    }

    /// The request with what is settled already.
    #[must_use]
    pub fn settled(&self, request: Request) -> Request {
        match self {
            Self::Rows(_) => request,
            Self::Sums(statistics) => statistics.settled(&request),
        }
    }

    /// The sums.
    ///
    /// # Errors
    /// As [`Forecasts::read`] and [`Statistics::read`].
    pub fn read(&self, request: &Request) -> Result<Loaded> {
        match self {
            Self::Rows(forecasts) => forecasts.read(request),
            Self::Sums(statistics) => statistics.read(request),
        }
    }
}
