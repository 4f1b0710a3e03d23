//! How many live records a second one core reads: `cargo bench -p drift-watch --bench parse`.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints, and stops where it cannot go on")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use shared::format::live::{CsvHeader, Kind, parse_csv_row, parse_json};

const JSON: &[u8] = br#"{"model":"nyc_departures_lgbm","version":"2","series":"EWR_B6","issued_at":"2013-06-02T02:00:00Z","target_time":"2013-06-03T00:00:00Z","horizon":1,"y_hat":16.94,"lo":15.22,"hi":17.7}"#;

const ACTUAL: &[u8] =
    br#"{"series":"EWR_B6","target_time":"2013-06-02T20:00:00-04:00","y":17.0,"observed_at":"2013-06-04T01:00:00Z"}"#;

const HEADER: &[u8] = b"model,version,series,issued_at,target_time,horizon,y_hat,lo,hi";

const CSV: &[u8] = b"nyc_departures_lgbm,2,EWR_B6,2013-06-02T02:00:00Z,2013-06-03T00:00:00Z,1,16.94,15.22,17.7";

fn main() {
    let header = CsvHeader::parse(Kind::Predictions, HEADER).unwrap();
    measure("prediction, JSON", JSON.len(), || parse_json(Kind::Predictions, black_box(JSON), None).is_ok());
    measure("actual, JSON", ACTUAL.len(), || parse_json(Kind::Actuals, black_box(ACTUAL), None).is_ok());
    measure("prediction, CSV", CSV.len(), || parse_csv_row(&header, black_box(CSV), None).is_ok());
}

fn measure(name: &str, bytes: usize, parse: impl Fn() -> bool) {
    let start = Instant::now();
    let mut rows = 0_u32;
    while start.elapsed() < Duration::from_secs(1) {
        (0..10_000).for_each(|_| assert!(black_box(parse())));
        rows += 10_000;
    }
    let rate = f64::from(rows) / start.elapsed().as_secs_f64() / 1e6;
    println!("{name}: {rate:.2} million rows a second, {:.0} MB/s", rate * bytes as f64);
}
