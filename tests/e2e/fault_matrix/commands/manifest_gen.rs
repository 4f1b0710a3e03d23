//! What manifest-gen reads: artefacts, evidence, keys, releases, the registry, requests.

use super::super::files::Format::{self, Binary, Json, Opaque, Schema, Table, Text, Toml};
use super::{Cell, Input, NO_SETTINGS, TRAIN, cell, input};

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

pub(super) const ALL: &[Input] = &[
    manifest(NEW, "model.pkl", Binary).but(&[
        cell(NOT_PARSED, 1, "an artefact that could hide anything is refused: the answer is no"),
        cell(PLAIN_TEXT, 0, "text imports nothing; loading it is another question"),
    ]),
    manifest(NEW, "benchmark.json", Json),
    manifest(NEW, "verdict.json", Schema),
    manifest(NEW, "profile.json", Schema),
    manifest(NEW, "model.txt", Text).but(&[cell(
        &["truncated", "corrupt end", "invalid UTF-8", "NUL bytes"],
        0,
        "the names of the features stand before them",
    )]),
    manifest(NEW, "scaling.json", Json).but(&[cell(&["array", "empty object"], 0, "no steps of scaling")]),
    manifest(NEW, "requirements.lock", Opaque),
    manifest(NEW, "train.csv", TRAIN).but(&[ANY_DATA]),
    manifest(NEW, "tests.xml", Opaque),
    manifest("scan model.pkl -o earlier.txt", "model.pkl", Binary)
        .but(&[cell(NOT_PARSED, 4, "scan: not fully parsed"), cell(PLAIN_TEXT, 0, "text imports nothing")]),
    manifest("sign lightgbm 5 --key key.pem -o earlier.txt", "key.pem", Text),
    manifest("sign lightgbm 5 --key key.pem -o earlier.txt", "models/releases/lightgbm/5.0.0/manifest.json", Schema),
    manifest(VERIFY, REGISTRY, Schema).but(&[cell(&["absent"], 0, "no release has been promoted yet")]),
    manifest(VERIFY, MANIFEST, Schema).but(&[MISMATCH]),
    manifest(VERIFY, SIGNATURE, Text).named("sig").but(&[MISMATCH_OF_A_FILE, GONE]),
    manifest(VERIFY, MODEL, Binary)
        .but(&[MISMATCH_OF_A_FILE, cell(&["absent", "folder"], 1, "the file of the release is gone: a mismatch")]),
    manifest(VERIFY, METADATA, Schema).but(&[MISMATCH_OF_A_FILE, GONE]),
    manifest(VERIFY, "key.pub", Text),
    manifest(PROMOTE, REGISTRY, Schema).but(&[cell(&["absent"], 0, "the first promotion makes it")]),
    manifest(PROMOTE, MANIFEST_3, Schema),
    manifest(PROMOTE, "models/releases/lightgbm/3.0.0/evidence/verdict.json", Schema),
    manifest(PROMOTE, "key.pub", Text),
    manifest(PROMOTE, "tests.xml", Opaque),
    manifest(PROMOTE, "README.md", Text).but(&[AROUND_MARKERS]),
    manifest("rollback lightgbm -o earlier.txt", REGISTRY, Schema).few(),
    manifest("rollback lightgbm -o earlier.txt", MANIFEST_1, Schema).few(),
    manifest("yank lightgbm 1 --reason old -o earlier.txt", REGISTRY, Schema).few(),
    manifest("resolve lightgbm -o earlier.txt", REGISTRY, Schema).few(),
    manifest("resolve lightgbm --artifact model --verify -o earlier.txt", MANIFEST, Schema)
        .few()
        .but(&[MISMATCH_OF_A_FILE]),
    manifest("render --readme README.md -o earlier.txt", REGISTRY, Schema).few().but(&[cell(
        &["absent"],
        0,
        "nothing is promoted",
    )]),
    manifest("render --readme README.md -o earlier.txt", "README.md", Text).but(&[AROUND_MARKERS]),
    manifest("stale serve.py -o earlier.txt", REGISTRY, Schema).few(),
    manifest("stale serve.py -o earlier.txt", "serve.py", Opaque).but(&[cell(
        &["folder"],
        0,
        "folders are looked into",
    )]),
    manifest("audit lightgbm -o earlier.txt", REGISTRY, Schema).few().sound(1),
    manifest("audit lightgbm -o earlier.txt", MANIFEST, Schema).few().sound(1),
    manifest(CHECK_JSON, "request.json", Json).but(&[cell(
        &["array", "empty object"],
        1,
        "a request without features",
    )]),
    manifest(CHECK_CSV, "request.csv", Table("last", "lag1")).but(&[OTHER_REQUEST]),
    manifest(CHECK_JSON, REGISTRY, Schema).few(),
    manifest("diff lightgbm 1 2 -o earlier.txt", MANIFEST_1, Schema).few(),
    manifest("export card lightgbm 2 -o earlier.txt", MANIFEST, Schema).few(),
    manifest("export cyclonedx lightgbm 2 -o earlier.txt", MANIFEST, Schema).few(),
    manifest("repair -o earlier.txt", REGISTRY, Schema).but(&[cell(&["absent"], 0, "there is nothing to repair")]),
    manifest("check -o earlier.txt", "promotion.toml", Toml).but(&[NO_SETTINGS]),
];

/// What a pickle is not, to its end.
const NOT_PARSED: &[&str] = &["empty", "truncated", "corrupt end", "noise", "PNG", "NUL bytes", "zstd"];
const PLAIN_TEXT: &[&str] = &["whitespace", "HTML", "gzip", "one huge line"];

const ANY_DATA: Cell = cell(
    &[
        "empty",
        "whitespace",
        "noise",
        "PNG",
        "invalid UTF-8",
        "UTF-16",
        "NUL bytes",
        "HTML",
        "gzip",
        "zstd",
        "one huge line",
        "header only",
        "column missing",
        "column twice",
        "JSON named CSV",
        "Parquet named CSV",
        "text for a number",
        "infinity",
        "quote left open",
    ],
    0,
    "data are hashed whatever they are; a note says that their coverage is not stated",
);
const MISMATCH: Cell = cell(
    &[
        "absent",
        "folder",
        "dangling link",
        "link loop",
        "unreadable",
        "empty",
        "whitespace",
        "truncated",
        "corrupt end",
        "noise",
        "PNG",
        "invalid UTF-8",
        "UTF-16",
        "NUL bytes",
        "HTML",
        "gzip",
        "zstd",
        "one huge line",
        "array",
        "string",
        "number",
        "null",
        "empty object",
        "brackets",
        "braces",
        "CSV named JSON",
        "newer schema",
        "key twice",
        "NaN",
    ],
    1,
    "whether a release is what it was is the question, and the answer is no",
)
.without_line();
const MISMATCH_OF_A_FILE: Cell = cell(
    &[
        "empty",
        "whitespace",
        "truncated",
        "corrupt end",
        "noise",
        "PNG",
        "invalid UTF-8",
        "UTF-16",
        "NUL bytes",
        "HTML",
        "gzip",
        "zstd",
        "one huge line",
        "array",
        "string",
        "number",
        "null",
        "empty object",
        "brackets",
        "braces",
        "CSV named JSON",
        "newer schema",
        "key twice",
        "NaN",
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
        "empty",
        "whitespace",
        "truncated",
        "NUL bytes",
        "HTML",
        "one huge line",
        "header only",
        "column missing",
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
    "whether a request fits is the question, and the answer is no",
);
