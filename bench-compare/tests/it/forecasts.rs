//! The one-pass reader of forecast tables, on the real table and on tables with every trap.

#![expect(clippy::unwrap_used, clippy::float_cmp, reason = "a test")]

use std::path::{Path, PathBuf};

use bench_compare::load::forecasts::{self, Detail, Direction, Loaded, Request};
use shared::format::sufficient::{Measure, Panel};
use shared::metric::{Metric, Totals, measures_of};
use shared::{Error, digest};

const CV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv/bls_unemployment_cv.csv");
const TRAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv/bls_unemployment_train.csv");
const MODELS: [&str; 6] = ["Naive", "SeasonalNaive", "Ridge", "RandomForest", "LightGBM", "XGBoost"];

fn request(path: impl AsRef<Path>, metrics: &[Metric]) -> Request {
    Request { files: vec![path.as_ref().to_owned()], measures: measures_of(metrics, Some(90.0)), ..Request::default() }
}

fn bls(metrics: &[Metric]) -> Request {
    Request { train: Some(TRAIN.into()), season: 12, ..request(CV, metrics) }
}

fn value(loaded: &Loaded, group: &str, model: &str, metric: Metric) -> f64 {
    let sufficient = &loaded.sufficient;
    let panel = &sufficient.groups.iter().find(|known| known.name == group).unwrap().panel;
    let totals = Totals::of_panel(panel, sufficient.models.len(), &sufficient.measures);
    let model = sufficient.models.iter().position(|known| known == model).unwrap();
    metric.value(&totals[model], Some(90.0)).unwrap_or(f64::NAN)
}

fn rows(loaded: &Loaded, group: &str) -> u32 {
    loaded.sufficient.groups.iter().find(|known| known.name == group).unwrap().panel.rows.iter().sum()
}

/// A table in a file of its own.
struct Table {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn table(text: impl AsRef<[u8]>) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cv.csv");
    shared::fsio::write_atomic(&path, text.as_ref()).unwrap();
    Table { path, _folder: folder }
}

fn refused(text: &str) -> Error {
    forecasts::read(&request(&table(text).path, &[Metric::Mae])).unwrap_err()
}

fn same_bits(left: &Panel, right: &Panel) -> bool {
    let bits = |panel: &Panel| panel.sums.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>();
    bits(left) == bits(right) && left.counts == right.counts && left.rows == right.rows
}

#[test]
fn the_unemployment_table_has_its_known_numbers() {
    let loaded = forecasts::read(&bls(&[Metric::Mape, Metric::Coverage])).unwrap();
    assert_eq!(loaded.sufficient.models, MODELS);
    let mape = |model| (value(&loaded, "all", model, Metric::Mape) * 1000.0).round();
    assert_eq!(
        [mape("Ridge"), mape("LightGBM"), mape("RandomForest"), mape("SeasonalNaive")],
        [170.0, 182.0, 183.0, 221.0]
    );
    assert_eq!((value(&loaded, "all", "LightGBM", Metric::Coverage) * 100.0).round(), 65.0);
    assert!(value(&loaded, "all", "Ridge", Metric::Coverage).is_nan());
    assert_eq!((loaded.sufficient.checks.rows, loaded.sufficient.checks.paired), (1932, 1932));
    assert_eq!(
        (loaded.sufficient.series.len(), loaded.sufficient.cutoffs.len(), loaded.sufficient.horizon),
        (14, 23, 6)
    );
    let positions: Vec<f64> = loaded.sufficient.cutoffs.iter().map(|cutoff| cutoff.position).collect();
    assert_eq!(positions, (0..23).map(|window| f64::from(window) * 3.0).collect::<Vec<_>>());
    assert_eq!(loaded.inputs[0].sha256, digest::of_file(Path::new(CV)).unwrap());
    assert_eq!(loaded.inputs[1].sha256, digest::of_file(Path::new(TRAIN)).unwrap());
}

