//! Outcomes as shapes and tones: told apart without colour, too.

use shared::plot::Svg;

/// How an outcome is drawn.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// The outcome, or what became of the slot.
    pub(super) name: &'static str,
    /// The class that colours it.
    pub(super) tone: &'static str,
    outline: &'static str,
}

const fn mark(name: &'static str, tone: &'static str, outline: &'static str) -> Mark {
    Mark { name, tone, outline }
}

/// All marks. Lower is better, and so points down.
pub(super) const ALL: [Mark; 9] = [
    mark("holds", "pass", "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0Z"),
    mark("improved", "better", "M0 5L5-3.5H-5Z"),
    mark("regressed", "fail", "M0-5L5 3.5H-5Z"),
    mark("inconclusive", "open hollow", "M0-4.5L4.5 0L0 4.5L-4.5 0Z"),
    mark("not reproducible", "open", "M-3.5-3.5H3.5V3.5H-3.5Z"),
    mark("invalid", "fail stroke", "M-3.5-3.5L3.5 3.5M-3.5 3.5L3.5-3.5"),
    mark("failed", "fail stroke", "M0-4.5V4.5M-4.5 0H4.5"),
    mark("no new data", "same hollow", "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0Z"),
    mark("skipped", "same stroke", "M-3.5 0H3.5"),
];

/// What is underway, and what a later version may know.
const OTHER: Mark = mark("underway", "same stroke", "M-3.5 2L0-2L3.5 2");

impl Mark {
    /// The mark of an outcome.
    pub(super) fn of(outcome: &str) -> Self {
        ALL.into_iter().find(|mark| mark.name == outcome).unwrap_or(OTHER)
    }

    /// Draws it.
    pub(super) fn draw(self, svg: &mut Svg, place: (f64, f64), title: &str) {
        svg.mark(&format!("mark {}", self.tone), place, self.outline, title);
    }

    /// It alone, for a key.
    pub(super) fn icon(self) -> String {
        let mut svg = Svg::new(14.0);
        self.draw(&mut svg, (50.0, 7.0), "");
        svg.finish(None)
    }
}
