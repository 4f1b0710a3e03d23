//! The cache of sums: whatever happens to files and entries, the result is that of a run without a cache, to the last bit.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bench_compare::load::forecasts::{self, CacheRequest, Detail, Direction, Request};
use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use shared::metric::{Metric, measures_of};

/// Tables in a folder, and a cache beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.tables()).unwrap();
        place
    }

    fn tables(&self) -> PathBuf {
        self.folder.path().join("tables")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.tables().join(name)
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn entries(&self) -> Vec<PathBuf> {
        let folders =
            fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
        let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
        let mut files: Vec<PathBuf> = files.collect();
        files.sort();
        files
    }

    fn request(&self) -> Request {
        let measures = measures_of(&[Metric::Mae, Metric::Smape], None);
        Request {
            files: vec![self.tables()],
            models: vec!["A".into(), "B".into()],
            measures,
            max_unpaired: 0.5,
            ..Request::default()
        }
    }

    /// With the cache, at a time at which every file here is long settled.
    fn cached(&self, request: Request) -> Request {
        let moment = SystemTime::from(Timestamp::now()) + Duration::from_hours(1);
        Request { cache: Some(CacheRequest { folder: self.cache(), rehash: false, moment }), ..request }
    }

    /// What the cache says of a run whose result must be that without it.
    fn remarks(&self, request: Request) -> Vec<String> {
        let plain = forecasts::read(&request);
        let cached = forecasts::read(&self.cached(request));
        let said = |loaded: &forecasts::Loaded| format!("{:?} {:?}", loaded.sufficient, loaded.inputs);
        let outcome = |loaded: &shared::Result<forecasts::Loaded>| {
            loaded.as_ref().map(said).map_err(|error| format!("{error} {:?}", error.help()))
        };
        assert_eq!(outcome(&plain), outcome(&cached));
        cached.map(|loaded| loaded.remarks).unwrap_or_default()
    }

    fn remark(&self) -> String {
        self.remarks(self.request()).join("; ")
    }
}

const HEADER: &str = "unique_id,ds,cutoff,y,A,B,region\n";

/// Three series, four steps.
fn week(cutoff: u32, salt: u32) -> String {
    let row = |series: u32, step: u32| {
        let y = f64::from(series * 7 + step * 3 + cutoff % 5) / 3.0;
        let a = if (series + step + salt).is_multiple_of(11) {
            String::new()
        } else {
            format!("{}", y + f64::from(salt % 7) / 9.0)
        };
        format!("s{series},{},{cutoff},{y},{a},{},r{}\n", cutoff + step, y * 1.1, series % 2)
    };
    let rows = (0..3).flat_map(|series| (1..5).map(move |step| row(series, step)));
    HEADER.to_owned() + &rows.collect::<String>()
}

/// Writes into the file itself, which keeps its inode.
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// Writes a file so that the system has another time for it than before, as it has for any two changes that are far enough apart.
fn put(path: &Path, text: &[u8]) {
    let before = fs::metadata(path).map(|known| (known.ctime(), known.ctime_nsec())).ok();
    loop {
        write(path, text);
        let known = fs::metadata(path).unwrap();
        if before != Some((known.ctime(), known.ctime_nsec())) {
            return;
        }
    }
}

/// Other bytes of the same length under the same time.
fn disguise(path: &Path, text: &[u8]) {
    let known = fs::metadata(path).unwrap();
    put(path, text);
    File::open(path).unwrap().set_modified(known.modified().unwrap()).unwrap();
    let now = fs::metadata(path).unwrap();
    assert_eq!((now.len(), now.modified().unwrap()), (known.len(), known.modified().unwrap()));
}