#[test]
fn slices_and_groups_add_up() {
    let by = ["holiday", "h", "unique_id", "cutoff"].map(str::to_owned).to_vec();
    let slices = vec!["holiday = 1".to_owned(), "n_train < 60 and unique_id = 'mining'".to_owned()];
    let loaded = forecasts::read(&Request { by, slices, ..bls(&[Metric::Mae]) }).unwrap();
    assert_eq!(rows(&loaded, "holiday = 1"), rows(&loaded, "holiday=1"));
    assert_eq!(rows(&loaded, "holiday=1") + rows(&loaded, "holiday=0"), 1932);
    let names = |prefix: &str| {
        let groups = loaded.sufficient.groups.iter().filter(|group| group.name.starts_with(prefix));
        groups.map(|group| (group.name.clone(), group.panel.rows.iter().sum::<u32>())).collect::<Vec<_>>()
    };
    assert_eq!(names("h=").len(), 6);
    assert!(names("h=").iter().all(|(_, rows)| *rows == 322));
    assert_eq!((names("unique_id=").len(), names("cutoff=").len()), (14, 23));
    assert_eq!(names("cutoff=")[0], ("cutoff=2004-01-01".to_owned(), 84));
    assert_eq!(value(&loaded, "holiday = 1", "Ridge", Metric::Mae), value(&loaded, "holiday=1", "Ridge", Metric::Mae));
}

#[test]
fn steps_ahead_are_counted_where_no_column_has_them() {
    let text = std::fs::read_to_string(CV).unwrap();
    let without: Vec<&str> = text.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    let without = table(without.join("\n"));
    let by =
        |path: &Path| Request { by: vec!["h".into()], models: vec!["Ridge".into()], ..request(path, &[Metric::Mae]) };
    let (with, without) = (forecasts::read(&by(Path::new(CV))).unwrap(), forecasts::read(&by(&without.path)).unwrap());
    for (left, right) in with.sufficient.groups.iter().zip(&without.sufficient.groups) {
        assert_eq!(left.name, right.name);
        assert!(same_bits(&left.panel, &right.panel), "{}", left.name);
    }
}

/// 90 series, 8 cutoffs, 24 steps: three blocks.
fn large() -> Vec<String> {
    let mut lines = Vec::new();
    for (series, cutoff, step) in
        (0..90).flat_map(|series| (0..8).flat_map(move |cutoff| (1..25).map(move |step| (series, cutoff, step))))
    {
        let y = f64::from(series * 7 + step) + f64::from(cutoff * step % 11) / 7.0;
        let (day, hour) = (1 + cutoff * 2 + (step + 5) / 24, (step + 5) % 24);
        lines.push(format!(
            "\"series, {series}\",2024-01-{day:02} {hour:02}:00:00,2024-01-{:02} 05:00:00,{y},{},{},\"a \"\"note\"\" over\ntwo lines, for series {series} and the like of it, long enough to fill blocks with it, long enough to fill blocks\"",
            1 + cutoff * 2,
            y * 1.01 - f64::from(step % 3),
            y + f64::from(step % 5) - 2.2,
        ));
    }
    lines
}

fn document(lines: &[String]) -> String {
    format!("unique_id,ds,cutoff,y,A,B,note\n{}\n", lines.join("\n"))
}

fn large_request(path: &Path, threads: usize) -> Request {
    let models = vec!["A".into(), "B".into()];
    Request {
        models,
        threads,
        by: vec!["note".into()],
        ..request(path, &[Metric::Mae, Metric::Rmse, Metric::Bias, Metric::Smape])
    }
}

#[test]
fn the_same_file_gives_the_same_bits_on_any_number_of_threads() {
    let table = table(document(&large()));
    assert!(std::fs::metadata(&table.path).unwrap().len() > 3 << 20);
    let one = forecasts::read(&large_request(&table.path, 1)).unwrap();
    assert_eq!((one.sufficient.checks.paired, one.sufficient.groups.len()), (17_280, 91));
    for threads in [2, 3, 8] {
        let many = forecasts::read(&large_request(&table.path, threads)).unwrap();
        assert_eq!(one.inputs, many.inputs);
        for (left, right) in one.sufficient.groups.iter().zip(&many.sufficient.groups) {
            assert!(left.name == right.name && same_bits(&left.panel, &right.panel));
        }
    }
}

