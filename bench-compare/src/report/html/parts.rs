//! Slices, series and windows of the page: who does worse where.

use std::cmp::Ordering;

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use shared::format::verdict::{Gate, Part, Verdict};
use shared::plot::{Axis, Moment, axis_row, effect_row, pair_row, strip, time_line};

use super::{number, sign_tone, typeset};
use crate::report::effect::{self, Unit};
use crate::report::{clean, words};

/// How many of the worst series are listed.
const LISTED_SERIES: usize = 30;
/// How many of the worst windows are listed: all of them stand on the time line.
const LISTED_WINDOWS: usize = 15;
/// Slices are listed up to here.
const LISTED_SLICES: usize = 60;
/// Longest name in a cell.
const LONGEST_NAME: usize = 80;
/// About how many ticks an axis has.
const TICKS: usize = 3;

/// Rows of a table that share an axis.
pub(super) struct Rows {
    pub(super) axis: String,
    pub(super) rows: Vec<Row>,
}

/// A slice, series or window.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) plot: String,
    pub(super) effect: String,
    pub(super) candidate: String,
    pub(super) baseline: String,
    pub(super) rows: String,
}

/// All series, or all windows.
pub(super) struct View {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) noun: &'static str,
    pub(super) summary: String,
    /// The distribution strip, or the time line.
    pub(super) figure: String,
    pub(super) caption: String,
    pub(super) table: Rows,
}

/// The values of both models on every slice of the primary metric, beside those on all rows; nothing without slices.
pub(super) fn slices(verdict: &Verdict) -> Option<Rows> {
    let of_metric = |gate: &&Gate| gate.metric == verdict.metric && gate.candidate_value.is_some();
    let gates = verdict.gates.iter().filter(of_metric);
    let (mut slices, whole): (Vec<&Gate>, Vec<&Gate>) = gates.partition(|gate| gate.slice.is_some());
    if slices.is_empty() {
        return None;
    }
    slices.sort_by(|a, b| worst_first(a.estimate, b.estimate));
    let shown: Vec<&Gate> = whole.into_iter().take(1).chain(slices).take(LISTED_SLICES).collect();
    let values = shown.iter().flat_map(|gate| [gate.candidate_value, gate.baseline_value]).flatten();
    let axis = Axis::covering(values, TICKS);
    let rows = shown.iter().map(|gate| slice_row(gate, &axis)).collect();
    Some(Rows { axis: axis_row(&axis, |tick| typeset(&tick_of_value(&verdict.metric, tick))), rows })
}

fn tick_of_value(metric: &str, tick: f64) -> String {
    let text = effect::value(metric, Some(tick));
    match text.split_once('.') {
        Some((whole, rest)) if rest.trim_end_matches(" %").bytes().all(|digit| digit == b'0') => {
            number::with_unit(whole.to_owned(), if rest.ends_with('%') { "%" } else { "" })
        }
        _ => text,
    }
}

fn slice_row(gate: &Gate, axis: &Axis) -> Row {
    let value = |value| typeset(&effect::value(&gate.metric, value));
    Row {
        name: clean::name(gate.slice.as_deref().unwrap_or("all rows"), LONGEST_NAME),
        plot: pair_row(axis, gate.candidate_value, gate.baseline_value, sign_tone(gate.estimate)),
        effect: typeset(&effect::estimate(gate)),
        candidate: value(gate.candidate_value),
        baseline: value(gate.baseline_value),
        rows: typeset(&number::count(gate.n.rows)),
    }
}

/// Series and windows, whichever there are.
pub(super) fn views(verdict: &Verdict) -> Vec<View> {
    let (_, series, window) = words::nouns(verdict.evidence.kind);
    let of_series = view(verdict, &verdict.series, series, LISTED_SERIES).map(|view| View {
        id: "series",
        figure: distribution(verdict, &verdict.series),
        ..view
    });
    let of_windows = view(verdict, &verdict.windows, window, LISTED_WINDOWS).map(|view| View {
        id: "windows",
        figure: over_time(verdict),
        ..view
    });
    of_series.into_iter().chain(of_windows).collect()
}

fn view(verdict: &Verdict, parts: &[Part], noun: &'static str, limit: usize) -> Option<View> {
    let all = number::counted(parts.len() as u64, noun);
    let shown = parts.len().min(limit);
    (shown > 0).then(|| View {
        id: "",
        title: format!("By {noun}"),
        noun,
        summary: summary(parts, noun),
        figure: String::new(),
        caption: if shown < parts.len() {
            format!("The worst for the candidate: {shown} of {all}.")
        } else {
            format!("All {all}, worst for the candidate first.")
        },
        table: table(verdict, &parts[..shown]),
    })
}

/// `The candidate is worse on 6 of 14 series.`
fn summary(parts: &[Part], noun: &str) -> String {
    let estimates = || parts.iter().filter_map(|part| part.estimate).filter(|estimate| estimate.is_finite());
    let worse = estimates().filter(|estimate| *estimate > 0.0).count() as u64;
    let known = estimates().count() as u64;
    let unknown = parts.len() as u64 - known;
    let rest = if unknown > 0 { format!(" ({} without an effect)", number::count(unknown)) } else { String::new() };
    format!("The candidate is worse on {} of {}{rest}.", number::count(worse), number::counted(known, noun))
}

