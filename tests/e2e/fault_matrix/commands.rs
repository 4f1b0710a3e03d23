//! The commands that read files, each with the input that its rows spoil, and the cells that are no plain bad input.

use super::files::Format::{self, Binary, Json, Lines, Opaque, Schema, Table, Text, Toml};

/// Where another status than 2 is right, and why.
pub(crate) struct Cell {
    pub(crate) kinds: &'static [&'static str],
    pub(crate) status: i32,
    #[allow(dead_code, reason = "for who reads the table")]
    pub(crate) why: &'static str,
}

/// A command, and the file of it that is spoiled.
pub(crate) struct Input {
    pub(crate) tool: &'static str,
    pub(crate) words: &'static str,
    pub(crate) spoils: &'static str,
    pub(crate) format: Format,
    /// The status while nothing is spoiled.
    pub(crate) sound: i32,
    pub(crate) cells: &'static [Cell],
    /// Where the command may write although it fails: records of what was tried.
    pub(crate) keeps: &'static str,
}

impl Input {
    /// For daemons: what they say when they have begun.
    pub(crate) fn ready(&self) -> Option<&'static str> {
        let is_daemon = self.words.split(' ').next() == Some("run");
        is_daemon.then_some("no server")
    }

    const fn sound(self, sound: i32) -> Self {
        Self { sound, ..self }
    }

    const fn but(self, cells: &'static [Cell]) -> Self {
        Self { cells, ..self }
    }

    const fn keeps(self, keeps: &'static str) -> Self {
        Self { keeps, ..self }
    }
}

const fn input(tool: &'static str, words: &'static str, spoils: &'static str, format: Format) -> Input {
    Input { tool, words, spoils, format, sound: 0, cells: &[], keeps: "" }
}

const fn cell(kinds: &'static [&'static str], status: i32, why: &'static str) -> Cell {
    Cell { kinds, status, why }
}

const CV: Format = Table("LightGBM", "ds");
const TRAIN: Format = Table("y", "ds");

const fn bench(words: &'static str, spoils: &'static str, format: Format) -> Input {
    input("bench-compare", words, spoils, format)
}

const BENCH_COMPARE: &[Input] = &[
    bench("score cv.csv --train train.csv --season 12 -o earlier.txt", "cv.csv", CV),
    bench("score cv.csv --train train.csv --season 12 -o earlier.txt", "train.csv", TRAIN),
    bench("score cv.parquet -o earlier.txt", "cv.parquet", Binary),
    bench("profile cv.csv --model LightGBM -o earlier.txt", "cv.csv", CV),
    bench("profile cv.csv --train train.csv --model LightGBM -o earlier.txt", "train.csv", TRAIN),
    bench("gate --forecasts cv.csv --baseline-model SeasonalNaive --candidate-model LightGBM -o earlier.txt", "cv.csv", CV).sound(4),
    bench("gate --forecasts cv.csv --train train.csv --baseline-model SeasonalNaive --candidate-model LightGBM -o earlier.txt", "train.csv", TRAIN).sound(4),
    bench("gate --forecasts cv.csv --baseline-model SeasonalNaive --candidate-model LightGBM --about model=model.pkl -o earlier.txt", "model.pkl", Opaque).sound(4),
    bench("gate --baseline base.json --candidate cand.json --baseline-model random_forest_v1 --candidate-model lightgbm_v2 -o earlier.txt", "base.json", Json).sound(1),
    bench("gate --baseline base.json --candidate cand.json --baseline-model random_forest_v1 --candidate-model lightgbm_v2 -o earlier.txt", "cand.json", Json).sound(1),
    bench("gate --results board.csv --baseline-model Seasonal_Naive --candidate-model new --metric eval_metrics/MASE[0.5] -o earlier.txt", "board.csv", Table("eval_metrics/MASE[0.5]", "dataset")),
    bench("leaderboard board.csv --resamples 0 -o earlier.txt", "board.csv", Table("eval_metrics/MASE[0.5]", "dataset")),
    bench("test dm errors.csv -o earlier.txt", "errors.csv", Table("e1", "t")),
    bench("lint cand.json -o earlier.txt", "cand.json", Json),
    bench("lint cv.csv -o earlier.txt", "cv.csv", CV),
    bench("check -o earlier.txt", "promotion.toml", Toml),
    bench("show-config -o earlier.txt", "promotion.toml", Toml),
    bench("score cv.csv -o earlier.txt", "promotion.toml", Toml),
];

const fn manifest(words: &'static str, spoils: &'static str, format: Format) -> Input {
    input("manifest-gen", words, spoils, format)
}

