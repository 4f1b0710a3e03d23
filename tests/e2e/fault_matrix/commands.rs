//! The commands that read files, each with the input that its rows spoil, and the cells that are no plain bad input.

use super::files::Format::{self, Binary, Json, Lines, Opaque, Schema, Table, Text, Toml};

/// Where another status than 2 is right, and why.
pub(crate) struct Cell {
    pub(crate) kinds: &'static [&'static str],
    pub(crate) status: i32,
    pub(crate) why: &'static str,
    /// Whether a fault at a line is shown with it, and whether the file is named at all.
    pub(crate) says: Says,
}

/// How much of the place stands in the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Line,
    File,
    Nothing,
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
    /// What stands for the file in messages, where that is not its path.
    pub(crate) named: &'static str,
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

    const fn named(self, named: &'static str) -> Self {
        Self { named, ..self }
    }

    /// Commands whose findings are their result, also where a file cannot be read: it goes where results go.
    pub(crate) fn reports(&self) -> bool {
        ["lint", "scan", "verify"].iter().any(|name| self.words.split(' ').next() == Some(name))
    }

    const fn keeps(self, keeps: &'static str) -> Self {
        Self { keeps, ..self }
    }
}

const fn input(tool: &'static str, words: &'static str, spoils: &'static str, format: Format) -> Input {
    Input { tool, words, spoils, format, sound: 0, cells: &[], named: spoils, keeps: "" }
}

const fn cell(kinds: &'static [&'static str], status: i32, why: &'static str) -> Cell {
    Cell { kinds, status, why, says: Says::Line }
}

impl Cell {
    /// The answer names the file, and is not about one line of it.
    const fn without_line(self) -> Self {
        Self { says: Says::File, ..self }
    }

    /// The answer does not depend on this file.
    const fn without_file(self) -> Self {
        Self { says: Says::Nothing, ..self }
    }
}

const CV: Format = Table("y", "ds");
const TRAIN: Format = Table("y", "ds");
const BOARD: Format = Table("eval_metrics/MASE[0.5]", "");

/// What a table may hold, as the world writes it.
const NOT_FINITE: Cell = cell(&["infinity"], 0, "a row that is not finite is left out and counted");
const NOT_FINITE_OPEN: Cell = cell(&["infinity"], 4, "a row that is not finite is left out and counted").without_line();
/// Settings are found, not named.
const NO_SETTINGS: Cell = cell(&["absent", "empty", "whitespace"], 0, "promotion.toml is optional");

const fn bench(words: &'static str, spoils: &'static str, format: Format) -> Input {
    input("bench-compare", words, spoils, format)
}

const SCORE: &str = "score cv.csv --models SeasonalNaive,LightGBM --train train.csv --season 12 -o earlier.txt";
const PROFILE: &str = "profile cv.csv --train train.csv --model LightGBM -o earlier.txt";
const GATE: &str = "gate --forecasts cv.csv --train train.csv --baseline-model SeasonalNaive --candidate-model LightGBM \
    --about model=model.pkl -o earlier.txt";
const GATE_BENCHMARK: &str = "gate --baseline base.json --candidate cand.json --baseline-model random_forest_v1 \
    --candidate-model lightgbm_v2 -o earlier.txt";
const GATE_RESULTS: &str = "gate --results board.csv --baseline-model Seasonal_Naive --candidate-model new \
    --metric eval_metrics/MASE[0.5] -o earlier.txt";

