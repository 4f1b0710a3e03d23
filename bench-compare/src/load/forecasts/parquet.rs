//! Parquet: row groups on all cores, of each only the columns asked for, ids as dictionaries.

use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, Float64Type, Int32Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::Result as ParquetResult;
use parquet::file::reader::{ChunkReader, Length};
use shared::{Error, Place, Result};

use super::blocks::Findings;
use super::csv::Progress;
use super::layout::{Layout, Role, Wanted};
use super::ordered;
use super::row::{self, Extra, Kinds, NO_CUTOFF, Sink, Spot, Spots, Stretch};
use super::source::Source;
use super::time::{self, DAY, Kind};
use super::watch::Watch;

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8192;

/// Bytes of a buffered read: page headers are short.
const HEADER_BYTES: usize = 1 << 10;

/// A source, read at any place by many threads at once.
#[derive(Debug, Clone)]
struct Chunks {
    file: Arc<std::fs::File>,
    size: u64,
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<Cursor>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(BufReader::with_capacity(HEADER_BYTES, Cursor { file: Arc::clone(&self.file), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let mut bytes = vec![0; length];
        Cursor { file: Arc::clone(&self.file), at: start }.read_exact(&mut bytes)?;
        Ok(Bytes::from(bytes))
    }
}

/// Reads on from a place.
#[derive(Debug)]
struct Cursor {
    file: Arc<std::fs::File>,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt;
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A Parquet file whose footer has been read.
#[derive(Debug, Clone)]
pub(super) struct Footer {
    chunks: Chunks,
    metadata: ArrowReaderMetadata,
}

impl Footer {
    /// Reads the footer.
    ///
    /// # Errors
    /// If it is damaged.
    pub(super) fn read(source: &Source) -> Result<Self> {
        let file = source.file.try_clone().map_err(|error| Error::io(&source.path, "read", error))?;
        let chunks = Chunks { file: Arc::new(file), size: source.size };
        let options = ArrowReaderOptions::new();
        let metadata = ArrowReaderMetadata::load(&chunks, options).map_err(|error| damaged(source, &error))?;
        let hinted = ids_as_dictionaries(metadata.schema());
        let options = ArrowReaderOptions::new().with_schema(hinted);
        // Where the hint does not fit the file, it is read as it is.
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options).unwrap_or(metadata);
        Ok(Self { chunks, metadata })
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> Vec<String> {
        self.metadata.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Which columns hold numbers.
    pub(super) fn numeric(&self) -> Vec<bool> {
        self.metadata.schema().fields().iter().map(|field| is_number(field.data_type())).collect()
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> i64 {
        self.metadata.metadata().file_metadata().num_rows()
    }

    /// The kind of the times in a column.
    pub(super) fn kind(&self, source: &Source, name: &str) -> Result<Kind> {
        let field = self.metadata.schema().fields().iter().find(|field| field.name() == name);
        match field.map(|field| field.data_type()) {
            Some(DataType::Timestamp(_, Some(_))) => Ok(Kind::Offset),
            Some(kind) if kind.is_integer() => Ok(Kind::Integer),
            Some(kind) if is_text(kind) => Ok(self.first_kind(source, name)?.unwrap_or(Kind::Naive)),
            _ => Ok(Kind::Naive),
        }
    }

    /// The kind of the first time in a column of texts.
    fn first_kind(&self, source: &Source, name: &str) -> Result<Option<Kind>> {
        let mut reader = self.reader(source, &[name], None, 1)?;
        let Some(batch) = reader.next().transpose().map_err(|error| damaged(source, &error))? else { return Ok(None) };
        let text = Text::new(batch.column(0));
        Ok(text.and_then(|text| time::of_field(text.value(0)?.as_bytes())).map(|(_, kind)| kind))
    }

    fn reader(
        &self,
        source: &Source,
        columns: &[&str],
        group: Option<usize>,
        rows: usize,
    ) -> Result<parquet::arrow::arrow_reader::ParquetRecordBatchReader> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.chunks.clone(), self.metadata.clone());
        let fields = self.metadata.schema().fields();
        let roots = fields.iter().enumerate().filter(|(_, field)| columns.contains(&field.name().as_str()));
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots.map(|(index, _)| index));
        let builder = builder.with_projection(mask).with_batch_size(rows);
        let builder = match group {
            Some(group) => builder.with_row_groups(vec![group]),
            None => builder,
        };
        builder.build().map_err(|error| damaged(source, &error))
    }
}

/// Texts as dictionaries: a repeated id is then not copied row by row.
fn ids_as_dictionaries(schema: &Schema) -> Arc<Schema> {
    let dictionary = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let hint = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Arc::new(field.as_ref().clone().with_data_type(dictionary()))
        }
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new_with_metadata(schema.fields().iter().map(hint).collect::<Vec<_>>(), schema.metadata().clone()))
}

