//! `drift-watch verify-alarms`: the promise of few false alarms, measured on a model's own errors.

pub mod simulate;
pub mod summary;
pub mod trial;

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::Exit;
use shared::cli::{Context, Format};
use shared::error::{Error, Place, Result};
use shared::format::input::{Input, Tool};
use shared::format::profile::{Profile, Step};

use crate::core::season::{Season, Slots};
use crate::core::settings::Settings;
use crate::core::time::{DAY, Micros, SECOND};
use crate::replay::json;
use crate::watch::{WatchArgs, pair_at, read_profile};
use simulate::{Cutoffs, Plan};
use summary::RunLengths;
use trial::Row;

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "drift-watch/verify-alarms/1";

/// Flags of `drift-watch verify-alarms`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Horizons that are watched, such as 1..7
    #[arg(long, value_name = "FROM..TO", value_parser = horizons, help_heading = "What to simulate")]
    pub horizons: Option<(u32, u32)>,
    /// Where the random numbers start
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "What to simulate")]
    pub seed: u64,
    /// Runs
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "What to simulate")]
    pub runs: usize,
    /// Steps after which a run ends without an alarm [default: four times the promise]
    #[arg(long, value_name = "STEPS", help_heading = "What to simulate")]
    pub most_steps: Option<u64>,
    /// What is watched and how
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// What the simulation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// The model.
    pub model: String,
    /// Promised: mean steps to the first false alert of any kind, at the least.
    pub promise_steps: f64,
    /// `kept` where the lower bound is not below the promise, `broken` where the upper bound is, else `undecided`.
    pub answer: Answer,
    /// Measured without a change.
    pub without_change: RunLengths,
    /// Measured after a shift of every series by one standard deviation of its errors: the price.
    pub after_one_sd: RunLengths,
    /// Cutoffs of the profile; each run learns from a resample of them and watches another.
    pub cutoffs: u64,
    /// Where the random numbers started.
    pub seed: u64,
    /// Files read.
    pub inputs: Vec<Input>,
}

/// Whether a promise is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is.
    Kept,
    /// It is not.
    Broken,
    /// The simulation was too short to tell.
    Undecided,
}

/// Runs the command.
///
/// # Errors
/// On bad input.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let report = verify(args)?;
    context.emit(&match context.format {
        Format::Json => json(&report)?,
        _ => report.as_text(),
    })?;
    Ok(match report.answer {
        Answer::Kept => Exit::Ok,
        Answer::Broken => Exit::No,
        Answer::Undecided => Exit::Undecided,
    })
}

