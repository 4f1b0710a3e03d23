//! Folders as forecast tables: one file a cutoff, columns in paths, files that are no tables.

use std::fs;
use std::path::{Path, PathBuf};

use bench_compare::args::{Cli, Command};
use bench_compare::load::forecasts::{self, Loaded, Request};
use bench_compare::profile;
use clap::Parser;
use shared::Error;
use shared::digest;
use shared::format::profile::Profile;
use shared::format::sufficient::Panel;
use shared::metric::{Metric, measures_of};

use crate::cache::write;

const CV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv/bls_unemployment_cv.csv");
const TRAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv/bls_unemployment_train.csv");

/// A folder of files, by path and text.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, text.as_bytes());
    }
    folder
}

fn request(path: &Path) -> Request {
    let measures = measures_of(&[Metric::Mae, Metric::Mape, Metric::Mase], None);
    let models = vec!["Ridge".into(), "LightGBM".into()];
    Request {
        files: vec![path.to_owned()],
        train: Some(TRAIN.into()),
        season: 12,
        models,
        measures,
        ..Request::default()
    }
}

fn small(path: &Path) -> Request {
    let measures = measures_of(&[Metric::Mae], None);
    Request { files: vec![path.to_owned()], measures, ..Request::default() }
}

fn refused(files: &[(&str, &str)]) -> Error {
    let folder = folder(files);
    forecasts::read(&small(folder.path())).unwrap_err()
}

fn bits(panel: &Panel) -> (Vec<u64>, &[u32], &[u32]) {
    (panel.sums.iter().map(|sum| sum.to_bits()).collect(), &panel.counts, &panel.rows)
}

fn assert_same_sums(left: &Loaded, right: &Loaded) {
    let (left, right) = (&left.sufficient, &right.sufficient);
    assert_eq!((&left.series, &left.cutoffs, &left.checks), (&right.series, &right.cutoffs, &right.checks));
    assert_eq!(left.groups.len(), right.groups.len());
    for (left, right) in left.groups.iter().zip(&right.groups) {
        assert!(left.name == right.name && bits(&left.panel) == bits(&right.panel), "{}", left.name);
    }
}

/// Windows are summed up in pieces whose ends depend on the files, so that their sums may differ in the last bits.
fn assert_close(left: &Loaded, right: &Loaded) {
    assert_eq!(left.sufficient.checks, right.sufficient.checks);
    assert_eq!(left.sufficient.groups.len(), right.sufficient.groups.len());
    for (left, right) in left.sufficient.groups.iter().zip(&right.sufficient.groups) {
        let is_close = |(left, right): (&f64, &f64)| (left - right).abs() <= 1e-12 * left.abs();
        assert_eq!((&left.name, &left.panel.counts), (&right.name, &right.panel.counts));
        assert!(left.panel.sums.iter().zip(&right.panel.sums).all(is_close), "{}", left.name);
    }
}

/// The table of unemployment rates, its rows by the value of one column, without that column.
fn unemployment_by(column: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(CV).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let mut header = lines.next().unwrap();
    let place = header.iter().position(|name| *name == column).unwrap();
    header.remove(place);
    let mut files: Vec<(String, String)> = Vec::new();
    for mut line in lines {
        let path = format!("{column}={}/part-0.csv", line.remove(place));
        if !files.iter().any(|(known, _)| *known == path) {
            files.push((path.clone(), header.join(",") + "\n"));
        }
        let (_, text) = files.iter_mut().find(|(known, _)| *known == path).unwrap();
        *text += &(line.join(",") + "\n");
    }
    files
}

fn written(files: &[(String, String)]) -> tempfile::TempDir {
    folder(&files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>())
}

#[test]
fn a_table_split_by_cutoff_or_series_has_the_sums_of_the_whole() {
    let by = |path: &Path| Request { by: vec!["h".into()], slices: vec!["holiday = 1".into()], ..request(path) };
    let whole = forecasts::read(&by(Path::new(CV))).unwrap();
    for column in ["cutoff", "unique_id", "ds"] {
        let split = written(&unemployment_by(column));
        assert_close(&whole, &forecasts::read(&by(split.path())).unwrap());
    }
}