/// Reads the rows of a Parquet file into sinks, one for each row group, and hands them over in order, with the number of the
/// row before their first one plus 1. `watch` sees the bytes of the file at the same time.
///
/// # Errors
/// If the file is damaged, a column has another type than is needed, or what `take` says.
pub(super) fn scan<S: Sink>(
    source: &Source,
    wanted: &Wanted,
    threads: usize,
    make: impl Fn() -> S + Sync,
    watch: &mut Watch<'_>,
    findings: &mut Findings,
    mut take: impl FnMut(S, u64, &mut Findings) -> Result<()>,
) -> Result<()> {
    let footer = Footer::read(source)?;
    let layout = wanted.layout(&footer.columns(), &source.path)?;
    check_types(source, &footer, &layout)?;
    let groups = footer.metadata.metadata().row_groups();
    let first_rows: Vec<u64> = groups
        .iter()
        .scan(0, |rows, group| {
            let first = *rows;
            *rows += group.num_rows().unsigned_abs();
            Some(first)
        })
        .collect();
    let work = |group: usize| read_group(source, &footer, &layout, (group, first_rows[group]), make());
    let mut each = |group: usize, (sink, progress): (S, Progress)| {
        let line = first_rows[group] + 1;
        findings.take(&source.path, progress, line);
        take(sink, line, findings)
    };
    if !watch.wants_bytes() {
        return ordered::each(groups.len(), threads, work, |group, read| {
            watch.pass(groups[group].compressed_size().unsigned_abs());
            each(group, read)
        });
    }
    std::thread::scope(|scope| {
        let shown = scope.spawn(|| show(source, watch));
        ordered::each(groups.len(), threads, work, each)?;
        shown.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Shows the file from its first byte to its last.
fn show(source: &Source, watch: &mut Watch<'_>) -> Result<()> {
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        let count = source.read_at(&mut buffer, at)?;
        if count == 0 {
            return Ok(());
        }
        watch.see(&buffer[..count]);
        at += count as u64;
    }
}

fn check_types(source: &Source, footer: &Footer, layout: &Layout) -> Result<()> {
    for (field, role) in footer.metadata.schema().fields().iter().zip(&layout.roles) {
        let kind = field.data_type();
        let (fits, expected) = match role {
            Role::Skip => (true, ""),
            Role::Id => (is_text(kind) || kind.is_integer(), "texts or whole numbers"),
            Role::Ds | Role::Cutoff => (is_time(kind) || kind.is_integer() || is_text(kind), "times"),
            Role::Number(_) => (is_number(kind), "numbers"),
            Role::Extra(_) => (is_number(kind) || is_time(kind) || is_text(kind), "numbers, texts or times"),
        };
        if !fits {
            let found = format!("column {:?} holds {kind}", field.name());
            return Err(Error::input(Place::file(&source.path), found, expected));
        }
    }
    Ok(())
}

fn is_number(kind: &DataType) -> bool {
    kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Null)
}

fn is_time(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64)
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_text(values),
        kind => matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

fn read_group<S: Sink>(
    source: &Source,
    footer: &Footer,
    layout: &Layout,
    (group, first_row): (usize, u64),
    mut sink: S,
) -> Result<(S, Progress)> {
    let with_role = layout.names.iter().zip(&layout.roles).filter(|(_, role)| **role != Role::Skip);
    let names: Vec<&str> = with_role.map(|(name, _)| name.as_str()).collect();
    let mut progress = Progress::default();
    for batch in footer.reader(source, &names, Some(group), BATCH_ROWS)? {
        let batch = batch.map_err(|error| damaged(source, &error))?;
        let columns = Columns::new(source, &batch, layout)?;
        columns.deliver(&mut sink, &mut progress, first_row);
    }
    Ok((sink, progress))
}

/// The columns of a batch, by role.
struct Columns {
    rows: usize,
    /// `None` where the path of the file gives them, and so `ds`.
    id: Option<Text>,
    ds: Option<Times>,
    cutoff: Option<Times>,
    numbers: Vec<Numbers>,
    extras: Vec<Other>,
    /// Places of the time columns in the file, for messages.
    names: [usize; 2],
}

impl Columns {
    fn new(source: &Source, batch: &RecordBatch, layout: &Layout) -> Result<Self> {
        let column = |wanted: Role| {
            let index = layout.roles.iter().position(|role| *role == wanted)?;
            Some((index, batch.column_by_name(&layout.names[index])?))
        };
        let fail = |error: ArrowError| damaged(source, &error);
        let slots = |role: fn(usize) -> Role| (0..).map(role).map_while(column);
        let numbers = slots(Role::Number).map(|(_, array)| Numbers::new(array)).collect::<Result<_, _>>();
        let extras = slots(Role::Extra).map(|(_, array)| Other::new(array)).collect::<Result<_, _>>();
        let known = |wanted: Role| match column(wanted) {
            None if layout.roles.contains(&wanted) => Err(absent(source)),
            found => Ok(found),
        };
        let (id, ds, cutoff) = (known(Role::Id)?, known(Role::Ds)?, known(Role::Cutoff)?);
        let place = |column: Option<(usize, _)>| column.map_or(0, |(index, _)| index);
        let names = [place(ds), place(cutoff)];
        Ok(Self {
            rows: batch.num_rows(),
            id: id.map(|(_, array)| ids(array)).transpose().map_err(fail)?,
            ds: ds.map(|(_, array)| Times::new(array)).transpose().map_err(fail)?,
            cutoff: cutoff.map(|(_, array)| Times::new(array)).transpose().map_err(fail)?,
            numbers: numbers.map_err(fail)?,
            extras: extras.map_err(fail)?,
            names,
        })
    }

    /// Hands the rows over, those of one series and cutoff together.
    fn deliver(&self, sink: &mut impl Sink, progress: &mut Progress, first_row: u64) {
        let first_line = progress.lines;
        progress.lines += self.rows as u64;
        self.note_times(progress, first_line);
        let arrays: Vec<&[f64]> = self.numbers.iter().map(Numbers::values).collect();
        let cells: Vec<Vec<Extra<'_>>> =
            self.extras.iter().map(|column| (0..self.rows).map(|row| column.cell(row)).collect()).collect();
        let unknown = if self.ds.is_none() { vec![0; self.rows] } else { Vec::new() };
        let ds = self.ds.as_ref().map_or(unknown.as_slice(), |ds| &ds.values);
        for rows in self.stretches() {
            let extras: Vec<&[Extra<'_>]> = cells.iter().map(|cells| &cells[rows.clone()]).collect();
            let line = first_line + rows.start as u64;
            let stretch = Stretch {
                id: self.id.as_ref().and_then(|id| id.value(rows.start)).unwrap_or_default().as_bytes(),
                cutoff: self.cutoff_at(rows.start),
                ds: &ds[rows.clone()],
                columns: row::Columns::Arrays { arrays: &arrays, start: rows.start },
                extras: &extras,
                spots: Spots::From(Spot { line, place: first_row + line }),
            };
            sink.stretch(&stretch, &mut progress.problems);
        }
    }

    fn cutoff_at(&self, row: usize) -> i64 {
        self.cutoff.as_ref().map_or(NO_CUTOFF, |cutoff| cutoff.values[row])
    }

    /// The rows with times, in runs of one series and cutoff.
    fn stretches(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            at += (at..self.rows).take_while(|&row| self.lacks_time(row)).count();
            let start = at;
            let goes_on = |row: usize| {
                !self.lacks_time(row)
                    && self.cutoff_at(row) == self.cutoff_at(start)
                    && self.id.as_ref().is_none_or(|id| id.is_same(row, start))
            };
            at += (start..self.rows).take_while(|&row| goes_on(row)).count();
            (at > start).then_some(start..at)
        })
    }

    fn lacks_time(&self, row: usize) -> bool {
        [&self.ds, &self.cutoff].into_iter().flatten().any(|times| times.is_absent(row))
    }

    /// Notes the kinds of times, and the rows that lack one.
    fn note_times(&self, progress: &mut Progress, first_line: u64) {
        let columns = [&self.ds, &self.cutoff].into_iter().zip(self.names);
        for (times, column) in columns.filter_map(|(times, column)| Some((times.as_ref()?, column))) {
            for (kind, row) in times.kinds.seen() {
                progress.kinds.note(kind, first_line + row);
            }
            for row in (0..self.rows).filter(|&row| times.is_absent(row)) {
                let say = || ("no time".to_owned(), "a time in each row".to_owned());
                progress.problems.note(first_line + row as u64, Some(column), say);
            }
        }
    }
}

