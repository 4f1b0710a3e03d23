//! What `rebench-cron export` writes and says: snippets written by hand, warnings, refusals.

use rebench_cron::export::{Engine, Options, export, fires, python, shell};
use rebench_cron::schedule::Zone;

use crate::export_support::{ENGINES, NOW, at, exported, job, named, options, reasons, tool};

const WEEKLY: &str = "schedule = \"30 2 * * 1\"\ntz = \"Europe/Berlin\"\ntimeout = \"2h\"\nretries = 0";

fn text(engine: Engine, keys: &str, end: &str) -> String {
    let export = exported(engine, keys);
    let file = export.files.iter().find(|file| file.name.ends_with(end)).unwrap();
    format!("{}{}", file.head, file.body)
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found.trim() == *line), "no line {line:?} in:\n{text}");
    }
}

#[track_caller]
fn warns(engine: Engine, keys: &str, warning: &str) {
    let export = exported(engine, keys);
    assert!(export.warnings.iter().any(|said| said.contains(warning)), "{warning:?}: {:#?}", export.warnings);
}

#[track_caller]
fn refuses(engine: Engine, keys: &str, reason: &str) {
    let said = reasons(engine, keys);
    assert!(said.iter().any(|said| said.contains(reason)), "{reason:?}: {said:#?}");
}

#[test]
fn a_crontab_has_the_line_of_cron() {
    let crontab = text(Engine::Crontab, WEEKLY, "crontab");
    has(
        &crontab,
        &[
            "SHELL=/bin/sh",
            "# walmart: At 02:30 on Monday, Europe/Berlin (cron 30 2 * * 1)",
            "30 2 * * 1 flock --nonblock --conflict-exit-code 0 /srv/bench/.rebench-cron-walmart.lock rebench-cron once walmart --config /srv/bench/promotion.toml",
        ],
    );
}

#[test]
fn percent_signs_are_no_ends_of_lines_in_a_crontab() {
    let options = Options { config: "/srv/100%/it's/promotion.toml".to_owned(), ..options(NOW) };
    let export = export(Engine::Crontab, &job(WEEKLY), &options).unwrap();
    assert!(export.files[0].body.contains(r"--config '/srv/100\%/it'\''s/promotion.toml'"), "{}", export.files[0].body);
}

#[test]
fn a_crontab_is_right_only_in_the_zone_of_its_machine() {
    warns(Engine::Crontab, WEEKLY, "right where that is Europe/Berlin");
    let with = |system: Option<&str>, cron_tz| Options {
        system_zone: system.map(|name| Zone::named(name).unwrap()),
        cron_tz,
        ..options(NOW)
    };
    // The same clocks under another name.
    assert!(export(Engine::Crontab, &job(WEEKLY), &with(Some("Europe/Paris"), false)).is_ok());
    let refused = export(Engine::Crontab, &job(WEEKLY), &with(Some("UTC"), false)).unwrap_err();
    // Monday 5 January 2026, 02:30 in Berlin is 01:30 UTC; cron in UTC starts at 02:30 UTC, 03:30 in Berlin.
    assert!(
        refused[0].contains("on 2026-01-05") && refused[0].contains("03:30+01:00, not at 02:30+01:00"),
        "{refused:?}"
    );
    let cronie = export(Engine::Crontab, &job(WEEKLY), &with(Some("UTC"), true)).unwrap();
    has(&cronie.files[0].body, &["CRON_TZ=Europe/Berlin"]);
}

#[test]
fn a_timer_and_its_service_say_what_the_job_says() {
    let keys = format!("{WEEKLY}\njitter = \"10m\"\ngrace = \"45s\"");
    has(
        &text(Engine::Systemd, &keys, "timer"),
        &[
            "OnCalendar=Mon *-*-* 02:30:00 Europe/Berlin",
            "AccuracySec=1s",
            "RandomizedDelaySec=600s",
            "FixedRandomDelay=yes",
            "Persistent=yes",
            "Unit=rebench-cron-walmart.service",
            "WantedBy=timers.target",
        ],
    );
    has(
        &text(Engine::Systemd, &keys, "service"),
        &[
            "Type=oneshot",
            "User=bench",
            "WorkingDirectory=/srv/bench",
            "ExecStart=rebench-cron once walmart --config /srv/bench/promotion.toml",
            "SuccessExitStatus=4",
            // 2 h, 45 s of grace, 5 minutes around.
            "TimeoutStartSec=7545s",
            "TimeoutStopSec=75s",
            "KillMode=control-group",
        ],
    );
    has(&text(Engine::Systemd, &format!("{WEEKLY}\nmissed = \"skip\""), "timer"), &["Persistent=no"]);
}

