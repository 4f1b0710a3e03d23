//! Weeks of a model that wins and then no longer does, through the real `bench-compare`.

use std::fmt::Write as _;

use jiff::civil::date;
use jiff::{Span, ToSpan};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebench_cron::commands::history;
use shared::config::Config;

use crate::daemon_support::{Home, at};
use crate::judge_gate::bench_compare;

const WEEKS: u32 = 24;

/// The week from which on the model is worse.
const SHIFT: u32 = 10;

/// A forecast table of one week: 12 series, 4 cutoffs, one step ahead. The losses of both models are drawn alike; from the shift on those of
/// the model are `worse` times as large.
fn table(week: u32, worse: f64) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(week));
    let mut text = "unique_id,ds,cutoff,y,model,baseline\n".to_owned();
    for series in 0..12 {
        for cutoff in 0..4_i32 {
            let day = date(2026, 1, 1) + Span::new().days(7 * i64::from(week) + i64::from(cutoff));
            let mut error = || 10.0 * (random.random::<f64>() - 0.5);
            let (model, baseline) = (100.0 + worse * error(), 100.0 + error());
            let next = day.checked_add(1.day()).unwrap();
            _ = writeln!(text, "s{series},{next},{day},100,{model},{baseline}");
        }
    }
    text
}

/// A job that finds the table of its week, and a registry that names its champion.
const JOB: &str = "[rebench-cron.jobs.weekly]
schedule = '0 3 * * 1'
command = ['sh', '-c', 'cp $(ls tables/*.csv | sed -n $(echo x >> runs; wc -l < runs)p) $0/forecasts.csv', '{out_dir}']
model = 'model'
[rebench-cron.jobs.weekly.expect]
files = ['forecasts.csv']
[rebench-cron.jobs.weekly.judge]
forecasts = 'forecasts.csv'
baseline-model = 'baseline'
looks = 52
";

fn home(worse: f64) -> Home {
    let home = Home::with_program(bench_compare());
    std::fs::create_dir(home.path("tables")).unwrap();
    for week in 1..=WEEKS {
        let factor = if week >= SHIFT { worse } else { 1.0 };
        home.write(&format!("tables/{week:03}.csv"), &table(week, factor));
    }
    home.live(&mut home.daemon(JOB), "2026-06-16T00:00:00Z");
    home
}

fn trend(home: &Home) -> serde_json::Value {
    let config = Config::parse(&home.path("promotion.toml"), JOB).unwrap();
    serde_json::to_value(history::trend(&config, &home.store(), "weekly", 1_000).unwrap()).unwrap()
}

#[test]
fn a_model_that_no_longer_wins_is_told_and_its_beginning_found() {
    let home = home(1.4);
    let alarms: Vec<String> = home.told().into_iter().filter(|told| told.starts_with("ModelNoLongerWins")).collect();
    assert_eq!(alarms, ["ModelNoLongerWins firing"]);
    let trend = trend(&home);
    let points = trend["points"].as_array().unwrap();
    assert_eq!(points.len() as u32, WEEKS);
    let alarm = points.iter().position(|point| point["e_value"].as_f64().unwrap() >= 20.0).unwrap() as u32 + 1;
    assert!((SHIFT..SHIFT + 8).contains(&alarm), "alarm in week {alarm}");
    // The first week that is worse is that of 9 March: the tenth Monday after 1 January.
    let began: jiff::Timestamp = trend["change"]["at"].as_str().unwrap().parse().unwrap();
    assert!((began - at("2026-03-09T03:00:00Z")).get_hours().abs() <= 2 * 7 * 24, "{began}");
}

#[test]
fn a_model_that_is_as_good_as_ever_raises_no_alarm() {
    let home = home(1.0);
    assert!(!home.told().iter().any(|told| told.starts_with("ModelNoLongerWins")), "{:?}", home.told());
    assert!(home.history("weekly").iter().all(|slot| slot.contains(" cron done ")));
}

/// Results of two models on two datasets, as the `ModelBenchmark` class writes them; those of the first are the n-th of `values`, in turn.
const BENCHMARK: &str = r#"#!/bin/sh
echo x >> runs
mape=$(sed -n "$(wc -l < runs)p" values)
row() { printf '{"model_name":"%s","dataset_name":"%s","mape":%s,"rmse":1,"mae":1,"training_time":1,"prediction_time":1,"n_samples":50,"n_features":3,"params":null}' "$1" "$2" "$3"; }
results() { printf '{"results":[%s,%s],"timestamp":"2026-01-01T00:00:00","n_models":1,"n_datasets":2}' "$(row "$1" a "$2")" "$(row "$1" b "$2")"; }
results model "$mape" > "$1/benchmark_results.json"
results baseline "${2:-0.100}" > "$1/baseline.json"
"#;

fn benchmark_job(judge: &str) -> String {
    format!(
        "[rebench-cron.jobs.weekly]\nschedule = '0 3 * * 1'\ncommand = ['sh', 'bench.sh', '{{out_dir}}']\nretries = 0\n\
         [rebench-cron.jobs.weekly.judge]\ncandidate-model = 'model'\nbaseline-model = 'baseline'\n\
         gate = ['--mape-unit', 'fraction']\n{judge}\n"
    )
}

#[test]
fn the_noise_of_a_benchmark_is_learned_once_and_chance_is_no_regression() {
    let home = Home::with_program(bench_compare());
    home.write("bench.sh", BENCHMARK);
    // Three runs on the same data in the first week: logarithms of 0.100, 0.102 and 0.098 have a standard deviation of 0.0200. The floor of the
    // difference of two means over two datasets is t(0.975, 4) = 2.776 times that, as both datasets have the same numbers: 5.6 %.
    home.write("values", "0.100\n0.102\n0.098\n0.104\n0.115\n");
    let text = benchmark_job("beside = 'baseline.json'\nrepeats = 3");
    home.live(&mut home.daemon(&text), "2026-01-20T00:00:00Z");
    let outcomes: Vec<String> = home.history("weekly").iter().map(|slot| slot[26..].to_owned()).collect();
    // The same results hold; 4 % is what chance makes; 15 % is not.
    assert_eq!(outcomes, ["done holds", "done inconclusive", "done regressed"]);
    assert_eq!(home.lines("runs").len(), 5, "the repeats are made once");
    let floor =
        home.store().history("weekly", 9).unwrap()[2].run.clone().unwrap().verdict.unwrap().0.noise_floor.unwrap();
    assert!((floor - 2.776 * 0.0200).abs() < 5e-4, "{floor}");
}

#[test]
fn a_baseline_that_gives_other_results_than_recorded_judges_nothing() {
    let home = Home::with_program(bench_compare());
    home.write("bench.sh", BENCHMARK);
    home.write("values", "0.100\n0.100\n");
    std::fs::create_dir(home.path("recorded")).unwrap();
    let recorded = std::process::Command::new("sh")
        .args(["bench.sh", "recorded", "0.110"])
        .current_dir(home.folder.path())
        .status();
    assert!(recorded.unwrap().success());
    let text = benchmark_job("recorded = 'recorded/baseline.json'\nreproduced = 'baseline.json'");
    home.live(&mut home.daemon(&text), "2026-01-06T00:00:00Z");
    // 0.100 where 0.110 is recorded: 9 % apart, 2 % are allowed.
    assert!(home.history("weekly")[0].ends_with("cron done not_reproducible"), "{:?}", home.history("weekly"));
    assert_eq!(home.told(), ["BaselineNotReproducible firing"]);
}
