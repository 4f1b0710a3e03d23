//! Four tools, one look: what can be held mechanically for every command of every tool.

use std::collections::BTreeMap;

use clap::{Arg, Command};
use e2e::{Place, docs};
use serde_json::Value;

/// The tools, their commands built as their programs build them.
fn tools() -> [Command; 4] {
    let mut tools = [
        shared::cli::command::<bench_compare::args::Cli>(),
        shared::cli::command::<manifest_gen::args::Cli>(),
        shared::cli::command::<drift_watch::args::Cli>(),
        shared::cli::command::<rebench_cron::args::Cli>(),
    ];
    tools.iter_mut().for_each(Command::build);
    tools
}

/// Every command that does something, with the words that call it.
fn commands() -> Vec<(Vec<String>, Command)> {
    let mut all = Vec::new();
    tools().iter().for_each(|tool| collect(tool, &[tool.get_name().to_owned()], &mut all));
    all
}

fn collect(command: &Command, words: &[String], all: &mut Vec<(Vec<String>, Command)>) {
    let below = || command.get_subcommands().filter(|below| below.get_name() != "help");
    if below().next().is_none() {
        all.push((words.to_vec(), command.clone()));
    }
    for one in below() {
        collect(one, &[words, &[one.get_name().to_owned()]].concat(), all);
    }
}

/// Heading, value name, help: what a reader sees of a flag.
fn look(arg: &Arg) -> [String; 4] {
    let values = arg.get_value_names().unwrap_or_default().iter().map(clap::builder::Str::as_str).collect::<Vec<_>>();
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let heading = arg.get_help_heading().unwrap_or_default().to_owned();
    [heading, values.join(" "), help, arg.get_short().map(String::from).unwrap_or_default()]
}

/// What each flag of this name looks like, and where.
fn looks(name: &str) -> BTreeMap<[String; 4], Vec<String>> {
    let mut looks = BTreeMap::<_, Vec<String>>::new();
    for (words, command) in commands() {
        for arg in command.get_arguments().filter(|arg| arg.get_long() == Some(name)) {
            looks.entry(look(arg)).or_default().push(words.join(" "));
        }
    }
    looks
}

#[test]
fn every_command_has_the_shared_flags_and_they_look_the_same() {
    for name in ["format", "json", "output", "color", "verbose", "quiet", "config", "no-config"] {
        let looks = looks(name);
        assert_eq!(looks.len(), 1, "--{name}: {looks:?}");
        assert_eq!(looks.into_values().next().unwrap().len(), commands().len(), "--{name} is everywhere");
    }
}

/// Flags that mean the same wherever they stand, besides those of every command.
const SAME_MEANING: [&str; 17] = [
    "allow",
    "allow-link-local",
    "alertmanager",
    "alertmanager-token-file",
    "bench-compare",
    "by",
    "card",
    "max-evidence-age",
    "on-alert",
    "publish",
    "readme",
    "require-evidence",
    "resend",
    "root",
    "slack-url-file",
    "tracking-uri",
    "webhook",
];

/// Flags that stand under other headings, since the commands have other ones, and read the same.
const SAME_WORDS: [&str; 8] = [
    "allow-identical-duplicates",
    "inconclusive",
    "mape-unit",
    "max-unpaired",
    "public-key",
    "require-signature",
    "strict",
    "train",
];

#[test]
fn a_flag_that_means_the_same_looks_the_same() {
    for name in SAME_MEANING {
        // `score --by` groups rows; `promote --by` says who does it.
        let mut looks = looks(name);
        looks.retain(|look, _| name != "by" || look[1] == "WHO");
        assert_eq!(looks.len(), 1, "--{name}: {looks:#?}");
    }
    for name in SAME_WORDS {
        // `sql --train` names a table of the engine, all others a file.
        let files = looks(name).into_iter().filter(|(look, _)| name != "train" || look[1] != "TABLE");
        let words: BTreeMap<_, _> = files.map(|(look, at)| (look[1..].to_vec(), at)).collect();
        assert_eq!(words.len(), 1, "--{name}: {words:#?}");
    }
}

#[test]
fn every_tool_has_the_same_commands_beside_its_own() {
    for tool in tools() {
        for name in ["check", "show-config", "completions", "man"] {
            let command = tool.find_subcommand(name).unwrap_or_else(|| panic!("{} {name}", tool.get_name()));
            let first = tools()[0].find_subcommand(name).unwrap().get_about().unwrap().to_string();
            assert_eq!(command.get_about().unwrap().to_string(), first, "{} {name}", tool.get_name());
        }
    }
}

#[test]
fn helps_are_sentences_without_a_full_stop() {
    for (words, command) in commands() {
        let abouts = command.get_about().map(ToString::to_string).into_iter();
        let helps = command.get_arguments().filter_map(Arg::get_help).map(ToString::to_string);
        for text in abouts.chain(helps) {
            let is_one = !text.ends_with('.') && text.starts_with(|first: char| !first.is_lowercase());
            assert!(is_one, "{}: {text:?}", words.join(" "));
        }
    }
}