#[test]
fn permuted_rows_agree_and_are_checked_for_duplicates() {
    let sorted = table(document(&large()));
    let mut lines = large();
    // A fixed permutation: 7919 is prime and does not divide 17,280.
    let count = lines.len();
    lines = (0..count).map(|index| lines[index * 7919 % count].clone()).collect();
    let permuted = table(document(&lines));
    let (one, two) = (
        forecasts::read(&large_request(&sorted.path, 2)).unwrap(),
        forecasts::read(&large_request(&permuted.path, 2)).unwrap(),
    );
    assert!(two.sufficient.notes.iter().any(|note| note.contains("720 windows are not in the order of time")));
    assert_eq!(one.sufficient.cutoffs, two.sufficient.cutoffs);
    for (left, right) in one.sufficient.groups.iter().zip(&two.sufficient.groups) {
        assert_eq!(
            (&left.name, &left.panel.rows, &left.panel.counts),
            (&right.name, &right.panel.rows, &right.panel.counts)
        );
        for (left, right) in left.panel.sums.iter().zip(&right.panel.sums) {
            assert!((left - right).abs() <= 1e-12 * left.abs().max(1.0), "{left} {right}");
        }
    }
    lines.push(lines[5].clone());
    let twice = table(document(&lines));
    let error = forecasts::read(&large_request(&twice.path, 2)).unwrap_err();
    assert!(error.to_string().contains("is at"), "{error}");
    assert_eq!(error.help(), Some("--allow-identical-duplicates drops the repeats"));
    let allowed = Request { allow_identical_duplicates: true, ..large_request(&twice.path, 2) };
    let dropped = forecasts::read(&allowed).unwrap();
    assert_eq!(dropped.sufficient.checks.duplicates_dropped, 1);
    assert!(same_bits(&dropped.sufficient.groups[0].panel, &two.sufficient.groups[0].panel));
}

#[test]
fn duplicates_name_both_places_and_what_differs() {
    let head = "unique_id,ds,cutoff,y,A\n007,2,1,5,6\n007,3,1,5,6\n";
    let actual = refused(&format!("{head}007,2,1,4,6\n")).to_string();
    let expected = "cv.csv:4: series \"007\", cutoff 1, time 2 is at ";
    assert!(actual.contains(expected) && actual.contains("cv.csv:2 already, with another actual"), "{actual}");
    let forecast = refused(&format!("{head}007,2,1,5,7\n"));
    assert!(forecast.to_string().contains("other forecasts") && forecast.help().is_none());
    // 7 is another series than 007.
    assert!(forecasts::read(&request(&table(format!("{head}7,2,1,5,7\n")).path, &[Metric::Mae])).is_ok());
}

#[test]
fn bad_cells_have_places_and_are_counted() {
    let mut text = "unique_id,ds,cutoff,y,A\n".to_owned();
    text.extend((0..30).map(|row| format!("s,{row},-1,n/a!,oops\n")));
    let error = forecasts::read(&Request { models: vec!["A".into()], ..request(&table(text).path, &[Metric::Mae]) })
        .unwrap_err();
    assert!(error.to_string().contains("cv.csv:2:4: column \"y\": \"n/a!\" is not a number"), "{error}");
    assert!(error.to_string().ends_with("… and 40 more"), "{error}");
}

