//! Chunked metrics against `NannyML` 0.13.1 and whole-sample metrics against Evidently 0.7.23, on the rows of `NannyML`'s own
//! synthetic car price data; and both against plain Python on a small sample that is always there.
//!
//! The large comparison runs where `NANNYML_DATA` names the folder that `tests/python/nannyml_data.sh` prints.
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use drift_watch::core::chunk::{Chunk, METRICS, Pair, Standard, chunks, standards};
use drift_watch::core::sample::Sample;
use serde_json::Value;
use shared::metric::Metric;

const CHUNK_ROWS: usize = 6000;

fn reference(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/detectors");
    serde_json::from_str(&fs::read_to_string(Path::new(folder).join(name)).unwrap()).unwrap()
}

/// The folder of the data. Without one, a skip that is hard to overlook.
fn data() -> Option<PathBuf> {
    let named = std::env::var_os("NANNYML_DATA").filter(|folder| !folder.is_empty());
    if named.is_none() {
        // Past the test harness, which keeps what passing tests print to itself.
        let skip = b"\n*** SKIPPED: NANNYML_DATA names no folder; tests/python/nannyml_data.sh makes one\n";
        std::io::stderr().write_all(skip).unwrap();
    }
    named.map(PathBuf::from)
}

fn column(path: &Path, name: &str) -> Vec<f64> {
    let mut table = csv::Reader::from_path(path).unwrap();
    let index = table.headers().unwrap().iter().position(|header| header == name).unwrap();
    table.records().map(|record| record.unwrap()[index].parse().unwrap()).collect()
}

fn pairs(actuals: &Path, predictions: &Path) -> Vec<Pair> {
    let rows = column(actuals, "y_true").into_iter().zip(column(predictions, "y_pred"));
    let pairs: Vec<Pair> = rows.map(|(actual, predicted)| Pair { actual, predicted }).collect();
    assert_eq!(pairs.len(), 60_000);
    pairs
}

fn close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{what}: {ours} and {theirs}");
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn compare_chunk(chunk: &Chunk, standards: &[Standard], theirs: &Value) {
    assert_eq!(theirs["start_index"].as_u64(), Some(chunk.start as u64));
    for standard in standards.iter().filter(|standard| standard.metric != Metric::MeanError) {
        let (metric, values) = (standard.metric, &theirs[standard.metric.name()]);
        let what = format!("{metric} of the chunk at {}", chunk.start);
        close(chunk.value(metric).unwrap(), number(&values["value"]), 1e-12, &what);
        let sampling_error = standard.sampling_error(chunk.counted(metric)).unwrap();
        close(sampling_error, number(&values["sampling_error"]), 1e-12, &what);
        close(standard.limits.lower, number(&values["lower_threshold"]), 1e-12, &what);
        close(standard.limits.upper, number(&values["upper_threshold"]), 1e-12, &what);
        assert_eq!(Some(standard.is_alert(chunk)), values["alert"].as_bool(), "{what}");
    }
}

#[test]
fn chunks_are_those_of_nannyml() {
    let Some(folder) = data() else { return };
    let table = folder.join("regression_synthetic_reference.csv");
    let before = pairs(&table, &table);
    let after = pairs(
        &folder.join("regression_synthetic_analysis_targets.csv"),
        &folder.join("regression_synthetic_analysis.csv"),
    );
    let standards = standards(&before, CHUNK_ROWS).unwrap();
    assert_eq!(standards.len(), METRICS.len());
    let found = [chunks(&before, CHUNK_ROWS).unwrap(), chunks(&after, CHUNK_ROWS).unwrap()].concat();
    let theirs = reference("nannyml_results.json");
    let theirs = theirs["chunk_size_6000"].as_array().unwrap();
    assert_eq!((found.len(), theirs.len()), (20, 20));
    for (chunk, theirs) in found.iter().zip(theirs) {
        compare_chunk(chunk, &standards, theirs);
    }
}

#[test]
fn the_sample_is_that_of_evidently() {
    let Some(folder) = data() else { return };
    let sample = Sample::of(&pairs(
        &folder.join("regression_synthetic_analysis_targets.csv"),
        &folder.join("regression_synthetic_analysis.csv"),
    ));
    let (sample, theirs) = (sample.unwrap(), reference("evidently_results.json"));
    let of = |name: &str| {
        let all = theirs["metrics"].as_array().unwrap().iter();
        let mut named = all.filter(|metric| metric["metric_name"].as_str().unwrap().starts_with(&format!("{name}(")));
        named.next().unwrap()["value"].clone()
    };
    let equal = |ours: f64, theirs: &Value, what: &str| close(ours, number(theirs), 1e-9, what);
    equal(sample.mape_percent().unwrap(), &of("MAPE")["mean"], "MAPE, percent");
    equal(sample.mape_ratio.unwrap().sd.unwrap(), &of("MAPE")["std"], "sd of the relative error, a proportion");
    equal(sample.mae.mean, &of("MAE")["mean"], "MAE");
    equal(sample.mae.sd.unwrap(), &of("MAE")["std"], "sd of the absolute error");
    equal(sample.rmse, &of("RMSE"), "RMSE");
    equal(sample.mean_error.mean, &of("MeanError")["mean"], "mean error");
    equal(sample.mean_error.sd.unwrap(), &of("MeanError")["std"], "sd of the error");
    equal(sample.r2.unwrap(), &of("R2Score"), "R2");
    equal(sample.max_absolute_error, &of("AbsMaxError"), "largest absolute error");
}

