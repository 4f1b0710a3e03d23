//! A project as a team has it, in a folder of its own, and the tool run in it.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part; a panic is its answer")]
#![allow(missing_docs, unreachable_pub, reason = "test support")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use shared::digest;
use tempfile::TempDir;

pub const PUBLIC_KEY: &str = "public.pem";

pub struct Project {
    pub folder: TempDir,
}

pub struct Said {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn is(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{}{}", self.stdout, self.stderr);
        self
    }
}

pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(path)
}

impl Project {
    /// Model files of the versions 1, 2 and 3, evidence, a README with markers; nothing released.
    pub fn new() -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        for (version, source) in [("1", "lightgbm_v2.pkl.gz"), ("2", "lightgbm_v2.pkl"), ("3", "lightgbm_v2.pkl.xz")] {
            project.copy(&format!("artifacts/models/{source}"), &format!("models/lightgbm_v{version}.pkl"));
            let scaler = format!("models/preprocessing_lightgbm_v{version}.pkl");
            project.copy("artifacts/models/preprocessing_lightgbm.pkl", &scaler);
            project.write(&format!("verdict_{version}.json"), &project.verdict("promote", version));
        }
        project.copy("artifacts/models/lightgbm_v2.txt", "models/lightgbm_v2.txt");
        project.copy("benchmark/candidate/benchmark_results.json", "results/benchmark_results.json");
        project.write("data.csv", "unique_id,ds,y\na,2010-02-05,1\na,2012-08-03,2\nb,2010-02-05,\nb,2012-08-03,4\n");
        project.write("scaling.json", r#"[{"step": "standard", "columns": ["last", "lag1"]}]"#);
        project.write("requirements.lock", "numpy==2.3.1\n");
        project.write("README.md", "# Models\n\n<!-- manifest-gen:begin -->\n<!-- manifest-gen:end -->\n\nEnd.\n");
        project.write("promotion.toml", CONFIG);
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        shared::fsio::write_atomic(&path, text.as_bytes()).unwrap();
    }

    pub fn copy(&self, from: &str, to: &str) {
        let path = self.path(to);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(data(from), path).unwrap();
    }

    /// A verdict over the files of a version.
    pub fn verdict(&self, decision: &str, version: &str) -> String {
        let subject = |role: &str, path: &str| {
            let sha256 = digest::of_file(&self.path(path)).unwrap();
            json!({"role": role, "path": path, "sha256": sha256})
        };
        let subjects = json!([
            subject("model", &format!("models/lightgbm_v{version}.pkl")),
            subject("preprocessing", &format!("models/preprocessing_lightgbm_v{version}.pkl")),
        ]);
        verdict(decision, &subjects).to_string()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manifest-gen"));
        self.furnish(&mut command);
        command
    }

    /// The folder and environment of every command.
    pub fn furnish(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .env("SOURCE_DATE_EPOCH", "1800000000")
            .env("USER", "tester")
            .env_remove("MLFLOW_TRACKING_URI")
            .stdin(Stdio::null());
    }

    pub fn run(&self, line: &str) -> Said {
        said(&self.command().args(line.split_whitespace()).output().unwrap())
    }

    /// `new` with everything that a team would say.
    pub fn new_line(version: &str) -> String {
        format!(
            "new lightgbm {version} --artifact model=models/lightgbm_v{version}.pkl \
             --artifact preprocessing=models/preprocessing_lightgbm_v{version}.pkl \
             --benchmark results/benchmark_results.json --model-name lightgbm_v2 --dataset walmart \
             --verdict verdict_{version}.json --data data.csv --train-window 2010-02-05..2012-08-03 \
             --frequency W-FRI --cadence weekly --horizon 1..6 --features-from models/lightgbm_v2.txt \
             --scaling scaling.json --env-lock requirements.lock --code-commit 0123abc"
        )
    }

    /// A release that is made and signed.
    pub fn signed(&self, version: &str) {
        self.keys();
        self.run(&Self::new_line(version)).ok();
        self.run(&format!("sign lightgbm {version} --key private.pem")).ok();
    }

    /// A key pair that protects nothing.
    pub fn keys(&self) {
        if !self.path("private.pem").exists() {
            let openssl = |line: &str| {
                let output = Command::new("openssl").args(line.split(' ')).current_dir(self.folder.path()).output();
                assert!(output.unwrap().status.success(), "openssl {line}");
            };
            openssl("ecparam -name prime256v1 -genkey -noout -out private.pem");
            openssl("ec -in private.pem -pubout -out public.pem");
        }
    }

    /// Every file below the project with its bytes, but for locks and keys.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), self.folder.path(), &mut files);
        files
    }

    /// Makes the folder hold `files` and nothing else.
    pub fn restore(&self, files: &BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        for (name, bytes) in files {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            // The test owns the folder; the atomic write would only be slower.
            std::io::Write::write_all(&mut fs::File::create(path).unwrap(), bytes).unwrap();
        }
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.file_name().unwrap() != ".registry.lock" {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

pub fn said(output: &Output) -> Said {
    Said {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

const CONFIG: &str = r#"project = "test"

[models.lightgbm]
names = ["lightgbm_v1", "lightgbm_v2", "lightgbm_v3", "LightGBM"]

[manifest-gen]
readme = "README.md"
publish = ["benchmark=results/champion.json", "verdict=results/verdict.json"]
"#;

fn verdict(decision: &str, subject: &Value) -> Value {
    let n = json!({"rows": 540, "series": 45, "cutoffs": 12, "independent_windows": 2.0});
    let gate = json!({
        "name": "primary", "kind": "superiority", "metric": "mape", "slice": null, "baseline": "seasonal_naive",
        "outcome": if decision == "promote" { "pass" } else { "fail" }, "candidate_value": 0.0399,
        "baseline_value": 0.0546, "scale": "relative", "estimate": -0.269, "interval": [-0.35, -0.18], "margin": 0.0,
        "p_value": 0.001, "p_adjusted": null, "df": 11.0, "n": n, "reason": "lightgbm_v2 is 26.9 % better on walmart"
    });
    let slice = |name: &str| {
        let mut slice = gate.clone();
        slice["name"] = json!(format!("slice: {name}"));
        slice["slice"] = json!(name);
        slice["kind"] = json!("non-inferiority");
        slice
    };
    json!({
        "schema": "bench-compare/verdict/1", "tool": {"name": "bench-compare", "version": "0.1.0"}, "complete": true,
        "missing": [], "decision": decision, "reasons": ["lightgbm_v2 is 26.9 % better on walmart"],
        "candidate": "lightgbm_v2", "baselines": ["seasonal_naive"], "metric": "mape",
        "gates": [gate, slice("holiday = 1"), slice("n_train < 60")],
        "evidence": {"kind": "forecasts", "n": n, "horizon": 6, "span": ["2012-08-10", "2012-10-26"], "checks": null, "notes": []},
        "series": [], "windows": [], "influence": null, "power": null, "subject": subject,
        "policy": {"sha256": "00", "rule": "evidence", "alpha": 0.05, "settings": {}}, "inputs": [], "seed": 1
    })
}
