//! What the engines' own tools say of the files, and random schedules that go there and back.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rebench_cron::export::{Engine, Export, Options, export, fires, write};
use rebench_cron::job::Job;
use shared::fsio;
use tempfile::TempDir;

use crate::export_support::{ENGINES, NOW, at, kubernetes_validate, named, options, passes, tool};

const SCHEDULES: usize = 200;
const SEED: u64 = 20_261_129;
const FIRES: usize = 10;

/// Zones, each with starts shortly before its clocks change, where they do.
const ZONES: [(&str, [&str; 2]); 6] = [
    ("UTC", ["2026-01-15T07:00:00Z", "2026-12-31T22:00:00Z"]),
    ("Europe/Berlin", ["2026-03-28T18:00:00Z", "2026-10-24T18:00:00Z"]),
    ("America/New_York", ["2026-03-08T00:00:00Z", "2026-10-31T20:00:00Z"]),
    ("Australia/Lord_Howe", ["2026-10-03T06:00:00Z", "2026-04-04T06:00:00Z"]),
    ("America/Santiago", ["2026-09-05T12:00:00Z", "2026-04-04T12:00:00Z"]),
    ("Asia/Kolkata", ["2026-02-27T00:00:00Z", "2026-06-30T12:00:00Z"]),
];

/// Random jobs.
struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, size: u32) -> u32 {
        self.0.next_u32() % size
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u32) as usize]
    }

    fn job(&mut self, number: usize) -> (Job, Options) {
        let (dialect, expr) = self.expression();
        let (zone, starts) = ZONES[self.below(ZONES.len() as u32) as usize];
        let dst = match self.below(3) {
            0 => format!("dst = \"{}\"\n", self.one(&["vixie", "skip", "later", "instant"])),
            _ => String::new(),
        };
        let keys = format!("schedule = \"{expr}\"\ndialect = \"{dialect}\"\ntz = \"{zone}\"\n{dst}");
        (named(&format!("job-{number}"), &keys), options(self.one(&starts)))
    }

    fn expression(&mut self) -> (&'static str, String) {
        let minute = self.one(&["0", "30", "15,45", "*/20", "H", "*", "5-10", "*/7"]);
        let hour = self.one(&["2", "1", "0", "*", "*/6", "1-3", "23", "H", "2,14"]);
        let day = self.one(&["*", "*", "1", "13", "1-7", "*/2", "L", "15W", "31", "LW", "L-2"]);
        let month = self.one(&["*", "*", "*", "3", "10-11", "*/3"]);
        let weekday = self.one(&["*", "*", "1", "0", "1-5", "6,7", "*/2", "1#2", "5L"]);
        match self.below(10) {
            0 => {
                ("cron-seconds", format!("{} {minute} {hour} {day} {month} {weekday}", self.one(&["0", "30", "*/20"])))
            }
            1 => (
                "quartz",
                format!("0 {} {hour} ? {month} {}", self.one(&["0", "0/15"]), self.one(&["2", "2#1", "6L", "*"])),
            ),
            2 => {
                let days = self.one(&["*-*-*", "*-*~01", "Mon *-*-01..07", "*-03,10-*", "Sat,Sun *-*-*"]);
                ("oncalendar", format!("{days} {}", self.one(&["02:30", "01:30", "*:0/30", "00:00:30"])))
            }
            3 => ("cron", self.one(&["@every 15m", "@every 7d", "@every 6h", "@every 90m", "@daily"]).to_owned()),
            4..6 => ("cron", format!("{minute} {hour} * * *")),
            _ => ("cron", format!("{minute} {hour} {day} {month} {weekday}")),
        }
    }
}

fn jobs() -> Vec<(Job, Options)> {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(SEED));
    (0..SCHEDULES).map(|number| dice.job(number)).collect()
}

fn warns_of_clocks(export: &Export) -> bool {
    export.warnings.iter().any(|said| said.starts_with("clocks in "))
}

fn ours(job: &Job, now: Timestamp) -> Vec<Timestamp> {
    job.schedule.fires(now).take(FIRES).collect()
}