const REGISTRY: &str = "models/registry.json";
const MANIFEST: &str = "models/releases/lightgbm/2.0.0/manifest.json";
const MANIFEST_1: &str = "models/releases/lightgbm/1.0.0/manifest.json";
const MANIFEST_3: &str = "models/releases/lightgbm/3.0.0/manifest.json";

const NEW: &str = "new lightgbm 4 --artifact model=model.pkl --artifact preprocessing=scaler.pkl --benchmark benchmark.json \
    --mape-unit percent --dataset walmart --verdict verdict.json --profile profile.json \
    --features-from model.txt --scaling scaling.json --env-lock requirements.lock --data train.csv --evidence tests=tests.xml \
    --code-commit 0123abc -o earlier.txt";

const MANIFEST_GEN: &[Input] = &[
    manifest(NEW, "model.pkl", Binary),
    manifest(NEW, "benchmark.json", Json),
    manifest(NEW, "verdict.json", Schema),
    manifest(NEW, "profile.json", Schema),
    manifest(NEW, "model.txt", Text),
    manifest(NEW, "scaling.json", Json),
    manifest(NEW, "requirements.lock", Opaque),
    manifest(NEW, "train.csv", TRAIN),
    manifest(NEW, "tests.xml", Opaque),
    manifest("scan model.pkl -o earlier.txt", "model.pkl", Binary),
    manifest("sign lightgbm 5 --key key.pem -o earlier.txt", "key.pem", Text),
    manifest("sign lightgbm 5 --key key.pem -o earlier.txt", "models/releases/lightgbm/5.0.0/manifest.json", Schema),
    manifest("verify lightgbm 2 --key key.pub -o earlier.txt", REGISTRY, Schema),
    manifest("verify lightgbm 2 --key key.pub -o earlier.txt", MANIFEST, Schema),
    manifest("verify lightgbm 2 --key key.pub -o earlier.txt", "models/releases/lightgbm/2.0.0/model.sig", Text),
    manifest("verify lightgbm 2 --key key.pub -o earlier.txt", "models/releases/lightgbm/2.0.0/lightgbm_v2.pkl", Binary),
    manifest("verify lightgbm 2 --key key.pub -o earlier.txt", "models/metadata/lightgbm_v2.json", Schema),
    manifest("verify lightgbm 2 --key key.pub -o earlier.txt", "key.pub", Text),
    manifest("promote lightgbm 3 --key key.pub -o earlier.txt", REGISTRY, Schema),
    manifest("promote lightgbm 3 --key key.pub -o earlier.txt", MANIFEST_3, Schema),
    manifest("promote lightgbm 3 --key key.pub -o earlier.txt", "models/releases/lightgbm/3.0.0/evidence/verdict.json", Schema),
    manifest("promote lightgbm 3 --key key.pub -o earlier.txt", "key.pub", Text),
    manifest("promote lightgbm 3 --key key.pub --evidence tests=tests.xml -o earlier.txt", "tests.xml", Opaque),
    manifest("promote lightgbm 3 --key key.pub --readme README.md -o earlier.txt", "README.md", Text),
    manifest("rollback lightgbm -o earlier.txt", REGISTRY, Schema),
    manifest("rollback lightgbm -o earlier.txt", MANIFEST_1, Schema),
    manifest("yank lightgbm 1 --reason old -o earlier.txt", REGISTRY, Schema),
    manifest("resolve lightgbm -o earlier.txt", REGISTRY, Schema),
    manifest("resolve lightgbm --artifact model --verify -o earlier.txt", MANIFEST, Schema),
    manifest("render --readme README.md -o earlier.txt", REGISTRY, Schema),
    manifest("render --readme README.md -o earlier.txt", "README.md", Text),
    manifest("stale serve.py -o earlier.txt", REGISTRY, Schema),
    manifest("stale serve.py -o earlier.txt", "serve.py", Opaque),
    manifest("audit lightgbm -o earlier.txt", REGISTRY, Schema).sound(1),
    manifest("audit lightgbm -o earlier.txt", MANIFEST, Schema).sound(1),
    manifest("check-request lightgbm request.json --staleness off -o earlier.txt", "request.json", Json),
    manifest("check-request lightgbm request.csv --staleness off -o earlier.txt", "request.csv", Table("last", "lag1")),
    manifest("check-request lightgbm request.json --staleness off -o earlier.txt", REGISTRY, Schema),
    manifest("diff lightgbm 1 2 -o earlier.txt", MANIFEST_1, Schema),
    manifest("export card lightgbm 2 -o earlier.txt", MANIFEST, Schema),
    manifest("export cyclonedx lightgbm 2 -o earlier.txt", MANIFEST, Schema),
    manifest("repair -o earlier.txt", REGISTRY, Schema),
    manifest("check -o earlier.txt", "promotion.toml", Toml),
    manifest("resolve lightgbm -o earlier.txt", "promotion.toml", Toml),
];

