//! `drift-watch publish`: records of files to the broker.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use jiff::tz::TimeZone;
use shared::Exit;
use shared::cli::Context;
#[cfg(feature = "nats")]
use shared::error::Place;
use shared::error::{Error, Result};
use shared::format::live::{BadRow, CsvHeader, Kind, Parsed, is_blank, parse_csv_row, parse_json};

use super::args::NatsArgs;
use crate::watch::zone;

/// Flags of `drift-watch publish`.
#[derive(Debug, Clone, clap::Args)]
pub struct PublishArgs {
    /// Predictions and actuals, JSON Lines or CSV; `-` is standard input. A row with `y_hat` is a prediction
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Time zone of times without an offset, such as `America/New_York`
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub zone: Option<TimeZone>,
    /// The broker
    #[command(flatten)]
    pub nats: NatsArgs,
}

/// Runs the command.
///
/// # Errors
/// On bad input, or where the broker does not acknowledge.
#[cfg(feature = "nats")]
pub fn run(args: &PublishArgs, context: &Context) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Error::Environment { what: format!("no runtime: {error}"), help: None })?;
    let sent = runtime.block_on(publish(args))?;
    context.emit(&format!("{sent} records are with the broker\n"))?;
    Ok(Exit::Ok)
}

/// Says that this program cannot publish.
///
/// # Errors
/// Always.
#[cfg(not(feature = "nats"))]
pub fn run(_: &PublishArgs, _: &Context) -> anyhow::Result<Exit> {
    Err(super::without().into())
}

#[cfg(feature = "nats")]
async fn publish(args: &PublishArgs) -> Result<u64> {
    let mut sender = super::send::Sender::new(super::broker::Broker::connect(&args.nats).await?);
    let (mut sent, mut bad) = (0, Bad::default());
    for path in &args.files {
        let mut rows = Rows::open(path, args.zone.clone())?;
        while tokio::task::block_in_place(|| rows.fill())? {
            match rows.parse() {
                None => {}
                Some(Ok(parsed)) => {
                    sender.put(&parsed.record).await?;
                    sent += 1;
                }
                Some(Err(row)) => bad.add(&rows, &row),
            }
            if rows.is_drained() {
                sender.finish().await?;
            }
        }
    }
    sender.finish().await?;
    bad.check(sent)?;
    Ok(sent)
}

/// Rows that are none.
#[cfg(feature = "nats")]
#[derive(Default)]
struct Bad {
    n: u64,
    first: Option<(Place, BadRow)>,
}

#[cfg(feature = "nats")]
impl Bad {
    fn add(&mut self, rows: &Rows, row: &BadRow) {
        self.n += 1;
        if self.first.is_none() {
            self.first = Some((Place::line(&rows.path, rows.number), row.clone()));
        }
    }

    fn check(self, sent: u64) -> Result<()> {
        let Some((place, row)) = self.first else { return Ok(()) };
        let found = format!(
            "{}; it is the first of {} rows that are no records; the other {sent} are published",
            row.found, self.n
        );
        Err(Error::input(place, found, row.expected))
    }
}

/// How rows are written.
enum Layout {
    Json,
    Csv(std::result::Result<CsvHeader, BadRow>),
}

/// Rows of a file that may hold both kinds of records.
pub(super) struct Rows {
    path: PathBuf,
    input: BufReader<Box<dyn Read + Send>>,
    layout: Option<Layout>,
    zone: Option<TimeZone>,
    line: Vec<u8>,
    number: u64,
}

impl Rows {
    pub(super) fn open(path: &Path, zone: Option<TimeZone>) -> Result<Self> {
        let failed = |source| Error::io(path, "read", source);
        let input: Box<dyn Read + Send> = match path.as_os_str() == "-" {
            true => Box::new(io::stdin()),
            false => Box::new(shared::fsio::open(path)?),
        };
        let mut input = BufReader::with_capacity(1 << 16, input);
        let is_compressed = input.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn Read + Send> =
            if is_compressed { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
        Ok(Self {
            path: path.to_owned(),
            input: BufReader::new(input),
            layout: None,
            zone,
            line: Vec::new(),
            number: 0,
        })
    }

    /// Reads a line; whether there was one.
    pub(super) fn fill(&mut self) -> Result<bool> {
        self.line.clear();
        let n = self.input.read_until(b'\n', &mut self.line).map_err(|source| Error::io(&self.path, "read", source))?;
        while matches!(self.line.last(), Some(b'\n' | b'\r')) {
            self.line.pop();
        }
        self.number += 1;
        if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        Ok(n > 0)
    }

    /// Whether the next line must be waited for, as far as is known.
    #[cfg(feature = "nats")]
    pub(super) fn is_drained(&self) -> bool {
        self.path.as_os_str() == "-" && self.input.buffer().is_empty()
    }

    /// What the line says; nothing if it is blank or a header.
    pub(super) fn parse(&mut self) -> Option<std::result::Result<Parsed<'_>, BadRow>> {
        if is_blank(&self.line) {
            return None;
        }
        if self.layout.is_none() && self.recognise() {
            return None;
        }
        Some(match &self.layout {
            Some(Layout::Csv(Ok(header))) => parse_csv_row(header, &self.line, self.zone.as_ref()),
            Some(Layout::Csv(Err(bad))) => Err(bad.clone()),
            _ => parse_json(kind_of(&self.line), &self.line, self.zone.as_ref()),
        })
    }

    /// Tells JSON Lines from CSV by the first row; whether that was a header.
    fn recognise(&mut self) -> bool {
        let is_json = self.line.trim_ascii_start().starts_with(b"{");
        let kind = kind_of(&self.line);
        self.layout = Some(if is_json { Layout::Json } else { Layout::Csv(CsvHeader::parse(kind, &self.line)) });
        !is_json
    }
}

/// A row, or a header, that names a forecast is of predictions.
fn kind_of(line: &[u8]) -> Kind {
    if line.windows(5).any(|word| word == b"y_hat") { Kind::Predictions } else { Kind::Actuals }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::format::live::Record;

    #[test]
    fn both_kinds_may_stand_in_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        let prediction = r#"{"model":"m","version":"1","series":"a","issued_at":"2024-01-01T00:00:00Z","target_time":"2024-01-02T00:00:00Z","horizon":1,"y_hat":5.5}"#;
        let actual =
            r#"{"series":"a","target_time":"2024-01-02T00:00:00Z","y":5,"observed_at":"2024-01-03T00:00:00Z"}"#;
        shared::fsio::write_atomic(&path, format!("{prediction}\n\n{actual}\n{{\n").as_bytes()).unwrap();
        let mut rows = Rows::open(&path, None).unwrap();
        let mut seen = Vec::new();
        while rows.fill().unwrap() {
            seen.extend(rows.parse().map(|row| match row {
                Ok(Parsed { record: Record::Prediction(_), .. }) => 'p',
                Ok(Parsed { record: Record::Actual(_), .. }) => 'a',
                Err(_) => '!',
            }));
        }
        assert_eq!(seen, ['p', 'a', '!']);
        shared::fsio::write_atomic(
            &path,
            "series,target_time,y,observed_at\na,2024-01-02T00:00:00Z,1,2024-01-03T00:00:00Z\n".as_bytes(),
        )
        .unwrap();
        let mut rows = Rows::open(&path, None).unwrap();
        assert!(rows.fill().unwrap() && rows.parse().is_none());
        assert!(rows.fill().unwrap() && rows.parse().unwrap().is_ok());
    }
}
