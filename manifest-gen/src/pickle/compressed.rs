//! Decompression, streaming and within the budget; members that follow each other are one stream, as Python reads them.

use std::io::{self, BufRead, Read};

use super::limits::{self, Budget};
use super::source::Source;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Zlib,
    Gzip,
    Bz2,
    Xz,
    Lzma,
    Lz4,
}

impl Compression {
    /// By the first bytes; the name of a file says nothing.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', ..] => Some(Self::Bz2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x5d, 0, ..] => Some(Self::Lzma),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            [0x78, flags, ..] if (0x7800 + u32::from(*flags)) % 31 == 0 => Some(Self::Zlib),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Gzip => "gzip",
            Self::Bz2 => "bz2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Lz4 => "lz4",
        }
    }

    /// Whether Python goes on with a second stream of the same kind.
    fn has_members(self) -> bool {
        !matches!(self, Self::Zlib | Self::Lzma)
    }
}

enum Decoder<R: BufRead> {
    Zlib(Box<flate2::bufread::ZlibDecoder<R>>),
    Gzip(Box<flate2::bufread::GzDecoder<R>>),
    Bz2(Box<bzip2::bufread::BzDecoder<R>>),
    Xz(Box<lzma_rust2::XzReader<R>>),
    Lzma(Box<lzma_rust2::LzmaReader<R>>),
    Lz4(Box<lz4_flex::frame::FrameDecoder<R>>),
}

impl<R: BufRead> Decoder<R> {
    fn new(kind: Compression, inner: R) -> io::Result<Self> {
        Ok(match kind {
            Compression::Zlib => Self::Zlib(Box::new(flate2::bufread::ZlibDecoder::new(inner))),
            Compression::Gzip => Self::Gzip(Box::new(flate2::bufread::GzDecoder::new(inner))),
            Compression::Bz2 => Self::Bz2(Box::new(bzip2::bufread::BzDecoder::new(inner))),
            Compression::Xz => Self::Xz(Box::new(lzma_rust2::XzReader::new_mem_limit(inner, false, limits::LZMA_KIB))),
            Compression::Lzma => {
                Self::Lzma(Box::new(lzma_rust2::LzmaReader::new_mem_limit(inner, limits::LZMA_KIB, None)?))
            }
            Compression::Lz4 => Self::Lz4(Box::new(lz4_flex::frame::FrameDecoder::new(inner))),
        })
    }

    /// The reader, and whether the decoder had read beyond its stream.
    fn into_inner(self) -> (R, bool) {
        match self {
            Self::Zlib(decoder) => (decoder.into_inner(), false),
            Self::Gzip(decoder) => (decoder.into_inner(), false),
            Self::Bz2(decoder) => (decoder.into_inner(), false),
            Self::Xz(decoder) => (decoder.into_inner(), false),
            Self::Lz4(decoder) => (decoder.into_inner(), false),
            Self::Lzma(decoder) => {
                let (inner, ahead) = decoder.into_parts();
                (inner, ahead.iter().any(|&byte| byte != 0))
            }
        }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Zlib(decoder) => decoder.read(target),
            Self::Gzip(decoder) => decoder.read(target),
            Self::Bz2(decoder) => decoder.read(target),
            Self::Xz(decoder) => decoder.read(target),
            Self::Lzma(decoder) => decoder.read(target),
            Self::Lz4(decoder) => decoder.read(target),
        }
    }
}

/// A compressed source, decompressed.
pub(super) struct Decompressed<'s, 'a> {
    kind: Compression,
    decoder: Option<Decoder<&'s mut Source<'a>>>,
    budget: &'s Budget,
}

impl<'s, 'a> Decompressed<'s, 'a> {
    pub(super) fn new(kind: Compression, source: &'s mut Source<'a>, budget: &'s Budget) -> io::Result<Self> {
        Ok(Self { kind, decoder: Some(Decoder::new(kind, source)?), budget })
    }

    /// Goes on with the next member, if there is one.
    fn next_member(&mut self) -> io::Result<()> {
        let Some(decoder) = self.decoder.take() else { return Ok(()) };
        let (source, ahead) = decoder.into_inner();
        if ahead {
            return Err(io::Error::other("trailing_compressed"));
        }
        if self.kind.has_members() && Compression::of(source.peek(6)) == Some(self.kind) {
            self.decoder = Some(Decoder::new(self.kind, source)?);
        }
        Ok(())
    }
}

impl Read for Decompressed<'_, '_> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            match decoder.read(target)? {
                0 => self.next_member()?,
                count => {
                    self.budget.produce(count)?;
                    return Ok(count);
                }
            }
        }
        Ok(0)
    }
}