const BENCH_COMPARE: &[Input] = &[
    bench(SCORE, "cv.csv", CV).but(&[NOT_FINITE]),
    bench(SCORE, "train.csv", TRAIN).but(&[NOT_FINITE]),
    bench("score cv.parquet -o earlier.txt", "cv.parquet", Binary),
    bench(PROFILE, "cv.csv", CV).but(&[NOT_FINITE]),
    bench(PROFILE, "train.csv", TRAIN).but(&[NOT_FINITE]),
    bench(GATE, "cv.csv", CV).sound(4).but(&[NOT_FINITE_OPEN]),
    bench(GATE, "train.csv", TRAIN).sound(4).but(&[NOT_FINITE_OPEN]),
    bench(GATE, "model.pkl", Opaque).sound(4),
    bench(GATE_BENCHMARK, "base.json", Json).sound(1),
    bench(GATE_BENCHMARK, "cand.json", Json).sound(1),
    bench(GATE_RESULTS, "board.csv", BOARD).sound(4).but(&[NOT_FINITE_OPEN]),
    bench("leaderboard board.csv --resamples 0 -o earlier.txt", "board.csv", BOARD),
    bench("test dm errors.csv --columns e1,e2 -o earlier.txt", "errors.csv", Table("e1", ""))
        .but(&[cell(&["NUL bytes"], 0, "they stand in a name that the test does not read")]),
    bench("lint cand.json -o earlier.txt", "cand.json", Json).but(&[FOUND_IN_JSON]),
    bench("lint cv.csv -o earlier.txt", "cv.csv", CV)
        .but(&[FOUND_IN_TABLE, cell(&["column missing"], 0, "a warning: columns may be mapped where the table is read")]),
    bench("check --config promotion.toml -o earlier.txt", "promotion.toml", Toml).but(&[cell(&["empty", "whitespace"], 0, "all keys are optional")]),
    bench("show-config -o earlier.txt", "promotion.toml", Toml).but(&[NO_SETTINGS]),
    bench("score cv.csv -o earlier.txt", "promotion.toml", Toml).but(&[NO_SETTINGS]),
];

const FOUND_IN_JSON: Cell = cell(
    &["HTML", "CSV named JSON", "one huge line", "array", "string", "number", "null", "empty object"],
    1,
    "lint answers with what it found, and the answer is no; 2 is for what cannot be parsed at all",
);
const FOUND_IN_TABLE: Cell = cell(
    &[
        "truncated", "corrupt end", "invalid UTF-8", "NUL bytes", "HTML", "one huge line", "header only", "column twice",
        "JSON named CSV", "text for a number", "infinity", "row too short", "row too long", "no such date", "quote left open",
    ],
    1,
    "as for JSON: the table can be read, and rows of it are no evidence",
);

const fn manifest(words: &'static str, spoils: &'static str, format: Format) -> Input {
    input("manifest-gen", words, spoils, format)
}

const REGISTRY: &str = "models/registry.json";
const MANIFEST: &str = "models/releases/lightgbm/2.0.0/manifest.json";
const MANIFEST_1: &str = "models/releases/lightgbm/1.0.0/manifest.json";
const MANIFEST_3: &str = "models/releases/lightgbm/3.0.0/manifest.json";
const SIGNATURE: &str = "models/releases/lightgbm/2.0.0/model.sig";
const MODEL: &str = "models/releases/lightgbm/2.0.0/lightgbm_v2.pkl";
const METADATA: &str = "models/metadata/lightgbm_v2.json";

const NEW: &str = "new lightgbm 4 --artifact model=model.pkl --artifact preprocessing=scaler.pkl --benchmark benchmark.json \
    --mape-unit percent --dataset walmart --verdict verdict.json --profile profile.json \
    --features-from model.txt --scaling scaling.json --env-lock requirements.lock --data train.csv --evidence tests=tests.xml \
    --code-commit 0123abc -o earlier.txt";
const VERIFY: &str = "verify lightgbm 2 --key key.pub -o earlier.txt";
const PROMOTE: &str = "promote lightgbm 3 --key key.pub --readme README.md --evidence tests=tests.xml -o earlier.txt";
const CHECK_JSON: &str = "check-request lightgbm request.json --staleness off -o earlier.txt";
const CHECK_CSV: &str = "check-request lightgbm request.csv --staleness off -o earlier.txt";