// The small sample: 50 reference rows in chunks of 20 (the last of 10), 25 rows to judge, from a 64-bit linear congruential
// generator, so that a few lines of any language make them. The values below are those of
// `python3 tests/python/small_chunks.py` (Python 3.11, its own fractions and statistics modules, no package).

/// The top 53 bits of a 64-bit linear congruential generator (Knuth's MMIX constants), as proportions.
struct Congruential(u64);

impl Congruential {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn pairs(&mut self, count: usize, shift: f64) -> Vec<Pair> {
        let mut pair = || {
            let actual = 50.0 + 100.0 * self.next();
            Pair { actual, predicted: actual + 20.0 * (self.next() - 0.5) + shift }
        };
        (0..count).map(|_| pair()).collect()
    }
}

/// The reference, and the rows to judge.
fn small() -> (Vec<Pair>, Vec<Pair>) {
    let mut generator = Congruential(20_261_123);
    (generator.pairs(50, 0.0), generator.pairs(25, 4.0))
}

/// Metric; lower and upper limit; sampling error of 20 rows; values of the two judged chunks.
type Expected = (Metric, [f64; 2], f64, [f64; 2]);

const EXPECTED: [Expected; 5] = [
    (
        Metric::Mape,
        [0.029_332_830_467_228_697, 0.082_117_352_096_986_59],
        0.008_431_657_604_658_015,
        [0.078_730_582_154_1, 0.065_518_520_200_530_56],
    ),
    (
        Metric::Mae,
        [3.868_645_477_566_179_4, 6.476_721_191_952_695],
        0.664_909_808_780_354_2,
        [6.909_969_002_635_916, 6.305_201_887_981_354_5],
    ),
    (
        Metric::Mse,
        [16.918_951_521_601_016, 53.838_104_755_245_57],
        7.024_123_636_320_255_5,
        [60.840_768_879_074_766, 56.272_393_931_103_59],
    ),
    (
        Metric::Rmse,
        [4.407_310_322_455_997, 7.445_474_495_381_312],
        0.581_279_553_310_805_3,
        [7.800_049_286_964_459, 7.501_492_780_180_729],
    ),
    (
        Metric::MeanError,
        [-3.160_494_395_471_663_3, 2.505_934_329_215_059_5],
        1.344_514_084_082_402_8,
        [4.341_754_770_030_457, 5.324_934_149_167_484],
    ),
];

#[test]
fn small_chunks_are_those_of_exact_arithmetic() {
    let (before, after) = small();
    let standards = standards(&before, 20).unwrap();
    let judged = chunks(&after, 20).unwrap();
    assert_eq!((judged[0].rows, judged[1].rows, judged[1].start), (20, 5, 20));
    for (standard, (metric, limits, sampling_error, values)) in standards.iter().zip(EXPECTED) {
        assert_eq!(standard.metric, metric);
        close(standard.limits.lower, limits[0], 1e-12, metric.name());
        close(standard.limits.upper, limits[1], 1e-12, metric.name());
        close(standard.sampling_error(20).unwrap(), sampling_error, 1e-12, metric.name());
        close(standard.sampling_error(5).unwrap(), 2.0 * sampling_error, 1e-12, metric.name());
        for (chunk, value) in judged.iter().zip(values) {
            close(chunk.value(metric).unwrap(), value, 1e-12, metric.name());
            assert_eq!(standard.is_alert(chunk), value < limits[0] || value > limits[1], "{metric}");
        }
    }
}

#[test]
fn the_small_sample_is_that_of_exact_arithmetic() {
    let sample = Sample::of(&small().1).unwrap();
    let spread = |spread: drift_watch::core::sample::Spread, expected: [f64; 2], what: &str| {
        close(spread.mean, expected[0], 1e-12, what);
        close(spread.sd.unwrap(), expected[1], 1e-12, what);
    };
    spread(sample.mape_ratio.unwrap(), [0.076_088_169_763_386_12, 0.045_078_969_385_425_11], "MAPE");
    spread(sample.mae, [6.789_015_579_705_003, 3.796_429_428_314_198_6], "MAE");
    spread(sample.mean_error, [4.538_390_645_857_863, 6.400_692_039_006_276], "mean error");
    close(sample.rmse, 7.741_259_192_759_31, 1e-12, "RMSE");
    close(sample.r2.unwrap(), 0.928_816_296_985_112_7, 1e-12, "R2");
    close(sample.max_absolute_error, 13.309_275_414_607_228, 1e-12, "largest absolute error");
}
