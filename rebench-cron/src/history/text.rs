//! A trend for a terminal.

use std::fmt::Write as _;

use super::clean::visible;
use super::line::{Line, differences, lines};
use super::report::Trend;
use super::words;

/// The heads of the columns; those from this one on are numbers.
const HEADS: [&str; 9] = ["slot", "for", "outcome", "effect", "interval", "evidence", "tries", "late", "commit"];
const NUMBERS: std::ops::Range<usize> = 3..8;

/// A summary in one line, a table of slots (newest last), and what changed.
pub fn text(trend: &Trend) -> String {
    let mut out = format!("{}: {}\n", visible(&trend.job, 80), words::summary(trend));
    let lines = lines(trend);
    if !lines.is_empty() {
        out.push('\n');
        table(&mut out, &lines);
    }
    if trend.left_off > 0 {
        _ = writeln!(out, "\n{} older slots are not listed; the evidence counts them", trend.left_off);
    }
    remarks(&mut out, trend);
    out
}

fn remarks(out: &mut String, trend: &Trend) {
    let promotions = trend.promotions.iter().map(|it| (words::day(it.at), words::promotion(it)));
    let changes = trend.environment.iter().map(|it| (words::day(it.at), differences(&it.differences)));
    section(out, "held against", promotions);
    section(out, "changed from one run to the next", changes);
    for sentence in trend.change.iter().map(words::change) {
        _ = writeln!(out, "\n{sentence}");
    }
    if let Some(proposal) = &trend.proposal {
        _ = writeln!(out, "\n{}", visible(&proposal.sentence, 600));
    }
}

fn section(out: &mut String, title: &str, entries: impl Iterator<Item = (String, String)>) {
    for (index, (at, what)) in entries.enumerate() {
        if index == 0 {
            _ = writeln!(out, "\n{title}");
        }
        _ = writeln!(out, "  {at}  {what}");
    }
}

fn table(out: &mut String, lines: &[Line]) {
    let rows: Vec<[&str; 9]> = lines.iter().map(cells).collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.chain([HEADS[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; 9] = std::array::from_fn(width);
    write_row(out, HEADS, &widths, "");
    for (row, line) in rows.into_iter().zip(lines) {
        write_row(out, row, &widths, why(line));
    }
}

/// The reason stands with what did not measure the model; where it did, the numbers say it.
fn why(line: &Line) -> &str {
    if line.effect.is_empty() || line.outcome == "regressed" { &line.why } else { "" }
}

fn cells(line: &Line) -> [&str; 9] {
    let Line { wall, reason, outcome, effect, interval, e_value, attempts, late, commit, .. } = line;
    [wall, reason, outcome, effect, interval, e_value, attempts, late, commit]
}

fn write_row(out: &mut String, cells: [&str; 9], widths: &[usize; 9], why: &str) {
    let mut line = String::new();
    for (column, (cell, width)) in cells.into_iter().zip(widths).enumerate() {
        let gap = " ".repeat(width - cell.chars().count());
        let (before, after) = if NUMBERS.contains(&column) { (gap.as_str(), "") } else { ("", gap.as_str()) };
        _ = write!(line, "{before}{cell}{after}  ");
    }
    _ = writeln!(out, "{}", (line + why).trim_end());
}
