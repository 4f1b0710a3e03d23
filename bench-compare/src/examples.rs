//! Examples of each command, as `--help` and the manual show them.

use shared::cli::Examples;

/// By command; the empty name is the tool itself.
pub const ALL: Examples = &[
    (
        "",
        &[
            "bench-compare gate --forecasts cv.parquet --baseline-model RandomForest --candidate-model LightGBM --metric mape",
            "bench-compare score cv.csv --season 12 --by unique_id --json",
            "bench-compare lint results/benchmark_results.json",
        ],
    ),
    (
        "gate",
        &[
            "bench-compare gate --forecasts cv.parquet --train train.csv --baseline-model RandomForest --candidate-model LightGBM --metric mape",
            "bench-compare gate --baseline A/benchmark_results.json --candidate B/benchmark_results.json --baseline-model rf_v1 --candidate-model lightgbm_v2",
            "bench-compare gate --sufficient statistics.parquet --baseline-model RF --candidate-model GBM --slice 'holiday = 1' -o verdict.json --json",
        ],
    ),
    (
        "score",
        &[
            "bench-compare score cv.csv --train train.csv --season 12",
            "bench-compare score cv.csv --metrics mape,wape,bias --by unique_id,h --format csv",
            "bench-compare score cv.csv --write-benchmark results --dataset bls --model LightGBM",
        ],
    ),
    (
        "sql",
        &[
            "bench-compare sql --dialect duckdb --table cv --models LightGBM,RandomForest -o statistics.sql",
            "bench-compare sql --dialect spark --table lake.cv --train lake.sales --season 7 --models LightGBM,Ridge --slice 'holiday = 1'",
            "bench-compare sql --dialect postgres --table '(SELECT *, ds - cutoff AS h FROM cv)' --models A,B --level 90 --by h",
        ],
    ),
    (
        "profile",
        &[
            "bench-compare profile cv.csv --train train.csv --model LightGBM -o profile.json",
            "bench-compare profile cv.parquet --model LightGBM --season 12 -o profile.json",
            "bench-compare profile cv.csv --model LightGBM --json",
        ],
    ),
    (
        "leaderboard",
        &[
            "bench-compare leaderboard fev_bench/*.csv --metric SQL --baseline-model 'Seasonal Naive'",
            "bench-compare leaderboard fev_bench/*.csv --metric SQL --baseline-model 'Seasonal Naive' --missing impute --seed 123 --json",
            "bench-compare leaderboard results.csv --metric MASE --baseline-model naive --format markdown",
        ],
    ),
    (
        "test",
        &[
            "bench-compare test dm --h 4 --power 2 --variance bartlett errors.csv --json",
            "bench-compare test wilcoxon --alternative less errors.csv",
            "bench-compare test friedman scores.csv",
        ],
    ),
    ("test dm", &["bench-compare test dm --h 4 --power 2 --variance bartlett errors.csv --json"]),
    ("test wilcoxon", &["bench-compare test wilcoxon --alternative less errors.csv"]),
    ("test sign", &["bench-compare test sign errors.csv --columns e1,e2"]),
    ("test friedman", &["bench-compare test friedman scores.csv"]),
    ("test nemenyi", &["bench-compare test nemenyi scores.csv --alpha 0.1"]),
    ("test mcs", &["bench-compare test mcs losses.csv --resamples 10000"]),
    ("test spa", &["bench-compare test spa losses.csv --benchmark naive"]),
    ("test pt", &["bench-compare test pt directions.csv"]),
    ("test gw", &["bench-compare test gw --h 2 errors.csv"]),
    (
        "lint",
        &[
            "bench-compare lint results/benchmark_results.json",
            "bench-compare lint runs/*/benchmark_results.json --json",
            "bench-compare lint old.json new.json",
        ],
    ),
    ("init", &["bench-compare init", "bench-compare init -o - | less", "bench-compare init --force"]),
    ("check", &["bench-compare check", "bench-compare check --config other.toml", "bench-compare check --json"]),
    (
        "show-config",
        &["bench-compare show-config", "bench-compare show-config gate", "bench-compare show-config --json"],
    ),
];

#[cfg(test)]
mod tests {
    use super::ALL;
    use crate::args::Cli;

    /// Words of a shell line without a pipe, 'single quotes' only.
    fn words(line: &str) -> Vec<String> {
        let line = line.split(" | ").next().unwrap_or(line);
        let parts = line.split('\'').enumerate();
        parts.fold(Vec::new(), |mut words: Vec<String>, (index, part)| {
            match index % 2 {
                0 => words.extend(part.split_whitespace().map(ToOwned::to_owned)),
                _ => words.push(part.to_owned()),
            }
            words
        })
    }

    #[test]
    fn every_example_is_a_command_line() {
        for line in ALL.iter().flat_map(|(_, lines)| *lines) {
            let parsed = shared::cli::command::<Cli>().try_get_matches_from(words(line));
            assert!(parsed.is_ok(), "{line}\n{}", parsed.unwrap_err());
        }
    }

    #[test]
    fn every_command_has_three_examples() {
        let command = shared::cli::command::<Cli>();
        let has_three = |name: &str| ALL.iter().any(|(path, lines)| *path == name && lines.len() == 3);
        assert!(has_three(""));
        let missing: Vec<&str> =
            command.get_subcommands().map(clap::Command::get_name).filter(|name| !has_three(name)).collect();
        assert!(missing.iter().all(|name| ["completions", "man"].contains(name)), "{missing:?}");
    }
}