#[test]
fn a_day_that_matches_either_field_takes_two_lines_of_a_timer() {
    let keys = "schedule = \"0 3 1-7 * 1\"";
    has(
        &text(Engine::Systemd, keys, "timer"),
        &["OnCalendar=*-*-01..07 03:00:00 UTC", "OnCalendar=Mon *-*-* 03:00:00 UTC"],
    );
}

#[test]
fn a_cron_job_says_what_the_job_says() {
    let keys = format!("{WEEKLY}\nmissed-age = \"2d\"\noverlap = \"replace\"");
    has(
        &text(Engine::Kubernetes, &keys, "yaml"),
        &[
            "apiVersion: batch/v1",
            "kind: CronJob",
            "schedule: \"30 2 * * 1\"",
            "timeZone: \"Europe/Berlin\"",
            "concurrencyPolicy: Replace",
            "startingDeadlineSeconds: 172800",
            "activeDeadlineSeconds: 7530",
            "backoffLimit: 0",
            "restartPolicy: Never",
            "values: [1, 2, 3, 4]",
            "image: \"registry.example.org/bench:1\"",
            "claimName: \"bench\"",
            "mountPath: \"/srv/bench\"",
            "- \"--config\"",
        ],
    );
}

#[test]
fn a_dag_says_what_the_job_says() {
    has(
        &text(Engine::Airflow, WEEKLY, "py"),
        &[
            "ARGV = [\"rebench-cron\", \"once\", \"walmart\", \"--config\", \"/srv/bench/promotion.toml\"]",
            "LIMIT = datetime.timedelta(seconds=7530)",
            "dag_id=\"rebench-cron-walmart\",",
            "schedule=CronTriggerTimetable(\"30 2 * * 1\", timezone=\"Europe/Berlin\"),",
            "catchup=False,",
            "max_active_runs=1,",
            "@task(retries=0, execution_timeout=LIMIT)",
        ],
    );
}

#[test]
fn a_batch_script_says_what_the_job_says() {
    has(
        &text(Engine::Slurm, WEEKLY, "sbatch"),
        &[
            "#!/bin/bash",
            "#SBATCH --job-name=rebench-cron-walmart",
            "#SBATCH --dependency=singleton",
            // 2 h 30 s and 5 minutes, and the 60 s before which the signal comes.
            "#SBATCH --time=0-02:06:30",
            "#SBATCH --signal=B:TERM@60",
            "ask=(rebench-cron next walmart --no-config --expr '30 2 * * 1' --dialect cron --tz Europe/Berlin --dst vixie)",
            "once=(rebench-cron once walmart --config /srv/bench/promotion.toml)",
        ],
    );
    assert!(!text(Engine::Slurm, &format!("{WEEKLY}\noverlap = \"allow\""), "sbatch").contains("singleton"));
    has(&text(Engine::Slurm, WEEKLY, "scrontab"), &["#SCRON --job-name=rebench-cron-walmart"]);
}