#[test]
fn random_schedules_fire_the_same_or_there_is_a_warning() {
    for engine in ENGINES {
        let (mut kept, mut warned) = (0, 0);
        for (job, options) in jobs() {
            let Ok(export) = export(engine, &job, &options) else { continue };
            let theirs: Vec<_> = fires(engine, &job, &options).unwrap().fires(options.now).take(FIRES).collect();
            let same = theirs == ours(&job, options.now);
            assert!(same || warns_of_clocks(&export), "{engine:?} {} {:?}", job.expression, options.now);
            kept += 1;
            warned += usize::from(!same);
        }
        eprintln!(
            "{}: {kept} of {SCHEDULES} kept, {warned} of them with a warning within {FIRES} fires",
            engine.name()
        );
        assert!(kept > SCHEDULES / 3, "{engine:?}: {kept}");
    }
}

/// The next fires of a timer, by `systemd-analyze calendar`.
fn systemd_calendar(job: &str, export: &Export, now: Timestamp) -> Option<Vec<Timestamp>> {
    let timer = export.files.iter().find(|file| file.name == format!("rebench-cron-{job}.timer")).unwrap();
    let base = format!("{} UTC", now.strftime("%Y-%m-%d %H:%M:%S"));
    let mut all = BTreeSet::new();
    for line in timer.body.lines().filter_map(|line| line.strip_prefix("OnCalendar=")) {
        let iterations = format!("--iterations={FIRES}");
        let output = tool("systemd-analyze", &["calendar", &iterations, "--base-time", &base, line])?;
        passes(&output);
        all.extend(elapses(&output));
    }
    Some(all.into_iter().take(FIRES).collect())
}

fn elapses(output: &Output) -> Vec<Timestamp> {
    let text = String::from_utf8_lossy(&output.stdout);
    let time = |line: &str| {
        // In UTC the time is told once, elsewhere again in UTC below.
        let (label, rest) = line.trim().split_once(": ")?;
        let known = label == "Next elapse" || label.starts_with("Iter. #") || label == "(in UTC)";
        let words: Vec<&str> = rest.split_whitespace().collect();
        match words[..] {
            [_, date, time, "UTC"] if known => format!("{date}T{time}Z").parse().ok(),
            _ => None,
        }
    };
    text.lines().filter_map(time).collect()
}

#[test]
fn systemd_fires_random_timers_as_the_schedule_says_or_there_is_a_warning() {
    for (job, options) in jobs() {
        let Ok(export) = export(Engine::Systemd, &job, &options) else { continue };
        let Some(theirs) = systemd_calendar(&job.name, &export, options.now) else { return };
        let model: Vec<_> = fires(Engine::Systemd, &job, &options).unwrap().fires(options.now).take(FIRES).collect();
        assert_eq!(theirs, model, "{} {:?}", job.expression, options.now);
        assert!(theirs == ours(&job, options.now) || warns_of_clocks(&export), "{}", job.expression);
    }
}

/// All random jobs that an engine keeps, in a folder.
fn folder(engine: Engine) -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let options = |options: Options| Options { cron_tz: true, program: "/bin/true".to_owned(), user: None, ..options };
    let exports = jobs().into_iter().filter_map(|(job, plain)| export(engine, &job, &options(plain)).ok());
    let files: Vec<_> = exports.flat_map(|export| export.files).collect();
    let written = write(folder.path(), &files, false).unwrap();
    let names = written.iter().map(|path| path.to_str().unwrap().to_owned()).collect();
    (folder, names)
}

#[test]
fn crontab_reads_the_crontab() {
    let (_folder, files) = folder(Engine::Crontab);
    let [file] = &files[..] else { panic!("{files:?}") };
    if let Some(output) = tool("crontab", &["-n", file]) {
        passes(&output);
    }
}

