//! The examples that `--help` and the manual pages show.

use shared::cli::Examples;

/// All of them, by command.
pub const ALL: Examples = &[
    (
        "",
        &[
            "drift-watch replay --predictions predictions.jsonl --actuals actuals.jsonl --warm-up 40d",
            "drift-watch run --config promotion.toml",
            "drift-watch status",
        ],
    ),
    (
        "run",
        &[
            "drift-watch run --config promotion.toml",
            "drift-watch run --predictions 'live/predictions*.jsonl' --actuals 'live/actuals*.jsonl' --manifest models/metadata/lightgbm_v2.json",
            "drift-watch run --nats-url nats://127.0.0.1:4222 --warm-up 40d --webhook https://ops.example/hook",
            "drift-watch run --predictions p.jsonl --actuals a.jsonl --warm-up 40d --alertmanager http://127.0.0.1:9093 --webhook https://ops.example/hook",
        ],
    ),
    (
        "status",
        &[
            "drift-watch status",
            "drift-watch status --json",
            "drift-watch status --url http://127.0.0.1:9464 --token-file read.token",
        ],
    ),
    (
        "replay",
        &[
            "drift-watch replay --predictions predictions.jsonl --actuals actuals.jsonl --warm-up 40d",
            "drift-watch replay --predictions p.csv --actuals a.csv --profile profile.json --json -o replay.json",
            "drift-watch replay --predictions p.jsonl --actuals a.jsonl --warm-up 40d --rule 'mape > 1.5x over 28 min 50 for 3 clear 1.2'",
        ],
    ),
    (
        "verify-alarms",
        &[
            "drift-watch verify-alarms --profile profile.json",
            "drift-watch verify-alarms --profile profile.json --horizons 1..7 --seed 1",
            "drift-watch verify-alarms --manifest models/metadata/lightgbm_v2.json --promise 2000 --json",
        ],
    ),
    (
        "export",
        &[
            "drift-watch export --joined -o live.parquet",
            "drift-watch export --joined --state drift-watch-state -o live.csv",
            "drift-watch export --joined --predictions p.jsonl --actuals a.jsonl --warm-up 40d -o live.parquet",
        ],
    ),
    (
        "state",
        &["drift-watch state dump --canonical", "drift-watch state dump --state drift-watch-state -o state.json"],
    ),
    (
        "state dump",
        &[
            "drift-watch state dump --canonical",
            "drift-watch state dump --canonical --predictions p.jsonl --actuals a.jsonl --warm-up 40d",
            "drift-watch state dump --state drift-watch-state -o state.json",
        ],
    ),
    (
        "publish",
        &[
            "drift-watch publish predictions.jsonl actuals.csv.gz --nats-url nats://127.0.0.1:4222",
            "drift-watch publish - --nats-url tls://nats.example:4222 --nats-credentials-file nats.creds",
            "drift-watch publish backlog.csv --zone America/New_York --nats-url nats://127.0.0.1:4222",
        ],
    ),
    (
        "fleet",
        &[
            "drift-watch fleet dump --canonical --nats-url nats://127.0.0.1:4222 --warm-up 40d",
            "drift-watch fleet events --nats-url nats://127.0.0.1:4222",
        ],
    ),
    (
        "fleet dump",
        &[
            "drift-watch fleet dump --nats-url nats://127.0.0.1:4222 --warm-up 40d",
            "drift-watch fleet dump --canonical --nats-url nats://127.0.0.1:4222 --warm-up 40d -o fleet.json",
            "drift-watch fleet dump --canonical --records predictions.jsonl actuals.jsonl --warm-up 40d -o one.json",
        ],
    ),
    (
        "fleet events",
        &[
            "drift-watch fleet events --nats-url nats://127.0.0.1:4222",
            "drift-watch fleet events --nats-url nats://127.0.0.1:4222 -o events.jsonl",
        ],
    ),
    ("check", &["drift-watch check", "drift-watch check --config other.toml", "drift-watch check --json"]),
    (
        "show-config",
        &["drift-watch show-config", "drift-watch show-config run --format csv", "drift-watch show-config --json"],
    ),
];