fn table(verdict: &Verdict, parts: &[Part]) -> Rows {
    let primary = effect::primary(verdict);
    let axis = Axis::covering(parts.iter().filter_map(|part| part.estimate).chain([0.0]), TICKS);
    let row = |part: &Part| {
        let value = |value| typeset(&effect::value(&verdict.metric, value));
        Row {
            name: clean::name(&part.name, LONGEST_NAME),
            plot: effect_row(&axis, part.estimate, sign_tone(part.estimate)),
            effect: typeset(&effect::of_part(primary, part.estimate)),
            candidate: value(part.candidate_value),
            baseline: value(part.baseline_value),
            rows: typeset(&number::count(part.rows)),
        }
    };
    Rows { axis: axis_row(&axis, |tick| tick_label(primary, tick)), rows: parts.iter().map(row).collect() }
}

fn tick_label(primary: Option<&Gate>, tick: f64) -> String {
    typeset(&primary.map_or_else(|| number::shortest(tick), |gate| Unit::of_gate(gate).tick(tick)))
}

/// All effects on one line, under their axis.
fn distribution(verdict: &Verdict, parts: &[Part]) -> String {
    let primary = effect::primary(verdict);
    let estimates = || parts.iter().filter_map(|part| part.estimate);
    let axis = Axis::covering(estimates().chain([0.0]), TICKS + 3);
    let label = format!("Effects of all parts on one line. {}", summary(parts, "part"));
    strip(&axis, estimates(), &label) + &axis_row(&axis, |tick| tick_label(primary, tick))
}

fn over_time(verdict: &Verdict) -> String {
    let primary = effect::primary(verdict);
    let shown = |part: &Part| clean::shorten(&part.name, LONGEST_NAME / 4);
    let times = times(&verdict.windows);
    let moments = verdict
        .windows
        .iter()
        .zip(times)
        .filter_map(|(part, time)| part.estimate.map(|value| Moment { time, value, name: shown(part) }));
    let moments: Vec<Moment> = moments.collect();
    let label = format!("Effects in the order of time. {}", summary(&verdict.windows, "window"));
    time_line(&moments, |value| tick_label(primary, value), &label)
}

/// Where each window lies in time: its date if all have one, its number if all are numbers, else its place in the order of
/// the names. Of `dataset@cutoff` the cutoff counts.
fn times(parts: &[Part]) -> Vec<f64> {
    let moments: Vec<&str> = parts.iter().map(|part| part.name.rsplit('@').next().unwrap_or_default()).collect();
    let all = |read: fn(&str) -> Option<f64>| moments.iter().map(|text| read(text)).collect::<Option<Vec<f64>>>();
    all(date).or_else(|| all(finite)).unwrap_or_else(|| places(&moments))
}

fn date(text: &str) -> Option<f64> {
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    text.parse::<Timestamp>().ok().or_else(civil).map(|time| time.as_second() as f64)
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn places(names: &[&str]) -> Vec<f64> {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    names.iter().map(|name| sorted.partition_point(|other| other < name) as f64).collect()
}

/// Larger effects first, what is unknown last.
fn worst_first(a: Option<f64>, b: Option<f64>) -> Ordering {
    let key = |effect: Option<f64>| effect.filter(|effect| !effect.is_nan()).unwrap_or(f64::NEG_INFINITY);
    key(b).total_cmp(&key(a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn order(names: &[&str]) -> Vec<f64> {
        let part = |name: &&str| Part { name: (*name).to_owned(), ..fixtures::promote().series[0].clone() };
        times(&names.iter().map(part).collect::<Vec<_>>())
    }

    #[test]
    fn windows_lie_where_their_dates_are() {
        assert_eq!(order(&["1970-01-02", "1970-01-01"]), [86_400.0, 0.0]);
        assert_eq!(order(&["a@1970-01-01T00:00:10Z", "b@1970-01-01T00:00:05Z"]), [10.0, 5.0]);
        assert_eq!(order(&["10", "9"]), [10.0, 9.0]);
        assert_eq!(order(&["b", "a", "2020-01-01", "a"]), [3.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn slices_stand_worst_first_below_the_whole() {
        let names: Vec<String> = slices(&fixtures::reject()).unwrap().rows.into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["all rows", "holiday = 1", "n_train < 60"]);
        let mut without = fixtures::promote();
        without.gates.retain(|gate| gate.slice.is_none());
        assert!(slices(&without).is_none());
    }

    #[test]
    fn ticks_have_no_idle_zeros() {
        assert_eq!([0.2, 0.175, 0.0].map(|tick| tick_of_value("mape", tick)), ["20 %", "17.5 %", "0 %"]);
        assert_eq!(tick_of_value("rmse", 250.0), "250");
    }
}
