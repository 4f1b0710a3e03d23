//! The tables, as SQL.

/// The version of the schema, which the file carries as its `user_version`.
pub(super) const VERSION: i64 = 1;

/// What names the file as ours (`application_id`): "rbch".
pub(super) const APPLICATION: i64 = 0x7262_6368;

/// Makes all tables. Times are RFC 3339 in UTC with nine digits of a second, so that text compares as time does.
pub(super) const TABLES: &str = "
CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    spec_hash TEXT NOT NULL,
    tz TEXT NOT NULL,
    created TEXT NOT NULL
) STRICT;

CREATE TABLE slots (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL REFERENCES jobs(name),
    scheduled_at TEXT NOT NULL,
    wall TEXT NOT NULL,
    tzdb TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('cron', 'catchup', 'drift', 'manual')),
    key TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('claimed', 'done', 'failed', 'skipped')),
    why TEXT,
    skipped_count INTEGER,
    decided_at TEXT NOT NULL,
    UNIQUE (job, scheduled_at, key),
    CHECK ((key = '') = (reason IN ('cron', 'catchup')))
) STRICT;
CREATE UNIQUE INDEX slots_key ON slots(job, key) WHERE key <> '';
CREATE INDEX slots_open ON slots(job) WHERE state = 'claimed';

CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL REFERENCES jobs(name),
    key TEXT NOT NULL CHECK (key <> ''),
    reason TEXT NOT NULL CHECK (reason IN ('drift', 'manual')),
    evidence TEXT NOT NULL CHECK (json_valid(evidence)),
    requested_at TEXT NOT NULL,
    taken_slot INTEGER REFERENCES slots(id),
    refused_why TEXT,
    UNIQUE (job, key),
    CHECK (taken_slot IS NULL OR refused_why IS NULL)
) STRICT;

CREATE TABLE env (
    hash TEXT PRIMARY KEY,
    json TEXT NOT NULL CHECK (json_valid(json))
) STRICT;

CREATE TABLE data (
    hash TEXT PRIMARY KEY,
    newest_ts TEXT,
    rows INTEGER,
    bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    slot INTEGER NOT NULL REFERENCES slots(id),
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    state TEXT NOT NULL CHECK (state IN
        ('claimed', 'started', 'exited', 'archived', 'compared', 'recorded', 'alerted', 'failed', 'lost')),
    host TEXT NOT NULL,
    boot_id TEXT,
    pid INTEGER,
    start_ticks INTEGER,
    token TEXT,
    started TEXT,
    ended TEXT,
    lateness_ms INTEGER NOT NULL,
    exit_kind TEXT CHECK (exit_kind IN ('exited', 'signalled', 'timed_out', 'cancelled', 'not_started')),
    exit_code INTEGER,
    signal INTEGER,
    user_ms INTEGER,
    system_ms INTEGER,
    peak_rss_bytes INTEGER,
    folder TEXT,
    fencing INTEGER NOT NULL,
    env TEXT REFERENCES env(hash),
    data TEXT REFERENCES data(hash),
    error TEXT,
    forgotten_at TEXT,
    UNIQUE (slot, attempt)
) STRICT;
CREATE INDEX runs_recorded ON runs(id) WHERE state = 'recorded';

CREATE TABLE artifacts (
    run INTEGER NOT NULL REFERENCES runs(id),
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    truncated INTEGER NOT NULL CHECK (truncated IN (0, 1)),
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics (
    run INTEGER NOT NULL REFERENCES runs(id),
    name TEXT NOT NULL,
    model TEXT NOT NULL,
    dataset TEXT NOT NULL,
    series TEXT NOT NULL DEFAULT '',
    fold TEXT NOT NULL DEFAULT '',
    value REAL NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (run, name, model, dataset, series, fold)
) STRICT, WITHOUT ROWID;

CREATE TABLE baselines (
    job TEXT NOT NULL REFERENCES jobs(name),
    id TEXT NOT NULL,
    model TEXT NOT NULL,
    version TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    run INTEGER REFERENCES runs(id),
    promoted_at TEXT NOT NULL,
    retired_at TEXT,
    PRIMARY KEY (job, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX baselines_live ON baselines(job) WHERE retired_at IS NULL;

CREATE TABLE verdicts (
    run INTEGER PRIMARY KEY REFERENCES runs(id),
    slot INTEGER NOT NULL UNIQUE REFERENCES slots(id),
    job TEXT NOT NULL REFERENCES jobs(name),
    baseline_id TEXT,
    baseline_kind TEXT CHECK (baseline_kind IN ('fresh', 'reused')),
    outcome TEXT NOT NULL CHECK (outcome IN
        ('holds', 'regressed', 'improved', 'inconclusive', 'invalid', 'not_reproducible', 'no_new_data')),
    effect REAL,
    se REAL,
    df REAL,
    ci_lo REAL,
    ci_hi REAL,
    p REAL,
    e_value REAL,
    noise_floor REAL,
    metric TEXT,
    candidate_model TEXT,
    baseline_model TEXT,
    reason TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    verdict_sha256 TEXT,
    at TEXT NOT NULL,
    FOREIGN KEY (job, baseline_id) REFERENCES baselines(job, id)
) STRICT;
CREATE INDEX verdicts_job ON verdicts(job, run);

CREATE TABLE fences (
    job TEXT PRIMARY KEY REFERENCES jobs(name),
    token INTEGER NOT NULL
) STRICT;

CREATE TABLE alerts (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES jobs(name),
    run INTEGER REFERENCES runs(id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('firing', 'resolved')),
    body TEXT NOT NULL CHECK (json_valid(body)),
    created TEXT NOT NULL,
    told_at TEXT,
    UNIQUE (id, state)
) STRICT;
CREATE INDEX alerts_job ON alerts(job);
CREATE INDEX alerts_untold ON alerts(number) WHERE told_at IS NULL;

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    job TEXT,
    run INTEGER,
    detail TEXT NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are only appended'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are only appended'); END;
";

/// The tables in the order in which they are exported, each with the columns that order its rows.
pub(super) const EXPORTED: [(&str, &str); 13] = [
    ("jobs", "name"),
    ("slots", "id"),
    ("requests", "id"),
    ("env", "hash"),
    ("data", "hash"),
    ("runs", "id"),
    ("artifacts", "run, path"),
    ("metrics", "run, name, model, dataset, series, fold"),
    ("baselines", "job, id"),
    ("verdicts", "run"),
    ("fences", "job"),
    ("alerts", "number"),
    ("events", "id"),
];