#[test]
fn only_new_and_changed_files_are_read() {
    let place = Place::new();
    for cutoff in 1..6 {
        put(&place.file(&format!("{cutoff}.csv")), week(cutoff, 0).as_bytes());
    }
    assert_eq!(place.remark(), "cache: 0 of 5 files known, 5 read");
    assert_eq!(place.remark(), "cache: 5 of 5 files known, 0 read");
    put(&place.file("6.csv"), week(6, 1).as_bytes());
    assert_eq!(place.remark(), "cache: 5 of 6 files known, 1 read");
    put(&place.file("6.csv"), week(6, 1).as_bytes());
    assert_eq!(place.remark(), "cache: 6 of 6 files known, 0 read", "touched, but the same");
    fs::rename(place.file("6.csv"), place.file("0.csv")).unwrap();
    assert_eq!(place.remark(), "cache: 6 of 6 files known, 0 read", "renamed");
    put(&place.file("2.csv"), week(2, 3).as_bytes());
    assert_eq!(place.remark(), "cache: 5 of 6 files known, 1 read", "changed");
    let text = week(3, 0).replace("s0,4,3,", "s0,7,3,").replacen("s0,7,3,", "s0,9,3,", 1);
    disguise(&place.file("3.csv"), text.as_bytes());
    assert_eq!(place.remark(), "cache: 5 of 6 files known, 1 read", "same size and time");
}

#[test]
fn another_question_is_not_answered_by_the_sums_of_the_first() {
    let place = Place::new();
    put(&place.file("a.csv"), week(1, 0).as_bytes());
    put(&place.file("b.csv"), week(2, 0).as_bytes());
    let train = place.folder.path().join("train.csv");
    put(&train, b"unique_id,ds,y\ns0,-2,1\ns0,-1,3\ns0,0,2\ns0,1,4\n");
    let with_train = |request: Request, season| Request {
        train: Some(train.clone()),
        season,
        measures: measures_of(&[Metric::Mase, Metric::Da], None),
        ..request
    };
    let questions: Vec<Request> = [
        place.request(),
        Request { models: vec!["B".into()], ..place.request() },
        Request { models: vec!["B".into(), "A".into()], ..place.request() },
        Request { measures: measures_of(&[Metric::Rmse], None), ..place.request() },
        Request { slices: vec!["region = 'r1'".into()], ..place.request() },
        Request { slices: vec!["region = 'r0'".into()], ..place.request() },
        Request { by: vec!["region".into()], ..place.request() },
        Request { by: vec!["h".into()], ..place.request() },
        Request { detail: Detail::Series, ..place.request() },
        Request { direction: Direction::Diff, measures: measures_of(&[Metric::Da], None), ..place.request() },
        with_train(place.request(), 1),
        with_train(place.request(), 2),
        Request { columns: forecasts::ColumnMap::parse("id=region").unwrap(), ..place.request() },
    ]
    .into();
    for request in &questions {
        let first = place.remarks(request.clone()).join("; ");
        // Rows of one region have the same times, which is an error.
        assert!(["cache: 0 of 2 files known, 2 read", ""].contains(&first.as_str()), "{request:?}: {first}");
    }
    for request in &questions {
        let again = place.remarks(request.clone()).join("; ");
        assert!(["cache: 2 of 2 files known, 0 read", ""].contains(&again.as_str()), "{request:?}: {again}");
    }
    put(&train, b"unique_id,ds,y\ns0,-2,1\ns0,-1,5\ns0,0,2\ns0,1,4\n");
    assert_eq!(place.remarks(with_train(place.request(), 1)), ["cache: 0 of 2 files known, 2 read"]);
}

#[test]
fn the_path_of_a_file_is_part_of_the_question() {
    let place = Place::new();
    let text = "unique_id,ds,y,A,B\nx,9,1.0,2.0,3.0\n";
    fs::create_dir(place.file("cutoff=1")).unwrap();
    put(&place.file("cutoff=1/a.csv"), text.as_bytes());
    assert_eq!(place.remark(), "cache: 0 of 1 files known, 1 read");
    fs::create_dir(place.file("cutoff=2")).unwrap();
    put(&place.file("cutoff=2/a.csv"), text.as_bytes());
    assert_eq!(place.remark(), "cache: 1 of 2 files known, 1 read");
    assert_eq!(place.remark(), "cache: 2 of 2 files known, 0 read");
}

