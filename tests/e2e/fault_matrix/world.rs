//! A sound project for each tool: what its commands read, and outputs of earlier runs.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use e2e::{Place, data, root};

/// What an earlier run has written, and no failed one may touch.
pub(crate) const EARLIER: &str = "earlier.txt";

/// The folders, one a tool, by its name.
pub(crate) struct World {
    pub(crate) place: Place,
}

impl World {
    /// # Panics
    /// If a tool cannot make its part.
    pub(crate) fn new() -> Self {
        let world = Self { place: Place::new() };
        world.bench_compare();
        world.manifest_gen();
        world.drift_watch();
        world.rebench_cron();
        world
    }

    fn bench_compare(&self) {
        let folder = "bench-compare";
        self.forecasts(folder);
        self.copy("cv/bls_unemployment_cv.parquet", folder, "cv.parquet");
        self.copy("benchmark/baseline/benchmark_results.json", folder, "base.json");
        self.copy("benchmark/candidate/benchmark_results.json", folder, "cand.json");
        let errors = fs::read_to_string(data("reference/statistics/dm_inputs.csv")).unwrap();
        self.write(folder, "errors.csv", &selected(&errors, &["A_ar_n100,"]));
        self.write(folder, "board.csv", &board());
        self.write(folder, "model.pkl", "any bytes");
        self.write(folder, "promotion.toml", CONFIG);
    }

    fn manifest_gen(&self) {
        let folder = "manifest-gen";
        self.evidence(folder);
        self.write(folder, "README.md", "# Models\n\n<!-- manifest-gen:begin -->\n<!-- manifest-gen:end -->\n");
        self.write(folder, "serve.py", "MODEL = \"lightgbm_v2\"\n");
        self.write(folder, "tests.xml", "<testsuite tests=\"1\" failures=\"0\"><testcase name=\"a\"/></testsuite>\n");
        self.write(
            folder,
            "request.json",
            &format!("{{\"instances\": [{{{}}}]}}\n", features(|name| format!("\"{name}\": 1"))),
        );
        let values = features(|_| "1".to_owned());
        let rows = format!("{values}\n").repeat(8);
        self.write(folder, "request.csv", &format!("{}\n{rows}", features(ToOwned::to_owned)));
        for version in ["1", "2", "3"] {
            self.ran(folder, "manifest-gen", &format!("new lightgbm {version} {RELEASE}"));
            self.ran(folder, "manifest-gen", &format!("sign lightgbm {version} --key key.pem"));
        }
        for version in ["1", "2"] {
            self.ran(
                folder,
                "manifest-gen",
                &format!("promote lightgbm {version} --public-key key.pub --readme README.md"),
            );
        }
        self.ran(folder, "manifest-gen", &format!("new lightgbm 5 {RELEASE}"));
    }

    /// What a release is made of.
    fn evidence(&self, folder: &str) {
        self.forecasts(folder);
        self.write(folder, "promotion.toml", CONFIG);
        self.copy("artifacts/models/random_forest_store1_scaler.joblib", folder, "model.pkl");
        self.copy("artifacts/models/preprocessing_lightgbm.pkl", folder, "scaler.pkl");
        self.copy("artifacts/models/lightgbm_v2.txt", folder, "model.txt");
        self.copy("benchmark/candidate/benchmark_results.json", folder, "benchmark.json");
        self.copy("signing/keys/p256.pem", folder, "key.pem");
        self.copy("signing/keys/p256.pub", folder, "key.pub");
        self.write(
            folder,
            "scaling.json",
            "{\"steps\": [{\"step\": \"standard\", \"columns\": [\"last\", \"lag1\"]}]}\n",
        );
        self.write(folder, "requirements.lock", "numpy==2.3.1\n");
        let gate = "gate --forecasts cv.csv --baseline-model SeasonalNaive --candidate-model LightGBM \
                    --inconclusive pass --about model=model.pkl --about preprocessing=scaler.pkl --json -o verdict.json";
        self.ran(folder, "bench-compare", gate);
        // The evidence is thin; what is tried here is not what it is worth.
        let verdict = fs::read_to_string(self.path(folder, "verdict.json")).unwrap();
        let verdict = verdict.replacen("\"decision\": \"inconclusive\"", "\"decision\": \"promote\"", 1);
        self.write(folder, "verdict.json", &verdict);
        self.ran(folder, "bench-compare", "profile cv.csv --season 12 --model LightGBM -o profile.json");
    }

    fn drift_watch(&self) {
        let folder = "drift-watch";
        self.evidence(folder);
        for (name, ending) in
            [("predictions", "csv"), ("predictions", "jsonl"), ("actuals", "csv"), ("actuals", "jsonl")]
        {
            let name = format!("{name}.{ending}");
            let text = fs::read_to_string(data(&format!("live/level_shift_injected/{name}"))).unwrap();
            let lines: Vec<&str> = text.lines().take(1000).collect();
            self.write(folder, &name, &(lines.join("\n") + "\n"));
        }
        self.ran(folder, "manifest-gen", &format!("new lightgbm 2 {RELEASE}"));
        self.write(folder, "token", "a-token-that-is-long-enough-to-be-one\n");
        self.watched(folder);
        self.write(folder, "promotion.toml", DRIFT_CONFIG);
    }

