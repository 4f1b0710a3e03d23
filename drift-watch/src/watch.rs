//! What is watched and how: the flags that `run`, `replay` and `check` share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use shared::error::{Error, Place, Result};
use shared::format::manifest::Manifest;
use shared::format::profile::{Profile, Rows};
use shared::fsio;

use crate::core::classics::Request;
use crate::core::engine::{ProfileBaseline, ProfileRow};
use crate::core::pair::Pair;
use crate::core::rule::Rule;
use crate::core::season::{Season, SlotLength, Slots};
use crate::core::settings::{Loss, Settings};
use crate::core::time::Micros;
use crate::span;

const BASELINE: &str = "Baseline";
const DECISIONS: &str = "Decisions";
const METRICS: &str = "Metrics";
const RECORDS: &str = "Records";

/// Flags of what is watched and how.
#[derive(Debug, Clone, clap::Args)]
pub struct WatchArgs {
    /// The champion's profile: what is usual of its errors, as `bench-compare profile` writes it
    #[arg(long, value_name = "FILE", help_heading = BASELINE)]
    pub profile: Vec<PathBuf>,
    /// A manifest that carries a profile, instead of the profile itself
    #[arg(long, value_name = "FILE", help_heading = BASELINE)]
    pub manifest: Vec<PathBuf>,
    /// Where there is no profile: learn what is usual from this stretch of target times, from a version's first on
    #[arg(long, value_name = "SPAN", value_parser = span::parse, help_heading = BASELINE)]
    pub warm_up: Option<Micros>,
    /// Target times that a baseline needs at the least; a warm-up lasts until it has them
    #[arg(long, value_name = "N", default_value_t = 12, help_heading = BASELINE)]
    pub min_steps: usize,
    /// The season that scores are freed of: `auto`, `none`, `N` steps, or `N@SPAN` (24@1h), or `12@month`
    #[arg(long, value_name = "SEASON", default_value = "auto", value_parser = season, help_heading = BASELINE)]
    pub season: Season,
    /// Do not take out dependence of scores on their past
    #[arg(long, help_heading = BASELINE)]
    pub no_prewhiten: bool,

    /// On average at least so many target times of a model pass to its first false alert of any kind
    #[arg(long, value_name = "STEPS", default_value_t = 5000.0, value_parser = positive, help_heading = DECISIONS)]
    pub promise: f64,
    /// The loss whose level is watched: mape, or mae where actuals are often 0
    #[arg(long, value_name = "METRIC", default_value = "mape", value_parser = loss, help_heading = DECISIONS)]
    pub loss: Loss,
    /// A change by less than this part of the usual loss does not matter
    #[arg(long, value_name = "RATIO", default_value_t = 0.05, value_parser = proportion, help_heading = DECISIONS)]
    pub tolerance: f64,
    /// A rule, such as `mape > 1.5x over 28 min 50 for 3 clear 1.2`; see RULES
    #[arg(long, value_name = "RULE", value_parser = rule, help_heading = DECISIONS)]
    pub rule: Vec<Rule>,
    /// A detector of another school on a metric, such as `adwin(delta=0.002) on mape h 1`: adwin, page-hinkley, cusum, ddm. Their rates of false
    /// alarms are measured, not promised
    #[arg(long, value_name = "DETECTOR", value_parser = detector, help_heading = DECISIONS)]
    pub detector: Vec<Request>,
    /// Do not watch single series
    #[arg(long, help_heading = DECISIONS)]
    pub no_series: bool,
    /// False discoveries allowed among the series that an alert lists
    #[arg(long, value_name = "RATIO", default_value_t = 0.05, value_parser = proportion, help_heading = DECISIONS)]
    pub fdr: f64,
    /// An alert ends only after so many quiet steps
    #[arg(long, value_name = "STEPS", default_value_t = 3, help_heading = DECISIONS)]
    pub keep_firing: u32,
    /// A step with a smaller share of its actuals says nothing to detectors
    #[arg(long, value_name = "RATIO", default_value_t = 0.5, value_parser = proportion, help_heading = DECISIONS)]
    pub min_completeness: f64,
    /// Predictions are stale after this time [default: three usual gaps]
    #[arg(long, value_name = "SPAN", value_parser = span::parse, help_heading = DECISIONS)]
    pub predictions_stale: Option<Micros>,
    /// Actuals are stale after this time [default: three usual gaps]
    #[arg(long, value_name = "SPAN", value_parser = span::parse, help_heading = DECISIONS)]
    pub actuals_stale: Option<Micros>,