#[test]
fn a_file_that_was_changed_a_moment_ago_is_not_remembered() {
    let place = Place::new();
    let path = place.file("a.csv");
    let now = |place: &Place| {
        let mut request = place.cached(place.request());
        request.cache.iter_mut().for_each(|cache| cache.moment = Timestamp::now().into());
        forecasts::read(&request).unwrap().remarks.join("; ")
    };
    put(&path, week(1, 0).as_bytes());
    assert_eq!(now(&place), "cache: 0 of 1 files known, 1 read");
    put(&path, week(1, 0).as_bytes());
    assert_eq!(now(&place), "cache: 0 of 1 files known, 1 read");
}

#[test]
fn rehashing_looks_at_every_byte_and_still_reads_no_rows() {
    let place = Place::new();
    put(&place.file("a.csv"), week(1, 0).as_bytes());
    place.remark();
    let mut request = place.cached(place.request());
    request.cache.iter_mut().for_each(|cache| cache.rehash = true);
    assert_eq!(forecasts::read(&request).unwrap().remarks, ["cache: 1 of 1 files known, 0 read"]);
}

#[test]
fn an_entry_with_any_byte_changed_or_cut_off_is_made_again() {
    let place = Place::new();
    put(&place.file("a.csv"), b"unique_id,ds,cutoff,y,A,B\nx,2,1,1.0,2.0,3.0\n");
    place.remark();
    let entry = place.entries().pop().unwrap();
    let good = fs::read(&entry).unwrap();
    let plain = forecasts::read(&place.request()).unwrap();
    let check = |bad: &[u8], what: &str| {
        write(&entry, bad);
        let loaded = forecasts::read(&place.cached(place.request())).unwrap();
        assert_eq!((&loaded.sufficient, &loaded.inputs), (&plain.sufficient, &plain.inputs), "{what}");
        assert_eq!(
            loaded.remarks.join("; "),
            "cache: 0 of 1 files known, 1 read; cache: 1 damaged entries were ignored and made again"
        );
        assert_eq!(fs::read(&entry).unwrap(), good, "{what}");
    };
    for byte in 0..good.len() {
        let mut bad = good.clone();
        bad[byte] ^= 0x41;
        check(&bad, &format!("byte {byte}"));
        check(&good[..byte], &format!("cut at {byte}"));
    }
}

#[test]
fn the_entry_of_another_file_in_the_place_of_one_is_not_taken_for_it() {
    let place = Place::new();
    put(&place.file("a.csv"), week(1, 0).as_bytes());
    put(&place.file("b.csv"), week(2, 5).as_bytes());
    place.remark();
    let [one, two] = place.entries().try_into().unwrap();
    fs::copy(&one, &two).unwrap();
    assert_eq!(
        place.remark(),
        "cache: 1 of 2 files known, 1 read; cache: 1 damaged entries were ignored and made again"
    );
}

#[test]
fn duplicates_across_files_are_found_whether_files_are_read_or_known() {
    let place = Place::new();
    put(&place.file("a.csv"), week(1, 0).as_bytes());
    put(&place.file("b.csv"), week(2, 0).as_bytes());
    place.remark();
    put(&place.file("c.csv"), week(1, 0).as_bytes());
    assert_eq!(place.remark(), "", "an error, the same as without the cache");
    let allowed = Request { allow_identical_duplicates: true, ..place.request() };
    assert_eq!(
        place.remarks(allowed.clone()),
        ["cache: 2 of 3 files known, 1 read"],
        "the copy is read without its rows"
    );
    assert_eq!(place.remarks(allowed), ["cache: 2 of 3 files known, 1 read"]);
    put(&place.file("c.csv"), week(1, 4).as_bytes());
    assert_eq!(place.remark(), "", "an error, the same as without the cache");
}

#[test]
fn bad_rows_and_mixed_times_are_told_as_without_a_cache() {
    let place = Place::new();
    put(&place.file("a.csv"), week(1, 0).as_bytes());
    place.remark();
    put(&place.file("b.csv"), format!("{HEADER}x,3,2,one,2,3,r0\n").as_bytes());
    assert_eq!((place.remark(), place.remark()), (String::new(), String::new()));
    put(&place.file("b.csv"), format!("{HEADER}x,2024-01-02,2024-01-01,1,2,3,r0\n").as_bytes());
    assert_eq!((place.remark(), place.remark()), (String::new(), String::new()));
}

