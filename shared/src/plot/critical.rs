//! The critical-difference diagram of many models on many tasks.

use std::fmt::Write;

use super::svg::{Anchor, escape, role, short};

/// Width of the drawing in its own units.
const WIDTH: f64 = 720.0;
/// Where the axis starts and ends.
const AXIS: (f64, f64) = (190.0, 530.0);
/// Height of the axis line.
const AXIS_Y: f64 = 52.0;
/// From one name to the next.
const LINE: f64 = 18.0;
/// From one bar of a clique to the next.
const CLIQUE: f64 = 7.0;
/// Longest name in characters.
const NAME: usize = 20;

struct Ranked<'a> {
    name: &'a str,
    rank: f64,
}

/// Mean ranks on an axis, best at the left; models that a thick bar joins differ by no more than the critical difference
/// `cd` (Demšar 2006, Journal of Machine Learning Research 7, section 3.2.2 and figure 1).
///
/// `ranks` are in the order of `names`; a model whose rank is not finite is left out, and models of equal rank stand in the order of
/// their names. Empty if fewer than two remain. The text is the page's, the classes are `axis`, `leader`, `clique`, `tick`, `name`.
pub fn critical_difference(names: &[String], ranks: &[f64], cd: f64) -> String {
    let ranked = sorted(names, ranks);
    let [best, .., worst] = ranked.as_slice() else { return String::new() };
    let ends = (best.rank.floor(), worst.rank.ceil().max(best.rank.floor() + 1.0));
    let x = |rank: f64| AXIS.0 + (AXIS.1 - AXIS.0) * (rank - ends.0) / (ends.1 - ends.0);
    let cliques = cliques(&ranked, cd);
    let names_y = AXIS_Y + CLIQUE * cliques.len() as f64 + 26.0;
    let mut body = axis(ends, x) + &ruler(cd, ends, x);
    for (row, (from, to)) in cliques.iter().enumerate() {
        let y = AXIS_Y + 10.0 + CLIQUE * row as f64;
        body += &line("clique", (x(ranked[*from].rank) - 3.0, y), (x(ranked[*to].rank) + 3.0, y));
    }
    body += &leaders(&ranked, names_y, x);
    let height = short(names_y + LINE * ranked.len().div_ceil(2) as f64);
    let role = role(Some(&summary(&ranked, cd)));
    format!(
        r#"<svg class="critical" viewBox="0 0 {WIDTH} {height}" width="100%" {role} focusable="false">{body}</svg>"#
    )
}

fn sorted<'a>(names: &'a [String], ranks: &[f64]) -> Vec<Ranked<'a>> {
    let pairs = names.iter().zip(ranks).map(|(name, &rank)| Ranked { name, rank });
    let mut ranked: Vec<_> = pairs.filter(|model| model.rank.is_finite()).collect();
    ranked.sort_by(|a, b| a.rank.total_cmp(&b.rank).then_with(|| a.name.cmp(b.name)));
    ranked
}