    /// Steps of the rolling window of metrics
    #[arg(long, value_name = "STEPS", default_value_t = 28, help_heading = METRICS)]
    pub window: usize,
    /// Further windows, by length of target time
    #[arg(long, value_name = "SPAN", default_value = "7d", value_parser = span::parse, help_heading = METRICS)]
    pub window_span: Vec<Micros>,
    /// Steps for which records are kept, and so can be restated
    #[arg(long, value_name = "STEPS", default_value_t = 400, help_heading = METRICS)]
    pub retain: usize,
    /// Seasonal lag of MASE, in steps
    #[arg(long, value_name = "STEPS", default_value_t = 1, help_heading = METRICS)]
    pub mase_lag: usize,

    /// How long a step waits for its actuals [default: as long as 95 % of them take]
    #[arg(long, value_name = "SPAN", value_parser = span::parse, help_heading = RECORDS)]
    pub maturity: Option<Micros>,
    /// Count forecasts issued at or after their target time
    #[arg(long, help_heading = RECORDS)]
    pub allow_late_issued: bool,
    /// Level of intervals in percent, where records do not say
    #[arg(long, value_name = "PERCENT", default_value_t = 90.0, value_parser = percent, help_heading = RECORDS)]
    pub level: f64,
    /// Length of a forecast step, for predictions without a horizon
    #[arg(long, value_name = "SPAN", value_parser = span::parse, help_heading = RECORDS)]
    pub step: Option<Micros>,
    /// Time zone of times without an offset, such as `America/New_York`
    #[arg(long, value_name = "ZONE", value_parser = zone, help_heading = RECORDS)]
    pub zone: Option<TimeZone>,
    /// Watch only this model; all that predictions name if absent
    #[arg(long, value_name = "MODEL", help_heading = RECORDS)]
    pub model: Vec<String>,
    /// Predictions that wait for actuals, at the most
    #[arg(long, value_name = "N", default_value_t = 50_000_000, help_heading = RECORDS)]
    pub most_open: usize,
}

impl WatchArgs {
    /// What the core is told.
    pub fn settings(&self) -> Settings {
        Settings {
            promise_steps: self.promise,
            warm_up: self.warm_up,
            min_steps: self.min_steps.max(3),
            maturity: self.maturity,
            allow_late_issued: self.allow_late_issued,
            loss: self.loss,
            tolerance_ratio: self.tolerance,
            season: self.season,
            prewhiten: !self.no_prewhiten,
            window_steps: self.window.max(1),
            window_spans: self.window_span.clone(),
            calendar: true,
            retain_steps: self.retain.max(self.window).max(self.min_steps),
            min_completeness_ratio: self.min_completeness,
            level_percent: self.level,
            step: self.step,
            mase_lag: self.mase_lag,
            most_open: self.most_open,
            watch_series: !self.no_series,
            fdr_ratio: self.fdr,
            keep_firing_steps: self.keep_firing,
            rules: self.rule.clone(),
            classic: self.detector.clone(),
            predictions_stale: self.predictions_stale,
            actuals_stale: self.actuals_stale,
            models: self.model.clone(),
        }
    }

    /// The baselines of all profiles, by the names that the project gives to their models. `identity` gives the one name of a model.
    ///
    /// # Errors
    /// If a file cannot be read or holds no rows.
    pub fn profiles(&self, same: &dyn Fn(&str) -> Vec<String>) -> Result<BTreeMap<String, ProfileBaseline>> {
        let mut all = BTreeMap::new();
        for path in &self.profile {
            let (model, baseline) = profile(path)?;
            same(&model).into_iter().for_each(|name| {
                all.insert(name, baseline.clone());
            });
        }
        for path in &self.manifest {
            let (manifest, profile_path) = of_manifest(path)?;
            let (model, baseline) = profile(&profile_path)?;
            let names = same(&manifest.name).into_iter().chain(same(&model));
            names.for_each(|name| {
                all.insert(name, baseline.clone());
            });
        }
        Ok(all)
    }

    /// The one profile that is named, by itself or by a manifest.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub fn profile_path(&self) -> Result<PathBuf> {
        match (self.profile.as_slice(), self.manifest.as_slice()) {
            ([path], []) => Ok(path.clone()),
            ([], [path]) => Ok(of_manifest(path)?.1),
            (profiles, manifests) => {
                let found = format!("{} profiles and {} manifests", profiles.len(), manifests.len());
                Err(Error::usage(found, "one --profile FILE or one --manifest FILE"))
            }
        }
    }

    /// The files that these flags name.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let profiles = self.profile.iter().map(|path| ("profile", path.as_path()));
        profiles.chain(self.manifest.iter().map(|path| ("manifest", path.as_path())))
    }
}