fn verify(args: &Args) -> Result<Report> {
    let path = args.watch.profile_path()?;
    let profile = read_profile(&path)?;
    let mut settings = args.watch.settings();
    settings.season = season(&profile, settings.season);
    let cutoffs = Cutoffs::new(&rows(&profile, args.horizons), steps_between(&profile));
    if cutoffs.len() < settings.min_steps {
        let found = format!("{} cutoffs", cutoffs.len());
        let error = Error::input(Place::file(&path), found, format!("at least {}", settings.min_steps));
        return Err(error.with_help("a baseline needs so many; --min-steps lowers it"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of steps")]
    let most_steps = args.most_steps.unwrap_or((4.0 * settings.promise_steps) as u64).max(1);
    let plan = Plan { runs: args.runs.max(2), most_steps, seed: args.seed };
    let measure = |shift: f64| {
        let lengths = cutoffs.run_lengths(&settings, &plan, shift);
        RunLengths::of(&lengths, most_steps, settings.promise_steps)
            .ok_or_else(|| Error::input(Place::file(&path), "errors that do not vary", "errors to learn from"))
    };
    let without_change = measure(0.0)?;
    Ok(Report {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "drift-watch".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        model: profile.model.clone(),
        promise_steps: settings.promise_steps,
        answer: answer(&without_change, &settings),
        without_change,
        after_one_sd: measure(1.0)?,
        cutoffs: cutoffs.len() as u64,
        seed: args.seed,
        inputs: vec![Input::of_file("profile", &path)?],
    })
}

fn answer(found: &RunLengths, settings: &Settings) -> Answer {
    match () {
        () if found.lower_95_steps >= settings.promise_steps => Answer::Kept,
        () if found.upper_95_steps < settings.promise_steps => Answer::Broken,
        () => Answer::Undecided,
    }
}

/// The season of the profile, unless another one is asked for.
fn season(profile: &Profile, asked: Season) -> Season {
    let known = profile.season_slots.and_then(|count| Slots::of_profile(profile.step, count));
    match (asked, known) {
        (Season::Auto, Some(slots)) => Season::Known(slots),
        _ => asked,
    }
}

fn rows(profile: &Profile, horizons: Option<(u32, u32)>) -> Vec<Row> {
    let Some(table) = &profile.rows else { return Vec::new() };
    let row = |place: usize| Row {
        series: table.series[place],
        time: table.cutoff[place],
        horizon: table.horizon[place],
        pair: pair_at(table, place),
    };
    let wanted = |row: &Row| horizons.is_none_or(|(from, to)| (from..=to).contains(&row.horizon));
    (0..table.len()).map(row).filter(wanted).collect()
}

/// Forecast steps between neighbouring cutoffs.
fn steps_between(profile: &Profile) -> f64 {
    let Some(table) = &profile.rows else { return 1.0 };
    let mut cutoffs = table.cutoff.clone();
    cutoffs.sort_unstable();
    cutoffs.dedup();
    let gap = crate::core::season::usual_step(&cutoffs).unwrap_or(1) as f64;
    gap / step_length(profile.step)
}

/// The usual length of a step in the unit of the table's times.
fn step_length(step: Step) -> f64 {
    const MONTH: Micros = 30 * DAY;
    match step {
        Step::Seconds { length } => length * SECOND as f64,
        Step::Months { length } => length as f64 * MONTH as f64,
        Step::BusinessDays => DAY as f64,
        Step::Numbers { length } => length,
    }
}

fn horizons(text: &str) -> std::result::Result<(u32, u32), String> {
    let wrong = || format!("{text:?} is no range of horizons; expected one such as 1..7");
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
    match (number(from)?, number(to)?) {
        (from, to) if from >= 1 && from <= to => Ok((from, to)),
        _ => Err(wrong()),
    }
}

impl Report {
    fn as_text(&self) -> String {
        let mut out = String::new();
        let answer = match self.answer {
            Answer::Kept => "KEPT",
            Answer::Broken => "BROKEN",
            Answer::Undecided => "UNDECIDED",
        };
        let (null, shifted) = (&self.without_change, &self.after_one_sd);
        let steps = |steps: Option<u64>| steps.map_or_else(|| "more than all".to_owned(), |steps| steps.to_string());
        _ = writeln!(
            out,
            "{answer}  {} cutoffs of {}, {} runs, seed {}",
            self.cutoffs, self.model, null.runs, self.seed
        );
        _ = writeln!(
            out,
            "  promised   on average at least {} steps to the first false alert of any kind",
            self.promise_steps
        );
        _ = writeln!(
            out,
            "  measured   {:.0} steps on average (95 % lower bound {:.0}; runs end after {})",
            null.mean_steps, null.lower_95_steps, null.most_steps
        );
        _ = writeln!(
            out,
            "             {:.1} % of the runs have one within {} steps (63 % would just keep the promise)",
            100.0 * null.within_promise_ratio,
            self.promise_steps
        );
        _ = writeln!(
            out,
            "  the price  after a shift by one standard deviation: {} steps in the median, {} in nine of ten runs; {:.1} % not seen",
            steps(shifted.median_steps),
            steps(shifted.p90_steps),
            100.0 * (1.0 - shifted.alarmed_ratio)
        );
        out
    }
}
