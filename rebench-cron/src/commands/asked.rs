//! The schedule that a command line asks about, and how its fires are written.

use std::sync::Arc;

use jiff::{Timestamp, Zoned};
use schemars::JsonSchema;
use serde::Serialize;
use shared::clock;
use shared::error::{Error, Result};
use shared::format::input::Tool;

use crate::schedule::{Dialect, Dst, Expression, Schedule, Zone};

/// The most fires that are listed.
pub const MOST_FIRES: u32 = 100_000;

/// Flags that say what an expression means.
#[derive(Debug, Clone, clap::Args)]
pub struct ScheduleArgs {
    /// Its time zone: an IANA name; without it UTC
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Its language: cron, cron-seconds, quartz or oncalendar
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub dialect: Dialect,
    /// Where clocks change: vixie, skip, later or instant; without it as the engine of the dialect does
    #[arg(long, value_enum, hide_possible_values = true)]
    pub dst: Option<Dst>,
    /// The fires strictly after this instant, not after now
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// How many fires
    #[arg(short = 'n', long = "count", value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_FIRES)))]
    pub count: u32,
}

/// What the flags ask about.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The schedule.
    pub schedule: Schedule,
    /// Its language.
    pub dialect: Dialect,
    /// Where the fires begin.
    pub from: Timestamp,
    /// How many are wanted.
    pub count: u32,
}

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Subject {
    /// The expression.
    pub expr: String,
    /// Its language.
    pub dialect: String,
    /// What it does where clocks change.
    pub dst: String,
    /// Its time zone.
    pub tz: String,
}

impl Asked {
    /// What a report on `text` is about.
    pub fn subject(&self, text: &str) -> Subject {
        Subject {
            expr: text.to_owned(),
            dialect: self.dialect.name().to_owned(),
            dst: self.schedule.dst().name().to_owned(),
            tz: self.schedule.zone().name().to_owned(),
        }
    }

    /// Reads an expression as the flags say. `job` is what an `H` is hashed from.
    ///
    /// # Errors
    /// [`Error::Usage`] if the expression or the zone is wrong.
    pub fn read(text: &str, args: &ScheduleArgs, job: Option<&str>) -> Result<Self> {
        let expression = Expression::parse(text, args.dialect, job)?;
        let zone = zone(expression.zone.as_deref(), args.tz.as_deref())?;
        let dst = args.dst.unwrap_or_else(|| args.dialect.dst());
        let from = args.from.map_or_else(clock::now, Ok)?;
        let schedule = Schedule::new(expression.pattern, zone, dst);
        Ok(Self { schedule, dialect: args.dialect, from, count: args.count })
    }

    /// The fires, as reports have them.
    pub fn fires_in_text(&self) -> Vec<String> {
        self.fires().map(|at| rfc_3339(&at)).collect()
    }

    /// The fires, in local time.
    pub fn fires(&self) -> impl Iterator<Item = Zoned> {
        let tz = self.schedule.zone().tz();
        self.schedule.fires(self.from).take(self.count as usize).map(move |at| at.to_zoned(tz.clone()))
    }
}

fn zone(own: Option<&str>, flag: Option<&str>) -> Result<Arc<Zone>> {
    match (own, flag) {
        (None, None) => Ok(Zone::utc()),
        (Some(name), None) | (None, Some(name)) => Zone::named(name),
        (Some(own), Some(flag)) => {
            let (own, flag) = (Zone::named(own)?, Zone::named(flag)?);
            if own.name() == flag.name() {
                return Ok(own);
            }
            let found = format!("the expression is in {}, --tz {}", own.name(), flag.name());
            Err(Error::usage(found, "one time zone").with_help("leave out --tz"))
        }
    }
}

/// Local time with its offset, as RFC 3339 writes it.
pub fn rfc_3339(at: &Zoned) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Who writes the reports.
pub fn tool() -> Tool {
    Tool { name: "rebench-cron".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// A report as JSON text.
///
/// # Errors
/// Never, for what is written here.
pub fn json(report: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

/// The remedy where a schedule has no fire left.
pub fn none_left(asked: &Asked) -> String {
    format!("no fire after {}: the years of the expression are over", asked.from)
}
