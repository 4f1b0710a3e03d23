//! A timer and a service of systemd.

use std::time::Duration;

use super::{
    Export, File, MARK, Model, Options, Reason, about, all, bounds, differences, on_the_wall, refused, shared_warnings,
    systemd_word,
};
use crate::job::{Job, Overlap};
use crate::schedule::{Dialect, Expression, Schedule, written};

const NAME: &str = "systemd";

/// What a benchmark does not need. It may write where its user may, use the network, map code that it makes (JIT), and keep
/// its processes in groups of its own.
const HARDENING: &str = "\
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
";

pub(super) fn fires(job: &Job) -> Result<Model, Vec<Reason>> {
    let schedule = on_the_wall(job)?;
    let read = |line: &String| {
        let expression = Expression::parse(line, Dialect::OnCalendar, None).map_err(|fault| vec![fault.to_string()])?;
        Ok(Schedule::new(expression.pattern, schedule.zone().clone(), Dialect::OnCalendar.dst()))
    };
    let lines = written::lines(&schedule)?;
    lines.iter().map(read).collect::<Result<_, _>>().map(Model::Any)
}

pub(super) fn export(job: &Job, options: &Options) -> Result<Export, Vec<Reason>> {
    let (model, ()) = all(fires(job), refused([overlap(job), backslash(options)]))?;
    let mut warnings = differences::of(&job.schedule, &model, NAME, options.now)?;
    warnings.extend(warnings_of(job, options));
    let file = |end: &str, body| File { name: format!("rebench-cron-{}.{end}", job.name), head: String::new(), body };
    Ok(Export { files: vec![file("timer", timer(job)?), file("service", service(job, options))], warnings })
}

fn overlap(job: &Job) -> Option<Reason> {
    match job.overlap {
        Overlap::Replace => Some("a timer does not end a service that is on: overlap = \"replace\"".to_owned()),
        Overlap::Allow => Some("a service runs once at a time: overlap = \"allow\"".to_owned()),
        Overlap::Forbid | Overlap::Queue => None,
    }
}

/// At the end of a line it would join the next one.
fn backslash(options: &Options) -> Option<Reason> {
    options.folder().contains('\\').then(|| format!("the folder {:?} has a backslash", options.folder()))
}

fn timer(job: &Job) -> Result<String, Vec<Reason>> {
    let schedule = on_the_wall(job)?;
    let zone = schedule.zone().name();
    let lines = written::lines(&schedule)?;
    let lines: Vec<String> = lines.iter().map(|line| format!("OnCalendar={line} {zone}\n")).collect();
    let lines = lines.concat();
    let jitter = match job.jitter {
        Duration::ZERO => String::new(),
        jitter => format!("RandomizedDelaySec={}\nFixedRandomDelay=yes\n", seconds(jitter)),
    };
    let persistent = if job.missed.most > 0 { "yes" } else { "no" };
    Ok(format!(
        "# {MARK}.\n# {about}\n[Unit]\nDescription=Re-benchmark {name}, by its schedule\n\n\
         [Timer]\n{lines}AccuracySec=1s\n{jitter}Persistent={persistent}\nUnit=rebench-cron-{name}.service\n\n\
         [Install]\nWantedBy=timers.target\n",
        about = about(job),
        name = job.name,
    ))
}

fn service(job: &Job, options: &Options) -> String {
    let words: Vec<String> = options.argv(job).iter().map(|word| systemd_word(word)).collect();
    let limit = bounds::longest(job).map_or_else(|| "infinity".to_owned(), seconds);
    let user = options.user.as_ref().map_or_else(String::new, |user| format!("User={user}\n"));
    format!(
        "# {MARK}.\n# {about}\n[Unit]\nDescription=Re-benchmark {name}\nWants=network-online.target\nAfter=network-online.target\n\n\
         [Service]\nType=oneshot\n{user}WorkingDirectory={folder}\nExecStart={command}\n\
         # 4 is an inconclusive run, which is no failure; 1 (worse), 2 (wrong settings) and 3 (failed) are.\n\
         SuccessExitStatus=4\nRestart=no\nTimeoutStartSec={limit}\nTimeoutStopSec={stop}\n\
         KillMode=control-group\n{HARDENING}",
        about = about(job),
        name = job.name,
        folder = options.folder().replace('%', "%%"),
        command = words.join(" "),
        // `once` ends its job within the grace, and says so.
        stop = seconds(job.grace.saturating_add(Duration::from_secs(30))),
    )
}

/// Whole seconds, rounded up.
fn seconds(length: Duration) -> String {
    format!("{}s", length.as_secs() + u64::from(length.subsec_nanos() > 0))
}

/// Folders that the service sees otherwise: another `/tmp`, a system that is read only.
const SHUT: [&str; 5] = ["/tmp", "/var/tmp", "/usr", "/boot", "/etc"];

fn is_shut(folder: &str) -> bool {
    SHUT.iter().any(|shut| std::path::Path::new(folder).starts_with(shut))
}

fn warnings_of(job: &Job, options: &Options) -> Vec<String> {
    let warnings = [
        is_shut(options.folder()).then_some(
            "the service cannot write where promotion.toml is: take PrivateTmp= or ProtectSystem= out, or move it",
        ),
        (job.missed.most > 1).then_some("systemd catches up one missed run, however many there were"),
        (job.missed.most > 0).then_some("systemd catches up a missed run however old it is, and with the jitter"),
        (!job.jitter.is_zero())
            .then_some("the part of the jitter is another one: systemd picks it from the machine and the unit"),
        (job.overlap == Overlap::Queue).then_some("a run that is due while the last one is on is left out, not queued"),
        options
            .user
            .is_none()
            .then_some("a system unit without User= runs as root: --user NAME, or install it as a unit of a user"),
    ];
    shared_warnings(job).into_iter().chain(warnings.into_iter().flatten().map(str::to_owned)).collect()
}
