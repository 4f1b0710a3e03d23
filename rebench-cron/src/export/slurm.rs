//! A batch script of Slurm that submits itself for the next run, and a scrontab.

use std::time::Duration;

use super::{
    Export, File, MARK, Model, Options, Reason, about, bounds, on_the_wall, refused, shared_warnings, shell,
    without_jitter,
};
use crate::job::{Job, Overlap};
use crate::schedule::written::{self, DayStars};
use crate::schedule::{Schedule, Zone};

const NAME: &str = "Slurm";
const SCRONTAB: &str = "rebench-cron.scrontab";

/// The longest time that the signal may come before the limit (sbatch(1), --signal).
const LONGEST_SIGNAL_SECONDS: u64 = 65_535;

/// The chain: what is due next is submitted before the run, so that no end of the run breaks it.
const CHAIN: &str = r#"
slot=${1:-}
script=${2:-$(realpath "${BASH_SOURCE[0]}")}
if [[ -z ${SLURM_JOB_ID:-} || -n $slot ]]; then
    from=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    if [[ $slot > $from ]]; then from=$slot; fi
    next=$("${ask[@]}" --from "$from" -n 1) ||
        echo "when the next run is due is not known: start the chain again with bash $script" >&2
    if [[ -n $next ]]; then
        seconds=$(( $(date -d "$next" +%s) - $(date +%s) ))
        if (( seconds < 0 )); then seconds=0; fi
        sbatch --begin="now+${seconds}seconds" "$script" "$(date -u -d "$next" +%Y-%m-%dT%H:%M:%SZ)" "$script" ||
            echo "the next run, at $next, could not be submitted: start the chain again with bash $script" >&2
    fi
fi
if [[ -z ${SLURM_JOB_ID:-} ]]; then exit 0; fi
if [[ -n $slot ]] && (( $(date +%s) - $(date -d "$slot" +%s) > latest )); then
    echo "the run of $slot is left out: it would start more than $latest s late" >&2
    exit 0
fi
exec "${once[@]}"
"#;

/// `rebench-cron next` says when, so that nothing differs.
pub(super) fn fires(job: &Job) -> Model {
    Model::Any(vec![job.schedule.clone()])
}

pub(super) fn export(job: &Job, options: &Options) -> Result<Export, Vec<Reason>> {
    refused([(job.overlap == Overlap::Replace)
        .then(|| "Slurm does not end the last run for the next: overlap = \"replace\"".to_owned())])?;
    let mut warnings = warnings_of(job, options);
    let script =
        File { name: format!("rebench-cron-{}.sbatch", job.name), head: String::new(), body: script(job, options) };
    let mut files = vec![script];
    match scrontab(job, options) {
        Ok(file) => {
            files.push(file);
            warnings.push(
                "the scrontab is checked by rebench-cron's own reader of cron alone; use it or the chain, not both"
                    .to_owned(),
            );
        }
        Err(reasons) => warnings.push(format!("there is no scrontab of it: {}", reasons.join("; "))),
    }
    Ok(Export { files, warnings })
}

fn script(job: &Job, options: &Options) -> String {
    let words = |words: &[String]| words.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" ");
    let schedule = &job.schedule;
    let next: Vec<String> = [
        &options.program,
        "next",
        &job.name,
        "--no-config",
        "--expr",
        &job.expression,
        "--dialect",
        job.dialect.name(),
        "--tz",
        schedule.zone().name(),
        "--dst",
        schedule.dst().name(),
    ]
    .map(str::to_owned)
    .to_vec();
    format!(
        "#!/bin/bash\n# {MARK}.\n# {about}\n\
         # `bash rebench-cron-{name}.sbatch` submits the first run, each run the next; `scancel --name=rebench-cron-{name}` ends it.\n\
         # The exit status of the batch job is that of once: 1 worse, 2 wrong settings, 3 failed, 4 inconclusive.\n\
         {directives}set -uo pipefail\nask=({next})\nonce=({once})\nlatest={latest}\n{CHAIN}",
        about = about(job),
        name = job.name,
        directives = directives(job),
        next = words(&next),
        once = words(&options.argv(job)),
        latest = bounds::missed_age(job, options.now).as_secs(),
    )
}

fn directives(job: &Job) -> String {
    let singleton = (job.overlap != Overlap::Allow).then(|| "--dependency=singleton".to_owned());
    let mut all = vec![format!("--job-name=rebench-cron-{}", job.name), "--no-requeue".to_owned()];
    all.extend(singleton);
    all.extend(limits(job));
    all.into_iter().map(|directive| format!("#SBATCH {directive}\n")).collect::<Vec<_>>().concat()
}

/// The limit, and a signal as long before it as the job needs to end.
fn limits(job: &Job) -> Vec<String> {
    let Some(limit) = bounds::longest(job) else { return vec![] };
    let grace = job.grace.as_secs().saturating_add(30).min(LONGEST_SIGNAL_SECONDS);
    let whole = limit.saturating_add(Duration::from_secs(grace));
    vec![format!("--time={}", time(whole)), format!("--signal=B:TERM@{grace}")]
}

/// `days-hours:minutes:seconds`.
fn time(limit: Duration) -> String {
    let seconds = limit.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    format!("{days}-{hours:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60)
}

fn scrontab(job: &Job, options: &Options) -> Result<File, Vec<Reason>> {
    let schedule = on_the_wall(job)?;
    let fields = written::fields(&schedule, DayStars::Alone)?;
    let system = options.system_zone.as_ref().unwrap_or(schedule.zone());
    if !is_same_zone(&schedule, system) {
        return Err(vec![format!("its times are those of {}, not of {}", system.name(), schedule.zone().name())]);
    }
    let words: Vec<String> = options.argv(job).iter().map(|word| shell(word)).collect();
    let directives: Vec<String> = std::iter::once(format!("--job-name=rebench-cron-{}", job.name))
        .chain(limits(job))
        .map(|directive| format!("#SCRON {directive}\n"))
        .collect();
    let head = format!("# {MARK}. Not checked by Slurm: it comes without scrontab where this was tested.\n");
    let body = format!("\n# {}\n{}{fields} {}\n", about(job), directives.concat(), words.join(" "));
    Ok(File { name: SCRONTAB.to_owned(), head, body })
}

/// Whether the times on the wall are the same.
fn is_same_zone(schedule: &Schedule, system: &Zone) -> bool {
    schedule.zone().name() == system.name()
}

fn warnings_of(job: &Job, options: &Options) -> Vec<String> {
    let warnings = [
        options.system_zone.is_none().then(|| {
            format!(
                "the scrontab is right where the controller is in {} (--system-tz ZONE)",
                job.schedule.zone().name()
            )
        }),
        Some("a run starts when the cluster has room for it, later than due where it has none".to_owned()),
        (job.missed.most == 0)
            .then(|| "a run that waits for room counts as missed only once it is too old to be caught up".to_owned()),
        (job.missed.most > 1).then(|| "of several missed runs one is caught up".to_owned()),
        (job.overlap == Overlap::Forbid)
            .then(|| "a run that is due while the last one is on waits for its end (singleton)".to_owned()),
        bounds::longest(job).is_none().then(|| "it has no limit of time: that of the partition ends it".to_owned()),
        without_jitter(job, NAME),
    ];
    shared_warnings(job).into_iter().chain(warnings.into_iter().flatten()).collect()
}