#[test]
fn engines_that_skip_what_a_change_of_clocks_swallows_say_on_which_day() {
    let daily = "schedule = \"30 2 * * *\"\ntz = \"Europe/Berlin\"";
    // 29 March 2026 and 28 March 2027 have no 02:30, 25 October 2026 and 31 October 2027 have two.
    for engine in [Engine::Systemd, Engine::Kubernetes] {
        warns(engine, daily, "clocks in Europe/Berlin change on 2026-03-29: ");
        warns(engine, daily, "skips the run at 03:00+02:00 (2 such days in two years)");
    }
    warns(Engine::Kubernetes, daily, "change on 2026-10-25: Kubernetes also runs at 02:30+01:00");
    warns(Engine::Airflow, daily, "change on 2026-03-29: Airflow runs at 03:30+02:00, not at 03:00+02:00");
    warns(Engine::Airflow, daily, "change on 2026-10-25: Airflow runs at 02:30+01:00, not at 02:30+02:00");
    for engine in [Engine::Crontab, Engine::Slurm] {
        assert!(!exported(engine, daily).warnings.iter().any(|said| said.contains("clocks in")), "{engine:?}");
    }
    // Its own rule is that of systemd.
    let skipped = format!("{daily}\ndst = \"skip\"");
    assert!(!exported(Engine::Systemd, &skipped).warnings.iter().any(|said| said.contains("clocks in")));
    warns(Engine::Crontab, &skipped, "change on 2026-03-29: cron also runs at 03:00+02:00");
}

#[test]
fn what_is_lost_is_said() {
    for (engine, keys, warning) in [
        (Engine::Crontab, "jitter = \"5m\"", "no jitter"),
        (Engine::Crontab, "", "catches up nothing"),
        (Engine::Crontab, "overlap = \"queue\"", "any number of runs wait"),
        (Engine::Systemd, "missed = \"all\"", "one missed run"),
        (Engine::Systemd, "overlap = \"queue\"", "left out, not queued"),
        (Engine::Kubernetes, "missed = \"all\"", "newest missed run only"),
        (Engine::Kubernetes, "", "exit status 4"),
        (Engine::Airflow, "missed = \"skip\"", "all the same"),
        (Engine::Slurm, "overlap = \"forbid\"", "singleton"),
        (Engine::Slurm, "timeout = \"never\"", "no limit of time"),
        (Engine::Airflow, "inherit-env = [\"TOKEN\", \"REGION\"]", "inherits TOKEN, REGION"),
    ] {
        warns(engine, &format!("schedule = \"0 6 * * 1\"\n{keys}"), warning);
    }
}

#[test]
fn what_cannot_be_kept_is_refused() {
    for engine in [Engine::Crontab, Engine::Kubernetes, Engine::Airflow] {
        refuses(engine, "schedule = \"0 0 L * *\"", "L and W");
        refuses(engine, "schedule = \"0 0 * * 1#2\"", "L and #");
        refuses(engine, "schedule = \"30 0 0 * * *\"\ndialect = \"cron-seconds\"", "whole minutes");
        refuses(engine, "schedule = \"Mon *-*-02..07 04:00\"\ndialect = \"oncalendar\"", "must match both");
        refuses(engine, "schedule = \"@every 90m\"", "period");
    }
    // A star with a step is free for Vixie's cron alone.
    assert!(exported(Engine::Crontab, "schedule = \"0 0 */2 * 1\"").files[0].body.contains("\n0 0 */2 * 1 flock"));
    refuses(Engine::Kubernetes, "schedule = \"0 0 */2 * 1\"", "must match both");
    for engine in [Engine::Crontab, Engine::Systemd, Engine::Airflow, Engine::Slurm] {
        refuses(engine, "schedule = \"0 6 * * 1\"\noverlap = \"replace\"", "overlap = \"replace\"");
    }
    assert_eq!(
        reasons(Engine::Crontab, "schedule = \"30 0 0 L * *\"\ndialect = \"cron-seconds\"\noverlap = \"replace\"")
            .len(),
        3
    );
}

#[test]
fn a_period_that_days_are_a_multiple_of_is_a_time_on_the_wall_in_utc() {
    for (every, fields) in [("15m", "*/15 * * * *"), ("6h", "0 */6 * * *"), ("1d", "0 0 * * *"), ("7d", "0 0 * * 4")] {
        let crontab =
            text(Engine::Kubernetes, &format!("schedule = \"@every {every}\"\ntz = \"Europe/Berlin\""), "yaml");
        has(&crontab, &[&format!("schedule: \"{fields}\""), "timeZone: \"UTC\""]);
    }
}

