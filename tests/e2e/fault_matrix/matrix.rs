//! A row of the matrix: run, and held against what it must do.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::commands::{self, Cell, Input, Says};
use super::files::{self, Kind};
use super::process::{self, Ended};
use super::world::{self, EARLIER, World};

/// A command, and what is at the path of one of its files.
pub(crate) struct Row {
    input: &'static Input,
    kind: Kind,
}

/// Every kind of bad file for every input.
pub(crate) fn rows() -> Vec<Row> {
    let of_input =
        |input: &'static Input| files::kinds(input.format, input.few).into_iter().map(move |kind| Row { input, kind });
    commands::all().flat_map(of_input).collect()
}

/// What a path holds.
#[derive(PartialEq, Eq)]
enum Node {
    Folder,
    Link(PathBuf),
    File(Vec<u8>),
}

type Tree = BTreeMap<String, Node>;

impl Row {
    /// What is wrong with how the tool took the bad file; nothing if all is right.
    pub(crate) fn complaints(&self, world: &World) -> Vec<String> {
        let folder = furnished(self.input, world);
        files::put(self.kind.spoil, self.input.format, &folder.path().join(self.input.spoils));
        let before = tree(folder.path());
        let ended = run(self.input, world, folder.path());
        let after = tree(folder.path());
        let all = format!("{}{}{}", ended.stderr, ended.stdout, written(&after));
        let found =
            [self.about_the_end(&ended), self.about_the_message(&ended, &all), self.about_files(&before, &after)];
        let heading = format!("{} {}\n  {}: {}", self.input.tool, self.input.words, self.input.spoils, self.kind.name);
        let said = cut(&all).replace('\n', "\n      | ");
        found.into_iter().flatten().map(|what| format!("{heading}: {what}\n      | {said}")).collect()
    }

    /// Where the table says that another status is right.
    fn cell(&self) -> Option<&'static Cell> {
        self.input.cells.iter().find(|cell| cell.kinds.contains(&self.kind.name))
    }

    /// The status that is right: 2, unless the table says otherwise.
    fn expected(&self) -> i32 {
        self.cell().map_or(2, |cell| cell.status)
    }

    /// Whether the command has refused to answer, and not answered.
    fn is_refusal(&self) -> bool {
        [2, 3].contains(&self.expected()) && !self.input.reports()
    }

    fn about_the_end(&self, ended: &Ended) -> Vec<String> {
        let why = self.cell().map_or("bad input", |cell| cell.why);
        match ended.status.map(|status| status.code()) {
            None => vec!["does not end".to_owned()],
            Some(None) => vec!["ended by a signal".to_owned()],
            Some(Some(code)) if code != self.expected() => {
                vec![format!("status {code}, not {} ({why})", self.expected())]
            }
            Some(Some(_)) => Vec::new(),
        }
    }

    fn about_the_message(&self, ended: &Ended, all: &str) -> Vec<String> {
        let bug = ["panicked", "RUST_BACKTRACE", "stack overflow"].iter().any(|text| all.contains(text));
        let mut wrong: Vec<&str> = bug.then_some("panic text").into_iter().collect();
        let own = format!("{}: ", self.input.tool);
        if self.is_refusal() && !ended.stderr.lines().any(|line| line.starts_with(&own)) {
            wrong.push("the tool is not named");
        }
        if self.expected() != 0 || self.cell().is_some_and(|cell| cell.says == Says::Warning) {
            wrong.extend(self.about_the_place(all));
        }
        if [2, 3].contains(&self.expected())
            && !self.input.reports_a_run()
            && !all.contains("help: ")
            && !all.contains("(expected ")
        {
            wrong.push("no remedy");
        }
        wrong.into_iter().map(str::to_owned).collect()
    }

    fn about_the_place(&self, all: &str) -> Option<&'static str> {
        let says = self.cell().map_or(Says::Line, |cell| cell.says);
        if says == Says::Nothing || all.is_empty() {
            return None;
        }
        if !all.contains(self.input.named) {
            return Some("the file is not named");
        }
        let lacks = self.kind.line
            && says == Says::Line
            && ![self.input.named, self.input.spoils].iter().any(|file| names_a_line(all, file));
        lacks.then_some("the line is not named")
    }

    fn about_files(&self, before: &Tree, after: &Tree) -> Vec<String> {
        if self.expected() == 0 {
            return Vec::new();
        }
        let may_change = |path: &&String| {
            (!self.is_refusal() && *path == EARLIER)
                || (!self.input.keeps.is_empty() && path.starts_with(self.input.keeps))
        };
        let paths = before.keys().chain(after.keys()).filter(|path| !may_change(path));
        let changed: BTreeSet<_> = paths.filter(|path| before.get(*path) != after.get(*path)).collect();
        changed.into_iter().map(|path| format!("{path} was changed")).collect()
    }
}

/// What is wrong where nothing is spoiled.
pub(crate) fn unlike_sound(input: &Input, world: &World) -> Option<String> {
    let folder = furnished(input, world);
    let ended = run(input, world, folder.path());
    let status = ended.status.and_then(|status| status.code());
    let said = format!("{} {}: {status:?}\n{}{}", input.tool, input.words, ended.stderr, cut(&ended.stdout));
    (status != Some(input.sound)).then_some(said)
}

fn furnished(input: &Input, world: &World) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    world::copied(&world.path(input.tool, ""), folder.path());
    folder
}

fn run(input: &Input, world: &World, folder: &Path) -> Ended {
    let mut command = world.place.command(input.tool);
    command.current_dir(folder).args(input.words.split_whitespace());
    process::until(&mut command, |stderr| input.ready().is_some_and(|text| stderr.contains(text)))
}

/// `file:line` as editors jump to it.
fn names_a_line(text: &str, file: &str) -> bool {
    text.match_indices(file).any(|(at, _)| {
        let rest = &text[at + file.len()..];
        rest.strip_prefix(':').is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
    })
}

/// What `-o` wrote, where the command has answered.
fn written(after: &Tree) -> String {
    match after.get(EARLIER) {
        Some(Node::File(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

fn tree(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    collect(folder, "", &mut tree);
    tree
}

fn collect(folder: &Path, prefix: &str, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), &format!("{name}/"), tree);
        }
        let node = match (kind.is_dir(), kind.is_symlink()) {
            (true, _) => Node::Folder,
            (_, true) => Node::Link(fs::read_link(entry.path()).unwrap()),
            _ => Node::File(fs::read(entry.path()).unwrap_or_default()),
        };
        tree.insert(name, node);
    }
}

fn cut(text: &str) -> String {
    text.chars().take(700).collect()
}
