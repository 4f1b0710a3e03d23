//! Settings in layers: command line, environment, `promotion.toml`, default; for every flag of every command.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};
use shared::cli::{CommonArgs, CommonCommand, Examples, Format, Parsed, Tool, parse_from};
use shared::predicate::Predicate;

#[derive(Debug, Parser)]
#[command(name = "bench-compare", version)]
struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge
    Gate(Gate),
    /// Test
    Test(Test),
    #[command(flatten)]
    Common(CommonCommand),
}

#[derive(Debug, Args)]
struct Gate {
    /// Metric
    #[arg(long, value_parser = ["mape", "wape"], default_value = "mape")]
    metric: String,
    /// Slice
    #[arg(long)]
    slice: Vec<Predicate>,
    /// Alpha
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
    /// Needed
    #[arg(long)]
    candidate_model: String,
    /// One way
    #[arg(long, required_unless_present = "forecasts", conflicts_with = "forecasts")]
    baseline: Option<PathBuf>,
    /// The other
    #[arg(long)]
    forecasts: Option<PathBuf>,
    /// Beside the other
    #[arg(long, requires = "forecasts")]
    train: Option<PathBuf>,
    /// Artefacts
    #[arg(long, value_name = "ROLE=PATH")]
    about: Vec<String>,
    /// Switch
    #[arg(long)]
    aa: bool,
    /// Comma list
    #[arg(long, value_delimiter = ',')]
    by: Vec<String>,
}

