//! What `bench-compare gate` is asked: its command line. Pure.

use std::path::{Path, PathBuf};

use shared::{Error, Result};

use super::history::Baseline;
use crate::job::JudgeKeys;

/// The name of the verdict in the folder of a judgement.
pub const VERDICT: &str = "verdict.json";

/// The name of results where the keys name none.
const RESULTS: &str = "benchmark_results.json";

/// What the model is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A forecast table with both.
    Forecasts(PathBuf),
    /// Benchmark files of both, of the same run.
    Beside {
        /// That of the model.
        candidate: PathBuf,
        /// That of the baseline.
        baseline: PathBuf,
    },
    /// The benchmark file of the run, and the recorded one of the baseline.
    Recorded {
        /// That of the model.
        candidate: PathBuf,
        /// That of the baseline.
        baseline: PathBuf,
    },
}

/// A question to `bench-compare gate`.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is compared.
    pub way: Way,
    /// The name of the model in the files.
    pub candidate_model: String,
    /// The name of the baseline in the files.
    pub baseline_model: String,
    /// The metric.
    pub metric: String,
    /// How much worse than the baseline still holds.
    pub margin: f64,
    /// Further words of the command line.
    pub words: Vec<String>,
}

impl Way {
    /// The way that the keys ask for; the recorded file is looked for from `folder`. Where a baseline is run beside the model it is held
    /// against that, and the recorded file only says whether results can be reproduced.
    ///
    /// # Errors
    /// If they ask for none.
    pub fn of(keys: &JudgeKeys, out_dir: &Path, folder: &Path) -> Result<Self> {
        let candidate = || out_dir.join(keys.candidate.as_deref().unwrap_or(RESULTS));
        match (&keys.forecasts, &keys.beside, &keys.recorded) {
            (Some(table), ..) => Ok(Self::Forecasts(out_dir.join(table))),
            (_, Some(beside), _) => Ok(Self::Beside { candidate: candidate(), baseline: out_dir.join(beside) }),
            (.., Some(recorded)) => Ok(Self::Recorded { candidate: candidate(), baseline: folder.join(recorded) }),
            _ => {
                Err(Error::usage("judge does not say what the model is held against", "forecasts, beside or recorded"))
            }
        }
    }

    /// Whether the baseline is measured anew.
    pub fn baseline(&self) -> Baseline {
        match self {
            Self::Forecasts(_) | Self::Beside { .. } => Baseline::Fresh,
            Self::Recorded { .. } => Baseline::Reused,
        }
    }

    /// The recorded file, where one is compared with.
    pub fn recorded(&self) -> Option<&Path> {
        match self {
            Self::Recorded { baseline, .. } => Some(baseline),
            Self::Forecasts(_) | Self::Beside { .. } => None,
        }
    }
}

impl Question {
    /// The question that the keys ask of a run. `model` is the name in the registry, which is that in the files where the keys name none; so is
    /// the name of the model in the file of the baseline.
    ///
    /// # Errors
    /// If nothing says what the model is called, or what it is held against.
    pub fn of(keys: &JudgeKeys, model: Option<&str>, out_dir: &Path, folder: &Path) -> Result<Self> {
        let way = Way::of(keys, out_dir, folder)?;
        let candidate_model = keys.candidate_model.as_deref().or(model).ok_or_else(|| {
            Error::usage("nothing says what the model is called in the results", "model, or judge.candidate-model")
        })?;
        let baseline_model = match (&keys.baseline_model, &way) {
            (Some(name), _) => name,
            (None, Way::Forecasts(_)) => {
                return Err(Error::usage(
                    "a forecast table without the column of the baseline",
                    "judge.baseline-model",
                ));
            }
            (None, _) => candidate_model,
        };
        Ok(Self {
            way,
            candidate_model: candidate_model.to_owned(),
            baseline_model: baseline_model.to_owned(),
            metric: keys.metric.clone(),
            margin: keys.margin,
            words: keys.gate.clone(),
        })
    }

    /// The command line, with a report in `folder`.
    pub fn argv(&self, program: &Path, folder: &Path) -> Vec<String> {
        let mut argv = words([program.as_os_str().to_string_lossy().as_ref(), "gate"]);
        argv.extend(self.way.words());
        let (candidate, baseline) = (&self.candidate_model, &self.baseline_model);
        argv.extend(words(["--candidate-model", candidate, "--baseline-model", baseline, "--metric", &self.metric]));
        argv.extend(words(["--primary", "non-inferiority", "--margin", &self.margin.to_string()]));
        argv.extend(self.without_limits().into_iter().flat_map(|flag| words([flag, "none"])));
        argv.extend(self.words.iter().cloned());
        let verdict = folder.join(VERDICT).to_string_lossy().into_owned();
        argv.extend(words(["--no-config", "--json", "-o", &verdict, "--report", &folder.to_string_lossy()]));
        argv
    }

    /// Limits on single datasets and windows are for one decision: a bare comparison of two numbers that is made every week breaks them by chance alone. They
    /// hold where the job asks for them.
    fn without_limits(&self) -> Vec<&'static str> {
        let asked = |flag: &str| self.words.iter().any(|word| word.split('=').next() == Some(flag));
        let limits =
            if matches!(self.way, Way::Forecasts(_)) { &[][..] } else { &["--dataset-limit", "--window-limit"] };
        limits.iter().copied().filter(|flag| !asked(flag)).collect()
    }
}

impl Way {
    fn words(&self) -> Vec<String> {
        match self {
            Self::Forecasts(table) => words(["--forecasts", &table.to_string_lossy()]),
            Self::Beside { candidate, baseline } | Self::Recorded { candidate, baseline } => {
                words(["--baseline", &baseline.to_string_lossy(), "--candidate", &candidate.to_string_lossy()])
            }
        }
    }
}

pub(super) fn words<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}
