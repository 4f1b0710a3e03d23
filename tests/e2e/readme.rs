//! Every command that the README shows, run as it stands; what it prints is what the README says it prints.

use std::fs;
use std::process::{Command, Stdio};

use e2e::{binary, root};

/// A command of a `console` block and the lines that follow it.
struct Shown {
    command: String,
    output: String,
}

fn shown(text: &str) -> Vec<Shown> {
    let blocks = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let commands = blocks.flat_map(|block| block.split("$ ").skip(1));
    commands
        .map(|command| {
            let (command, output) = command.split_once('\n').unwrap_or((command, ""));
            Shown { command: command.to_owned(), output: output.trim_end().to_owned() }
        })
        .collect()
}

/// Runs a command line in the repository's root, through the shell, with the tools on the path.
fn run(command: &str) -> String {
    let folder = binary("").display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(root()).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output =
        shell.env("PATH", path).env("NO_COLOR", "1").env("COLUMNS", "100").env("SOURCE_DATE_EPOCH", "0").output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim_end().to_owned()
}

#[test]
fn the_readme_shows_what_the_commands_print() {
    let path = root().join("README.md");
    let mut text = fs::read_to_string(&path).unwrap();
    let all = shown(&text);
    assert!(all.len() >= 5, "the tour is gone");
    let refresh = std::env::var_os("UPDATE_README").is_some();
    for Shown { command, output } in all {
        let printed = run(&command);
        if refresh {
            let end = if output.is_empty() { "\n" } else { "" };
            text = text.replace(&format!("$ {command}\n{output}"), &format!("$ {command}\n{printed}{end}"));
        } else {
            assert_eq!(
                printed, output,
                "\n$ {command}\n(UPDATE_README=1 cargo test -p e2e readme rewrites the README)"
            );
        }
    }
    if refresh {
        std::io::Write::write_all(&mut fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
    }
}