/// A column of texts, as they are or as a dictionary.
#[derive(Debug)]
struct Text {
    keys: Option<Int32Array>,
    values: StringArray,
}

impl Text {
    fn new(array: &ArrayRef) -> Option<Self> {
        match array.data_type() {
            DataType::Dictionary(_, _) => {
                let keys =
                    cast(array, &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))).ok()?;
                let dictionary = keys.as_dictionary_opt::<Int32Type>()?;
                let values = dictionary.values().as_string_opt::<i32>()?.clone();
                Some(Self { keys: Some(dictionary.keys().clone()), values })
            }
            kind if is_text(kind) => {
                let plain = cast(array, &DataType::Utf8).ok()?;
                Some(Self { keys: None, values: plain.as_string_opt::<i32>()?.clone() })
            }
            _ => None,
        }
    }

    #[inline]
    fn value(&self, row: usize) -> Option<&str> {
        let place = match &self.keys {
            Some(keys) if keys.is_null(row) => return None,
            Some(keys) => usize::try_from(keys.value(row)).ok()?,
            None => row,
        };
        (place < self.values.len() && !self.values.is_null(place)).then(|| self.values.value(place))
    }

    /// Whether two rows have the same text; a dictionary that has a text twice is no harm.
    #[inline]
    fn is_same(&self, row: usize, other: usize) -> bool {
        match &self.keys {
            Some(keys) if keys.null_count() == 0 => keys.values()[row] == keys.values()[other],
            _ => self.value(row) == self.value(other),
        }
    }
}

