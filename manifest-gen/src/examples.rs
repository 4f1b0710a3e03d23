//! The examples that `--help` and the manual pages show.

use shared::cli::Examples;

/// All of them, by command.
pub const ALL: Examples = &[
    (
        "",
        &[
            "manifest-gen new lightgbm 2 --artifact model=lightgbm.pkl --artifact preprocessing=scaler.pkl --verdict verdict.json",
            "manifest-gen promote lightgbm 2 --evidence tests=junit.xml",
            "manifest-gen resolve lightgbm@champion --artifact model --verify",
        ],
    ),
    (
        "new",
        &[
            "manifest-gen new lightgbm 2 --artifact model=lightgbm.pkl --artifact preprocessing=scaler.pkl",
            "manifest-gen new ridge 1.1 --artifact model=pipeline.joblib --self-contained --benchmark results.json --dataset walmart",
            "manifest-gen new ridge 1.1 --artifact model=pipeline.joblib --self-contained --check",
        ],
    ),
    (
        "scan",
        &[
            "manifest-gen scan models/*.pkl",
            "manifest-gen scan models/*.pkl --json",
            "manifest-gen scan models/mine.pkl --allow mypkg.models.MyModel",
        ],
    ),
    (
        "sign",
        &[
            "manifest-gen sign lightgbm 2 --key private.pem",
            "manifest-gen sign lightgbm 2 --key private.pem --certificates chain.pem",
            "MANIFEST_GEN_SIGN_KEY=private.pem manifest-gen sign lightgbm 2",
        ],
    ),
    (
        "verify",
        &[
            "manifest-gen verify lightgbm 2 --key public.pem",
            "manifest-gen verify --all",
            "manifest-gen verify --all --require-signature --key public.pem --json",
        ],
    ),
    (
        "promote",
        &[
            "manifest-gen promote lightgbm 2",
            "manifest-gen promote lightgbm 2 --evidence tests=junit.xml --evidence lint=pre-commit.log",
            "manifest-gen promote lightgbm 2 --alias shadow --expect none",
        ],
    ),
    (
        "rollback",
        &[
            "manifest-gen rollback lightgbm",
            "manifest-gen rollback lightgbm --alias shadow --reason 'MAPE alarm'",
            "manifest-gen rollback lightgbm --to 1.2.0",
        ],
    ),
    (
        "yank",
        &[
            "manifest-gen yank lightgbm 1 --reason 'trained on leaked targets'",
            "manifest-gen yank ridge 1.1 --reason 'wrong scaler' --by release-team",
            "manifest-gen yank ridge 1.1 --reason 'wrong scaler' --json",
        ],
    ),
    (
        "resolve",
        &[
            "manifest-gen resolve lightgbm@champion --artifact model --verify",
            "manifest-gen resolve lightgbm@1 --json",
            "python predict.py --model \"$(manifest-gen resolve lightgbm@champion --artifact model)\"",
        ],
    ),
    (
        "render",
        &[
            "manifest-gen render --readme README.md",
            "manifest-gen render --readme README.md --check",
            "manifest-gen render --card docs/models",
        ],
    ),
    (
        "stale",
        &["manifest-gen stale .", "manifest-gen stale api dashboard jobs --strict", "manifest-gen stale . --json"],
    ),
    (
        "check-request",
        &[
            "manifest-gen check-request lightgbm@champion request.json",
            "manifest-gen check-request lightgbm@champion rows.csv --as-of 2026-11-24 --json",
            "manifest-gen check-request lightgbm@champion --print-schema",
        ],
    ),
    (
        "audit",
        &[
            "manifest-gen audit lightgbm@champion",
            "manifest-gen audit lightgbm@champion --format markdown -o audit.md",
            "manifest-gen audit lightgbm@2 --optional re-benchmark --json",
        ],
    ),
    ("diff", &["manifest-gen diff lightgbm 1 2", "manifest-gen diff lightgbm 1 2 --format markdown"]),
    (
        "export",
        &[
            "manifest-gen export cyclonedx lightgbm 2 -o lightgbm.cdx.json",
            "manifest-gen export card lightgbm 2 -o docs/models/lightgbm.md",
            "manifest-gen export schema",
        ],
    ),
    (
        "export cyclonedx",
        &["manifest-gen export cyclonedx lightgbm 2", "manifest-gen export cyclonedx lightgbm 2 --spec 1.5"],
    ),
    ("export card", &["manifest-gen export card lightgbm 2", "manifest-gen export card lightgbm 2 -o README.md"]),
    ("export schema", &["manifest-gen export schema -o manifest.schema.json"]),
    ("sync", &["manifest-gen sync", "manifest-gen sync --tracking-uri http://localhost:5000 --json"]),
    ("repair", &["manifest-gen repair", "manifest-gen repair --json", "manifest-gen repair --root models"]),
    ("check", &["manifest-gen check", "manifest-gen check --config other.toml", "manifest-gen check --json"]),
    (
        "show-config",
        &["manifest-gen show-config", "manifest-gen show-config promote", "manifest-gen show-config --json"],
    ),
];