#[test]
fn a_name_that_dns_does_not_have_is_changed_and_that_is_said() {
    let export = export(Engine::Kubernetes, &named("Retail_A", "schedule = \"0 6 * * 1\""), &options(NOW)).unwrap();
    assert_eq!(export.files[0].name, "rebench-cron-Retail_A.yaml");
    assert!(export.warnings.iter().any(|said| said.starts_with("it is called rebench-cron-retail-a-")));
}

/// Asked of `CronTriggerTimetable` in Airflow 3.3.2, step by step from the start.
#[test]
fn airflow_fires_as_airflow_does() {
    let new_york = "America/New_York";
    for (expr, tz, start, expected) in [
        ("30 2 * * *", new_york, "2026-03-07T12:00:00Z", ["03-08T07:30", "03-09T06:30", "03-10T06:30"]),
        ("15,45 2 * * *", new_york, "2026-03-07T12:00:00Z", ["03-08T07:15", "03-09T06:15", "03-09T06:45"]),
        ("30 1 * * *", new_york, "2026-10-31T12:00:00Z", ["11-01T06:30", "11-02T06:30", "11-03T06:30"]),
        ("*/30 0-3 * * *", new_york, "2026-11-01T04:30:00Z", ["11-01T06:00", "11-01T06:30", "11-01T07:00"]),
        ("*/30 0-3 * * *", new_york, "2026-03-08T06:00:00Z", ["03-08T06:30", "03-08T07:00", "03-08T07:30"]),
        ("30 * * * *", new_york, "2026-11-01T03:40:00Z", ["11-01T04:30", "11-01T05:30", "11-01T06:30"]),
        ("30 * * * *", new_york, "2026-03-08T05:40:00Z", ["03-08T06:30", "03-08T07:30", "03-08T08:30"]),
        ("0 * * * *", "Australia/Lord_Howe", "2026-10-03T13:30:00Z", ["10-03T14:30", "10-03T15:30", "10-03T16:00"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T17:00:00Z", ["10-03T15:45", "10-04T15:15", "10-05T15:15"]),
        ("0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", ["09-06T04:00", "09-07T03:00", "09-08T03:00"]),
        ("0 3 1-7 * 1", "UTC", "2026-03-05T12:00:00Z", ["03-06T03:00", "03-07T03:00", "03-09T03:00"]),
    ] {
        let job = job(&format!("schedule = \"{expr}\"\ntz = \"{tz}\""));
        let model = fires(Engine::Airflow, &job, &options(NOW)).unwrap();
        let found: Vec<_> = model.fires(at(start)).take(3).collect();
        let expected: Vec<_> = expected.iter().map(|text| at(&format!("2026-{text}:00Z"))).collect();
        assert_eq!(found, expected, "{expr} {tz}");
    }
}

#[test]
fn python_and_the_shell_read_what_was_quoted() {
    let texts = ["plain", "it's \"quoted\" \\ back", "a$b`c`%d {e} ü € 😀", " ", "#x;y&z|<>", "\\x41\\"];
    for text in texts {
        let script = format!("import sys; sys.stdout.buffer.write({}.encode())", python(text));
        if let Some(output) = tool("python3", &["-c", &script]) {
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text, "{}", python(text));
        }
        let output = tool("sh", &["-c", &format!("printf %s {}", shell(text))]).unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), text, "{}", shell(text));
    }
}

#[test]
fn a_folder_that_a_hardened_service_cannot_write_is_said() {
    let warnings = |config: &str| {
        let options = Options { config: config.to_owned(), ..options(NOW) };
        export(Engine::Systemd, &job(WEEKLY), &options).unwrap().warnings
    };
    let shut = |warnings: &[String]| warnings.iter().any(|said| said.contains("cannot write where promotion.toml is"));
    assert!(shut(&warnings("/etc/bench/promotion.toml")) && shut(&warnings("/tmp/promotion.toml")));
    assert!(!shut(&warnings("/etcetera/promotion.toml")) && !shut(&warnings("/promotion.toml")));
}

#[test]
fn every_file_names_its_maker_near_its_start() {
    for engine in ENGINES {
        for file in exported(engine, WEEKLY).files {
            let text = format!("{}{}", file.head, file.body);
            assert!(text.lines().take(3).any(|line| line.contains("Made by rebench-cron export")), "{}", file.name);
        }
    }
}