/// The ids; whole numbers as their digits.
fn ids(array: &ArrayRef) -> Result<Text, ArrowError> {
    let text = match Text::new(array) {
        Some(text) => Some(text),
        None => Text::new(&cast(array, &DataType::Utf8)?),
    };
    text.ok_or_else(|| ArrowError::CastError(format!("ids of {}", array.data_type())))
}

/// A column of times.
#[derive(Debug)]
struct Times {
    values: ScalarBuffer<i64>,
    /// Which rows have none, if any lack one.
    absent: Option<Vec<bool>>,
    /// The rows count from the start of the batch.
    kinds: Kinds,
}

impl Times {
    fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        let integers =
            |array: &ArrayRef| cast(array, &DataType::Int64).map(|cast| cast.as_primitive::<Int64Type>().clone());
        if let Some(text) = Text::new(array) {
            return Ok(Self::read(&text, array.len()));
        }
        let kind = match array.data_type() {
            DataType::Timestamp(_, Some(_)) => Kind::Offset,
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => Kind::Naive,
            _ => return Ok(Self::of(&integers(array)?, Kind::Integer)),
        };
        if *array.data_type() == DataType::Date32 {
            let days = integers(&cast(array, &DataType::Int32)?)?;
            return Ok(Self::of(&days.unary(|day| day.saturating_mul(DAY)), kind));
        }
        Ok(Self::of(&integers(&microseconds(array)?)?, kind))
    }

    fn of(array: &Int64Array, kind: Kind) -> Self {
        let absent = (array.null_count() > 0).then(|| (0..array.len()).map(|row| array.is_null(row)).collect());
        let mut kinds = Kinds::default();
        if let Some(row) = (0..array.len()).find(|&row| !array.is_null(row)) {
            kinds.note(kind, row as u64);
        }
        Self { values: array.values().clone(), absent, kinds }
    }

    /// Times that are texts.
    fn read(text: &Text, rows: usize) -> Self {
        let mut kinds = Kinds::default();
        let read = |row| time::of_field(text.value(row)?.as_bytes()).inspect(|(_, kind)| kinds.note(*kind, row as u64));
        let times: Vec<Option<i64>> = (0..rows).map(read).map(|read| read.map(|(time, _)| time)).collect();
        let absent = times.contains(&None).then(|| times.iter().map(Option::is_none).collect());
        Self { values: times.into_iter().map(Option::unwrap_or_default).collect(), absent, kinds }
    }

    #[inline]
    fn is_absent(&self, row: usize) -> bool {
        self.absent.as_ref().is_some_and(|absent| absent[row])
    }
}