const MANIFEST_GEN: &[Input] = &[
    manifest(NEW, "model.pkl", Binary).but(&[
        cell(NOT_PARSED, 1, "an artefact that could hide anything is refused: the answer is no"),
        cell(PLAIN_TEXT, 0, "text imports nothing; loading it is another question"),
    ]),
    manifest(NEW, "benchmark.json", Json),
    manifest(NEW, "verdict.json", Schema),
    manifest(NEW, "profile.json", Schema),
    manifest(NEW, "model.txt", Text)
        .but(&[cell(&["truncated", "corrupt end", "invalid UTF-8", "NUL bytes"], 0, "the names of the features stand before them")]),
    manifest(NEW, "scaling.json", Json).but(&[cell(&["array", "empty object"], 0, "no steps of scaling")]),
    manifest(NEW, "requirements.lock", Opaque),
    manifest(NEW, "train.csv", TRAIN).but(&[ANY_DATA]),
    manifest(NEW, "tests.xml", Opaque),
    manifest("scan model.pkl -o earlier.txt", "model.pkl", Binary).but(&[
        cell(NOT_PARSED, 4, "scan: not fully parsed"),
        cell(PLAIN_TEXT, 0, "text imports nothing"),
    ]),
    manifest("sign lightgbm 5 --key key.pem -o earlier.txt", "key.pem", Text),
    manifest("sign lightgbm 5 --key key.pem -o earlier.txt", "models/releases/lightgbm/5.0.0/manifest.json", Schema),
    manifest(VERIFY, REGISTRY, Schema).but(&[cell(&["absent"], 0, "no release has been promoted yet")]),
    manifest(VERIFY, MANIFEST, Schema).but(&[MISMATCH]),
    manifest(VERIFY, SIGNATURE, Text).named("signature").but(&[MISMATCH_OF_A_FILE, GONE]),
    manifest(VERIFY, MODEL, Binary).but(&[MISMATCH_OF_A_FILE, cell(&["absent", "folder"], 1, "the file of the release is gone: a mismatch")]),
    manifest(VERIFY, METADATA, Schema).but(&[MISMATCH_OF_A_FILE, GONE]),
    manifest(VERIFY, "key.pub", Text),
    manifest(PROMOTE, REGISTRY, Schema).but(&[cell(&["absent"], 0, "the first promotion makes it")]),
    manifest(PROMOTE, MANIFEST_3, Schema),
    manifest(PROMOTE, "models/releases/lightgbm/3.0.0/evidence/verdict.json", Schema),
    manifest(PROMOTE, "key.pub", Text),
    manifest(PROMOTE, "tests.xml", Opaque),
    manifest(PROMOTE, "README.md", Text).but(&[AROUND_MARKERS]),
    manifest("rollback lightgbm -o earlier.txt", REGISTRY, Schema),
    manifest("rollback lightgbm -o earlier.txt", MANIFEST_1, Schema),
    manifest("yank lightgbm 1 --reason old -o earlier.txt", REGISTRY, Schema),
    manifest("resolve lightgbm -o earlier.txt", REGISTRY, Schema),
    manifest("resolve lightgbm --artifact model --verify -o earlier.txt", MANIFEST, Schema).but(&[MISMATCH_OF_A_FILE]),
    manifest("render --readme README.md -o earlier.txt", REGISTRY, Schema).but(&[cell(&["absent"], 0, "nothing is promoted")]),
    manifest("render --readme README.md -o earlier.txt", "README.md", Text).but(&[AROUND_MARKERS]),
    manifest("stale serve.py -o earlier.txt", REGISTRY, Schema),
    manifest("stale serve.py -o earlier.txt", "serve.py", Opaque).but(&[cell(&["folder"], 0, "folders are looked into")]),
    manifest("audit lightgbm -o earlier.txt", REGISTRY, Schema).sound(1),
    manifest("audit lightgbm -o earlier.txt", MANIFEST, Schema).sound(1),
    manifest(CHECK_JSON, "request.json", Json).but(&[cell(&["array", "empty object"], 1, "a request without features")]),
    manifest(CHECK_CSV, "request.csv", Table("last", "lag1")).but(&[OTHER_REQUEST]),
    manifest(CHECK_JSON, REGISTRY, Schema),
    manifest("diff lightgbm 1 2 -o earlier.txt", MANIFEST_1, Schema),
    manifest("export card lightgbm 2 -o earlier.txt", MANIFEST, Schema),
    manifest("export cyclonedx lightgbm 2 -o earlier.txt", MANIFEST, Schema),
    manifest("repair -o earlier.txt", REGISTRY, Schema).but(&[cell(&["absent"], 0, "there is nothing to repair")]),
    manifest("check -o earlier.txt", "promotion.toml", Toml).but(&[NO_SETTINGS]),
];