#[test]
fn long_help_has_examples_and_exit_statuses_and_short_help_fits_a_screen() {
    let place = Place::new();
    for (words, _) in commands() {
        let (tool, rest) = words.split_first().unwrap();
        let long = place.run(tool, &[rest, &["--help".to_owned()]].concat());
        assert_eq!((long.status, long.stderr.as_str()), (0, ""), "{words:?}");
        // These two have one argument, a word.
        let needs_none = rest.iter().any(|word| ["completions", "man"].contains(&word.as_str()));
        assert!(needs_none || long.stdout.contains("Examples:"), "{words:?}");
        assert!(long.stdout.contains("EXIT STATUS"), "{words:?}");
        let short = place.run(tool, &[rest, &["-h".to_owned()]].concat());
        assert_eq!(short.status, 0, "{words:?}");
        assert!(short.stdout.lines().count() <= 90, "{words:?}: {} lines", short.stdout.lines().count());
    }
}

#[test]
fn an_unknown_flag_is_status_2_with_the_usage_on_standard_error() {
    let place = Place::new();
    for (words, _) in commands() {
        let (tool, rest) = words.split_first().unwrap();
        let said = place.run(tool, &[rest, &["--no-such-flag".to_owned()]].concat());
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{words:?}");
        assert!(
            said.stderr.contains("--no-such-flag") && said.stderr.contains("Usage: "),
            "{words:?}: {}",
            said.stderr
        );
    }
}

/// Files whose layout is not that of a command's answer: rows of a stream, parts of others, what `promotion.toml` may hold.
const NO_ANSWERS: [&str; 6] =
    ["promotion.toml", "checks", "live-prediction", "live-actual", "alert-transition", "sufficient"];

/// State that two daemons must write alike whatever their version, and what a server says of itself.
const WITHOUT_TOOL: [&str; 5] = ["state", "fleet", "status", "registry", "evidence"];

#[test]
fn every_json_answer_names_its_schema_and_its_tool() {
    let mut seen = 0;
    for (path, text) in docs::all() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".schema.json").filter(|name| !NO_ANSWERS.contains(name)) else { continue };
        let schema: Value = serde_json::from_str(&text).unwrap();
        let required: Vec<&str> = schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(required.contains(&"schema"), "{name}: {required:?}");
        assert!(required.contains(&"tool") != WITHOUT_TOOL.contains(&name), "{name}: {required:?}");
        assert_eq!(schema["properties"].as_object().unwrap().keys().next().unwrap(), "schema", "{name} begins with it");
        seen += 1;
    }
    assert!(seen > 25, "{seen}");
}

#[test]
fn check_and_show_config_answer_alike() {
    let place = Place::new();
    for tool in tools() {
        for command in ["check", "show-config"] {
            let said = place.run(tool.get_name(), &[command, "--json"]);
            let json = said.json();
            assert_eq!((said.status, &json["tool"]["name"]), (0, &tool.get_name().into()), "{}", said.stderr);
            assert!(json["schema"].as_str().unwrap().starts_with("promotion/"), "{json}");
        }
    }
}

#[test]
fn a_refusal_creates_nothing() {
    let lines = [
        "manifest-gen promote lightgbm 1",
        "manifest-gen rollback lightgbm",
        "manifest-gen yank lightgbm 1 --reason old",
        "manifest-gen sign lightgbm 1 --key absent.pem",
        "manifest-gen render",
        "manifest-gen repair",
        "manifest-gen verify --all",
        "manifest-gen resolve lightgbm",
        "drift-watch state dump",
        "drift-watch export --joined",
        "rebench-cron status",
        "rebench-cron history shop",
        "rebench-cron once shop",
        "rebench-cron trigger shop",
        "bench-compare score absent.csv -o out.json",
        "bench-compare gate --forecasts absent.csv --baseline-model A --candidate-model B -o out.json",
    ];
    for line in lines {
        let place = Place::new();
        let (tool, words) = line.split_once(' ').unwrap();
        place.run(tool, &words.split(' ').collect::<Vec<_>>());
        let left: Vec<_> = std::fs::read_dir(place.path(".")).unwrap().flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "{line}: {left:?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own file")]
fn a_file_that_a_job_names_and_is_not_there_is_said_with_its_line() {
    let place = Place::new();
    let text = "[rebench-cron.jobs.shop]\nschedule = \"@daily\"\ncommand = [\"./absent.sh\"]\nping-url-file = \"absent.url\"\n";
    std::fs::write(place.path("promotion.toml"), text).unwrap();
    let said = place.run("rebench-cron", &["check"]);
    assert_eq!(said.status, 2, "{}", said.stderr);
    for line in ["promotion.toml:3:", "promotion.toml:4:"] {
        assert!(said.stderr.contains(line), "{line} {}", said.stderr);
    }
}
