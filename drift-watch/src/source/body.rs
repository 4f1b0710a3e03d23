//! The bytes of a file by offset: plain, or compressed by gzip.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::fs::FileExt;
use std::path::Path;

use flate2::read::MultiGzDecoder;

const SKIP_BYTES: usize = 1 << 16;

/// A file that is open.
#[derive(Debug)]
pub(super) struct Body {
    file: File,
    compressed: bool,
    decoder: Option<(MultiGzDecoder<BufReader<File>>, u64)>,
    damage: Option<io::Error>,
}

impl Body {
    /// Opens the file at `path`; compressed, if it begins as such files do.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut magic = [0; 2];
        let compressed = file.read_at(&mut magic, 0)? == 2 && magic == [0x1f, 0x8b];
        Ok(Self { file, compressed, decoder: None, damage: None })
    }

    /// Whether it is compressed: then going back is dear, and nobody appends to it.
    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The file as the system knows it.
    pub(super) fn metadata(&self) -> io::Result<std::fs::Metadata> {
        self.file.metadata()
    }

    /// Fills `buffer` from `offset` on; fewer bytes only at the end.
    pub(super) fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.compressed {
            false => fill(buffer, |rest, done| self.file.read_at(rest, offset + done as u64)),
            true => self.read_decompressed(buffer, offset),
        }
    }

    fn read_decompressed(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        // A decoder that failed is not used again: the file may be whole by the next time.
        let (mut decoder, mut at) = match self.decoder.take() {
            Some((decoder, at)) if at <= offset => (decoder, at),
            _ => (self.decoder_from_start()?, 0),
        };
        while at < offset {
            let mut skipped = vec![0; SKIP_BYTES.min(usize::try_from(offset - at).unwrap_or(SKIP_BYTES))];
            match decoder.read(&mut skipped)? {
                0 => return Ok(0),
                length => at += length as u64,
            }
        }
        let damage = &mut self.damage;
        let length = fill(buffer, |rest, _| {
            // What comes before the damage is read all the same.
            decoder.read(rest).or_else(|error| {
                *damage = Some(error);
                Ok(0)
            })
        })?;
        if self.damage.is_none() {
            self.decoder = Some((decoder, at + length as u64));
        }
        Ok(length)
    }

    /// Why the last bytes that were read are not followed by others: not the end, but damage.
    pub(super) fn take_damage(&mut self) -> io::Result<()> {
        self.damage.take().map_or(Ok(()), Err)
    }

    fn decoder_from_start(&self) -> io::Result<MultiGzDecoder<BufReader<File>>> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(MultiGzDecoder::new(BufReader::new(file)))
    }
}

fn fill(buffer: &mut [u8], mut read: impl FnMut(&mut [u8], usize) -> io::Result<usize>) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match read(&mut buffer[done..], done) {
            Ok(0) => break,
            Ok(length) => done += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
