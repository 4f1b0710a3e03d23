//! What holds for any table: no bytes make the reader panic, and its sums are those of a plain loop.

use std::collections::BTreeMap;
use std::fmt::Write;

use bench_compare::load::forecasts::{self, Loaded, Request};
use proptest::prelude::*;
use shared::format::sufficient::Measure;

const MEASURES: [Measure; 6] = [
    Measure::AbsoluteError,
    Measure::SquaredError,
    Measure::Error,
    Measure::AbsoluteActual,
    Measure::AbsolutePercentageError,
    Measure::SymmetricPercentageError,
];

fn read(text: &[u8], threads: usize) -> shared::Result<Loaded> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cv");
    shared::fsio::write_atomic(&path, text).unwrap();
    let (measures, slices, by) = (MEASURES.to_vec(), vec!["x > 1 or x is null".to_owned()], vec!["x".to_owned()]);
    forecasts::read(&Request {
        files: vec![path],
        measures,
        slices,
        by,
        threads,
        max_unpaired: 1.0,
        ..Request::default()
    })
}

/// A row: series, cutoff, actual, prediction, `x`.
type Cells = (u8, u8, f64, f64, Option<u8>);

fn rows() -> impl Strategy<Value = Vec<Cells>> {
    let short = || (-1e3..1e3_f64).prop_map(|value| (value * 1e3).round() / 1e3);
    let actual = prop_oneof![Just(0.0), -1e3..1e3_f64, short()];
    let row = (0..4_u8, 0..3_u8, actual, prop_oneof![-1e3..1e3_f64, short()], proptest::option::of(0..4_u8));
    proptest::collection::vec(row, 1..60)
}

/// How a table is written. Without quotes, rows are read many at a time.
#[derive(Debug, Clone, Copy)]
struct Style {
    id: &'static str,
    quote: &'static str,
    end: &'static str,
}

fn style() -> impl Strategy<Value = Style> {
    let id = prop_oneof![Just("s,"), Just("s "), Just("series number "), Just("a series with quite a long name ")];
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\n\n")];
    (id, any::<bool>(), end).prop_map(|(id, is_quoted, end)| {
        let quote = if is_quoted || id.contains(',') { "\"" } else { "" };
        Style { id, quote, end }
    })
}

fn csv(rows: &[Cells], Style { id, quote, end }: Style) -> String {
    let mut text = format!("unique_id,x,ds,cutoff,y,M{end}");
    for (index, (series, cutoff, y, p, x)) in rows.iter().enumerate() {
        let x = x.map(|x| x.to_string()).unwrap_or_default();
        // Times rise, so that no two rows are duplicates.
        write!(text, "{quote}{id}{series}{quote},{x},{},{cutoff},{y},{p}{end}", index + 10).unwrap();
    }
    text
}

/// The sums of a plain loop, by series and cutoff.
fn plain(rows: &[Cells]) -> BTreeMap<(u8, u8), ([f64; 6], u32, u32)> {
    let mut cells = BTreeMap::new();
    for &(series, cutoff, y, p, _) in rows {
        let (sums, count, nonzero) = cells.entry((series, cutoff)).or_insert(([0.0; 6], 0, 0));
        let e: f64 = p - y;
        let ape = if y == 0.0 { 0.0 } else { e.abs() / y.abs() };
        let smape = if y == 0.0 && p == 0.0 { 0.0 } else { 2.0 * e.abs() / (y.abs() + p.abs()) };
        let parts = [e.abs(), e * e, e, y.abs(), ape, smape];
        sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        *count += 1;
        *nonzero += u32::from(y != 0.0);
    }
    cells
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn sums_are_those_of_a_plain_loop(rows in rows(), style in style()) {
        let sufficient = read(csv(&rows, style).as_bytes(), 3).unwrap().sufficient;
        let panel = &sufficient.groups[0].panel;
        let expected = plain(&rows);
        prop_assert_eq!(panel.rows.len(), expected.len());
        for (cell, ((series, cutoff), (sums, count, nonzero))) in expected.iter().enumerate() {
            prop_assert_eq!(&sufficient.series[panel.series[cell] as usize], &format!("{}{series}", style.id));
            prop_assert_eq!(&sufficient.cutoffs[panel.cutoffs[cell] as usize].label, &cutoff.to_string());
            prop_assert_eq!(&panel.counts[cell * 6..][..6], &[*count, *count, *count, *count, *nonzero, *count]);
            for (ours, plain) in panel.sums[cell * 6..][..6].iter().zip(sums) {
                prop_assert!((ours - plain).abs() <= 1e-11 * plain.abs().max(1.0), "{} {}", ours, plain);
            }
        }
        let of = |name: &str| sufficient.groups.iter().find(|group| group.name == name).map_or(0, |group| group.panel.rows.iter().sum::<u32>());
        let count = |test: fn(Option<u8>) -> bool| rows.iter().filter(|row| test(row.4)).count() as u32;
        prop_assert_eq!(of("x > 1 or x is null"), count(|x| x.is_none_or(|x| x > 1)));
        prop_assert_eq!(of("x=null"), count(|x| x.is_none()));
        prop_assert_eq!(of("x=2"), count(|x| x == Some(2)));
    }

    #[test]
    fn rows_without_quotes_are_read_as_those_with_quotes(rows in rows(), place in any::<prop::sample::Index>(), byte in "[\\x00-\\xff]?") {
        let plain = Style { id: "s ", quote: "", end: "\n" };
        let quoted = Style { quote: "\"", ..plain };
        // The same edit in both: of the last cell of a row.
        let edit = |style| {
            let mut lines: Vec<String> = csv(&rows, style).lines().map(str::to_owned).collect();
            let line = 1 + place.index(rows.len());
            lines[line].push_str(&byte);
            lines.join("\n")
        };
        let [plain, quoted] = [plain, quoted].map(|style| read(edit(style).as_bytes(), 2).map(|loaded| {
            let panel = &loaded.sufficient.groups[0].panel;
            (panel.counts.clone(), panel.sums.iter().map(|sum| format!("{sum:.9e}")).collect::<Vec<_>>(), loaded.sufficient.checks)
        }).map_err(|error| text(&error)));
        prop_assert_eq!(plain, quoted);
    }

    #[test]
    fn no_bytes_make_it_panic(rows in rows(), style in style(), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)) {
        let mut bytes = csv(&rows, style).into_bytes();
        for (place, byte) in edits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let (one, many) = (read(&bytes, 1), read(&bytes, 4));
        prop_assert_eq!(one.map_err(|error| text(&error)).map(|loaded| format!("{:?}", loaded.sufficient)),
            many.map_err(|error| text(&error)).map(|loaded| format!("{:?}", loaded.sufficient)));
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read(&bytes, 2).is_err());
        let parquet = [b"PAR1", bytes.as_slice(), b"PAR1"].concat();
        prop_assert!(read(&parquet, 2).is_err());
    }
}

/// The error without the folder, which is another one each time.
fn text(error: &shared::Error) -> String {
    let text = error.to_string();
    text.lines().map(|line| line.split_once("/cv").map_or(line, |(_, rest)| rest)).collect()
}