/// What a pickle is not, to its end.
const NOT_PARSED: &[&str] = &["empty", "truncated", "corrupt end", "noise", "PNG", "NUL bytes", "zstd"];
const PLAIN_TEXT: &[&str] = &["whitespace", "HTML", "gzip", "one huge line"];

const ANY_DATA: Cell = cell(
    &[
        "empty", "whitespace", "noise", "PNG", "invalid UTF-8", "UTF-16", "NUL bytes", "HTML", "gzip", "zstd", "one huge line",
        "header only", "column missing", "column twice", "JSON named CSV", "Parquet named CSV", "text for a number",
        "infinity", "quote left open",
    ],
    0,
    "data are hashed whatever they are; a note says that their coverage is not stated",
);
const MISMATCH: Cell = cell(
    &[
        "absent", "folder", "dangling link", "link loop", "unreadable", "empty", "whitespace", "truncated", "corrupt end",
        "noise", "PNG", "invalid UTF-8", "UTF-16", "NUL bytes", "HTML", "gzip", "zstd", "one huge line", "array", "string",
        "number", "null", "empty object", "brackets", "braces", "CSV named JSON", "newer schema", "key twice", "NaN",
    ],
    1,
    "whether a release is what it was is the question, and the answer is no",
)
.without_line();
const MISMATCH_OF_A_FILE: Cell = cell(
    &[
        "empty", "whitespace", "truncated", "corrupt end", "noise", "PNG", "invalid UTF-8", "UTF-16", "NUL bytes", "HTML", "gzip",
        "zstd", "one huge line", "array", "string", "number", "null", "empty object", "brackets", "braces", "CSV named JSON",
        "newer schema", "key twice", "NaN",
    ],
    1,
    "other bytes than those that were promoted: a mismatch",
)
.without_line();
const GONE: Cell = cell(&["absent", "dangling link", "link loop"], 1, "what was there is gone: a mismatch");
const AROUND_MARKERS: Cell =
    cell(&["invalid UTF-8", "NUL bytes"], 0, "what stands around the markers is kept, whatever it is");
const OTHER_REQUEST: Cell = cell(
    &[
        "empty", "whitespace", "truncated", "NUL bytes", "HTML", "one huge line", "header only", "column missing", "column twice",
        "JSON named CSV", "text for a number", "infinity", "row too short", "row too long", "no such date", "quote left open",
    ],
    1,
    "whether a request fits is the question, and the answer is no",
);

const fn drift(words: &'static str, spoils: &'static str, format: Format) -> Input {
    input("drift-watch", words, spoils, format)
}

const PREDICTIONS: Format = Table("y_hat", "target_time");
const ACTUALS: Format = Table("y", "target_time");
const REPLAY_CSV: &str = "replay --predictions predictions.csv --actuals actuals.csv --warm-up 10d --no-config -o earlier.txt";
const REPLAY_LINES: &str = "replay --predictions predictions.jsonl --actuals actuals.jsonl --warm-up 10d --no-config -o earlier.txt";
const REPLAY_PROFILE: &str = "replay --predictions predictions.jsonl --actuals actuals.jsonl --profile profile.json -o earlier.txt";
const EXPORT: &str = "export --joined --predictions predictions.csv --actuals actuals.csv --warm-up 10d --format csv -o earlier.txt";
const JOURNAL: &str = "state/journal/00000000000000000001.journal";