#[test]
fn malformed_tables_are_refused_with_their_place() {
    let cases = [
        ("unique_id,ds,cutoff,y,A\ns,2,1,1\n", "cv.csv:2: the row has 4 fields (expected 5"),
        ("unique_id,ds,cutoff,y,A\ns,2,1,1,1,1\n", "cv.csv:2: the row has 6 fields (expected 5"),
        ("unique_id,ds,cutoff,y,A\ns,1,1,1,1\n", "cv.csv:2: the target time 1 is not after the cutoff 1"),
        ("unique_id,ds,cutoff,y,A\ns,x,1,1,1\n", "cv.csv:2:2: column \"ds\": \"x\" is not a time"),
        (
            "unique_id,ds,cutoff,y,A\ns,2024-01-02,2024-01-01,1,1\ns,2024-01-03T00:00Z,2024-01-01,1,1\n",
            "cv.csv:3: a time with an offset among rows with a date or time without",
        ),
        ("", "no header"),
        ("unique_id,ds,cutoff,y,A\n", "no rows"),
        ("unique_id;ds;cutoff;y;A\ns;2;1;1;1\n", "semicolons"),
        ("unique_id,ds,cutoff,A\ns,2,1,1\n", "cv.csv:1: no column \"y\""),
        ("unique_id,ds,cutoff,y\ns,2,1,1\n", "cv.csv:1: no model columns after y"),
        ("\u{1f}\u{fffd}", "no column"),
    ];
    for (text, expected) in cases {
        let error = refused(text).to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn the_world_writes_boms_quotes_and_line_ends() {
    let text = "\u{feff}\"unique_id\",ds,cutoff,y,A\r\n\
        \"a \"\"b\"\", c\",2024-01-02T00:00:00Z,2024-01-01T01:00:00+01:00,1,\"2\"\r\n\r\n\
        \"a \"\"b\"\", c\",2024-01-03 00:00:00Z,2024-01-01T00:00:00Z,+1e0, 3 ";
    let loaded = forecasts::read(&request(&table(text).path, &[Metric::Mae])).unwrap();
    assert_eq!(loaded.sufficient.series, ["a \"b\", c"]);
    assert_eq!(loaded.sufficient.cutoffs[0].label, "2024-01-01T00:00:00Z");
    assert_eq!(value(&loaded, "all", "A", Metric::Mae), 1.5);
}

#[test]
fn unpaired_rows_count_for_no_model_and_too_many_are_refused() {
    let text = "unique_id,ds,cutoff,y,A,B\ns,1,0,1,2,3\ns,2,0,,2,3\ns,3,0,1,NaN,3\ns,4,0,1,5,inf\ns,5,0,0,5,null\n";
    let table = table(text);
    let error = forecasts::read(&request(&table.path, &[Metric::Mae])).unwrap_err().to_string();
    let expected = "80.0 % of the rows are unpaired: no actual in 20.0 %, no forecast of A 20.0 %, B 40.0 %";
    assert!(error.starts_with(expected), "{error}");
    let loaded = forecasts::read(&Request { max_unpaired: 0.8, ..request(&table.path, &[Metric::Mae]) }).unwrap();
    let checks = &loaded.sufficient.checks;
    assert_eq!((checks.rows, checks.paired, checks.missing_actual, &checks.missing_forecast), (5, 1, 1, &vec![1, 2]));
    assert_eq!((value(&loaded, "all", "A", Metric::Mae), value(&loaded, "all", "B", Metric::Mae)), (1.0, 2.0));
}

#[test]
fn a_table_without_cutoffs_is_one_window_a_series() {
    let table = table("unique_id,ds,y,A\ns,1,1,2\ns,2,1,2\nt,1,1,2\n");
    let loaded = forecasts::read(&request(&table.path, &[Metric::Mae])).unwrap();
    assert_eq!((loaded.sufficient.cutoffs[0].label.as_str(), loaded.sufficient.horizon), ("unknown", 2));
    assert!(loaded.sufficient.notes.iter().any(|note| note.contains("its cutoff unknown")));
}

#[test]
fn several_files_are_one_table() {
    let (one, two) = (table("unique_id,ds,cutoff,y,A\ns,1,0,1,2\n"), table("A,y,cutoff,ds,unique_id\n3,1,0,2,s\n"));
    let files = vec![one.path.clone(), two.path.clone()];
    let loaded = forecasts::read(&Request { files, ..request(&one.path, &[Metric::Mae]) }).unwrap();
    assert_eq!((value(&loaded, "all", "A", Metric::Mae), loaded.inputs.len()), (1.5, 2));
    let files = vec![one.path.clone(), one.path.clone()];
    let error = forecasts::read(&Request { files, ..request(&one.path, &[Metric::Mae]) }).unwrap_err();
    assert!(error.to_string().contains("the same row"), "{error}");
}

#[test]
fn detail_by_series_has_the_same_totals() {
    let windows = forecasts::read(&bls(&[Metric::Mae, Metric::Mase])).unwrap();
    let series = forecasts::read(&Request { detail: Detail::Series, ..bls(&[Metric::Mae, Metric::Mase]) }).unwrap();
    assert_eq!(series.sufficient.groups[0].panel.series.len(), 14);
    for metric in [Metric::Mae, Metric::Mase] {
        let (left, right) = (value(&windows, "all", "Ridge", metric), value(&series, "all", "Ridge", metric));
        assert!((left - right).abs() < 1e-12 * left, "{left} {right}");
    }
}

#[test]
fn directions_of_the_class_are_reproduced_within_a_window() {
    // modelbenchmark_behaviour.json: a flat forecast against 5, 6, 5, 7 scores 33.3 %, all zeros against all zeros 100 %.
    let diff = |text: &str| {
        let table = table(text);
        let request = Request { direction: Direction::Diff, ..request(&table.path, &[Metric::Da]) };
        forecasts::read(&request).map(|loaded| value(&loaded, "all", "A", Metric::Da))
    };
    let flat = "unique_id,ds,cutoff,y,A\ns,1,0,5,5\ns,2,0,6,5\ns,3,0,5,5\ns,4,0,7,5\n";
    assert!((diff(flat).unwrap() - 1.0 / 3.0).abs() < 1e-15);
    assert_eq!(diff("unique_id,ds,cutoff,y,A\ns,1,0,0,0\ns,2,0,0,0\ns,3,0,0,0\n").unwrap(), 1.0);
    let unsorted = diff("unique_id,ds,cutoff,y,A\ns,2,0,5,5\ns,1,0,6,5\n").unwrap_err();
    assert!(unsorted.to_string().contains("not in the order of time"));
}

#[test]
fn the_last_actual_is_known_from_the_training_table_or_not_at_all() {
    let cv = table("unique_id,ds,cutoff,y,A,N\ns,1,0,5,7,4\ns,2,0,3,5,4\ns,3,0,4,5,4\nt,1,0,5,7,4\n");
    let train = table("unique_id,ds,y\ns,-1,2\ns,0,4\n");
    let metrics = [Metric::Da, Metric::DaTie, Metric::Mase];
    let loaded = forecasts::read(&Request { train: Some(train.path.clone()), ..request(&cv.path, &metrics) }).unwrap();
    // Up 5 v 7 is a hit, 3 v 5 is not, the third actual ties; series t has no history.
    assert_eq!((value(&loaded, "all", "A", Metric::Da), value(&loaded, "all", "N", Metric::Da)), (0.5, 0.0));
    assert_eq!(
        (value(&loaded, "all", "A", Metric::DaTie), value(&loaded, "all", "N", Metric::DaTie)),
        (1.0 / 3.0, 1.0)
    );
    assert_eq!((loaded.sufficient.checks.no_last_actual, loaded.sufficient.checks.no_scale), (1, 1));
    assert_eq!(value(&loaded, "all", "A", Metric::Mase), (2.0 + 2.0 + 1.0) / 2.0 / 3.0);
}

#[test]
fn other_actuals_in_the_training_table_are_refused() {
    let cv = table("unique_id,ds,cutoff,y,A\ns,1,0,5,7\n");
    let train = table("unique_id,ds,y\ns,0,4\ns,1,6\n");
    let request = Request { train: Some(train.path.clone()), ..request(&cv.path, &[Metric::Mae]) };
    let error = forecasts::read(&request).unwrap_err();
    assert!(error.to_string().contains("the actual 5 is 6 in the training table"), "{error}");
}

#[test]
fn an_absent_measure_is_a_count_of_zero() {
    let measures = vec![Measure::DirectionHit, Measure::AbsoluteScaledError];
    let loaded = forecasts::read(&Request { measures, ..request(CV, &[]) }).unwrap();
    assert!(loaded.sufficient.groups[0].panel.counts.iter().all(|&count| count == 0));
    assert_eq!(loaded.sufficient.checks.no_last_actual, 1932);
}
