//! A project as a team has it: models that scikit-learn fitted, verdicts on their forecasts, releases, a registry.

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use e2e::{Place, Said, root};
use serde_json::Value;

use crate::python::python;

/// Who is held against whom.
const PAIRS: [(&str, &str); 3] = [("1", "naive"), ("2", "v1"), ("3", "v2")];

/// A folder with three candidates of the model `demand`; the third is worse than the second.
pub(crate) struct Project {
    /// The folder.
    pub(crate) place: Place,
    /// The Python that made the models.
    pub(crate) python: String,
    /// What each model says to the row `{"lag": 20, "week": 3}`, as scikit-learn has it.
    said: Value,
}

impl Project {
    /// Trains the models; nothing, with a skip that is hard to overlook, where no Python has these modules.
    pub(crate) fn new(modules: &str) -> Option<Self> {
        let (python, place) = (python(&format!("joblib, sklearn, {modules}"))?, Place::new());
        let mut make = Command::new(&python);
        make.arg(root().join("tests/python/make_project.py")).current_dir(place.path("")).stderr(Stdio::inherit());
        let said = serde_json::from_slice(&make.output().unwrap().stdout).unwrap();
        symlink(root().join("examples"), place.path("examples")).unwrap();
        Some(Self { place, python, said })
    }

    /// The same with a release of each model; none is promoted.
    pub(crate) fn released(modules: &str) -> Option<Self> {
        let project = Self::new(modules)?;
        for (version, baseline) in PAIRS {
            project.judge(version, baseline);
            project.release(version);
        }
        Some(project)
    }

    /// What a model says to that row.
    pub(crate) fn forecast(&self, version: &str) -> f64 {
        self.said[format!("v{version}")].as_f64().unwrap()
    }

    /// Runs a tool that must succeed.
    #[track_caller]
    pub(crate) fn succeeds(&self, tool: &str, words: &[&str]) -> Said {
        let said = self.place.run(tool, words);
        assert_eq!(said.status, 0, "{tool} {words:?}: {}", said.stderr);
        said
    }

    /// Runs `manifest-gen` on the model.
    #[track_caller]
    pub(crate) fn demand(&self, command: &str, words: &[&str]) -> Said {
        self.succeeds("manifest-gen", &[&[command, "demand"], words].concat())
    }

    fn judge(&self, version: &str, baseline: &str) {
        let (candidate, [verdict, profile]) = (format!("v{version}"), files(version));
        let model = format!("model=model_{candidate}.pkl");
        let models = ["--baseline-model", baseline, "--candidate-model", &candidate];
        let about = ["--about", &model, "--about", "preprocessing=preprocessing.pkl", "--slice", "weekend = 1"];
        let said = self.place.run(
            "bench-compare",
            &[
                &["gate", "--forecasts", "forecasts.csv", "--guardrail", "rmse=0.05", "-o", &verdict],
                &models[..],
                &about,
            ]
            .concat(),
        );
        assert_eq!(said.status, i32::from(version == "3"), "{}", said.stderr);
        self.succeeds("bench-compare", &["profile", "forecasts.csv", "--model", &candidate, "-o", &profile]);
        let score =
            ["score", "forecasts.csv", "--model", &candidate, "--write-benchmark", &candidate, "--dataset", "shops"];
        self.succeeds("bench-compare", &score);
    }

    fn release(&self, version: &str) {
        let (candidate, [verdict, profile]) = (format!("v{version}"), files(version));
        let model = format!("model=model_{candidate}.pkl");
        let artifacts =
            ["--artifact", &model, "--artifact", "preprocessing=preprocessing.pkl", "--model-name", &candidate];
        let benchmark = format!("{candidate}/benchmark_results.json");
        let evidence =
            ["--benchmark", &benchmark, "--verdict", &verdict, "--profile", &profile, "--code-commit", "0123abc"];
        let contract = ["--features-from", "features.json", "--frequency", "D", "--cadence", "daily", "--horizon", "1"];
        let data =
            ["--data", "train.csv", "--series-column", "unique_id", "--time-column", "ds", "--target-column", "y"];
        self.demand("new", &[&[version], &artifacts[..], &evidence, &contract, &data].concat());
    }
}

/// Verdict and profile of a version.
fn files(version: &str) -> [String; 2] {
    ["verdict", "profile"].map(|kind| format!("{kind}_v{version}.json"))
}
