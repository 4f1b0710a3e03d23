//! As much of UBJSON (draft 12) as finds a list of texts: `XGBoost` writes its binary models so.

/// How many objects and arrays may nest.
const MAX_DEPTH: usize = 64;

/// Whether the bytes open an object whose first key has a length: as `XGBoost` writes it, and no text does.
pub(super) fn is_object(bytes: &[u8]) -> bool {
    matches!(bytes, [b'{', b'i' | b'U' | b'I' | b'l' | b'L', 0..=31, ..])
}

/// The lists of texts under two keys of the object `parent`, empty where they are absent; nothing if the file is not whole.
pub(super) fn text_lists(bytes: &[u8], parent: &str, keys: [&str; 2]) -> Option<[Vec<String>; 2]> {
    let mut search = Search { reader: Reader { bytes, at: 0 }, parent, keys, found: [Vec::new(), Vec::new()] };
    let marker = search.reader.byte()?;
    search.value(marker, 0, "", false)?;
    Some(search.found)
}

struct Search<'a> {
    reader: Reader<'a>,
    parent: &'a str,
    keys: [&'a str; 2],
    found: [Vec<String>; 2],
}

impl Search<'_> {
    /// Passes the value that `marker` opens, which stands under `key` of a parent that is the one looked for, or not.
    fn value(&mut self, marker: u8, depth: usize, key: &str, in_parent: bool) -> Option<()> {
        let wanted = self.keys.iter().position(|wanted| in_parent && *wanted == key);
        match marker {
            b'{' => self.object(depth, depth == 1 && key == self.parent),
            b'[' => self.array(depth, wanted),
            b'S' | b'H' => {
                let text = self.reader.text()?;
                if let Some(index) = wanted {
                    self.found[index].push(text);
                }
                Some(())
            }
            _ => self.reader.skip(width(marker)?),
        }
    }

    fn object(&mut self, depth: usize, is_parent: bool) -> Option<()> {
        let (kind, count) = self.reader.container(depth)?;
        let mut left = count;
        loop {
            if left == Some(0) || (left.is_none() && self.reader.peek()? == b'}') {
                return if left.is_none() { self.reader.skip(1) } else { Some(()) };
            }
            let key = self.reader.text()?;
            let marker = kind.or_else(|| self.reader.byte())?;
            self.value(marker, depth + 1, &key, is_parent)?;
            left = left.map(|left| left - 1);
        }
    }

    fn array(&mut self, depth: usize, wanted: Option<usize>) -> Option<()> {
        let (kind, count) = self.reader.container(depth)?;
        if let (Some(width), Some(count)) = (kind.and_then(width), count) {
            return self.reader.skip(width.checked_mul(count)?);
        }
        // The elements of a wanted list are texts under the key of the list.
        let key = wanted.map_or("", |index| self.keys[index]).to_owned();
        let mut left = count;
        loop {
            if left == Some(0) || (left.is_none() && self.reader.peek()? == b']') {
                return if left.is_none() { self.reader.skip(1) } else { Some(()) };
            }
            let marker = kind.or_else(|| self.reader.byte())?;
            self.value(marker, depth + 1, &key, wanted.is_some())?;
            left = left.map(|left| left - 1);
        }
    }
}

/// The bytes of a value of fixed size.
fn width(marker: u8) -> Option<usize> {
    match marker {
        b'Z' | b'N' | b'T' | b'F' => Some(0),
        b'i' | b'U' | b'C' => Some(1),
        b'I' => Some(2),
        b'l' | b'd' => Some(4),
        b'L' | b'D' => Some(8),
        _ => None,
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count).filter(|&at| at <= self.bytes.len())?;
        Some(())
    }

    /// A whole number that is not negative.
    fn length(&mut self) -> Option<usize> {
        let marker = self.byte().filter(|marker| b"iUIlL".contains(marker))?;
        let start = self.at;
        self.skip(width(marker)?)?;
        let value = self.bytes[start..self.at].iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
        usize::try_from(value).ok()
    }

    fn text(&mut self) -> Option<String> {
        let length = self.length()?;
        let start = self.at;
        self.skip(length)?;
        String::from_utf8(self.bytes[start..self.at].to_vec()).ok()
    }

    /// The type and count that a container states of its elements. Elements without bytes are not believed in numbers.
    fn container(&mut self, depth: usize) -> Option<(Option<u8>, Option<usize>)> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let kind = if self.peek()? == b'$' { self.skip(1).and_then(|()| self.byte()).map(Some)? } else { None };
        let count = if self.peek()? == b'#' { self.skip(1).and_then(|()| self.length()).map(Some)? } else { None };
        let believed = count.is_none_or(|count| count <= self.bytes.len()) && (kind.is_none() || count.is_some());
        believed.then_some((kind, count))
    }
}