#[test]
fn systemd_reads_the_units() {
    let (_folder, files) = folder(Engine::Systemd);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    for some in files.chunks(40) {
        let Some(output) = tool("systemd-analyze", &[&["verify"], some].concat()) else { return };
        passes(&output);
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_schemas_of_kubernetes_hold() {
    let (folder, files) = folder(Engine::Kubernetes);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let Some(output) = kubernetes_validate(&files) else { return };
    passes(&output);
    // It can fail.
    let wrong = folder.path().join("wrong.yaml");
    let text = std::fs::read_to_string(files[0]).unwrap().replace("timeZone", "timezone");
    fsio::write_atomic(&wrong, text.as_bytes()).unwrap();
    assert!(!kubernetes_validate(&[wrong.to_str().unwrap()]).unwrap().status.success());
}

#[test]
fn python_reads_the_dags() {
    let (_folder, files) = folder(Engine::Airflow);
    let script = "import ast, sys\nfor file in sys.argv[1:]: ast.parse(open(file).read(), file)";
    let words: Vec<&str> = ["-c", script].into_iter().chain(files.iter().map(String::as_str)).collect();
    if let Some(output) = tool("python3", &words) {
        passes(&output);
    }
}

/// A batch script in a folder with a program and an `sbatch` that only say how they were called.
struct Chain(TempDir);

impl Chain {
    fn new(keys: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let executable = |name: &str, text: &str| {
            fsio::write_atomic(file(name).as_ref(), text.as_bytes()).unwrap();
            std::fs::set_permissions(file(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        let program = env!("CARGO_BIN_EXE_rebench-cron");
        executable(
            "program",
            &format!("#!/bin/sh\nif [ \"$1\" = next ]; then exec {program} \"$@\"; fi\necho \"$@\"\nexit 3\n"),
        );
        executable("sbatch", &format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {}\n", file("submitted")));
        let options = Options { program: file("program"), ..options(NOW) };
        let export = export(Engine::Slurm, &named("walmart", keys), &options).unwrap();
        write(folder.path(), &export.files, false).unwrap();
        Self(folder)
    }

    fn run(&self, slurm: bool, words: &[&str]) -> Output {
        let mut command = Command::new("bash");
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        command.env_clear().env("PATH", path).arg(self.script()).args(words);
        if slurm {
            command.env("SLURM_JOB_ID", "7");
        }
        command.output().unwrap()
    }

    fn script(&self) -> String {
        self.0.path().join("rebench-cron-walmart.sbatch").to_str().unwrap().to_owned()
    }

    /// The words that sbatch got.
    fn submitted(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.0.path().join("submitted")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

const YEARLY: &str = "schedule = \"0 0 1 1 *\"\nmissed-age = \"1h\"";

#[test]
fn a_batch_script_that_is_called_submits_the_first_run() {
    let chain = Chain::new(YEARLY);
    let before = Timestamp::now();
    passes(&chain.run(false, &[]));
    let [begin, script, slot, again] = &chain.submitted()[..] else { panic!("{:?}", chain.submitted()) };
    assert_eq!((script, again), (&chain.script(), &chain.script()));
    let seconds: i64 = begin.trim_start_matches("--begin=now+").trim_end_matches("seconds").parse().unwrap();
    let year = before.to_zoned(jiff::tz::TimeZone::UTC).year() + 1;
    assert_eq!(*slot, format!("{year}-01-01T00:00:00Z"));
    assert!((at(slot).as_second() - before.as_second() - seconds).abs() <= 60);
}

#[test]
fn a_batch_job_submits_the_next_run_and_ends_as_the_job_does() {
    let chain = Chain::new(YEARLY);
    let slot = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let output = chain.run(true, &[&slot, &chain.script()]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "once walmart --config /srv/bench/promotion.toml\n");
    assert!(chain.submitted()[2].ends_with("-01-01T00:00:00Z"));
    // Begun early by a clock that is behind: not the same run again.
    let year = at(&chain.submitted()[2]).to_zoned(jiff::tz::TimeZone::UTC).year();
    let slot = chain.submitted()[2].clone();
    chain.run(true, &[&slot, &chain.script()]);
    assert_eq!(chain.submitted()[2], format!("{}-01-01T00:00:00Z", year + 1));
}

#[test]
fn a_batch_job_that_is_too_late_is_left_out_and_the_chain_goes_on() {
    let chain = Chain::new(YEARLY);
    let output = chain.run(true, &["2020-01-01T00:00:00Z", &chain.script()]);
    passes(&output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is left out"));
    assert!(output.stdout.is_empty());
    assert_eq!(chain.submitted().len(), 4);
}