/// Rows that cannot be read are set aside with a warning, and the answer is that of the others.
const NO_RECORDS: Cell = cell(&["empty", "whitespace", "header only"], 4, "nothing has come yet, which may change").without_file();
const SET_ASIDE: Cell = cell(
    &[
        "invalid UTF-8", "NUL bytes", "text for a number", "infinity", "NaN", "row too short", "row too long", "no such date",
        "quote left open", "field missing",
    ],
    1,
    "a bad row is set aside with a warning that names it; the others show the drift",
);
const TORN: Cell = cell(&["truncated", "corrupt end"], 0, "bad rows are set aside; what is left of the forecasts shows no drift");
const TORN_ACTUALS: Cell = cell(&["truncated", "corrupt end"], 1, "bad rows are set aside; what is left shows the drift");
const SET_ASIDE_EXPORT: Cell = cell(
    &[
        "truncated", "corrupt end", "invalid UTF-8", "NUL bytes", "text for a number", "infinity", "row too short", "row too long",
        "no such date", "quote left open",
    ],
    0,
    "a bad row is set aside with a warning, and the others are written",
);

const DRIFT_WATCH: &[Input] = &[
    drift(REPLAY_CSV, "predictions.csv", PREDICTIONS).sound(1).but(&[NO_RECORDS, SET_ASIDE, TORN]),
    drift(REPLAY_CSV, "actuals.csv", ACTUALS).sound(1).but(&[NO_RECORDS, SET_ASIDE, TORN_ACTUALS]),
    drift(REPLAY_LINES, "predictions.jsonl", Lines("y_hat", "target_time")).sound(1).but(&[NO_RECORDS, SET_ASIDE, TORN]),
    drift(REPLAY_LINES, "actuals.jsonl", Lines("y", "target_time")).sound(1).but(&[NO_RECORDS, SET_ASIDE, TORN_ACTUALS]),
    drift(REPLAY_PROFILE, "profile.json", Schema).sound(4),
    drift("verify-alarms --profile profile.json --runs 2 --promise 50 -o earlier.txt", "profile.json", Schema),
    drift("verify-alarms --manifest models/metadata/lightgbm_v2.json --runs 2 --promise 50 -o earlier.txt", "models/metadata/lightgbm_v2.json", Schema),
    drift(EXPORT, "actuals.csv", ACTUALS).but(&[SET_ASIDE_EXPORT]),
    drift("export --joined --state state --format csv -o earlier.txt", "state/store.json", Schema).named("state").keeps("state/"),
    drift("state dump --state state -o earlier.txt", "state/store.json", Schema).named("state").keeps("state/"),
    drift("state dump --state state -o earlier.txt", JOURNAL, Binary).named("state/journal").keeps("state/"),
    drift("status --token-file token --url http://127.0.0.1:9 -o earlier.txt", "token", Text).sound(3)
        .but(&[cell(&["truncated", "one huge line"], 3, "a token like any other, and nobody listens there").without_file()]),
    drift("check -o earlier.txt", "promotion.toml", Toml).but(&[NO_SETTINGS]),
    drift("run --predictions predictions.jsonl --actuals actuals.jsonl --profile profile.json --no-listen --state state", "profile.json", Schema).keeps("state/"),
    drift("run --predictions predictions.jsonl --actuals actuals.jsonl --no-listen --state state", "state/store.json", Schema).keeps("state/")
        .but(&[cell(&["absent"], 0, "it is written anew: frames carry a version of their own")]),
    drift("run --predictions predictions.jsonl --actuals actuals.jsonl --no-listen --read-token-file token", "token", Text)
        .but(&[cell(&["truncated", "one huge line"], 0, "a token like any other")]),
];

