//! What a snapshot holds, and the engine that a state folder makes.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use shared::cli::note;
use shared::error::{Error, Place, Result};
use shared::format::live::Kind;

use super::frame::{self, Origin};
use crate::core::alerts::Transition;
use crate::core::engine::{Engine, ProfileBaseline};
use crate::core::settings::Settings;
use crate::source::Positions;
use crate::state::reading::Reading;
use crate::state::store::Start;

/// Everything that moves with the records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Saved {
    /// The engine.
    pub engine: Engine,
    /// How far the files of each kind are read.
    pub positions: BTreeMap<Kind, Positions>,
    /// Alerts that began or ended since the beginning: the number of the next event.
    pub events: u64,
}

/// A state that was brought up to date.
pub struct Loaded {
    /// The state.
    pub saved: Saved,
    /// What the frames after the snapshot made begin or end: their receivers may not have been told.
    pub transitions: Vec<Transition>,
    /// The number of the first of these.
    pub first_event: u64,
    /// Whether the folder has a snapshot with the settings that hold from here on, so that whoever reads it judges as the daemon does.
    pub is_settled: bool,
}

impl Saved {
    /// A state that has seen nothing.
    pub fn new(settings: Settings, profiles: BTreeMap<String, ProfileBaseline>) -> Self {
        Self { engine: Engine::new(settings, profiles), positions: BTreeMap::new(), events: 0 }
    }

    /// Applies a frame; what it made begin or end.
    ///
    /// # Errors
    /// If it is not one of ours.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<Vec<Transition>> {
        let head = frame::apply(bytes, &mut self.engine)?;
        if let (Origin::Files(kind), Some(positions)) = (head.origin, head.positions) {
            self.positions.insert(kind, positions);
        }
        let transitions = self.engine.take_transitions();
        self.events += transitions.len() as u64;
        Ok(transitions)
    }

    /// Writes it piece by piece: of a million series it is larger than anybody wants to have in memory twice.
    ///
    /// # Errors
    /// Where a piece cannot be written.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut buffered = BufWriter::with_capacity(1 << 16, out);
        postcard::to_io(self, &mut buffered).map_err(io::Error::other)?;
        buffered.flush()
    }
}

/// Goes on from a snapshot and the frames after it. The frames are judged by the settings that the snapshot holds, as they were when they came;
/// `settings`, if given, take their place afterwards.
///
/// # Errors
/// If either cannot be read.
pub fn load(start: Start, folder: &Path, settings: Option<Settings>, fresh: impl FnOnce() -> Saved) -> Result<Loaded> {
    let has_snapshot = start.snapshot.is_some();
    let mut saved = match start.snapshot {
        None => fresh(),
        Some((_, bytes)) => postcard::from_bytes(&bytes).map_err(|error| {
            let found = format!("a snapshot that this version does not understand: {error}");
            Error::input(Place::file(folder), found, "a snapshot of this version of drift-watch")
                .with_help("go back to the version that wrote it, or move the folder away: the sources are then read again from their beginning")
        })?,
    };
    let first_event = saved.events;
    let mut transitions = Vec::new();
    for frame in start.frames {
        transitions.extend(saved.apply(&frame?.1)?);
    }
    let is_settled = has_snapshot && settings.as_ref().is_none_or(|settings| *settings == saved.engine.settings);
    if let Some(settings) = settings {
        saved.engine.settings = settings;
    }
    Ok(Loaded { saved, transitions, first_event, is_settled })
}

/// The engine that a state folder makes; where a daemon works at it, the engine as it is by now.
///
/// # Errors
/// If it cannot be read.
pub fn load_engine(folder: &Path) -> Result<Engine> {
    if !folder.join("store.json").is_file() {
        let error = Error::input(Place::file(folder), "there is no state", "the state folder of a daemon");
        return Err(
            error.with_help("`drift-watch run` makes it; --state DIR, or `state` below [drift-watch], names it")
        );
    }
    let (_reading, start) = Reading::open(folder)?;
    start.repairs.iter().for_each(|repair| note(&format!("warning: {repair}")));
    let fresh = || Saved::new(Settings::default(), BTreeMap::new());
    Ok(load(start, folder, None, fresh)?.saved.engine)
}