#[test]
fn a_cache_that_cannot_be_written_changes_nothing() {
    let place = Place::new();
    put(&place.file("a.csv"), week(1, 0).as_bytes());
    write(&place.cache(), b"a file");
    let remark = place.remark();
    assert!(remark.starts_with("cache: 0 of 1 files known, 1 read; cache: not all is remembered: "), "{remark}");
}

#[test]
fn runs_at_the_same_time_share_a_cache() {
    let place = Place::new();
    for cutoff in 1..30 {
        put(&place.file(&format!("{cutoff}.csv")), week(cutoff, cutoff).as_bytes());
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| drop(place.remark())));
        }
    });
    assert_eq!(place.remark(), "cache: 29 of 29 files known, 0 read");
}

#[test]
fn a_large_file_is_known_block_by_block() {
    let place = Place::new();
    // Three blocks; the window of each series goes on from block to block.
    let row = |row: u32| {
        format!("s{},{},0,{}.25,{},{}.5,{}\n", row % 5, row + 1, row % 1000, row % 997, row % 991, "r".repeat(60))
    };
    put(&place.file("a.csv"), (HEADER.to_owned() + &(0..30_000).map(row).collect::<String>()).as_bytes());
    put(&place.file("b.csv"), week(40_000, 0).as_bytes());
    assert_eq!(place.remark(), "cache: 0 of 2 files known, 2 read");
    assert_eq!(place.remark(), "cache: 2 of 2 files known, 0 read");
}

/// One change to the files or the cache.
fn change(place: &Place, rng: &mut ChaCha8Rng) {
    let name = format!("{}.csv", rng.random_range(0..6));
    let path = place.file(&name);
    let text = fs::read(&path).ok();
    let target = match rng.random_range(0..3) {
        0 => Some(place.cache().join("index")),
        _ => place
            .cache()
            .exists()
            .then(|| place.entries())
            .filter(|all| !all.is_empty())
            .map(|all| all[rng.random_range(0..all.len())].clone()),
    };
    let target = target.filter(|target| target.exists());
    match (rng.random_range(0..9), text, target) {
        (0 | 1, _, _) | (_, None, _) => {
            put(&path, week(rng.random_range(1..9) * 10, rng.random_range(0..20)).as_bytes());
        }
        (2, Some(text), _) => put(&path, &text),
        (3, Some(text), _) => put(&path, &text[..rng.random_range(0..text.len())]),
        (4, Some(mut text), _) => {
            let digits: Vec<usize> = (HEADER.len()..text.len()).filter(|&place| text[place].is_ascii_digit()).collect();
            if !digits.is_empty() {
                text[digits[rng.random_range(0..digits.len())]] = b'0' + rng.random_range(0..10);
                disguise(&path, &text);
            }
        }
        (5, _, _) => fs::remove_file(&path).unwrap(),
        (6, _, Some(target)) => {
            let mut bytes = fs::read(&target).unwrap();
            let byte = rng.random_range(0..bytes.len());
            bytes[byte] ^= 1 << rng.random_range(0..8);
            write(&target, &bytes);
        }
        (7, _, Some(target)) => {
            let bytes = fs::read(&target).unwrap();
            write(&target, &bytes[..rng.random_range(0..bytes.len())]);
        }
        (_, _, Some(target)) => fs::remove_file(target).unwrap(),
        _ => {}
    }
}

#[test]
fn no_sequence_of_changes_makes_a_difference() {
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let place = Place::new();
        put(&place.file("first.csv"), week(0, 0).as_bytes());
        for _ in 0..25 {
            change(&place, &mut rng);
            let by = if rng.random_bool(0.3) { vec!["h".into(), "region".into()] } else { Vec::new() };
            let allow_identical_duplicates = rng.random_bool(0.5);
            place.remarks(Request {
                by,
                allow_identical_duplicates,
                threads: rng.random_range(1..4),
                ..place.request()
            });
        }
    }
}