const fn drift(words: &'static str, spoils: &'static str, format: Format) -> Input {
    input("drift-watch", words, spoils, format)
}

const PREDICTIONS: Format = Table("y_hat", "target_time");
const ACTUALS: Format = Table("y", "target_time");

const DRIFT_WATCH: &[Input] = &[
    drift("replay --predictions predictions.csv --actuals actuals.csv --warm-up 10d --no-config -o earlier.txt", "predictions.csv", PREDICTIONS).sound(1),
    drift("replay --predictions predictions.csv --actuals actuals.csv --warm-up 10d --no-config -o earlier.txt", "actuals.csv", ACTUALS).sound(1),
    drift("replay --predictions predictions.jsonl --actuals actuals.jsonl --warm-up 10d --no-config -o earlier.txt", "predictions.jsonl", Lines("y_hat", "target_time")).sound(1),
    drift("replay --predictions predictions.jsonl --actuals actuals.jsonl --warm-up 10d --no-config -o earlier.txt", "actuals.jsonl", Lines("y", "target_time")).sound(1),
    drift("replay --predictions predictions.jsonl --actuals actuals.jsonl --profile profile.json -o earlier.txt", "profile.json", Schema).sound(4),
    drift("verify-alarms --profile profile.json --runs 2 --promise 50 -o earlier.txt", "profile.json", Schema),
    drift("verify-alarms --manifest models/metadata/lightgbm_v2.json --runs 2 --promise 50 -o earlier.txt", "models/metadata/lightgbm_v2.json", Schema),
    drift("export --joined --predictions predictions.csv --actuals actuals.csv --warm-up 10d -o earlier.txt --format csv", "actuals.csv", ACTUALS),
    drift("export --joined --state state --format csv -o earlier.txt", "state/store.json", Schema),
    drift("state dump --state state -o earlier.txt", "state/store.json", Schema),
    drift("state dump --state state -o earlier.txt", "state/journal/00000000000000000001.journal", Binary),
    drift("status --token-file token --url http://127.0.0.1:9 -o earlier.txt", "token", Text).sound(3),
    drift("check -o earlier.txt", "promotion.toml", Toml),
    drift("replay --predictions predictions.jsonl --actuals actuals.jsonl --profile profile.json -o earlier.txt", "promotion.toml", Toml).sound(4),
    drift("run --predictions predictions.jsonl --actuals actuals.jsonl --profile profile.json --no-listen --state state", "profile.json", Schema).keeps("state/"),
    drift("run --predictions predictions.jsonl --actuals actuals.jsonl --no-listen --state state", "state/store.json", Schema).keeps("state/"),
    drift("run --predictions predictions.jsonl --actuals actuals.jsonl --no-listen --state state", "promotion.toml", Toml),
];

const fn rebench(words: &'static str, spoils: &'static str, format: Format) -> Input {
    input("rebench-cron", words, spoils, format)
}

const RECORDS: &str = "rebench-cron-state/rebench.sqlite";
const KEPT: &str = "rebench-cron-state/";

const REBENCH_CRON: &[Input] = &[
    rebench("check -o earlier.txt", "promotion.toml", Toml),
    rebench("show-config -o earlier.txt", "promotion.toml", Toml),
    rebench("next shop -o earlier.txt", "promotion.toml", Toml),
    rebench("explain @daily -o earlier.txt", "promotion.toml", Toml),
    rebench("once shop -o earlier.txt", "promotion.toml", Toml),
    rebench("status -o earlier.txt", "promotion.toml", Toml),
    rebench("trigger shop -o earlier.txt", "promotion.toml", Toml),
    rebench("history shop -o earlier.txt", "promotion.toml", Toml),
    rebench("export --to crontab shop -o units", "promotion.toml", Toml),
    rebench("run --no-listen", "promotion.toml", Toml),
    rebench("status -o earlier.txt", RECORDS, Binary),
    rebench("history shop -o earlier.txt", RECORDS, Binary),
    rebench("trigger shop -o earlier.txt", RECORDS, Binary),
    rebench("once shop -o earlier.txt", RECORDS, Binary),
    rebench("run --no-listen", RECORDS, Binary),
    rebench("trigger shop --evidence evidence.json -o earlier.txt", "evidence.json", Json),
    rebench("once shop -o earlier.txt", "cv.csv", CV).keeps(KEPT),
    rebench("once shop --slack-url-file url -o earlier.txt", "url", Opaque),
    rebench("run --no-listen --webhook-secret-file token --webhook http://127.0.0.1:9/", "token", Opaque),
];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Input> {
    [BENCH_COMPARE, MANIFEST_GEN, DRIFT_WATCH, REBENCH_CRON].into_iter().flatten()
}
