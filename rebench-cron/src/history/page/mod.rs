//! A trend as one self-contained page: no script, no request, light and dark, readable on paper and on a phone.

mod effect;
mod evidence;
mod marks;
mod time;

use askama::Template;
use shared::error::{Error, Result};

use self::marks::Mark;
use self::time::Times;
use super::clean::visible;
use super::line::{Line, differences, lines};
use super::number;
use super::report::Trend;
use super::words;

/// The longest sentence.
const SENTENCE: usize = 600;
/// The longest name.
const NAME: usize = 80;

/// The page, filled in.
#[derive(Template)]
#[template(path = "trend.html")]
struct Page<'a> {
    trend: &'a Trend,
    tone: &'static str,
    job: String,
    verdict: String,
    headline: String,
    /// Plain text and commands in turn.
    proposal: Option<Vec<String>>,
    facts: Vec<Fact>,
    effect: Option<Figure>,
    evidence: Option<Figure>,
    key: Vec<(String, &'static str)>,
    reading: String,
    shift: Option<String>,
    promotions: Vec<Remark>,
    changes: Vec<Remark>,
    rows: Vec<Row>,
}

/// A plot, and the labels beside it.
struct Figure {
    plot: String,
    beside: String,
}

/// A figure under the headline.
struct Fact {
    label: &'static str,
    value: String,
    note: String,
}

/// What a mark of the plot stands for.
struct Remark {
    code: String,
    at: String,
    what: String,
}

/// A slot as a row of the table.
struct Row {
    line: Line,
    tone: &'static str,
    icon: String,
}

/// The trend as an HTML document.
///
/// # Errors
/// If the template cannot be rendered, which only a failing formatter can cause.
pub fn html(trend: &Trend) -> Result<String> {
    let failed = |error: askama::Error| Error::Environment { what: format!("the page: {error}"), help: None };
    page(trend).render().map_err(failed)
}

fn page(trend: &Trend) -> Page<'_> {
    let times = Times::covering(lines(trend).iter().map(|line| line.at));
    let (verdict, tone) = verdict(trend);
    Page {
        trend,
        tone,
        job: visible(&trend.job, NAME),
        verdict,
        headline: capital(&sentence(&words::summary(trend))),
        proposal: trend.proposal.as_ref().map(|proposal| in_turn(&capital(&sentence(&proposal.sentence)))),
        facts: facts(trend),
        effect: times.as_ref().map(|times| effect::figure(trend, times)),
        evidence: times.as_ref().map(|times| evidence::figure(trend, times)),
        key: marks::ALL.into_iter().map(|mark| (mark.icon(), mark.name)).collect(),
        reading: reading(trend),
        shift: trend.change.as_ref().map(|change| capital(&words::change(change).replace(" %", "\u{a0}%"))),
        promotions: promotions(trend),
        changes: changes(trend),
        rows: lines(trend).into_iter().rev().map(row).collect(),
    }
}

/// The newest outcome, or the alarm, as a word, and its tone.
fn verdict(trend: &Trend) -> (String, &'static str) {
    match trend.points.last() {
        _ if trend.evidence.is_alarm => ("NO LONGER WINS".to_owned(), "fail"),
        None => ("NO VERDICT YET".to_owned(), "same"),
        Some(newest) => {
            let outcome = newest.outcome.replace('_', " ");
            (outcome.to_uppercase(), Mark::of(&outcome).tone)
        }
    }
}

/// A sentence that may hold names, in which no line breaks before a percent sign.
fn sentence(text: &str) -> String {
    visible(text, SENTENCE).replace(" %", "\u{a0}%")
}

/// The sentence with its first letter large.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What stands before, between and after backticks: text and commands in turn.
fn in_turn(text: &str) -> Vec<String> {
    text.split('`').map(str::to_owned).collect()
}

fn facts(trend: &Trend) -> Vec<Fact> {
    let newest = trend.points.iter().rev().find(|point| point.effect.is_some());
    let effect = newest.and_then(|point| point.effect).map_or_else(|| "–".to_owned(), number::percent);
    let interval = newest.and_then(|point| point.interval);
    let interval = interval.map(|[low, high]| format!("{} to {}", number::percent(low), number::percent(high)));
    let it = &trend.evidence;
    let rate = number::percent(it.false_alarm_rate).trim_start_matches('+').replace(".00", "");
    let promise = format!(
        "alarm at {}: false in at most {rate} of histories of {} runs",
        number::evidence(it.alarm_at),
        it.horizon
    );
    let metric = trend.metric.as_deref().map(|metric| format!("on {}; ", visible(metric, NAME))).unwrap_or_default();
    let skipped: u64 = trend.skips.iter().map(|skip| skip.count).sum();
    vec![
        Fact {
            label: "newest effect",
            value: typeset(&effect),
            note: metric + &interval.map_or_else(|| "no interval".to_owned(), |it| typeset(&it)),
        },
        Fact { label: "evidence against it", value: typeset(&number::evidence(it.e_value)), note: typeset(&promise) },
        Fact {
            label: "runs",
            value: trend.points.len().to_string(),
            note: format!("{} against the present baseline", number::counted(it.looks.into(), "look")),
        },
        Fact {
            label: "without a result",
            value: (trend.failures.len() as u64 + skipped).to_string(),
            note: format!("{}, {skipped} skipped", number::counted(trend.failures.len() as u64, "failure")),
        },
    ]
}

/// Numbers as typography has them.
fn typeset(text: &str) -> String {
    text.replace('-', "\u{2212}").replace(" %", "\u{a0}%")
}

fn reading(trend: &Trend) -> String {
    let margin = match trend.margin {
        0.0 => "above the dashed line at 0 the model is worse than what it is held against".to_owned(),
        margin => {
            format!("above the dashed line at {} the model is worse than the margin allows", number::percent(margin))
        }
    };
    let noise = trend.points.iter().any(|point| point.noise_floor.is_some());
    let noise = if noise { " The band around 0 is what chance alone makes." } else { "" };
    sentence(&format!("Lower is better; {margin}. Vertical lines are intervals.{noise}"))
}

fn promotions(trend: &Trend) -> Vec<Remark> {
    let remark = |(index, it): (usize, &super::Promotion)| Remark {
        code: format!("P{}", index + 1),
        at: words::day(it.at),
        what: words::promotion(it),
    };
    trend.promotions.iter().enumerate().map(remark).collect()
}

fn changes(trend: &Trend) -> Vec<Remark> {
    let remark = |(index, it): (usize, &super::EnvironmentChange)| Remark {
        code: format!("C{}", index + 1),
        at: words::day(it.at),
        what: differences(&it.differences),
    };
    trend.environment.iter().enumerate().map(remark).collect()
}

fn row(line: Line) -> Row {
    let mark = Mark::of(&line.outcome);
    let line = Line {
        effect: typeset(&line.effect),
        interval: typeset(&line.interval),
        e_value: typeset(&line.e_value),
        // Seconds are no lateness to a reader.
        late: if line.late.ends_with(" s") { String::new() } else { line.late },
        ..line
    };
    Row { tone: mark.tone, icon: mark.icon(), line }
}
