//! Step 6: the alarm on live records, what it names, the early re-benchmark that it asks for, and what that finds.

use serde_json::Value;

use super::{Example, errors, mean};

/// When `train.py` breaks the feature, and for which airport.
const BROKEN: &str = "2013-08-06";

fn events(example: &Example) -> Vec<Value> {
    example.read("build/drift-watch/events.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_alarm_comes_after_the_fault_and_names_the_airport() {
    let example = Example::after("watch");
    let fired: Vec<Value> = events(&example).into_iter().filter(|event| event["event"] == "fired").collect();
    assert!(!fired.is_empty());
    for event in fired {
        let alert = &event["alert"];
        assert_eq!(
            (&alert["name"], &alert["model"], &alert["version"]),
            (&"ForecastDrift".into(), &"departures".into(), &"2.0.0".into())
        );
        let since = alert["since"].as_str().unwrap();
        assert!(since > BROKEN && since < "2013-08-21", "within two weeks of it: {since}");
        let drivers: Vec<&str> =
            alert["drivers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(drivers[0], "airport LGA");
        assert!(drivers.iter().all(|name| !name.contains("JFK") && !name.contains("EWR")), "{drivers:?}");
    }
}

#[test]
fn live_accuracy_is_that_of_the_rows() {
    let example = Example::after("watch");
    let said = example.run("drift-watch export --joined --predictions live/predictions.csv --actuals live/actuals.csv --no-config --manifest build/models/metadata/departures_v2.json -o joined.csv");
    assert_eq!(said.status, 0, "{}", said.stderr);
    let script = "import csv\n\
        actual = {(row['series'], row['target_time']): float(row['y']) for row in csv.DictReader(open('live/actuals.csv'))}\n\
        rows = [(row, actual.get((row['series'], row['target_time']))) for row in csv.DictReader(open('live/predictions.csv'))]\n\
        errors = [abs(float(row['y_hat']) - y) / y for row, y in rows if y]\n\
        print(len(errors), sum(errors) / len(errors))";
    example.write("mape.py", script);
    let theirs = example.run("python3 mape.py").stdout;
    let (n, mape) = theirs.trim().split_once(' ').unwrap();
    let said = example.run("bench-compare score joined.csv --no-config --json").json();
    let model = said["models"].as_object().unwrap().values().next().unwrap();
    assert_eq!(model["n"].to_string(), n);
    assert!((model["mape_ratio"].as_f64().unwrap() - mape.parse::<f64>().unwrap()).abs() < 1e-9, "{model} {mape}");
}

#[test]
fn before_the_fault_there_is_no_alarm() {
    let example = Example::after("promote");
    let early = format!(
        "sed -i.kept '1p;/{BROKEN}/,$d' /dev/null; for kind in predictions actuals; do \
         awk -F, -v last={BROKEN} 'NR==1 {{ for (i = 1; i <= NF; i++) if ($i == \"target_time\") t = i; print; next }} substr($t, 1, 10) <= last' live/$kind.csv > $kind.csv; done; \
         drift-watch replay --no-config --predictions predictions.csv --actuals actuals.csv --manifest build/models/metadata/departures_v2.json"
    );
    let said = example.run(&early);
    assert_eq!(said.status, 0, "{}{}", said.stdout, said.stderr);
    let later = example.run("drift-watch replay");
    assert_eq!(later.status, 1, "{}", later.stdout);
}

#[test]
fn the_alarm_asks_once_for_a_re_benchmark_which_finds_where_the_champion_loses() {
    let example = Example::after("watch rebench");
    let history = || example.run("rebench-cron history departures --json").json();
    let points = history()["points"].as_array().unwrap().clone();
    assert_eq!(points.len(), 1, "two alarms of one change ask for one run");
    let point = &points[0];
    assert_eq!((&point["reason"], &point["outcome"]), (&"drift".into(), &"regressed".into()));
    assert!(point["why"].as_str().unwrap().contains("airport = 'LGA'"), "{point}");
    let loss = |model: &str| mean(&errors(&example, "results/departures-summer.csv", model, |_| true));
    let effect = loss("LightGBM") / loss("Ridge") - 1.0;
    assert!((point["effect"].as_f64().unwrap() - effect).abs() < 1e-9, "{point} {effect}");
    // The daemons begin again, and nothing is told or run twice.
    example.make("watch");
    example.make("rebench");
    assert_eq!(history()["points"].as_array().unwrap().len(), 1);
    let answer = |event: &Value| {
        let alert = event["alert"]["id"].as_str().unwrap();
        let line = format!("rebench-cron trigger departures --reason drift --key {alert} --json");
        example.run(&line).json()["answer"].as_str().unwrap_or_default().to_owned()
    };
    let mut answers: Vec<String> = events(&example).iter().map(answer).collect();
    answers.sort();
    assert_eq!(answers, ["known", "refused"], "one of them has asked; the other comes while that answer holds");
}

#[test]
fn a_benchmark_that_leaves_nothing_is_no_evidence() {
    let example = Example::after("promote");
    example.write("benchmark.sh", "#!/bin/sh\nexit 0\n");
    example.run("sed -i 's/^timeout = .*/retries = 0/' promotion.toml");
    let said = example.run("rebench-cron once departures");
    assert_eq!(said.status, 2, "an exit status of 0 says little: {}{}", said.stdout, said.stderr);
    assert!(
        said.stdout.contains("forecasts.csv") || said.stderr.contains("forecasts.csv"),
        "{}{}",
        said.stdout,
        said.stderr
    );
}

#[test]
fn the_results_of_an_earlier_day_are_no_evidence() {
    let example = Example::after("promote");
    example.write("benchmark.sh", "#!/bin/sh\nexec cp -p results/departures-summer.csv \"$1\"\n");
    example.run("touch -d 2013-08-28 results/departures-summer.csv");
    example.run("sed -i 's/^timeout = .*/retries = 0/' promotion.toml");
    let said = example.run("rebench-cron once departures");
    assert_eq!(said.status, 2, "{}{}", said.stdout, said.stderr);
    assert!(!said.stdout.contains("REGRESSED"), "{}", said.stdout);
}