#[derive(Debug, Args)]
struct Test {
    /// Which
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, Subcommand)]
enum Which {
    /// Diebold and Mariano
    Dm {
        /// Horizon
        #[arg(long)]
        h: u32,
        /// Tables
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

impl Tool for Cli {
    const EXAMPLES: Examples = &[];
}

/// A project folder with a `promotion.toml`.
struct Project(tempfile::TempDir);

impl Project {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        shared::fsio::write_atomic(&folder.path().join("promotion.toml"), text.as_bytes()).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, words: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Parsed<Cli>> {
        let config = self.path("promotion.toml");
        let mut argv = vec!["bench-compare", "--config", config.to_str().unwrap()];
        argv.extend(words);
        parse_from(&argv, &|name| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    fn gate(&self, words: &[&str], environment: &[(&str, &str)]) -> Gate {
        match self.run(&[&["gate"], words].concat(), environment).unwrap().arguments.command {
            Command::Gate(gate) => gate,
            other => panic!("{other:?}"),
        }
    }

    fn refused(&self, words: &[&str]) -> String {
        let text = self.run(words, &[]).unwrap_err().to_string();
        text.replace(self.0.path().to_str().unwrap(), "P")
    }
}

const FULL: &str = r#"
project = "bls"
[bench-compare]
format = "json"
metric = "wape"
[bench-compare.gate]
candidate-model = "LightGBM"
forecasts = "data/cv.csv"
train = "data/train.csv"
slice = ["holiday = 1", "n_train < 60"]
alpha = 0.1
aa = true
by = "h,store"
about = ["model=models/m.pkl"]
[bench-compare.test.dm]
h = 4
files = ["a.csv", "b.csv"]
"#;

#[test]
fn a_whole_command_line_can_stand_in_the_file() {
    let project = Project::new(FULL);
    let gate = project.gate(&[], &[]);
    assert_eq!(gate.metric, "wape");
    assert_eq!(gate.candidate_model, "LightGBM");
    assert_eq!(gate.forecasts, Some(project.path("data/cv.csv")));
    assert_eq!(gate.train, Some(project.path("data/train.csv")));
    assert_eq!(gate.slice.len(), 2);
    assert!((gate.alpha - 0.1).abs() < 1e-12 && gate.aa);
    assert_eq!(gate.by, ["h", "store"]);
    assert_eq!(gate.about, [format!("model={}", project.path("models/m.pkl").display())]);
}

#[test]
fn nested_commands_and_positional_arguments_too() {
    let project = Project::new(FULL);
    let parsed = project.run(&["test", "dm"], &[]).unwrap();
    assert_eq!(parsed.context.format, Format::Json);
    let Command::Test(Test { which: Which::Dm { h, files } }) = parsed.arguments.command else { panic!() };
    assert_eq!((h, files), (4, vec![project.path("a.csv"), project.path("b.csv")]));
    let parsed = project.run(&["test", "dm", "--", "-c.csv"], &[]).unwrap();
    let Command::Test(Test { which: Which::Dm { h, files } }) = parsed.arguments.command else { panic!() };
    assert_eq!((h, files), (4, vec![PathBuf::from("-c.csv")]));
}

#[test]
fn the_command_line_wins_over_the_environment_that_over_the_file() {
    let project = Project::new(FULL);
    let both = [("BENCH_COMPARE_METRIC", "mape"), ("BENCH_COMPARE_GATE_ALPHA", "0.2")];
    let gate = project.gate(&["--alpha", "0.3"], &both);
    assert_eq!(gate.metric, "mape");
    assert!((gate.alpha - 0.3).abs() < 1e-12);
    let specific = [("BENCH_COMPARE_METRIC", "wape"), ("BENCH_COMPARE_GATE_METRIC", "mape")];
    assert_eq!(project.gate(&[], &specific).metric, "mape");
}

#[test]
fn lists_are_replaced_and_switches_can_be_unset() {
    let project = Project::new(FULL);
    assert_eq!(project.gate(&["--slice", "h = 1"], &[]).slice.len(), 1);
    assert_eq!(project.gate(&[], &[("BENCH_COMPARE_GATE_SLICE", "h = 1\nh = 2\nh = 3\n")]).slice.len(), 3);
    assert!(!project.gate(&[], &[("BENCH_COMPARE_GATE_AA", "false")]).aa);
}

#[test]
fn what_contradicts_the_command_line_gives_way() {
    let project = Project::new(FULL);
    let gate = project.gate(&["--baseline", "a.json"], &[]);
    assert_eq!((gate.baseline, gate.forecasts, gate.train), (Some(PathBuf::from("a.json")), None, None));
    let parsed = project.run(&["gate", "--format", "csv"], &[]).unwrap();
    assert_eq!(parsed.context.format, Format::Csv);
    assert_eq!(project.run(&["--json", "gate"], &[]).unwrap().context.format, Format::Json);
}

#[test]
fn a_command_name_as_a_value_is_not_the_command() {
    let project = Project::new(FULL);
    let parsed = project.run(&["-o", "gate", "gate", "--candidate-model", "gate"], &[]).unwrap();
    assert_eq!(parsed.context.output, Some(PathBuf::from("gate")));
    let Command::Gate(gate) = parsed.arguments.command else { panic!() };
    assert_eq!((gate.candidate_model.as_str(), gate.metric.as_str()), ("gate", "wape"));
}

#[test]
fn wrong_keys_and_values_are_refused_with_their_place() {
    let refused = |text: &str| Project::new(text).refused(&["test", "dm", "--h", "1", "x"]);
    assert_eq!(
        refused("[bench-compare.gate]\nmetrik = \"mape\"\n"),
        "P/promotion.toml:2:1: unknown key \"metrik\": did you mean \"metric\"?"
    );
    assert_eq!(
        refused("[bench-compare.gate]\nmetric = \"mapp\"\n"),
        "P/promotion.toml:2:10: \"metric\": \"mapp\" is no choice (expected one of mape, wape)"
    );
    assert_eq!(
        refused("[bench-compare.gate]\nalpha = \"much\"\n"),
        "P/promotion.toml:2:9: \"alpha\": \"much\" is not valid: invalid float literal (expected a number)"
    );
    assert!(
        refused("[bench-compare.gate]\nslice = [\n  \"h = 1\",\n  \"h && 1\"\n]\n")
            .starts_with("P/promotion.toml:4:3: \"slice\"")
    );
    assert!(
        refused("[bench-compare.gate]\naa = \"yes\"\n")
            .contains(":2:6: \"aa\" is the text \"yes\" (expected true or false)")
    );
    assert!(refused("[bench-compare.gate]\nalpha = [0.1]\n").contains(":2:1: \"alpha\" is a list (expected a number)"));
    assert!(refused("[bench-compare.gates]\n").contains(":1:16: unknown key \"gates\": did you mean \"gate\"?"));
    assert!(refused("[bench-compare.gate]\nconfig = \"x\"\n").contains("unknown key \"config\""));
}

#[test]
fn a_key_of_the_tool_holds_where_a_command_has_that_flag() {
    let project = Project::new("[bench-compare]\nalpha = 0.2\nh = 3\n");
    let parsed = project.run(&["test", "dm", "x.csv"], &[]).unwrap();
    assert!(matches!(parsed.arguments.command, Command::Test(Test { which: Which::Dm { h: 3, .. } })));
    assert!((project.gate(&["--candidate-model", "a", "--baseline", "b"], &[]).alpha - 0.2).abs() < 1e-12);
}

#[test]
fn without_the_file_nothing_is_set() {
    let nothing = |_: &str| None;
    let argv = ["bench-compare", "gate", "--no-config", "--candidate-model", "a", "--baseline", "b"];
    let parsed = parse_from::<Cli>(&argv, &nothing).unwrap();
    assert_eq!(parsed.context.config.path, None);
    assert!(parse_from::<Cli>(&["bench-compare", "gate", "--no-config"], &nothing).is_err());
    assert!(parse_from::<Cli>(&["bench-compare", "gate", "--config", "/nowhere/promotion.toml"], &nothing).is_err());
}

#[test]
fn the_environment_can_name_the_file() {
    let project = Project::new(FULL);
    let file = OsString::from(project.path("promotion.toml"));
    let environment = |name: &str| (name == "BENCH_COMPARE_CONFIG").then(|| file.clone());
    let parsed = parse_from::<Cli>(&["bench-compare", "gate"], &environment).unwrap();
    assert_eq!(parsed.context.config.project.as_deref(), Some("bls"));
    assert_eq!(parsed.context.config.path.as_deref(), Some(Path::new(&file)));
}

#[test]
fn help_is_a_sentence_then_examples_and_ends_with_the_statuses() {
    let help = shared::cli::command::<Cli>().render_long_help().to_string();
    assert!(help.trim_end().ends_with("134  a bug: the program stopped itself"));
}
