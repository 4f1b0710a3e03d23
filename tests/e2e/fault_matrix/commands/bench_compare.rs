//! What bench-compare reads: forecast tables, benchmark files, result tables, settings.

use super::super::files::Format::{self, Binary, Json, Opaque, Table, Toml};
use super::{CV, Cell, Input, NO_SETTINGS, NOT_FINITE_OPEN, TRAIN, cell, input};

const BOARD: Format = Table("eval_metrics/MASE[0.5]", "");

const NOT_FINITE: Cell = cell(&["infinity"], 0, "a row that is not finite is left out and counted");

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

pub(super) const ALL: &[Input] = &[
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
    bench("test dm errors.csv --columns e1,e2 -o earlier.txt", "errors.csv", Table("e1", "")).but(&[cell(
        &["NUL bytes"],
        0,
        "they stand in a name that the test does not read",
    )]),
    bench("lint cand.json -o earlier.txt", "cand.json", Json).but(&[FOUND_IN_JSON]),
    bench("lint cv.csv -o earlier.txt", "cv.csv", CV).but(&[
        FOUND_IN_TABLE,
        cell(&["column missing"], 0, "a warning: columns may be mapped where the table is read"),
    ]),
    bench("check --config promotion.toml -o earlier.txt", "promotion.toml", Toml).but(&[cell(
        &["empty", "whitespace"],
        0,
        "all keys are optional",
    )]),
    bench("show-config -o earlier.txt", "promotion.toml", Toml).few().but(&[NO_SETTINGS]),
    bench("score cv.csv -o earlier.txt", "promotion.toml", Toml).few().but(&[NO_SETTINGS]),
];

const FOUND_IN_JSON: Cell = cell(
    &["HTML", "CSV named JSON", "one huge line", "array", "string", "number", "null", "empty object"],
    1,
    "lint answers with what it found, and the answer is no; 2 is for what cannot be parsed at all",
);
const FOUND_IN_TABLE: Cell = cell(
    &[
        "truncated",
        "corrupt end",
        "invalid UTF-8",
        "NUL bytes",
        "HTML",
        "one huge line",
        "header only",
        "column twice",
        "JSON named CSV",
        "text for a number",
        "infinity",
        "row too short",
        "row too long",
        "no such date",
        "quote left open",
    ],
    1,
    "as for JSON: the table can be read, and rows of it are no evidence",
);
