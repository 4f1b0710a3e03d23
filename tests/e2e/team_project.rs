//! A team's project under version control, for the pipelines and hooks of `examples/ci`: version 1 of a model is promoted, and
//! version 2 is to be.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::{Place, binaries, data, root};

/// What the project settles once. `rule` is how the gate decides.
const SETTINGS: &str = r#"project = "unemployment"

[bench-compare.gate]
forecasts = ["forecasts.csv"]
train = "train.csv"
season = 12
rule = "RULE"
baseline-model = ["SeasonalNaive"]
candidate-model = "Ridge"
about = ["model=artifacts/model.pkl", "preprocessing=artifacts/scaler.pkl"]

[manifest-gen.new]
artifact = ["model=artifacts/model.pkl", "preprocessing=artifacts/scaler.pkl"]
model-name = "Ridge"
features-from = "artifacts/model.txt"
train-window = "2000-01-01..2004-01-01"
frequency = "MS"
cadence = "monthly"
horizon = "1..6"
"#;

const FILES: [(&str, &str); 6] = [
    ("cv/bls_unemployment_cv.csv", "forecasts.csv"),
    ("cv/bls_unemployment_train.csv", "train.csv"),
    ("artifacts/models/lightgbm_v2.pkl", "artifacts/model.pkl"),
    ("artifacts/models/preprocessing_lightgbm.pkl", "artifacts/scaler.pkl"),
    ("artifacts/models/lightgbm_v2.txt", "artifacts/model.txt"),
    ("benchmark/candidate/benchmark_results.json", "results/benchmark_results.json"),
];

/// Variables of both engines, as a run of theirs sets them.
const VARIABLES: [(&str, &str); 18] = [
    ("MODEL", "lightgbm"),
    ("VERSION", "2"),
    ("GITHUB_OUTPUT", "../output"),
    ("GITHUB_STEP_SUMMARY", "../summary"),
    ("GITHUB_ACTOR", "ann"),
    ("GH_TOKEN", "token"),
    ("PULL_REQUEST", "7"),
    ("GITLAB_TOKEN", "token"),
    ("GITLAB_USER_LOGIN", "ann"),
    ("CI_API_V4_URL", "https://gitlab.example.com/api/v4"),
    ("CI_PROJECT_ID", "3"),
    ("CI_MERGE_REQUEST_IID", "7"),
    ("CI_SERVER_HOST", "gitlab.example.com"),
    ("CI_PROJECT_PATH", "team/shop"),
    ("CI_DEFAULT_BRANCH", "main"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("NO_COLOR", "1"),
    ("LC_ALL", "C.UTF-8"),
];

/// Programs that would leave this machine: they note how they were called.
const STAND_INS: [&str; 3] = ["python", "gh", "curl"];

/// The Python of the tests. Without one, a skip that is hard to overlook; in CI, a failure.
pub(crate) fn python() -> Option<PathBuf> {
    let python = std::env::var_os("FORECAST_PYTHON").filter(|python| !python.is_empty()).map(PathBuf::from);
    if python.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI has no Python");
        // Past the test harness, which keeps what passing tests print to itself.
        std::io::stderr().write_all(b"\n*** SKIPPED: FORECAST_PYTHON names no Python\n").unwrap();
    }
    python
}

/// The project, its remote and the programs that it finds.
pub(crate) struct Project {
    place: Place,
    python: PathBuf,
}

impl Project {
    pub(crate) fn new(python: &Path, rule: &str) -> Self {
        let project = Self { place: Place::new(), python: python.to_owned() };
        for folder in ["work/artifacts", "work/results", "work/tests", "stand-ins", "hooks"] {
            fs::create_dir_all(project.place.path(folder)).unwrap();
        }
        FILES.iter().for_each(|(from, to)| _ = fs::copy(data(from), project.path(to)).unwrap());
        project.write("promotion.toml", &SETTINGS.replace("RULE", rule));
        project.write("tests/test_backtest.py", "def test_horizon():\n    assert 6 > 0\n");
        project.write("serve.py", "MODEL = 'lightgbm@champion'\n");
        project.write(".gitignore", "evidence/\n__pycache__/\n.pytest_cache/\n");
        STAND_INS.iter().for_each(|name| project.stand_in(name));
        project.set_up();
        project
    }

    fn stand_in(&self, name: &str) {
        let path = self.place.path("stand-ins").join(name);
        let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o755).open(path).unwrap();
        writeln!(file, "#!/bin/sh\necho \"{name} $*\" >> '{}'", self.place.path("calls").display()).unwrap();
    }

    /// Version 1, the hooks as a repository of their own, and the first commit, which is on the remote.
    fn set_up(&self) {
        let config = fs::read_to_string(root().join("examples/ci/pre-commit-config.yaml")).unwrap();
        let hooks = self.place.path("hooks").display().to_string();
        self.write(".pre-commit-config.yaml", &config.replace("https://git.example.com/forecast-promotion", &hooks));
        fs::copy(root().join(".pre-commit-hooks.yaml"), self.place.path("hooks/.pre-commit-hooks.yaml")).unwrap();
        self.must(
            "manifest-gen new lightgbm 1
            manifest-gen promote lightgbm 1 --force 'the first one'
            git init --quiet --bare --initial-branch main ../remote
            git init --quiet --initial-branch main
            git remote add origin ../remote
            git config push.autoSetupRemote true
            git config url.../remote.insteadOf https://oauth2:token@gitlab.example.com/team/shop.git
            git add .
            git commit --quiet --message 'version 1'
            git push --quiet
            cd ../hooks
            git init --quiet
            git add .
            git commit --quiet --message hooks
            git tag v0.1.0",
        );
    }

    /// A file of the project.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.path("work").join(name)
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own file")]
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// How the stand-ins were called.
    pub(crate) fn calls(&self) -> String {
        fs::read_to_string(self.place.path("calls")).unwrap_or_default()
    }

    /// Runs a script as the engines do: in bash, up to the first command that fails. Status, and all that it printed.
    pub(crate) fn run(&self, script: &str) -> (i32, String) {
        let folders = [self.place.path("stand-ins"), binaries(), self.python.with_file_name("")];
        let path = folders.map(|folder| folder.display().to_string()).join(":");
        let mut shell = Command::new("bash");
        shell.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &format!("exec 2>&1\n{script}")]);
        shell.current_dir(self.path("")).stdin(Stdio::null()).envs(VARIABLES);
        shell.env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap_or_default()));
        shell.env("HOME", self.place.path("")).env("PRE_COMMIT_HOME", self.place.path("pre-commit"));
        for who in ["AUTHOR", "COMMITTER"] {
            shell.env(format!("GIT_{who}_NAME"), "ann").env(format!("GIT_{who}_EMAIL"), "ann@example.com");
        }
        let output = shell.output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs a script that must succeed.
    pub(crate) fn must(&self, script: &str) -> String {
        let (status, said) = self.run(script);
        assert_eq!(status, 0, "{script}\n{said}");
        said
    }
}
