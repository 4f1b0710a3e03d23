//! CSV (RFC 4180) over a block of bytes: the fields of a record, without a copy unless one holds doubled quotes.

use std::borrow::Cow;

/// The bytes end within a record: more of the file is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incomplete;

pub(super) type Scan<T> = Result<T, Incomplete>;

/// A record's fields, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'b> {
    pub(super) bytes: &'b [u8],
    /// Whether the file ends where `bytes` does.
    is_end: bool,
}

impl<'b> Fields<'b> {
    pub(super) fn new(bytes: &'b [u8], is_end: bool) -> Self {
        Self { bytes, is_end }
    }

    /// Whether a field may end before the byte at `at`.
    #[inline]
    pub(super) fn ends_at(&self, at: usize) -> Scan<bool> {
        match self.bytes.get(at) {
            Some(byte) => Ok(matches!(byte, b',' | b'\n' | b'\r')),
            None if self.is_end => Ok(true),
            None => Err(Incomplete),
        }
    }

    /// The field that starts at `at`, and where it ends.
    pub(super) fn field(&self, at: usize) -> Scan<(Cow<'b, [u8]>, usize)> {
        if self.bytes.get(at) == Some(&b'"') {
            return self.quoted(at + 1);
        }
        let end = self.unquoted_end(at)?;
        Ok((Cow::Borrowed(&self.bytes[at..end]), end))
    }

    fn unquoted_end(&self, at: usize) -> Scan<usize> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        match rest.iter().position(|byte| matches!(byte, b',' | b'\n' | b'\r')) {
            Some(length) => Ok(at + length),
            None if self.is_end => Ok(self.bytes.len()),
            None => Err(Incomplete),
        }
    }

    /// A field whose opening quote is before `at`. Text after the closing quote belongs to it, as the csv crate has it.
    fn quoted(&self, at: usize) -> Scan<(Cow<'b, [u8]>, usize)> {
        let close = self.closing_quote(at)?;
        let mut text = Cow::Borrowed(&self.bytes[at..close]);
        let mut end = (close + 1).min(self.bytes.len());
        while self.bytes.get(end) == Some(&b'"') {
            let next = self.closing_quote(end + 1)?;
            text.to_mut().extend_from_slice(&self.bytes[end..next]);
            end = (next + 1).min(self.bytes.len());
        }
        if !self.ends_at(end)? {
            let tail_end = self.unquoted_end(end)?;
            text.to_mut().extend_from_slice(&self.bytes[end..tail_end]);
            end = tail_end;
        }
        Ok((text, end))
    }

    fn closing_quote(&self, at: usize) -> Scan<usize> {
        match self.bytes[at..].iter().position(|&byte| byte == b'"') {
            Some(length) if self.is_end || at + length + 1 < self.bytes.len() => Ok(at + length),
            None if self.is_end => Ok(self.bytes.len()),
            _ => Err(Incomplete),
        }
    }

    /// Where the next record starts, `at` being the end of a record's last field.
    pub(super) fn next_record(&self, at: usize) -> Scan<usize> {
        match (self.bytes.get(at), self.bytes.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => Ok(at + 2),
            (Some(b'\r'), None) if !self.is_end => Err(Incomplete),
            (Some(_), _) => Ok(at + 1),
            (None, _) if self.is_end => Ok(at),
            (None, _) => Err(Incomplete),
        }
    }

    /// All fields of the record at `at`, and where the next one starts.
    pub(super) fn record(&self, mut at: usize) -> Scan<(Vec<Cow<'b, [u8]>>, usize)> {
        let mut fields = Vec::new();
        loop {
            let (field, end) = self.field(at)?;
            fields.push(field);
            match self.bytes.get(end) {
                Some(b',') => at = end + 1,
                _ => return Ok((fields, self.next_record(end)?)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ours(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let fields = Fields::new(text, true);
        let (mut at, mut records) = (0, Vec::new());
        while at < text.len() {
            if matches!(text[at], b'\n' | b'\r') {
                at = fields.next_record(at).unwrap();
                continue;
            }
            let (record, next) = fields.record(at).unwrap();
            records.push(record.into_iter().map(Cow::into_owned).collect());
            at = next;
        }
        records
    }

    fn theirs(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
        reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn what_the_csv_crate_writes_reads_the_same(
            records in proptest::collection::vec(proptest::collection::vec("[a\",\r\n ;é]{0,5}", 1..5), 0..6),
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for record in &records {
                writer.write_record(record).unwrap();
            }
            let text = writer.into_inner().unwrap();
            prop_assert_eq!(ours(&text), theirs(&text));
        }

        #[test]
        fn any_bytes_end(text in proptest::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b'1')], 0..60)) {
            let _ = ours(&text);
        }
    }
}