/// The longest runs of models of which no two differ by more than `cd`: first and last of each.
fn cliques(ranked: &[Ranked<'_>], cd: f64) -> Vec<(usize, usize)> {
    let reach = |from: usize| ranked.iter().rposition(|model| model.rank - ranked[from].rank <= cd).unwrap_or(from);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for from in 0..ranked.len() {
        let to = reach(from);
        if to > from && found.last().is_none_or(|(_, last)| to > *last) {
            found.push((from, to));
        }
    }
    found
}

fn axis((low, high): (f64, f64), x: impl Fn(f64) -> f64) -> String {
    let marks = super::nice_ticks(low, high, 8);
    let mark = |rank: &f64| {
        line("axis", (x(*rank), AXIS_Y - 5.0), (x(*rank), AXIS_Y))
            + &label("tick", (x(*rank), AXIS_Y - 9.0), Anchor::Middle, &short(*rank))
    };
    line("axis", (AXIS.0, AXIS_Y), (AXIS.1, AXIS_Y)) + &marks.iter().map(mark).collect::<String>()
}

/// The critical difference itself as a length above the axis; not drawn where it is longer than the axis.
fn ruler(cd: f64, (low, high): (f64, f64), x: impl Fn(f64) -> f64) -> String {
    if !(cd.is_finite() && cd > 0.0 && cd <= high - low) {
        return String::new();
    }
    let (from, to, y) = (x(low), x(low + cd), 20.0);
    let ends: String = [from, to].map(|x| line("axis", (x, y - 4.0), (x, y + 4.0))).concat();
    let text = format!("critical difference {}", short(cd));
    line("axis", (from, y), (to, y)) + &ends + &label("tick", (from, y - 8.0), Anchor::Start, &text)
}

/// Names at both sides, the better half at the left, each led to its place on the axis.
fn leaders(ranked: &[Ranked<'_>], top: f64, x: impl Fn(f64) -> f64) -> String {
    let left = ranked.len().div_ceil(2);
    let leader = |(place, model): (usize, &Ranked<'_>)| {
        let at_left = place < left;
        let row = if at_left { place } else { ranked.len() - 1 - place };
        let (y, end) = (top + LINE * row as f64, if at_left { AXIS.0 - 8.0 } else { AXIS.1 + 8.0 });
        let (anchor, text_x) = if at_left { (Anchor::End, end - 5.0) } else { (Anchor::Start, end + 5.0) };
        let text = format!("{} {:.2}", shortened(model.name), model.rank);
        line("leader", (x(model.rank), AXIS_Y), (x(model.rank), y))
            + &line("leader", (x(model.rank), y), (end, y))
            + &label("name", (text_x, y + 4.0), anchor, &text)
    };
    ranked.iter().enumerate().map(leader).collect()
}

fn summary(ranked: &[Ranked<'_>], cd: f64) -> String {
    let models: Vec<String> = ranked.iter().map(|model| format!("{} {:.2}", model.name, model.rank)).collect();
    format!("Mean ranks, lower is better: {}. Critical difference {}.", models.join(", "), short(cd))
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> String {
    let ((x1, y1), (x2, y2)) = (from, to);
    let (x1, y1, x2, y2) = (short(x1), short(y1), short(x2), short(y2));
    let width = if class == "clique" { 4 } else { 1 };
    format!(
        r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="currentColor" stroke-width="{width}"/>"#
    )
}

fn label(class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) -> String {
    let mut element = String::new();
    // Writing to a String cannot fail.
    _ = write!(
        element,
        r#"<text class="{class}" x="{}" y="{}" text-anchor="{}" font-size="12" fill="currentColor">{}</text>"#,
        short(x),
        short(y),
        anchor.name(),
        escape(text)
    );
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("m{i}")).collect()
    }

    #[test]
    fn bars_join_the_longest_runs_within_the_difference() {
        let names = names(5);
        let ranked = sorted(&names, &[1.0, 1.8, 2.5, 4.0, 4.5]);
        assert_eq!(cliques(&ranked, 1.0), [(0, 1), (1, 2), (3, 4)]);
        assert_eq!(cliques(&ranked, 0.1), []);
        assert_eq!(cliques(&ranked, 9.0), [(0, 4)]);
    }

    #[test]
    fn order_is_by_rank_then_name() {
        let names = names(4);
        let ranked = sorted(&names, &[2.0, f64::NAN, 1.0, 2.0]);
        assert_eq!(ranked.iter().map(|model| model.name).collect::<Vec<_>>(), ["m2", "m0", "m3"]);
    }

    #[test]
    fn odd_inputs_draw_nothing_or_something_finite() {
        assert_eq!(critical_difference(&names(1), &[1.0], 1.0), "");
        assert_eq!(critical_difference(&names(3), &[f64::NAN; 3], 1.0), "");
        for cd in [f64::NAN, f64::INFINITY, 0.0, -1.0] {
            let drawing = critical_difference(&["<a>".to_owned(), "b".to_owned()], &[1.5, 1.5], cd);
            assert!(!drawing.contains("NaN") && !drawing.contains("inf") && drawing.contains("&lt;a&gt;"), "{drawing}");
        }
    }
}
