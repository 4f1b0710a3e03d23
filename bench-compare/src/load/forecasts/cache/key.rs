//! What the sums of a file depend on, as a name: the bytes of the file, what its path says, and everything that is asked.

use super::super::blocks::BLOCK_BYTES;
use super::super::part::Part;
use super::super::plan::Plan;
use super::super::{Detail, Request};

/// To be raised when the same question to the same bytes gives other sums, or when entries are laid out in another way.
const FORMAT: u32 = 1;

/// Everything that is asked in a pass, as text. Strings are quoted in it, so that different questions are different texts.
pub(super) fn question(plan: &Plan, detail: Detail, request: &Request, train: Option<&str>) -> String {
    let program = (FORMAT, env!("CARGO_PKG_VERSION"), BLOCK_BYTES);
    let slices = &request.slices[..plan.slices.len()];
    let groups = (slices, &plan.by_names, &plan.by, &plan.cells, plan.by_window);
    let times = (plan.kind, plan.steps, plan.direction, detail);
    let train = plan.train.as_ref().and(train).map(|digest| (digest, request.season));
    format!("{program:?} {:?} {:?} {:?} {groups:?} {times:?} {train:?}", plan.wanted, plan.models, plan.measures)
}

/// The name of the sums of a file.
pub(super) fn name(question: &str, part: &Part, digest: &str) -> String {
    shared::digest::of_bytes(format!("{question} {:?} {digest}", part.columns).as_bytes())
}