#[test]
fn the_profile_of_a_folder_is_that_of_the_whole_table() {
    let split = written(&unemployment_by("cutoff"));
    let profile = |table: &str| {
        let line = ["bench-compare", "profile", table, "--train", TRAIN, "--season", "12", "--model", "LightGBM"];
        let Command::Profile(args) = Cli::try_parse_from(line).unwrap().command else { panic!("profile") };
        Profile { inputs: Vec::new(), ..profile::profile(&args).unwrap() }
    };
    assert_eq!(profile(CV), profile(split.path().to_str().unwrap()));
}

#[test]
fn a_column_of_the_path_serves_slices_and_groups() {
    let split = written(&unemployment_by("holiday"));
    let by = |path: &Path| Request {
        by: vec!["holiday".into()],
        slices: vec!["holiday = 1 and h < 3".into()],
        ..request(path)
    };
    assert_close(&forecasts::read(&by(Path::new(CV))).unwrap(), &forecasts::read(&by(split.path())).unwrap());
}

#[test]
fn files_are_read_in_the_byte_order_of_their_paths_and_listed_with_their_digests() {
    let split = written(&unemployment_by("cutoff"));
    for extra in ["_SUCCESS", ".part-0.csv.crc", "_temporary/0/part-9.csv", "cutoff=1999-01-01/.hidden.csv"] {
        let path = split.path().join(extra);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, b"no table");
    }
    write(&split.path().join("cutoff=2004-01-01/part-1.csv"), b"");
    let loaded = forecasts::read(&request(split.path())).unwrap();
    let paths: Vec<PathBuf> = loaded.inputs.iter().map(|input| input.path.clone()).collect();
    assert_eq!(paths.len(), 23 + 1 + 1, "23 cutoffs, an empty file, the training table");
    assert_eq!(paths[1], split.path().join("cutoff=2004-01-01/part-1.csv"));
    assert!(paths[..24].is_sorted_by_key(|path| path.as_os_str().to_owned()));
    for input in &loaded.inputs {
        assert_eq!(input.sha256, digest::of_file(&input.path).unwrap());
    }
}

#[test]
fn many_small_files_give_the_same_bits_on_any_number_of_threads() {
    let split = written(&unemployment_by("cutoff"));
    let with = |threads| forecasts::read(&Request { threads, ..request(split.path()) }).unwrap();
    let one = with(1);
    for threads in [2, 3, 8] {
        let many = with(threads);
        assert_same_sums(&one, &many);
        assert_eq!(one.inputs, many.inputs);
    }
}

const HEADER: &str = "unique_id,ds,y,A\n";

#[test]
fn columns_may_stand_in_another_order_but_none_may_be_absent() {
    let files =
        [("a.csv", "unique_id,ds,cutoff,y,A\nx,3,2,1.0,2.0\n"), ("b.csv", "A,y,unique_id,cutoff,ds\n4.0,1.0,x,3,4\n")];
    let loaded = forecasts::read(&small(folder(&files).path())).unwrap();
    assert_eq!(loaded.sufficient.groups[0].panel.sums, [1.0, 3.0]);
    let error = refused(&[files[0], ("b.csv", "unique_id,ds,cutoff,y\nx,4,3,1.0\n")]);
    assert!(error.to_string().contains("b.csv:1: no column \"A\""), "{error}");
    let error = refused(&[
        ("cutoff=2/a.csv", "unique_id,ds,y,A\nx,3,1.0,2.0\n"),
        ("plain/b.csv", "unique_id,ds,y,A\nx,4,1.0,2.0\n"),
    ]);
    assert!(error.to_string().contains("plain/b.csv:1: no column \"cutoff\""), "{error}");
}

#[test]
fn what_is_no_table_is_named() {
    let table = format!("{HEADER}x,3,1.0,2.0\n");
    let error = refused(&[("a.csv", &table), ("notes.txt", "")]);
    assert!(error.to_string().contains("notes.txt: not a table in a folder of tables"), "{error}");
    assert!(refused(&[("_SUCCESS", "")]).to_string().contains("the folder holds no table"));
    let linked = folder(&[("a.csv", &table)]);
    std::os::unix::fs::symlink(linked.path(), linked.path().join("again")).unwrap();
    let error = forecasts::read(&small(linked.path())).unwrap_err();
    assert!(error.to_string().contains("again: a link to a folder"), "{error}");
    assert!(refused(&[("a.csv", HEADER), ("b.csv", "")]).to_string().contains("no rows"));
}

