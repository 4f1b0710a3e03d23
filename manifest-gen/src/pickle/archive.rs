//! Zip archives (npz, skops, torch): each member is scanned for what it is.

use std::io::{self, Read, Seek, SeekFrom};

use tempfile::SpooledTempFile;
use zip::ZipArchive;

use super::allow::AllowList;
use super::container::{self, Produced};
use super::limits::Budget;
use super::scan::Findings;
use super::source::Source;

/// Archives above this size wait on disk: their directory is at their end.
const MEMORY_BYTES: usize = 32 << 20;

/// A record at the end of an archive, without its comment, and the longest comment.
const END_RECORD: usize = 22;
const COMMENT: u64 = 0xffff;

pub(super) fn scan(source: &mut Source, allow: &AllowList, budget: &Budget, findings: &mut Findings, depth: usize) {
    if let Err(error) = members(source, allow, budget, findings, depth) {
        findings.unsure(format!("zip:{error}"));
    }
    findings.note("zip".to_owned());
}

fn members(
    source: &mut Source,
    allow: &AllowList,
    budget: &Budget,
    findings: &mut Findings,
    depth: usize,
) -> io::Result<()> {
    let mut spool = SpooledTempFile::new(MEMORY_BYTES);
    io::copy(source, &mut spool)?;
    let listed = listed(&mut spool)?;
    let mut archive = ZipArchive::new(spool)?;
    if listed.is_some_and(|listed| listed != archive.len()) {
        findings.refuse("zip:members of the same name".to_owned());
    }
    for index in 0..archive.len() {
        let member = archive.by_index(index)?;
        if member.is_dir() && member.size() == 0 {
            continue;
        }
        let mut inner = Source::new(Produced { inner: member, budget });
        container::scan(&mut inner, allow, budget, findings, depth + 1);
        while !inner.chunk().is_empty() {}
        container::report_failure(&inner, findings);
    }
    Ok(())
}

/// How many members the last directory lists; nothing in archives of the 64-bit kind. Of members with the same name readers
/// choose differently, and the archive library keeps one.
fn listed(spool: &mut SpooledTempFile) -> io::Result<Option<usize>> {
    let length = spool.seek(SeekFrom::End(0))?;
    let tail = length.min(COMMENT + END_RECORD as u64);
    spool.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = Vec::new();
    spool.take(tail).read_to_end(&mut bytes)?;
    spool.seek(SeekFrom::Start(0))?;
    let record = bytes.windows(END_RECORD).rev().find(|record| record.starts_with(b"PK\x05\x06"));
    let count = record.map(|record| usize::from(u16::from_le_bytes([record[10], record[11]])));
    Ok(count.filter(|count| *count != usize::from(u16::MAX)))
}
