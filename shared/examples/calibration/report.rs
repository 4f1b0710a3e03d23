//! The study as Markdown: rates and coverage, power beside the rivals, and the extremes.

use super::designs::{Design, Losses, Shape};
use super::rivals::NAMES;
use super::study::{Counts, Tally};

/// A rate up to this is kept.
const KEPT: f64 = 6.0;

/// How many of [`NAMES`] the power figure is about; the others are shown only.
const COMPARED: usize = 4;

type Results = [(Design, Counts)];

pub(crate) fn tables(results: &Results) -> String {
    let compared = results.iter().any(|(design, _)| has_rivals(design));
    let power = if compared { power_table(results) } else { String::new() };
    rate_table(results) + &power + &extremes(results)
}

fn has_rivals(design: &Design) -> bool {
    design.losses == Losses::Difference && design.shape == Shape::Complete && design.series > 1
}

fn per_cent(count: u32, runs: u32) -> f64 {
    100.0 * f64::from(count) / f64::from(runs)
}

fn rate_table(results: &Results) -> String {
    let mut table = String::from(
        "## False promotion and coverage\n\n| design | W | false promotion | pooled rows | undecided | coverage of 95 % |\n| --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (design, counts) in results {
        table.push_str(&rate_line(design, counts));
    }
    table
}

fn rate_line(design: &Design, counts: &Counts) -> String {
    let rate = |count| format!("{:.2}", per_cent(count, counts.runs));
    let covered = if counts.ours.undecided == counts.runs { "-".to_string() } else { rate(counts.ours.covered) };
    let pooled = if design.losses == Losses::Difference { rate(counts.pooled) } else { "-".to_string() };
    let (promoted, undecided) = (rate(counts.ours.false_promotions), rate(counts.ours.undecided));
    format!("| {} | {:.2} | {promoted} | {pooled} | {undecided} | {covered} |\n", design.name, design.windows())
}

fn power_table(results: &Results) -> String {
    let names = NAMES.join(" | ");
    let columns = "| ---: ".repeat(NAMES.len() + 2);
    let heading = format!(
        "\n## Power where a test that knows the variance has 90 %\n\nIn brackets the rate of false promotion where it exceeds {KEPT} %: such a test does not keep the rate.\n\n| design | ours | ours, 2 windows suffice | {names} |\n| --- {columns}|\n"
    );
    let lines =
        results.iter().filter(|(design, _)| has_rivals(design)).map(|(design, counts)| power_line(design, counts));
    heading + &lines.collect::<String>()
}

fn power_line(design: &Design, counts: &Counts) -> String {
    let cells: String = counts.rivals.iter().map(|tally| power_cell(tally, counts.runs)).collect();
    let ours = power_cell(&counts.ours, counts.runs) + &power_cell(&counts.from_two, counts.runs);
    format!("| {} |{ours}{cells}\n", design.name)
}

fn power_cell(tally: &Tally, runs: u32) -> String {
    let (rate, power) = (per_cent(tally.false_promotions, runs), per_cent(tally.found, runs));
    if tally.undecided == runs {
        return " undecided |".into();
    }
    if rate > KEPT { format!(" {power:.1} ({rate:.1}) |") } else { format!(" {power:.1} |") }
}

/// What the tables amount to.
fn extremes(results: &Results) -> String {
    let decided = || results.iter().filter(|(_, counts)| counts.ours.undecided == 0);
    let rates = || decided().map(|(_, counts)| per_cent(counts.ours.false_promotions, counts.runs));
    let coverage = || decided().map(|(_, counts)| per_cent(counts.ours.covered, counts.runs));
    let over = rates().filter(|&rate| rate > KEPT).count();
    let (most, low, high) =
        (rates().fold(0.0, f64::max), coverage().fold(100.0, f64::min), coverage().fold(0.0, f64::max));
    let gaps = [("decided", true), ("undecided, ours with 2 windows sufficing", false)];
    let gaps: String = gaps.iter().map(|(title, which)| gap_line(results, title, *which)).collect();
    format!(
        "\n## Extremes\n\n- false promotion at most {most:.2} %; above {KEPT} % in {over} of {} designs\n- coverage {low:.2} to {high:.2} % where decided\n{gaps}",
        results.len()
    )
}

/// The rival that keeps the rate and is furthest ahead.
fn gap_line(results: &Results, title: &str, decided: bool) -> String {
    let designs =
        results.iter().filter(|(design, counts)| has_rivals(design) && (counts.ours.undecided == 0) == decided);
    let gaps = designs.flat_map(|(design, counts)| {
        let keeps = move |tally: &Tally| per_cent(tally.false_promotions, counts.runs) <= KEPT;
        let gap =
            move |tally: &Tally| per_cent(tally.found, counts.runs) - per_cent(counts.from_two.found, counts.runs);
        let rivals = counts.rivals.iter().zip(NAMES).take(COMPARED).filter(move |(tally, _)| keeps(tally));
        rivals.map(move |(tally, name)| (gap(tally), name, &design.name))
    });
    let furthest = gaps.max_by(|a, b| a.0.total_cmp(&b.0));
    furthest.map_or_else(String::new, |(gap, name, design)| {
        format!("- of the first {COMPARED} rivals that keep the rate, furthest ahead where {title}: {name}, {gap:+.1} points ({design})\n")
    })
}