#[test]
fn a_column_in_path_and_file_must_agree_in_each_row() {
    let with = |cutoff: &str, region: &str| {
        let text = format!("unique_id,ds,cutoff,y,A,region\nx,2024-01-03,{cutoff},1.0,2.0,{region}\n");
        let folder = folder(&[("cutoff=2024-01-02/region=07/a.csv", text.as_str())]);
        forecasts::read(&Request { models: vec!["A".into()], by: vec!["region".into()], ..small(folder.path()) })
    };
    assert_eq!(with("2024-01-02 00:00:00", "07").unwrap().sufficient.groups[1].name, "region=07");
    let other_cutoff = with("2024-01-01", "07").unwrap_err();
    assert!(
        other_cutoff.to_string().contains("a.csv:2: column \"cutoff\" says something else than the path"),
        "{other_cutoff}"
    );
    let other_region = with("2024-01-02", "7").unwrap_err();
    assert!(other_region.to_string().contains("column \"region\" says something else"), "{other_region}");
}

#[test]
fn paths_that_give_no_usable_value_are_refused() {
    let table = format!("{HEADER}x,2024-01-03,1.0,2.0\n");
    for (path, message) in [
        ("cutoff=soon/a.csv", "column \"cutoff\" is not a time in the path"),
        ("cutoff=__HIVE_DEFAULT_PARTITION__/a.csv", "column \"cutoff\" is not a time in the path"),
        ("unique_id=__HIVE_DEFAULT_PARTITION__/a.csv", "column \"unique_id\" is missing in the path"),
        ("y=1/a.csv", "column \"y\" is in the path"),
        ("unique_id=x/ds=2024-01-03/a.csv", "column \"ds\" and the series are in the path"),
        ("cutoff=2024-01-01/cutoff=2024-01-02/a.csv", "column \"cutoff\" is in the path twice"),
        ("cutoff=%FF/a.csv", "does not decode"),
        ("cutoff=5/a.csv", "a whole number"),
    ] {
        let error = refused(&[(path, &table)]);
        assert!(error.to_string().contains(message), "{path}: {error}");
    }
}

#[test]
fn a_missing_value_of_a_path_is_null() {
    let text = "unique_id,ds,cutoff,y,A\nx,3,2,1.0,2.0\n";
    let split =
        folder(&[("region=__HIVE_DEFAULT_PARTITION__/a.csv", text), ("region=EU/a.csv", &text.replace('x', "z"))]);
    let loaded = forecasts::read(&Request {
        by: vec!["region".into()],
        slices: vec!["region is null".into(), "region = 'EU'".into()],
        ..small(split.path())
    });
    let groups = loaded.unwrap().sufficient.groups;
    let rows = |name: &str| groups.iter().find(|group| group.name == name).unwrap().panel.rows.iter().sum::<u32>();
    assert_eq!(["region is null", "region = 'EU'", "region=null", "region=EU"].map(rows), [1, 1, 1, 1]);
}

#[test]
fn models_are_told_from_the_first_file_with_rows() {
    let rows = "unique_id,ds,cutoff,y,A,note\nx,3,2,1.0,2.0,good\n";
    let split = folder(&[("a.csv", ""), ("b.csv", "unique_id,ds,cutoff,y,A,note\n"), ("c.csv", rows)]);
    assert_eq!(forecasts::read(&small(split.path())).unwrap().sufficient.models, ["A"]);
}

#[test]
fn more_files_than_descriptors_are_read() {
    let text =
        |index: usize| format!("unique_id,ds,cutoff,y,A\ns{},{},{index},1.5,{}\n", index % 7, index + 1, index % 5);
    let files: Vec<(String, String)> = (0..3000).map(|index| (format!("{index}.csv"), text(index))).collect();
    let split = written(&files);
    let loaded = forecasts::read(&small(split.path())).unwrap();
    assert_eq!((loaded.sufficient.checks.rows, loaded.inputs.len()), (3000, 3000));
    // The errors |k - 1.5| for k = 0 to 4 add up to 6.5, 600 times over.
    assert!((loaded.sufficient.groups[0].panel.sums.iter().sum::<f64>() - 600.0 * 6.5).abs() < 1e-9);
}
