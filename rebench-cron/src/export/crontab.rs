//! A user's crontab.
//!
//! Debian's cron takes all times in the zone of its machine and knows no `CRON_TZ=`; cronie does, but then applies no rule
//! where clocks change (cronie, `find_jobs`: "there will be jobs missed or run twice").

use std::sync::Arc;

use super::{
    Export, File, MARK, Model, Options, Reason, about, all, cron_command, differences, on_the_wall, refused,
    shared_warnings, shell, without_jitter,
};
use crate::job::{Job, Overlap};
use crate::schedule::written::{self, DayStars};
use crate::schedule::{Dialect, Dst, Pattern, Schedule, Zone};

const NAME: &str = "cron";
const FILE: &str = "rebench-cron.crontab";

/// Longer commands are refused by cron.
const LONGEST_COMMAND_BYTES: usize = 998;

/// Where cron looks for programs, since its own list is short.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(super) fn fires(job: &Job, options: &Options) -> Result<Model, Vec<Reason>> {
    let schedule = on_the_wall(job)?;
    let pattern = pattern(&written::fields(&schedule, DayStars::Leading)?)?;
    let own = schedule.zone();
    let (zone, dst): (&Arc<Zone>, Dst) = match &options.system_zone {
        _ if options.cron_tz => (own, Dst::Instant),
        Some(zone) => (zone, Dst::Vixie),
        None => (own, Dst::Vixie),
    };
    Ok(Model::Any(vec![Schedule::new(pattern, Arc::clone(zone), dst)]))
}

/// What cron reads in the five fields: a check of what is written as well.
pub(super) fn pattern(fields: &str) -> Result<Pattern, Vec<Reason>> {
    Pattern::parse(fields, Dialect::Cron, None).map_err(|fault| vec![fault.to_string()])
}

pub(super) fn export(job: &Job, options: &Options) -> Result<Export, Vec<Reason>> {
    let command = command(job, options);
    let fits = refused([
        (job.overlap == Overlap::Replace).then(|| "cron cannot end the last run: overlap = \"replace\"".to_owned()),
        (command.len() > LONGEST_COMMAND_BYTES).then(|| format!("cron takes no command of {} bytes", command.len())),
    ]);
    let ((model, ()), schedule) = all(all(fires(job, options), fits), on_the_wall(job))?;
    let fields = written::fields(&schedule, DayStars::Leading)?;
    let mut warnings = differences::of(&job.schedule, &model, NAME, options.now)?;
    warnings.extend(warnings_of(job, options, &schedule));
    let zone = if options.cron_tz { format!("CRON_TZ={}\n", schedule.zone().name()) } else { String::new() };
    let body = format!("\n# {}\n{zone}{fields} {command}\n", about(job));
    Ok(Export { files: vec![File { name: FILE.to_owned(), head: head(options), body }], warnings })
}

fn head(options: &Options) -> String {
    let mail = match &options.mail_to {
        Some(address) => format!("MAILTO={address}"),
        None => "# MAILTO=: without it the owner of the crontab gets mail of what a run prints".to_owned(),
    };
    format!(
        "# {MARK}. `crontab {FILE}` puts it in the place of the user's whole crontab.\n\
         # once ends with 0: good, 1: worse, 2: wrong settings, 3: failed, 4: inconclusive. Cron itself looks at none of them.\n\
         SHELL=/bin/sh\nPATH={PATH}\n{mail}\n"
    )
}

fn command(job: &Job, options: &Options) -> String {
    let words: Vec<String> = options.argv(job).iter().map(|word| shell(word)).collect();
    let lock = shell(&format!("{}/.rebench-cron-{}.lock", options.folder(), job.name));
    let flock = match job.overlap {
        // 0: a run that is left out is no failure.
        Overlap::Forbid => format!("flock --nonblock --conflict-exit-code 0 {lock} "),
        Overlap::Queue => format!("flock {lock} "),
        Overlap::Replace | Overlap::Allow => String::new(),
    };
    cron_command(&format!("{flock}{}", words.join(" ")))
}

fn warnings_of(job: &Job, options: &Options, schedule: &Schedule) -> Vec<String> {
    let zone = schedule.zone().name();
    let warnings = [
        (options.system_zone.is_none() && !options.cron_tz).then(|| {
            format!("cron takes times in the zone of its machine: this is right where that is {zone} (--system-tz ZONE says which it is; --cron-tz writes CRON_TZ= for cronie)")
        }),
        options.cron_tz.then(|| "CRON_TZ= is read by cronie, not by Debian's cron".to_owned()),
        (job.missed.most > 0).then(|| "cron catches up nothing: runs missed while the machine is off are lost".to_owned()),
        (job.overlap == Overlap::Queue).then(|| "flock lets any number of runs wait, not one".to_owned()),
        without_jitter(job, NAME),
    ];
    shared_warnings(job).into_iter().chain(warnings.into_iter().flatten()).collect()
}
