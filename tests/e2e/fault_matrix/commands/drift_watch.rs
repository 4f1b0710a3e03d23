//! What drift-watch reads: records, profiles, its state, tokens.

use super::super::files::Format::{self, Binary, Lines, Schema, Table, Text, Toml};
use super::{Cell, Input, NO_SETTINGS, cell, input};

const fn drift(words: &'static str, spoils: &'static str, format: Format) -> Input {
    input("drift-watch", words, spoils, format)
}

const PREDICTIONS: Format = Table("y_hat", "target_time");
const ACTUALS: Format = Table("y", "target_time");
const REPLAY_CSV: &str =
    "replay --predictions predictions.csv --actuals actuals.csv --warm-up 10d --no-config -o earlier.txt";
const REPLAY_LINES: &str =
    "replay --predictions predictions.jsonl --actuals actuals.jsonl --warm-up 10d --no-config -o earlier.txt";
const REPLAY_PROFILE: &str =
    "replay --predictions predictions.jsonl --actuals actuals.jsonl --profile profile.json -o earlier.txt";
const EXPORT: &str =
    "export --joined --predictions predictions.csv --actuals actuals.csv --warm-up 10d --format csv -o earlier.txt";
const JOURNAL: &str = "state/journal/00000000000000000001.journal";

/// Rows that cannot be read are set aside with a warning, and the answer is that of the others.
const NO_RECORDS: Cell =
    cell(&["empty", "whitespace", "header only"], 4, "nothing has come yet, which may change").without_file();
const SET_ASIDE: Cell = cell(
    &[
        "invalid UTF-8",
        "NUL bytes",
        "text for a number",
        "infinity",
        "NaN",
        "row too short",
        "row too long",
        "no such date",
        "quote left open",
        "field missing",
    ],
    1,
    "a bad row is set aside with a warning that names it; the others show the drift",
);
const TORN: Cell =
    cell(&["truncated", "corrupt end"], 0, "bad rows are set aside; what is left of the forecasts shows no drift");
const TORN_ACTUALS: Cell =
    cell(&["truncated", "corrupt end"], 1, "bad rows are set aside; what is left shows the drift");
const SET_ASIDE_EXPORT: Cell = cell(
    &[
        "truncated",
        "corrupt end",
        "invalid UTF-8",
        "NUL bytes",
        "text for a number",
        "infinity",
        "row too short",
        "row too long",
        "no such date",
        "quote left open",
    ],
    0,
    "a bad row is set aside with a warning, and the others are written",
)
.with_warning();

const NOTHING_KEPT: Cell = cell(&["absent"], 0, "a daemon that has read nothing yet has no journal");
const CUT_OFF: Cell = cell(
    &["empty", "whitespace", "truncated", "corrupt end", "noise", "PNG", "HTML", "gzip", "zstd", "one huge line"],
    0,
    "an end without a whole frame is what a kill leaves: it is cut off, and said",
)
.with_warning();

pub(super) const ALL: &[Input] = &[
    drift(REPLAY_CSV, "predictions.csv", PREDICTIONS).sound(1).but(&[NO_RECORDS, SET_ASIDE, TORN]),
    drift(REPLAY_CSV, "actuals.csv", ACTUALS).sound(1).but(&[NO_RECORDS, SET_ASIDE, TORN_ACTUALS]),
    drift(REPLAY_LINES, "predictions.jsonl", Lines("y_hat", "target_time"))
        .sound(1)
        .but(&[NO_RECORDS, SET_ASIDE, TORN]),
    drift(REPLAY_LINES, "actuals.jsonl", Lines("y", "target_time")).sound(1).but(&[
        NO_RECORDS,
        SET_ASIDE,
        TORN_ACTUALS,
    ]),
    drift(REPLAY_PROFILE, "profile.json", Schema).sound(4),
    drift("verify-alarms --profile profile.json --runs 2 --promise 50 -o earlier.txt", "profile.json", Schema),
    drift(
        "verify-alarms --manifest models/metadata/lightgbm_v2.json --runs 2 --promise 50 -o earlier.txt",
        "models/metadata/lightgbm_v2.json",
        Schema,
    ),
    drift(EXPORT, "actuals.csv", ACTUALS).named("actual").but(&[SET_ASIDE_EXPORT]),
    drift("export --joined --state state --format csv -o earlier.txt", "state/store.json", Schema)
        .named("state")
        .keeps("state/"),
    drift("state dump --state state -o earlier.txt", "state/store.json", Schema).named("state").keeps("state/"),
    drift("state dump --state state -o earlier.txt", JOURNAL, Binary)
        .named("state/journal")
        .keeps("state/")
        .but(&[NOTHING_KEPT, CUT_OFF]),
    drift("status --token-file token --url http://127.0.0.1:9 -o earlier.txt", "token", Text).sound(3).but(&[cell(
        &["truncated", "one huge line"],
        3,
        "a token like any other, and nobody listens there",
    )
    .without_file()]),
    drift("check -o earlier.txt", "promotion.toml", Toml).but(&[NO_SETTINGS]),
    drift(
        "run --predictions predictions.jsonl --actuals actuals.jsonl --profile profile.json --no-listen --state state",
        "profile.json",
        Schema,
    )
    .keeps("state/"),
    drift(
        "run --predictions predictions.jsonl --actuals actuals.jsonl --no-listen --state state",
        "state/store.json",
        Schema,
    )
    .keeps("state/")
    .but(&[cell(&["absent"], 0, "it is written anew: frames carry a version of their own")]),
    drift(
        "run --predictions predictions.jsonl --actuals actuals.jsonl --no-listen --read-token-file token",
        "token",
        Text,
    )
    .but(&[cell(&["truncated", "one huge line"], 0, "a token like any other")]),
];
