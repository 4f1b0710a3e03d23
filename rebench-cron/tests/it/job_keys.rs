//! What of `expect` and `judge` is refused when promotion.toml is read.

use std::path::Path;

use rebench_cron::job;
use shared::config::Config;

/// What is said of a job with these lines in its table and in that of the judge.
fn said(job: &str, tables: &str) -> Result<(), String> {
    let text = format!(
        "project = \"p\"\n[rebench-cron.jobs.weekly]\nschedule = \"0 3 * * 1\"\ncommand = [\"true\"]\n{job}\n{tables}\n"
    );
    let config = Config::parse(Path::new("promotion.toml"), &text).unwrap();
    job::jobs(&config).map(drop).map_err(|error| error.to_string())
}

#[test]
fn files_of_a_run_are_named_inside_its_folder() {
    for (tables, key) in [
        ("[rebench-cron.jobs.weekly.expect]\nfiles = [\"../x.json\"]", "expect.files is \"../x.json\""),
        ("[rebench-cron.jobs.weekly.judge]\nbeside = \"/x.json\"", "judge.beside is \"/x.json\""),
        ("[rebench-cron.jobs.weekly.judge]\nbeside = \"x\"\ncandidate = \"\"", "judge.candidate is \"\""),
    ] {
        let text = said("model = \"a\"", tables).unwrap_err();
        assert!(text.starts_with("promotion.toml:2:") && text.contains(key), "{text}");
    }
}

#[test]
fn data_are_patterns_that_can_be_read() {
    let text = said("", "[rebench-cron.jobs.weekly.expect]\ndata = [\"data/*.csv\", \"a**b\"]").unwrap_err();
    assert!(text.contains("expect.data \"a**b\""), "{text}");
}

#[test]
fn the_judge_knows_what_to_compare_and_by_which_names() {
    let judge = |lines: &str| format!("[rebench-cron.jobs.weekly.judge]\n{lines}");
    assert_eq!(said("model = \"a\"", &judge("recorded = \"../old.json\"\ngate = [\"--seed\", \"7\"]")), Ok(()));
    for (job, lines, expected) in [
        ("", "beside = \"b.json\"", "nothing says what the model is called"),
        ("model = \"a\"", "forecasts = \"cv.csv\"", "without the column of the baseline"),
        ("model = \"a\"", "metric = \"mape\"", "does not say what the model is held against"),
        ("model = \"a\"", "beside = \"b\"\ngate = [\"--margin=0.1\"]", "judge.gate holds --margin=0.1"),
        ("model = \"a\"", "beside = \"b\"\nreproducible-within = -1", "judge.reproducible-within is -1"),
    ] {
        let text = said(job, &judge(lines)).unwrap_err();
        assert!(text.contains(expected), "{text}");
    }
}
