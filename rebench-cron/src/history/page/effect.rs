//! The effect over time: intervals, noise, margin, shift, promotions, changes, and what gave no effect.

use shared::plot::{Anchor, Axis, Svg};

use super::marks::Mark;
use super::time::{Times, anchor};
use super::{Figure, sentence};
use crate::history::line::{Line, differences, lines};
use crate::history::number::percent;
use crate::history::report::{Point, Trend};
use crate::history::words;

/// Heights in pixels: two lanes of marks, the plot, a lane of slots without an effect, the labels.
const PROMOTED: f64 = 12.0;
const CHANGED: f64 = 32.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 276.0;
const REST: f64 = 292.0;
const LABELS: f64 = 318.0;
const HEIGHT: f64 = 324.0;
/// Interval ends farther out than so many times the median size are cut, so that one wild run does not flatten all others.
const FAR: f64 = 6.0;
/// What a label of a mark needs, in percent.
const ROOM: f64 = 7.0;
/// An interval that goes on beyond the plot.
const UP: &str = "M-3 4L0 0L3 4";
const DOWN: &str = "M-3-4L0 0L3-4";
/// With more changes than this, lines through the plot would hide it.
const MOST_LINES: usize = 12;

/// The plot, with the labels beside it; nothing if there is no slot.
pub(super) fn figure(trend: &Trend, times: &Times) -> Figure {
    let axis = axis(trend);
    let y = |share| height(&axis, share);
    let mut svg = Svg::new(HEIGHT);
    let mut beside = Svg::new(HEIGHT);
    svg.bar("beyond", (0.0, 100.0), TOP, y(trend.margin) - TOP);
    noise(&mut svg, trend, times, y);
    times.grid(&mut svg, (TOP, BOTTOM));
    for tick in &axis.ticks {
        svg.line(if *tick == 0.0 { "zero" } else { "grid" }, (0.0, y(*tick)), (100.0, y(*tick)));
        beside.label("tick", (92.0, y(*tick) + 4.0), Anchor::End, &short(*tick));
    }
    svg.line("margin", (0.0, y(trend.margin)), (100.0, y(trend.margin)));
    promotions(&mut svg, trend, times);
    changes(&mut svg, trend, times);
    shift(&mut svg, trend, times, y);
    points(&mut svg, trend, times, &axis);
    rest(&mut svg, trend, times);
    times.labels(&mut svg, LABELS);
    for (lane, label) in [(PROMOTED, "baseline"), (CHANGED, "changes"), (REST, "no result")] {
        beside.label("tick", (92.0, lane + 4.0), Anchor::End, label);
    }
    let label = format!("The effect of {} over time. {}", trend.job, words::summary(trend));
    Figure { plot: svg.finish(Some(&sentence(&label))), beside: beside.finish(None) }
}

/// Where a share lies, from above.
fn height(axis: &Axis, share: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * axis.place(share) / 100.0
}

/// The axis covers zero, margin, noise and effects, and intervals as far as they are of the usual size.
fn axis(trend: &Trend) -> Axis {
    let effects = trend.points.iter().filter_map(|point| point.effect);
    let noise = trend.points.iter().filter_map(|point| point.noise_floor).flat_map(|floor| [floor, -floor]);
    let ends: Vec<f64> = trend.points.iter().filter_map(|point| point.interval).flatten().collect();
    let far = FAR * median(ends.iter().map(|end| end.abs()).filter(|end| end.is_finite()).collect());
    let near = ends.into_iter().filter(|end| end.is_finite()).map(|end| end.clamp(-far, far));
    let none = trend.points.iter().all(|point| point.effect.is_none()).then_some([-0.05, 0.05]);
    Axis::covering(effects.chain(noise).chain(near).chain([0.0, trend.margin]).chain(none.into_iter().flatten()), 6)
}

/// The upper median; infinite where there are no values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::INFINITY)
}

fn short(share: f64) -> String {
    let percent = 100.0 * share;
    let text = if percent == 0.0 { "0".to_owned() } else { format!("{:+}", (percent * 1e4).round() / 1e4) };
    text.replace('-', "\u{2212}") + "\u{a0}%"
}

/// What chance alone makes, as a band; one bar for as long as it stays the same.
fn noise(svg: &mut Svg, trend: &Trend, times: &Times, y: impl Fn(f64) -> f64) {
    let places: Vec<f64> = trend.points.iter().map(|point| times.place(point.scheduled_at)).collect();
    let between = |index: usize| match (places.get(index.wrapping_sub(1)), places.get(index)) {
        (Some(before), Some(after)) => f64::midpoint(*before, *after),
        (None, _) => 0.0,
        (_, None) => 100.0,
    };
    let mut begin = 0;
    for same in trend.points.chunk_by(|a, b| a.noise_floor == b.noise_floor) {
        let end = begin + same.len();
        if let Some(floor) = same.first().and_then(|point| point.noise_floor) {
            svg.bar("noise", (between(begin), between(end)), y(floor), y(-floor) - y(floor));
        }
        begin = end;
    }
}