const fn rebench(words: &'static str, spoils: &'static str, format: Format) -> Input {
    input("rebench-cron", words, spoils, format)
}

const RECORDS: &str = "rebench-cron-state/rebench.sqlite";
const KEPT: &str = "rebench-cron-state/";

const DAMAGED: Cell = cell(
    &["folder", "link loop", "truncated", "corrupt end", "NUL bytes"],
    3,
    "records that cannot be used are a failing environment: bringing back a copy helps, another command does not",
);
const DAMAGED_PAGES: Cell = cell(&["truncated", "corrupt end", "NUL bytes"], 3, "as for commands that write");
const NEW_RECORDS: Cell = cell(&["absent", "dangling link", "empty"], 0, "records begin with the first command that writes");
const NEW_RECORDS_OPEN: Cell = cell(&["absent", "dangling link", "empty"], 4, "records begin with the first run, which decides nothing").without_file();
const NO_DATA: Cell = cell(
    &["absent", "folder", "dangling link", "link loop"],
    0,
    "no data are no new data: nothing is run, and an alert says that the feed is stale",
);

const REBENCH_CRON: &[Input] = &[
    rebench("check -o earlier.txt", "promotion.toml", Toml).but(&[NO_SETTINGS]),
    rebench("next shop -o earlier.txt", "promotion.toml", Toml),
    rebench("explain @daily -o earlier.txt", "promotion.toml", Toml).but(&[NO_SETTINGS]),
    rebench("once shop -o earlier.txt", "promotion.toml", Toml),
    rebench("status -o earlier.txt", "promotion.toml", Toml).but(&[cell(&["absent", "empty", "whitespace"], 0, "records stay when their jobs are gone")]),
    rebench("trigger shop -o earlier.txt", "promotion.toml", Toml),
    rebench("history shop -o earlier.txt", "promotion.toml", Toml).but(&[cell(&["absent", "empty", "whitespace"], 0, "records stay when their jobs are gone")]),
    rebench("export --to crontab shop -o units", "promotion.toml", Toml),
    rebench("run --no-listen", "promotion.toml", Toml),
    rebench("status -o earlier.txt", RECORDS, Binary).named("rebench-cron-state").but(&[DAMAGED_PAGES]).keeps(KEPT),
    rebench("history shop -o earlier.txt", RECORDS, Binary).named("rebench-cron-state").but(&[DAMAGED_PAGES]).keeps(KEPT),
    rebench("trigger shop -o earlier.txt", RECORDS, Binary).named("rebench-cron-state").but(&[DAMAGED, NEW_RECORDS]).keeps(KEPT),
    rebench("once shop -o earlier.txt", RECORDS, Binary).named("rebench-cron-state").but(&[DAMAGED, NEW_RECORDS_OPEN]).keeps(KEPT),
    rebench("run --no-listen", RECORDS, Binary).named("rebench-cron-state").but(&[DAMAGED, NEW_RECORDS]).keeps(KEPT),
    rebench("trigger shop --evidence evidence.json -o earlier.txt", "evidence.json", Json)
        .but(&[cell(&["array", "string", "number", "null", "empty object"], 0, "evidence is kept as it came")]),
    rebench("once shop -o earlier.txt", "cv.csv", CV).named(".csv").but(&[NO_DATA, NOT_FINITE_OPEN]).keeps(KEPT),
    rebench("once shop --slack-url-file url -o earlier.txt", "url", Text).but(&[cell(&["truncated"], 0, "half of an address may be one")]),
    rebench("run --no-listen --slack-url-file url", "url", Text).but(&[cell(&["truncated"], 0, "half of an address may be one")]),
];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Input> {
    [BENCH_COMPARE, MANIFEST_GEN, DRIFT_WATCH, REBENCH_CRON].into_iter().flatten()
}