/// Reads a profile.
///
/// # Errors
/// If it is none, or has no rows.
pub fn read_profile(path: &Path) -> Result<Profile> {
    let bytes = fsio::read(path)?;
    let profile = Profile::parse(path, &bytes)?;
    match &profile.rows {
        Some(rows) if rows.is_sound() && !rows.is_empty() => Ok(profile),
        Some(_) => Err(Error::input(Place::file(path), "its rows do not fit together", "columns of equal length")),
        None => Err(Error::input(Place::file(path), "the profile holds no rows", "a profile with \"rows\"")
            .with_help("write it anew with `bench-compare profile`, without --keep-rows 0")),
    }
}

fn profile(path: &Path) -> Result<(String, ProfileBaseline)> {
    let profile = read_profile(path)?;
    let scales = profile.series.iter().filter_map(|series| Some((series.name.clone(), series.scale?))).collect();
    let rows = rows_of(&profile);
    Ok((profile.model, ProfileBaseline { rows, scales, level_percent: profile.level_percent }))
}

/// The pairs of a profile.
pub fn rows_of(profile: &Profile) -> Vec<ProfileRow> {
    let Some(rows) = &profile.rows else { return Vec::new() };
    (0..rows.len())
        .map(|place| ProfileRow {
            series: rows.series_names[rows.series[place] as usize].clone(),
            horizon: rows.horizon[place],
            target: rows.target[place],
            pair: pair_at(rows, place),
        })
        .collect()
}

/// The pair at a place of a profile's rows.
pub fn pair_at(rows: &Rows, place: usize) -> Pair {
    Pair {
        y: rows.y[place],
        y_hat: rows.y_hat[place],
        interval: rows.lo[place].zip(rows.hi[place]),
        last: rows.last[place],
    }
}

/// The profile that a manifest names among its evidence.
fn of_manifest(path: &Path) -> Result<(Manifest, PathBuf)> {
    let manifest = Manifest::parse(path, &fsio::read(path)?)?;
    let Some(evidence) = manifest.evidence("profile") else {
        let error =
            Error::input(Place::file(path), "the release carries no profile", "evidence of the kind \"profile\"");
        return Err(
            error.with_help("manifest-gen new --profile FILE puts one into a release; or give --profile FILE here")
        );
    };
    // A manifest stands in its release, or as a copy in models/metadata.
    let folder = path.parent().unwrap_or(Path::new(""));
    let release = folder.join("..").join("releases").join(&manifest.name).join(&manifest.version);
    let places = [folder.join(&evidence.path), release.join(&evidence.path)];
    let found = places.iter().find(|place| place.is_file()).cloned();
    found.map(|place| (manifest.clone(), place)).ok_or_else(|| {
        let found = format!("its profile {:?} is neither beside it nor in {}", evidence.path, release.display());
        Error::input(Place::file(path), found, "the release folder beside models/metadata")
    })
}

fn rule(text: &str) -> std::result::Result<Rule, String> {
    text.parse().map_err(|error: Error| error.to_string())
}

fn detector(text: &str) -> std::result::Result<Request, String> {
    text.parse().map_err(|error: Error| match error.help() {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    })
}

fn loss(text: &str) -> std::result::Result<Loss, String> {
    match text {
        "mape" => Ok(Loss::Mape),
        "mae" => Ok(Loss::Mae),
        other => Err(format!("{other:?} is not watched; expected mape or mae")),
    }
}

fn season(text: &str) -> std::result::Result<Season, String> {
    let wrong = || format!("{text:?} is no season; expected auto, none, 7@1d or 12@month");
    match text {
        "auto" => Ok(Season::Auto),
        "none" => Ok(Season::None),
        _ => {
            let (count, length) = text.split_once('@').unwrap_or((text, "1d"));
            let count: u32 = count.parse().map_err(|_| wrong())?;
            let length = match length {
                "month" => SlotLength::Months(1),
                other => SlotLength::Span(span::parse(other).map_err(|_| wrong())?),
            };
            if count < 2 || length == SlotLength::Span(0) {
                Err(wrong())
            } else {
                Ok(Season::Known(Slots { count, length }))
            }
        }
    }
}

pub(crate) fn zone(text: &str) -> std::result::Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| format!("{text:?} is no time zone; expected a name such as America/New_York"))
}

fn number(text: &str, is_right: impl Fn(f64) -> bool, expected: &str) -> std::result::Result<f64, String> {
    text.parse().ok().filter(|value| is_right(*value)).ok_or_else(|| format!("{text:?} is not {expected}"))
}

fn positive(text: &str) -> std::result::Result<f64, String> {
    number(text, |value| value.is_finite() && value >= 1.0, "a number of at least 1")
}

fn proportion(text: &str) -> std::result::Result<f64, String> {
    number(text, |value| (0.0..=1.0).contains(&value), "a proportion from 0 to 1")
}

fn percent(text: &str) -> std::result::Result<f64, String> {
    number(text, |value| value > 1.0 && value < 100.0, "a level between 1 and 100 percent")
}