fn promotions(svg: &mut Svg, trend: &Trend, times: &Times) {
    let mut free = f64::NEG_INFINITY;
    for (index, promotion) in trend.promotions.iter().enumerate().filter(|(_, it)| times.holds(it.at)) {
        let place = times.place(promotion.at);
        svg.line("promoted", (place, PROMOTED + 6.0), (place, BOTTOM));
        let title = format!("{}: {}", words::day(promotion.at), words::promotion(promotion));
        svg.mark("mark promoted", (place, PROMOTED), "M-4-5H4V1L0 6L-4 1Z", &title);
        free = code(svg, "P", index, (place, PROMOTED), free);
    }
}

fn changes(svg: &mut Svg, trend: &Trend, times: &Times) {
    let mut free = f64::NEG_INFINITY;
    for (index, change) in trend.environment.iter().enumerate() {
        let place = times.place(change.at);
        if trend.environment.len() <= MOST_LINES {
            svg.line("changed", (place, CHANGED + 5.0), (place, BOTTOM));
        }
        let title = format!("{}: {}", words::day(change.at), differences(&change.differences));
        svg.mark("mark changed", (place, CHANGED), "M-4 0L0-4L4 0L0 4Z", &title);
        free = code(svg, "C", index, (place, CHANGED), free);
    }
}

/// A name for a mark that a table below explains, where it has room after the last; where the next has room.
fn code(svg: &mut Svg, letter: &str, index: usize, (place, y): (f64, f64), free: f64) -> f64 {
    if place < free {
        return free;
    }
    let text = format!("\u{a0}\u{a0}\u{a0}{letter}{}", index + 1);
    match place > 100.0 - ROOM {
        true => svg.label("code", (place, y + 4.0), Anchor::End, &format!("{letter}{}\u{a0}\u{a0}\u{a0}", index + 1)),
        false => svg.label("code", (place, y + 4.0), Anchor::Start, &text),
    }
    place + ROOM
}

fn shift(svg: &mut Svg, trend: &Trend, times: &Times, y: impl Fn(f64) -> f64) {
    let Some(change) = &trend.change else { return };
    let (at, [first, last]) = (times.place(change.at), change.range.map(|at| times.place(at)));
    svg.bar("range", (first, last), TOP, BOTTOM - TOP);
    svg.line("shift", (at, TOP), (at, BOTTOM));
    let begin = trend.segments.last().map_or(0.0, |segment| times.place(segment.since));
    svg.line("mean", (begin, y(change.before)), (at, y(change.before)));
    svg.line("mean", (at, y(change.after)), (98.0, y(change.after)));
    svg.label("halo shift", (at, TOP + 14.0), anchor(at), &format!("shift {}", words::day(change.at)));
}

fn points(svg: &mut Svg, trend: &Trend, times: &Times, axis: &Axis) {
    let y = |share| height(axis, share);
    let measured = || trend.points.iter().filter_map(|point| Some((point, point.effect?)));
    for (point, _) in measured() {
        let (place, tone) = (times.place(point.scheduled_at), Mark::of(&name(point)).tone);
        if let Some([low, high]) = point.interval.filter(|ends| !ends.iter().any(|end| end.is_nan())) {
            svg.line(&format!("interval {tone}"), (place, y(low)), (place, y(high)));
            for (end, outline, beyond) in [(low, DOWN, low < axis.low), (high, UP, high > axis.high)] {
                if beyond {
                    svg.mark(&format!("cut {tone}"), (place, y(end)), outline, "");
                }
            }
        }
    }
    for (point, effect) in measured() {
        let title = format!("{}: {}, {}", words::day(point.scheduled_at), name(point), percent(effect));
        Mark::of(&name(point)).draw(svg, (times.place(point.scheduled_at), y(effect)), &title);
    }
}

fn name(point: &Point) -> String {
    point.outcome.replace('_', " ")
}

/// Slots that measured nothing.
fn rest(svg: &mut Svg, trend: &Trend, times: &Times) {
    svg.line("grid", (0.0, REST), (100.0, REST));
    for Line { at, outcome, why, .. } in lines(trend).iter().filter(|line| line.effect.is_empty()) {
        Mark::of(outcome).draw(svg, (times.place(*at), REST), &format!("{}: {outcome}: {why}", words::day(*at)));
    }
}
