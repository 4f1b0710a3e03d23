//! What a stream is, by its first bytes, and who reads it.

use std::io::Read;

use super::allow::AllowList;
use super::compressed::{Compression, Decompressed};
use super::limits::{self, Budget};
use super::machine::{Fault, Machine};
use super::scan::Findings;
use super::source::Source;
use super::{archive, inert, npy};

/// joblib before 0.10: `ZF`, the length as 19 hexadecimal characters, perhaps a space, a zlib stream.
const ZFILE_HEADER: usize = 21;

/// What a persistent id is listed as.
const PERSISTENT: &str = "PERSID";

/// Scans a stream; gives the name of its container.
pub(super) fn scan(
    source: &mut Source,
    allow: &AllowList,
    budget: &Budget,
    findings: &mut Findings,
    depth: usize,
) -> String {
    let start = source.peek(ZFILE_HEADER + 1).to_vec();
    if depth > limits::NESTING {
        findings.unsure("limit:nesting".to_owned());
        return "unknown".to_owned();
    }
    if start.starts_with(b"ZF") {
        return zfile(source, &start, allow, budget, findings, depth);
    }
    if let Some(kind) = Compression::of(&start) {
        findings.note(kind.name().to_owned());
        compressed(source, kind, allow, budget, findings, depth);
        return kind.name().to_owned();
    }
    match start {
        start if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") => {
            archive::scan(source, allow, budget, findings, depth);
            "zip".to_owned()
        }
        start if start.starts_with(npy::MAGIC) => {
            npy::scan(source, allow, findings);
            "npy".to_owned()
        }
        _ => inert::scan(source, allow, findings).unwrap_or_else(|| pickles(source, allow, findings)),
    }
}

fn zfile(
    source: &mut Source,
    start: &[u8],
    allow: &AllowList,
    budget: &Budget,
    findings: &mut Findings,
    depth: usize,
) -> String {
    findings.note("zf".to_owned());
    let header = if start.get(ZFILE_HEADER) == Some(&b' ') { ZFILE_HEADER + 1 } else { ZFILE_HEADER };
    if source.skip(header as u64).is_err() || Compression::of(source.peek(2)) != Some(Compression::Zlib) {
        findings.unsure("zf:no zlib stream follows the header".to_owned());
    } else {
        compressed(source, Compression::Zlib, allow, budget, findings, depth);
    }
    "zf".to_owned()
}

fn compressed(
    source: &mut Source,
    kind: Compression,
    allow: &AllowList,
    budget: &Budget,
    findings: &mut Findings,
    depth: usize,
) {
    match Decompressed::new(kind, source, budget) {
        Ok(decoder) => {
            let mut inner = Source::new(decoder);
            scan(&mut inner, allow, budget, findings, depth + 1);
            while !inner.chunk().is_empty() {}
            report_failure(&inner, findings);
            let whole = inner.failure().is_none();
            drop(inner);
            if whole {
                trailing(source, findings);
            }
        }
        Err(error) => findings.unsure(format!("decompress:{error}")),
    }
}

/// A stream that broke off is not known in full; what was behind it is not known at all.
pub(super) fn report_failure(source: &Source, findings: &mut Findings) {
    match source.failure() {
        Some("trailing_compressed") => findings.refuse("trailing_compressed".to_owned()),
        Some(failure) => findings.unsure(format!("decompress:{failure}")),
        None => {}
    }
}

/// Zeros after the end are padding; anything else has no place there. True if there is something else.
pub(super) fn trailing(source: &mut Source, findings: &mut Findings) -> bool {
    let offset = source.offset();
    if source.at_end() {
        return false;
    }
    let found = source.skip_zeros();
    match found {
        true => findings.refuse(format!("trailing@{offset}")),
        false => findings.note(format!("trailing_zeros@{offset}")),
    }
    found
}

/// A pickle, and whatever follows it.
fn pickles(source: &mut Source, allow: &AllowList, findings: &mut Findings) -> String {
    let tagged = source.peek(1) == [0x80];
    let persistent = findings.globals.contains(PERSISTENT);
    let mut machine = Machine::new(findings, allow);
    let complete = match machine.run(source, true) {
        Ok(_) => {
            rest(&mut machine, source);
            true
        }
        Err(fault) => {
            give_up(&mut machine, &fault);
            false
        }
    };
    settle(&mut machine);
    if complete || tagged || findings.importable {
        return "pickle".to_owned();
    }
    if !persistent {
        // A byte of another format that looks like a persistent id: the unpickler gives up there at the latest.
        findings.globals.remove(PERSISTENT);
        findings.refused.remove(PERSISTENT);
    }
    "unknown".to_owned()
}

/// Pickles behind the first one.
fn rest(machine: &mut Machine, source: &mut Source) {
    while trailing(source, machine.findings) {
        if let Err(fault) = machine.run(source, true) {
            return give_up(machine, &fault);
        }
    }
}

fn give_up(machine: &mut Machine, fault: &Fault) {
    let note = machine.describe(fault);
    machine.findings.unsure(note);
}

/// Conditional names whose uses were not all harmless.
pub(super) fn settle(machine: &mut Machine) {
    let refused: Vec<String> = machine.conditional.refused().map(str::to_owned).collect();
    machine.findings.refused.extend(refused);
}

/// The decompressed pickle of a source, for readers that want a value of it.
pub(super) fn innermost<T>(
    source: &mut Source,
    budget: &Budget,
    depth: usize,
    read: &mut dyn FnMut(&mut Source) -> Option<T>,
) -> Option<T> {
    let start = source.peek(ZFILE_HEADER + 1).to_vec();
    if start.starts_with(b"ZF") {
        let header = if start.get(ZFILE_HEADER) == Some(&b' ') { ZFILE_HEADER + 1 } else { ZFILE_HEADER };
        source.skip(header as u64).ok()?;
    }
    match Compression::of(source.peek(6)) {
        Some(kind) if depth < limits::NESTING => {
            let mut inner = Source::new(Decompressed::new(kind, source, budget).ok()?);
            innermost(&mut inner, budget, depth + 1, read)
        }
        _ => read(source),
    }
}

/// A reader whose bytes count as decompressed.
pub(super) struct Produced<'b, R> {
    pub(super) inner: R,
    pub(super) budget: &'b Budget,
}

impl<R: Read> Read for Produced<'_, R> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(target)?;
        self.budget.produce(count)?;
        Ok(count)
    }
}
