//! What rebench-cron reads: jobs, records, what runs leave, addresses.

use super::super::files::Format::{self, Binary, Json, Text, Toml};
use super::{CV, Cell, Input, NO_SETTINGS, cell, input};

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
const NEW_RECORDS: Cell =
    cell(&["absent", "dangling link", "empty"], 0, "records begin with the first command that writes");
const NEW_RECORDS_OPEN: Cell =
    cell(&["absent", "dangling link", "empty"], 4, "records begin with the first run, which decides nothing")
        .without_file();
const LEFT_OUT: Cell = cell(&["infinity"], 4, "a row that is not finite is left out and counted").without_file();
const NO_RESULTS: Cell =
    cell(&["HTML"], 2, "the message says which results are not there, and where the run left its files").without_file();
const NO_DATA: Cell = cell(
    &["absent", "folder", "dangling link", "link loop"],
    0,
    "no data are no new data: nothing is run, and an alert says that the feed is stale",
);

pub(super) const ALL: &[Input] = &[
    rebench("check -o earlier.txt", "promotion.toml", Toml).but(&[NO_SETTINGS]),
    rebench("next shop -o earlier.txt", "promotion.toml", Toml).few(),
    rebench("explain @daily -o earlier.txt", "promotion.toml", Toml).few().but(&[NO_SETTINGS]),
    rebench("once shop -o earlier.txt", "promotion.toml", Toml).few(),
    rebench("status -o earlier.txt", "promotion.toml", Toml).few().but(&[cell(
        &["absent", "empty", "whitespace"],
        0,
        "records stay when their jobs are gone",
    )]),
    rebench("trigger shop -o earlier.txt", "promotion.toml", Toml).few(),
    rebench("history shop -o earlier.txt", "promotion.toml", Toml).few().but(&[cell(
        &["absent", "empty", "whitespace"],
        0,
        "records stay when their jobs are gone",
    )]),
    rebench("export --to crontab shop -o units", "promotion.toml", Toml).few(),
    rebench("run --no-listen", "promotion.toml", Toml).few(),
    rebench("status -o earlier.txt", RECORDS, Binary).named("rebench-cron-state").but(&[DAMAGED_PAGES]).keeps(KEPT),
    rebench("history shop -o earlier.txt", RECORDS, Binary)
        .named("rebench-cron-state")
        .but(&[DAMAGED_PAGES])
        .keeps(KEPT),
    rebench("trigger shop -o earlier.txt", RECORDS, Binary)
        .named("rebench-cron-state")
        .but(&[DAMAGED, NEW_RECORDS])
        .keeps(KEPT),
    rebench("once shop -o earlier.txt", RECORDS, Binary)
        .named("rebench-cron-state")
        .but(&[DAMAGED, NEW_RECORDS_OPEN])
        .keeps(KEPT),
    rebench("run --no-listen", RECORDS, Binary).named("rebench-cron-state").but(&[DAMAGED, NEW_RECORDS]).keeps(KEPT),
    rebench("trigger shop --evidence evidence.json -o earlier.txt", "evidence.json", Json).but(&[cell(
        &["array", "string", "number", "null", "empty object"],
        0,
        "evidence is kept as it came",
    )]),
    rebench("once shop -o earlier.txt", "cv.csv", CV).named(".csv").but(&[NO_DATA, LEFT_OUT, NO_RESULTS]).keeps(KEPT),
    rebench("once shop --slack-url-file url -o earlier.txt", "url", Text).but(&[cell(
        &["truncated"],
        0,
        "half of an address may be one",
    )]),
    rebench("run --no-listen --slack-url-file url", "url", Text).but(&[cell(
        &["truncated"],
        0,
        "half of an address may be one",
    )]),
];
