//! Evidence that tests and linters ran: a JUnit report, or the log of a command with its exit status.

use roxmltree::{Document, Node};

/// What a report or log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whether all is well.
    pub passed: bool,
    /// In a sentence.
    pub summary: String,
}

/// Reads a JUnit XML report or a command log; what is neither has not passed.
pub fn read(bytes: &[u8]) -> Run {
    let text = String::from_utf8_lossy(bytes);
    match text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
        true => junit(&text),
        false => log(&text),
    }
}

fn junit(text: &str) -> Run {
    match Document::parse(text.trim_start_matches('\u{feff}')) {
        Err(error) => failed(format!("not a readable JUnit report: {error}")),
        Ok(document) => cases(&document),
    }
}

/// Counts the test cases themselves: the totals in the attributes are the writer's claim.
fn cases(document: &Document) -> Run {
    let is_case = |node: &Node| node.has_tag_name("testcase");
    let has = |node: &Node, name: &str| node.children().any(|child| child.has_tag_name(name));
    let cases: Vec<Node> = document.descendants().filter(is_case).collect();
    let bad = cases.iter().filter(|case| has(case, "failure") || has(case, "error")).count();
    let skipped = cases.iter().filter(|case| has(case, "skipped")).count();
    let claimed: u64 = document.descendants().map(|node| claimed(&node)).sum();
    let summary = format!("{} tests, {bad} failed, {skipped} skipped", cases.len());
    match () {
        () if cases.len() == skipped => failed(format!("{summary}: no test ran")),
        () if bad == 0 && claimed > 0 => failed(format!("{summary}, but its totals say {claimed} failed")),
        () => Run { passed: bad == 0, summary },
    }
}

fn claimed(node: &Node) -> u64 {
    let number = |name: &str| node.attribute(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    if node.has_tag_name("testsuite") { number("failures") + number("errors") } else { 0 }
}

/// A log speaks by its last line `exit status N`; that of pre-commit by the result of each hook.
fn log(text: &str) -> Run {
    if let Some(status) = exit_status(text) {
        return Run { passed: status == 0, summary: format!("exit status {status}") };
    }
    let results = |word: &str| text.lines().filter(|line| line.trim_end().ends_with(&format!("...{word}"))).count();
    let (passed, bad) = (results("Passed"), results("Failed"));
    match passed + bad {
        0 => failed("the log does not say how the command ended (its last line should be `exit status 0`)".to_owned()),
        _ => Run { passed: bad == 0, summary: format!("{passed} hooks passed, {bad} failed") },
    }
}

fn exit_status(text: &str) -> Option<i64> {
    let last = text.lines().rev().find(|line| !line.trim().is_empty())?.trim().to_ascii_lowercase();
    let rest = ["exit status", "exit code", "exit"].iter().find_map(|words| last.strip_prefix(words))?;
    rest.trim_start_matches([' ', ':', '=']).parse().ok()
}

fn failed(summary: String) -> Run {
    Run { passed: false, summary }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(text: &str) -> bool {
        read(text.as_bytes()).passed
    }

    #[test]
    fn a_junit_report_speaks_by_its_cases() {
        let suite =
            |inner: &str| format!("<?xml version=\"1.0\"?><testsuites><testsuite>{inner}</testsuite></testsuites>");
        assert!(passed(&suite("<testcase name='a'/><testcase name='b'><skipped/></testcase>")));
        assert!(!passed(&suite("<testcase name='a'/><testcase name='b'><failure>x</failure></testcase>")));
        assert!(!passed(&suite("<testcase name='a'><error/></testcase>")));
        assert!(!passed(&suite("")));
        assert!(!passed(&suite("<testcase name='b'><skipped/></testcase>")));
        assert!(!passed("<testsuite tests='1' failures='1'><testcase name='a'/></testsuite>"));
        assert!(!passed("<testsuite>"));
    }

    #[test]
    fn a_log_speaks_by_its_exit_status() {
        assert!(passed("ruff: all good\nexit status 0\n"));
        assert!(passed("x\nExit code: 0\n\n"));
        assert!(!passed("exit status 0\nmore\n"));
        assert!(!passed("exit status 1\n"));
        assert!(!passed(""));
        assert!(!passed("all good\n"));
    }

    #[test]
    fn a_log_of_pre_commit_speaks_by_its_hooks() {
        assert!(passed("ruff.................................Passed\nmypy......Passed\n"));
        assert!(!passed("ruff.................................Passed\nmypy......Failed\n- exit code: 1\n"));
    }
}
