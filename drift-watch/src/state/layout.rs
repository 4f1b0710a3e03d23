//! The bytes of journal segments and snapshots: headers with checksums, all numbers little-endian.
//!
//! A segment is a header and frames; a snapshot is a header and its payload.
//!
//! | segment header | frame | snapshot header |
//! | --- | --- | --- |
//! | mark (8), version u32, first sequence u64, CRC-32 of these | sequence u64, length u32, CRC-32 of these and the payload, payload | mark (8), version u32, sequence u64, length u64, CRC-32 of the payload, CRC-32 of all these |

use crc32fast::Hasher;

/// The version of both formats; a change that an older daemon would misread raises it.
const VERSION: u32 = 1;

/// A line end of each kind in the mark shows a transfer that changed them.
const SEGMENT_MARK: [u8; 8] = *b"dw-jrn\r\n";
const SNAPSHOT_MARK: [u8; 8] = *b"dw-snp\r\n";

/// Length of the header of a segment.
pub(super) const SEGMENT_HEADER: usize = 24;

/// Length of the header of a frame.
pub(super) const FRAME_HEADER: usize = 16;

/// Length of the header of a snapshot.
pub(super) const SNAPSHOT_HEADER: usize = 36;

/// What the header of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header<T> {
    /// It is whole.
    Good(T),
    /// It is whole, and of this unknown version.
    Other(u32),
    /// It is damaged, or was never finished.
    Broken,
}

/// The header of a segment whose first frame is `first`.
pub(super) fn segment_header(first: u64) -> Vec<u8> {
    let mut bytes = start(SEGMENT_MARK);
    bytes.extend(first.to_le_bytes());
    sealed(bytes)
}

/// The sequence number of the first frame.
pub(super) fn read_segment_header(bytes: &[u8]) -> Header<u64> {
    read_header(bytes, SEGMENT_MARK, |mut rest| Some(u64::from_le_bytes(take(&mut rest)?)))
}

/// What the header of a snapshot says of its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SnapshotHeader {
    /// The last frame that is part of the state.
    pub(super) sequence: u64,
    /// Length of the payload.
    pub(super) length: u64,
    /// Its CRC-32.
    pub(super) crc: u32,
}

impl SnapshotHeader {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = start(SNAPSHOT_MARK);
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.crc.to_le_bytes());
        sealed(bytes)
    }

    pub(super) fn read(bytes: &[u8]) -> Header<Self> {
        read_header(bytes, SNAPSHOT_MARK, |mut rest| {
            let sequence = u64::from_le_bytes(take(&mut rest)?);
            let length = u64::from_le_bytes(take(&mut rest)?);
            Some(Self { sequence, length, crc: u32::from_le_bytes(take(&mut rest)?) })
        })
    }
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// Its place in the journal.
    pub(super) sequence: u64,
    /// Length of the payload.
    pub(super) length: u32,
    crc: u32,
}

impl FrameHeader {
    pub(super) fn new(sequence: u64, length: u32, payload: &[u8]) -> Self {
        Self { sequence, length, crc: frame_crc(sequence, length, payload) }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FRAME_HEADER);
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.crc.to_le_bytes());
        bytes
    }

    /// The header at the start of `bytes`, unless they are too few.
    pub(super) fn read(mut bytes: &[u8]) -> Option<Self> {
        let sequence = u64::from_le_bytes(take(&mut bytes)?);
        let length = u32::from_le_bytes(take(&mut bytes)?);
        Some(Self { sequence, length, crc: u32::from_le_bytes(take(&mut bytes)?) })
    }

    /// Whether this is the payload that the frame was written with.
    pub(super) fn fits(self, payload: &[u8]) -> bool {
        self.crc == frame_crc(self.sequence, self.length, payload)
    }
}

fn frame_crc(sequence: u64, length: u32, payload: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&sequence.to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

fn start(mark: [u8; 8]) -> Vec<u8> {
    let mut bytes = mark.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32fast::hash(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// Mark and checksum go first: only of a whole header is the version to be believed. Its checksum is the end of `bytes`.
fn read_header<T>(bytes: &[u8], mark: [u8; 8], fields: impl FnOnce(&[u8]) -> Option<T>) -> Header<T> {
    let read = || {
        let (mut head, crc) = bytes.split_last_chunk::<4>()?;
        let whole = crc32fast::hash(head) == u32::from_le_bytes(*crc) && take(&mut head)? == mark;
        let version = u32::from_le_bytes(take(&mut head)?);
        whole.then_some((version, head))
    };
    match read() {
        Some((VERSION, rest)) => fields(rest).map_or(Header::Broken, Header::Good),
        Some((version, _)) => Header::Other(version),
        None => Header::Broken,
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_the_length_that_is_stated() {
        let snapshot = SnapshotHeader { sequence: 7, length: 9, crc: 3 };
        let (segment, frame) = (segment_header(7), FrameHeader::new(7, 1, b"x"));
        assert_eq!(segment.len(), SEGMENT_HEADER);
        assert_eq!(frame.to_bytes().len(), FRAME_HEADER);
        assert_eq!(snapshot.to_bytes().len(), SNAPSHOT_HEADER);
        assert_eq!(read_segment_header(&segment), Header::Good(7));
        assert_eq!(FrameHeader::read(&frame.to_bytes()), Some(frame));
        assert_eq!(SnapshotHeader::read(&snapshot.to_bytes()), Header::Good(snapshot));
        assert_eq!(SnapshotHeader::read(&segment), Header::Broken);
    }

    #[test]
    fn the_checksum_is_that_of_zip_and_png() {
        // The check value of CRC-32/ISO-HDLC for "123456789" is cbf43926; here the sequence spells "12345678", and the
        // length 0x39 is "9" with three zero bytes, so that the register goes through a known prefix.
        let mut hasher = Hasher::new();
        hasher.update(b"123456789");
        assert_eq!(hasher.finalize(), 0xcbf4_3926);
        let frame = FrameHeader::new(u64::from_le_bytes(*b"12345678"), 0x39, b"x");
        assert_eq!(frame.crc, crc32fast::hash(b"123456789\0\0\0x"));
    }

    #[test]
    fn a_whole_header_of_another_version_is_told_from_a_broken_one() {
        let mut bytes = segment_header(1);
        bytes[8] = 2;
        assert_eq!(read_segment_header(&bytes), Header::Broken);
        bytes.truncate(SEGMENT_HEADER - 4);
        assert_eq!(read_segment_header(&sealed(bytes)), Header::Other(2));
    }
}