/// Times as microseconds; their zone does not change the instant.
fn microseconds(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone))
}

/// A column of numbers, NaN where one is absent.
#[derive(Debug)]
struct Numbers(Float64Array);

impl Numbers {
    fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        let numbers = numbers(array)?;
        if numbers.null_count() == 0 {
            return Ok(Self(numbers));
        }
        Ok(Self(numbers.iter().map(|value| Some(value.unwrap_or(f64::NAN))).collect()))
    }

    fn values(&self) -> &[f64] {
        self.0.values()
    }
}

fn numbers(array: &ArrayRef) -> Result<Float64Array, ArrowError> {
    Ok(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

/// A column that slices and groups use.
#[derive(Debug)]
enum Other {
    Number(Float64Array),
    Time(arrow::array::TimestampMicrosecondArray),
    Text(Text),
}

impl Other {
    fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        match Text::new(array) {
            Some(text) => Ok(Self::Text(text)),
            None if is_time(array.data_type()) => {
                Ok(Self::Time(microseconds(array)?.as_primitive::<TimestampMicrosecondType>().clone()))
            }
            None => numbers(array).map(Self::Number),
        }
    }

    fn cell(&self, row: usize) -> Extra<'_> {
        match self {
            Self::Number(values) if !values.is_null(row) => Extra::Number(values.value(row)),
            Self::Time(values) if !values.is_null(row) => Extra::Time(values.value(row)),
            Self::Text(text) => text.value(row).map_or(Extra::Null, |text| Extra::Text(text.as_bytes().into())),
            Self::Number(_) | Self::Time(_) => Extra::Null,
        }
    }
}

fn absent(source: &Source) -> Error {
    Error::input(
        Place::file(&source.path),
        "a column of the header is absent in the data",
        "a Parquet file that is whole",
    )
}

fn damaged(source: &Source, error: &impl std::fmt::Display) -> Error {
    Error::input(Place::file(&source.path), format!("not readable as Parquet: {error}"), "a Parquet file that is whole")
}