    /// Lets a daemon fill its state folder.
    fn watched(&self, folder: &str) {
        let words = "run --predictions predictions.jsonl --actuals actuals.jsonl --warm-up 10d --listen 127.0.0.1:0 --state state";
        super::process::until(
            self.place.command("drift-watch").current_dir(self.path(folder, "")).args(words.split(' ')),
            |_| fs::read_to_string(self.path(folder, "state/events.jsonl")).is_ok_and(|text| text.lines().count() > 2),
        );
        // As a kill would leave it: the frames of the journal, and the settings before the first of them.
        for snapshot in fs::read_dir(self.path(folder, "state/snapshots")).unwrap().flatten() {
            if snapshot.file_name() != "00000000000000000000.snapshot" {
                fs::remove_file(snapshot.path()).unwrap();
            }
        }
    }

    fn rebench_cron(&self) {
        let folder = "rebench-cron";
        self.forecasts(folder);
        self.write(folder, "evidence.json", "{\"alert\": \"x\"}\n");
        self.write(folder, "token", "a-token-that-is-long-enough-to-be-one\n");
        self.write(folder, "url", "http://127.0.0.1:9/\n");
        self.write(folder, "promotion.toml", JOB);
        self.run(folder, "rebench-cron", "once shop");
    }

    fn forecasts(&self, folder: &str) {
        fs::create_dir_all(self.path(folder, "")).unwrap();
        self.write(folder, EARLIER, "earlier\n");
        for (from, to) in [("bls_unemployment_cv.csv", "cv.csv"), ("bls_unemployment_train.csv", "train.csv")] {
            let table = fs::read_to_string(data(&format!("cv/{from}"))).unwrap();
            self.write(folder, to, &selected(&table, &["construction,", "information,", "other,"]));
        }
    }

    pub(crate) fn path(&self, folder: &str, name: &str) -> std::path::PathBuf {
        self.place.path(folder).join(name)
    }

    fn copy(&self, from: &str, folder: &str, to: &str) {
        fs::copy(data(from), self.path(folder, to)).unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own file")]
    fn write(&self, folder: &str, name: &str, text: &str) {
        fs::write(self.path(folder, name), text).unwrap();
    }

    fn ran(&self, folder: &str, tool: &str, words: &str) {
        assert_eq!(self.run(folder, tool, words), 0, "{tool} {words}");
    }

    fn run(&self, folder: &str, tool: &str, words: &str) -> i32 {
        let mut command = self.place.command(tool);
        command.current_dir(self.path(folder, "")).args(words.split_whitespace()).stdin(Stdio::null());
        let output = command.output().unwrap();
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        output.status.code().unwrap()
    }
}

/// The flags of a release that has everything.
const RELEASE: &str = "--artifact model=model.pkl --artifact preprocessing=scaler.pkl --benchmark benchmark.json \
    --mape-unit percent --dataset walmart --verdict verdict.json --profile profile.json \
    --features-from model.txt --scaling scaling.json --env-lock requirements.lock --data train.csv \
    --train-window 2000-01-01..2004-01-01 --frequency MS --cadence monthly --horizon 1..6 --code-commit 0123abc";

/// Header and the rows that begin with one of `starts`.
fn selected(table: &str, starts: &[&str]) -> String {
    let wanted = |(at, line): &(usize, &str)| *at == 0 || starts.iter().any(|start| line.starts_with(start));
    table.lines().enumerate().filter(wanted).flat_map(|(_, line)| [line, "\n"]).collect()
}

fn features(each: impl Fn(&str) -> String) -> String {
    let model = fs::read_to_string(root().join("tests/data/artifacts/models/lightgbm_v2.txt")).unwrap();
    let names = model.lines().find_map(|line| line.strip_prefix("feature_names=")).unwrap();
    names.split(' ').map(each).collect::<Vec<_>>().join(",")
}

/// Two models on eight tasks, in the layout of GIFT-Eval.
fn board() -> String {
    let row = |model: &str, task: usize, factor: usize| {
        let score = (task + 3) * factor;
        format!("shop{task}/D/short,{model},1.{score},0.{score},Sales,1\n")
    };
    let rows = (1..=8).flat_map(|task| [row("Seasonal_Naive", task, 3), row("new", task, 2)]);
    let header =
        "dataset,model,eval_metrics/MASE[0.5],eval_metrics/mean_weighted_sum_quantile_loss,domain,num_variates\n";
    header.to_owned() + &rows.collect::<String>()
}

/// Copies a folder with all that is in it.
pub(crate) fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copied(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

const CONFIG: &str = "project = \"shop\"\n\n[models.lightgbm]\nnames = [\"LightGBM\", \"lightgbm_v2\"]\n";

const DRIFT_CONFIG: &str = "project = \"shop\"\n\n[models.lightgbm]\nnames = [\"LightGBM\", \"lightgbm_v2\"]\n\n\
    [drift-watch.replay]\nprofile = [\"profile.json\"]\n";

const JOB: &str = r#"project = "shop"

[models.lightgbm]
names = ["LightGBM", "lightgbm_v2"]

[rebench-cron.jobs.shop]
schedule = "30 2 * * 1"
tz = "America/New_York"
model = "lightgbm"
command = ["cp", "cv.csv", "{out_dir}/forecasts.csv"]
retries = 0

[rebench-cron.jobs.shop.expect]
files = ["forecasts.csv"]
models = ["LightGBM", "SeasonalNaive"]
data = ["cv.csv"]

[rebench-cron.jobs.shop.judge]
forecasts = "forecasts.csv"
candidate-model = "LightGBM"
baseline-model = "SeasonalNaive"
metric = "mape"
"#;
