//! The documents that are made from the code: manual pages, schemas, the table of exit statuses.
//!
//! `make docs` (`cargo run -p e2e --bin generate-docs`) writes them, a test compares. They hold no date and no path of the
//! machine: the same code makes the same bytes.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, schema_for};
use shared::cli::{self, Described, Tool};

/// How to make the documents anew.
pub const COMMAND: &str = "make docs";

/// A document: its path from the root of the workspace, and its text.
pub type Document = (PathBuf, String);

/// All of them.
pub fn all() -> Vec<Document> {
    [manual_pages(), schemas(), vec![("docs/EXIT-CODES.md".into(), exit_codes())]].concat()
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The documents that are not as they would be made now; files that would not be made at all count too.
pub fn stale() -> Vec<PathBuf> {
    let made = all();
    let differs = |(path, text): &&Document| std::fs::read_to_string(root().join(path)).ok().as_ref() != Some(text);
    let changed = made.iter().filter(differs).map(|(path, _)| path.clone());
    changed.chain(left_over(&made)).collect()
}

/// Files of earlier versions that nothing makes any more.
pub fn left_over(made: &[Document]) -> Vec<PathBuf> {
    let files = ["docs/man", "docs/formats"].into_iter().flat_map(|folder| {
        let entries = std::fs::read_dir(root().join(folder)).into_iter().flatten().flatten();
        entries.map(move |entry| Path::new(folder).join(entry.file_name()))
    });
    // Pages that people write stand beside the schemas.
    let written = |file: &PathBuf| file.extension().is_some_and(|end| end == "md");
    let left = files.filter(|file| !written(file) && made.iter().all(|(path, _)| path != file));
    let mut left: Vec<PathBuf> = left.collect();
    left.sort();
    left
}

fn manual_pages() -> Vec<Document> {
    let mut pages = tool_pages::<bench_compare::args::Cli>();
    pages.extend(tool_pages::<manifest_gen::args::Cli>());
    pages.extend(tool_pages::<drift_watch::args::Cli>());
    pages.extend(tool_pages::<rebench_cron::args::Cli>());
    pages.push(cli::file_page(&tools()));
    pages.into_iter().map(|page| (Path::new("docs/man").join(page.file_name), page.text)).collect()
}

fn tool_pages<C: Tool>() -> Vec<cli::Page> {
    cli::pages(&C::command(), C::EXAMPLES)
}

fn tools() -> [Described; 4] {
    [
        Described::of::<bench_compare::args::Cli>(),
        Described::of::<manifest_gen::args::Cli>(),
        Described::of::<drift_watch::args::Cli>(),
        Described::of::<rebench_cron::args::Cli>(),
    ]
}

/// One line for each format.
fn schemas() -> Vec<Document> {
    vec![
        schema("promotion.toml", cli::file_schema(&tools())),
        schema_of::<shared::format::verdict::Verdict>("verdict"),
        schema_of::<shared::format::profile::Profile>("profile"),
        schema_of::<bench_compare::score::Score>("score"),
        schema_of::<bench_compare::sql::Header>("sufficient"),
        schema_of::<bench_compare::leaderboard::output::Leaderboard>("leaderboard"),
        schema_of::<bench_compare::test::Report>("test"),
        schema_of::<bench_compare::lint::LintReport>("lint"),
        schema_of::<shared::format::manifest::Manifest>("manifest"),
        schema_of::<shared::format::registry::Registry>("registry"),
        schema_of::<manifest_gen::new::NewReport>("new"),
        schema_of::<manifest_gen::scan::ScanReport>("scan"),
        schema_of::<manifest_gen::sign::SignReport>("sign"),
        schema_of::<manifest_gen::verify::VerifyReport>("verify"),
        schema_of::<manifest_gen::change::ChangeReport>("promote"),
        schema_of::<manifest_gen::resolve::ResolveReport>("resolve"),
        schema_of::<manifest_gen::render::RenderReport>("render"),
        schema_of::<manifest_gen::stale::StaleReport>("stale"),
        schema_of::<manifest_gen::contract::RequestReport>("check-request"),
        schema_of::<manifest_gen::audit::AuditReport>("audit"),
        schema_of::<manifest_gen::diff::DiffReport>("diff"),
        schema_of::<manifest_gen::mlflow::Report>("sync"),
        schema_of::<manifest_gen::repair::RepairReport>("repair"),
        schema_of::<drift_watch::replay::Report>("replay"),
        schema_of::<drift_watch::verify_alarms::Report>("verify-alarms"),
        schema_of::<drift_watch::view::View>("status"),
        schema_of::<shared::format::sufficient::Checks>("checks"),
        schema_of::<shared::format::live::PredictionRecord>("live-prediction"),
        schema_of::<shared::format::live::ActualRecord>("live-actual"),
        schema_of::<drift_watch::dump::State>("state"),
        schema_of::<drift_watch::fleet::dump::Fleet>("fleet"),
        schema_of::<shared::alert::Transition>("alert-transition"),
        schema_of::<drift_watch::run::evidence::Evidence>("evidence"),
        schema_of::<rebench_cron::commands::next::Report>("next"),
        schema_of::<rebench_cron::commands::explain::Report>("explain"),
        schema_of::<rebench_cron::commands::export::Report>("export"),
        schema_of::<rebench_cron::history::Trend>("history"),
        schema_of::<rebench_cron::commands::once::Report>("once"),
        schema_of::<rebench_cron::commands::status::Report>("rebench-status"),
        schema_of::<rebench_cron::commands::trigger::Report>("trigger"),
        schema_of::<cli::SettingsReport>("settings"),
    ]
}

fn schema_of<T: JsonSchema>(name: &str) -> Document {
    schema(name, schema_for!(T).to_value())
}

fn schema(name: &str, schema: serde_json::Value) -> Document {
    (format!("docs/formats/{name}.schema.json").into(), format!("{schema:#}\n"))
}

/// What each tool means by each status, in the order of [`shared::Exit::ALL`].
const BY_TOOL: [[&str; 4]; 5] = [
    [
        "promote",
        "made, promoted, verified, nothing stale",
        "stopped as asked; `replay`, `status`: no drift; `verify-alarms`: kept",
        "`once`: the model holds, or there was no new data; `status`: all well; `run`: stopped as asked",
    ],
    [
        "gate failed",
        "refused, mismatch, bad signature, stale reference, failed audit",
        "`replay`, `status`: drift; `verify-alarms`: not kept",
        "`once`: regressed, or no longer wins; `status`: a job is overdue or its last run failed; `export`: what cannot be kept",
    ],
    [
        "flags, settings, malformed or missing file, inputs that cannot be compared",
        "same",
        "same",
        "same; `once`: the run did not produce what it must, or cannot be judged",
    ],
    [
        "read or write failed midway",
        "disk, network",
        "cannot bind, source gone past its limit",
        "`once`: the command failed, timed out or was killed, a run is on; records cannot be written",
    ],
    [
        "too few pairs, interval straddles the margin",
        "`scan`: not fully parsed; signer unknown",
        "`replay`, `status`: not enough data yet; `verify-alarms`: too few runs",
        "`once`: inconclusive, baseline not reproducible",
    ],
];

const EXIT_INTRO: &str = "\
# Exit statuses

An interface, as much as the files are: scripts, make and cron act on them. Never a count.

| status | meaning | bench-compare | manifest-gen | drift-watch | rebench-cron |
| --- | --- | --- | --- | --- | --- |
";

const EXIT_NOTES: &str = "
- A comparison that cannot be made is 2, one that is made and shows nothing is 4: neither reads as a pass. Any status but 0 stops `make`.
- 0, 1 and 2 mean what they mean for `grep`, `diff` and `cmp`. 3 is apart from 2, so that a wrapper can retry on 3 alone.
- `--inconclusive=pass|fail` folds 4 into 0 or 1, in `bench-compare gate`, `drift-watch replay` and `rebench-cron once` only.
- What `-o` names is written before the status is returned, whatever it is. A reader that closes the pipe changes nothing in it.

Made from `shared/src/exit.rs` by `make docs`.
";

fn exit_codes() -> String {
    let mut text = EXIT_INTRO.to_owned();
    for (exit, tools) in shared::Exit::ALL.iter().zip(BY_TOOL) {
        // Writing to a String cannot fail.
        _ = writeln!(text, "| {} | {} | {} |", exit.code(), exit.meaning(), tools.join(" | "));
    }
    text + "| 134 | a bug: the program stopped itself (SIGABRT); please report it | | | | |\n\
            | 128 + n | ended by signal n | | | | |\n"
        + EXIT_NOTES
}
