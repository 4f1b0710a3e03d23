//! Whether a file is one that was read before.

use std::io;

use super::body::Body;
use super::mark::{Mark, Marks};
use super::position::FilePosition;

const CHUNK_BYTES: usize = 1 << 18;

/// Whether the file still is what `position` says, judged by its first rows and the bytes before the offset: enough for the same
/// inode. The marks go on from there.
pub(super) fn is_same(body: &mut Body, position: &FilePosition) -> io::Result<Option<Marks>> {
    if body.is_compressed() {
        return is_copy(body, position);
    }
    let print = &position.print;
    let cursor = &position.cursor;
    let head = bytes(body, cursor.data_start, print.head)?;
    let tail_start = cursor.offset.saturating_sub(u64::from(print.tail.length));
    let tail = bytes(body, tail_start, print.tail)?;
    let is_whole = body.metadata()?.len() >= cursor.offset;
    let marks = |(head, tail)| Marks::resume(print, head, tail, cursor.offset.saturating_sub(cursor.data_start));
    Ok(head.zip(tail).filter(|_| is_whole).map(marks))
}

/// Whether the file begins with all rows that were read of another one. Then going on after them loses nothing, whatever the
/// file is: a copy that was made before a truncation, or a compressed one.
pub(super) fn is_copy(body: &mut Body, position: &FilePosition) -> io::Result<Option<Marks>> {
    let cursor = &position.cursor;
    // Nearly all other files differ here.
    if bytes(body, cursor.data_start, position.print.head)?.is_none() || !header_is(body, position)? {
        return Ok(None);
    }
    let mut marks = Marks::default();
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut at = 0;
    while at < cursor.offset {
        let wanted = usize::try_from(cursor.offset - at).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        match body.read_at(&mut buffer[..wanted], at)? {
            0 => return Ok(None),
            length => {
                let header = usize::try_from(cursor.data_start.saturating_sub(at)).unwrap_or(usize::MAX);
                marks.add(&buffer[..length], header);
                at += length as u64;
            }
        }
    }
    Ok((marks.print() == position.print).then_some(marks))
}

/// The bytes at `offset`, if they have this mark.
fn bytes(body: &mut Body, offset: u64, mark: Mark) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; mark.length as usize];
    let length = body.read_at(&mut bytes, offset)?;
    bytes.truncate(length);
    // The mark of nothing is its default, not the digest of nothing.
    Ok((mark.length == 0 || Mark::of(&bytes) == mark).then_some(bytes))
}

fn header_is(body: &mut Body, position: &FilePosition) -> io::Result<bool> {
    let Some(header) = &position.cursor.header else { return Ok(true) };
    let length = usize::try_from(position.cursor.data_start).unwrap_or(usize::MAX).min(2 * super::MOST_LINE_BYTES);
    let mut bytes = vec![0; length];
    let length = body.read_at(&mut bytes, 0)?;
    let text = String::from_utf8_lossy(&bytes[..length]);
    // Rows that go on without a header after a truncation begin at 0.
    Ok(length == 0 || text.trim().trim_start_matches('\u{feff}').trim() == header)
}
