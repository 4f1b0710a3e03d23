//! The sums of one block, without the buffers that made them: what is merged, and what a cache keeps.

use shared::format::sufficient::Checks;

use super::sums::Sums;
use super::tally::Tally;
use super::window::Window;

/// The sums of a block. Numbers of series, windows and levels count from 0 in the order of appearance.
#[derive(Debug, Clone)]
pub(super) struct Partial {
    pub(super) series: Vec<Vec<u8>>,
    pub(super) windows: Vec<Window>,
    /// Sums of all rows, by series or window.
    pub(super) all: Sums,
    /// Sums of slices and levels: (group, unit) and its place.
    pub(super) grouped: Sums,
    pub(super) group_keys: Vec<(u32, u32)>,
    /// Levels of the `--by` columns: (column, level); level `i` is group `slices + i`.
    pub(super) levels: Vec<(u32, String)>,
    pub(super) checks: Checks,
}

impl From<Tally<'_>> for Partial {
    fn from(tally: Tally<'_>) -> Self {
        let Tally { series, windows, all, grouped, group_keys, levels, checks, .. } = tally;
        Self { series, windows, all, grouped, group_keys, levels, checks }
    }
}
