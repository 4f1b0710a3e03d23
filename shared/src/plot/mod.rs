//! SVG pieces for reports and pages: forest rows, dot rows, a distribution strip, a time line, a critical-difference
//! diagram. Strings out, the same bytes for the same numbers.
//!
//! Rows are meant for the cells of a table: they share an [`Axis`], the table holds the words and numbers, and the header
//! cell holds [`axis_row`]. Colours are the page's: `grid`, `zero`, `beyond` (the side of a margin where a gate fails),
//! `margin`, `interval`, `candidate`, `baseline`, `between`, `tick`, and whatever class a caller names.

mod axis;
mod critical;
mod svg;

pub use axis::{Axis, nice_ticks};
pub use critical::critical_difference;
pub use svg::{Anchor, Side, Svg, escape};

/// Height of a row in pixels.
const ROW: f64 = 26.0;
/// Its middle.
const MIDDLE: f64 = ROW / 2.0;
/// Height of a row of a forest plot: two lines of text stand beside it.
const TALL: f64 = 44.0;
/// Its middle.
const TALL_MIDDLE: f64 = TALL / 2.0;
/// Height of the header row with its tick labels.
const HEADER: f64 = 18.0;
/// Radius of a dot.
const RADIUS: f64 = 4.0;
/// What a tick label needs, in percent of the width of a narrow column.
const LABEL_WIDTH: f64 = 17.0;

/// One row of a forest plot.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Effect {
    /// The point estimate.
    pub estimate: Option<f64>,
    /// Its interval.
    pub interval: Option<[f64; 2]>,
    /// What the effect is held against: beyond it the row is shaded.
    pub margin: Option<f64>,
}

/// The tick labels of an axis: zero first, then outwards, each only where it has room.
pub fn axis_row(axis: &Axis, label: impl Fn(f64) -> String) -> String {
    let mut svg = Svg::new(HEADER);
    let mut outwards = axis.ticks.clone();
    outwards.sort_by(|a, b| a.abs().total_cmp(&b.abs()).then(a.total_cmp(b)));
    let mut taken: Vec<f64> = Vec::new();
    for tick in outwards {
        let place = axis.place(tick);
        let middle = place.clamp(LABEL_WIDTH / 2.0, 100.0 - LABEL_WIDTH / 2.0);
        if taken.iter().all(|other| (middle - other).abs() >= LABEL_WIDTH) {
            svg.label("tick", (place, HEADER - 5.0), anchor(place), &label(tick));
            taken.push(middle);
        }
    }
    svg.finish(None)
}

/// Labels at the ends stay inside.
fn anchor(place: f64) -> Anchor {
    match place {
        place if place < 6.0 => Anchor::Start,
        place if place > 94.0 => Anchor::End,
        _ => Anchor::Middle,
    }
}

/// A row of a forest plot: the margin with its far side shaded, the interval as a line, the estimate as a dot of `class`.
/// What lies beyond an end of the axis is drawn as an arrow there.
pub fn forest_row(axis: &Axis, effect: &Effect, class: &str) -> String {
    let mut svg = Svg::new(TALL);
    if let Some(margin) = effect.margin.filter(|margin| margin.is_finite()) {
        shade_beyond(&mut svg, axis, margin);
    }
    grid(&mut svg, axis, TALL);
    if let Some(interval) = effect.interval {
        draw_interval(&mut svg, axis, interval, class);
    }
    if let Some(estimate) = effect.estimate {
        draw_estimate(&mut svg, axis, estimate, class);
    }
    svg.finish(None)
}

fn shade_beyond(svg: &mut Svg, axis: &Axis, margin: f64) {
    let place = axis.place(margin);
    svg.bar("beyond", (place, 100.0), 0.0, TALL);
    if axis.holds(margin) {
        svg.line("margin", (place, 0.0), (place, TALL));
    }
}

fn grid(svg: &mut Svg, axis: &Axis, height: f64) {
    for tick in &axis.ticks {
        let (class, place) = (if *tick == 0.0 { "zero" } else { "grid" }, axis.place(*tick));
        svg.line(class, (place, 0.0), (place, height));
    }
}

fn draw_interval(svg: &mut Svg, axis: &Axis, [low, high]: [f64; 2], class: &str) {
    if low.is_nan() || high.is_nan() {
        return;
    }
    let class = format!("interval {class}");
    svg.line(&class, (axis.place(low), TALL_MIDDLE), (axis.place(high), TALL_MIDDLE));
    for (end, side, beyond) in [(low, Side::Left, low < axis.low), (high, Side::Right, high > axis.high)] {
        if beyond {
            svg.arrow(&class, (axis.place(end), TALL_MIDDLE), side);
        }
    }
}

fn draw_estimate(svg: &mut Svg, axis: &Axis, estimate: f64, class: &str) {
    let place = (axis.place(estimate), TALL_MIDDLE);
    match estimate {
        estimate if estimate.is_nan() => {}
        estimate if estimate < axis.low => svg.arrow(class, place, Side::Left),
        estimate if estimate > axis.high => svg.arrow(class, place, Side::Right),
        _ => svg.dot(class, place, RADIUS, ""),
    }
}

/// A row of a dot plot: what two models score, joined by a line of `class`.
pub fn pair_row(axis: &Axis, candidate: Option<f64>, baseline: Option<f64>, class: &str) -> String {
    let mut svg = Svg::new(ROW);
    grid(&mut svg, axis, ROW);
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite()).map(|value| axis.place(value));
    let (candidate, baseline) = (finite(candidate), finite(baseline));
    if let Some((from, to)) = baseline.zip(candidate) {
        svg.line(&format!("between {class}"), (from, MIDDLE), (to, MIDDLE));
    }
    if let Some(place) = baseline {
        svg.dot("baseline", (place, MIDDLE), RADIUS, "");
    }
    if let Some(place) = candidate {
        svg.dot(&format!("candidate {class}"), (place, MIDDLE), RADIUS, "");
    }
    svg.finish(None)
}

/// A row of a bar plot: a bar of `class` from zero to the effect.
pub fn effect_row(axis: &Axis, effect: Option<f64>, class: &str) -> String {
    let mut svg = Svg::new(ROW);
    if let Some(effect) = effect.filter(|effect| !effect.is_nan()) {
        svg.bar(class, (axis.place(0.0), axis.place(effect)), MIDDLE - 5.0, 10.0);
    }
    grid(&mut svg, axis, ROW);
    svg.finish(None)
}

/// All values as translucent strokes on one line: where most lie, and how far the others stray.
pub fn strip(axis: &Axis, values: impl IntoIterator<Item = f64>, label: &str) -> String {
    const HEIGHT: f64 = 34.0;
    let mut svg = Svg::new(HEIGHT);
    grid(&mut svg, axis, HEIGHT);
    for value in values.into_iter().filter(|value| value.is_finite()) {
        let class = if value > 0.0 { "stroke worse" } else { "stroke better" };
        svg.line(class, (axis.place(value), 6.0), (axis.place(value), HEIGHT - 6.0));
    }
    svg.finish(Some(label))
}

/// A point of a [`time_line`].
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Its place in time, on any linear scale.
    pub time: f64,
    /// Its value.
    pub value: f64,
    /// Its name, on the axis and under the pointer.
    pub name: String,
}

/// Values over time as stems from zero, names at the first and the last moment and where there is room between.
pub fn time_line(moments: &[Moment], value_label: impl Fn(f64) -> String, label: &str) -> String {
    const HEIGHT: f64 = 190.0;
    const TOP: f64 = 14.0;
    const BOTTOM: f64 = HEIGHT - 26.0;
    const GUTTER: f64 = 7.0;
    let moments: Vec<&Moment> =
        moments.iter().filter(|moment| moment.value.is_finite() && moment.time.is_finite()).collect();
    let times = Axis::covering(moments.iter().map(|moment| moment.time), 1);
    let values = Axis::covering(moments.iter().map(|moment| moment.value).chain([0.0]), 4);
    let x = |time: f64| GUTTER + times.place(time) * (1.0 - GUTTER / 100.0);
    let y = |value: f64| BOTTOM - (BOTTOM - TOP) * values.place(value) / 100.0;
    let mut svg = Svg::new(HEIGHT);
    for tick in &values.ticks {
        svg.line(if *tick == 0.0 { "zero" } else { "grid" }, (GUTTER, y(*tick)), (100.0, y(*tick)));
        svg.label("tick", (GUTTER - 1.0, y(*tick) + 4.0), Anchor::End, &value_label(*tick));
    }
    for Moment { time, value, name } in moments.iter().copied() {
        let class = if *value > 0.0 { "worse" } else { "better" };
        svg.line(&format!("stem {class}"), (x(*time), y(0.0)), (x(*time), y(*value)));
        svg.dot(class, (x(*time), y(*value)), RADIUS, &format!("{name}: {}", value_label(*value)));
    }
    for (place, name) in spaced(&moments, x) {
        svg.label("tick", (place, HEIGHT - 6.0), anchor(place), name);
    }
    svg.finish(Some(label))
}

/// The last moment, and from the first on every one that has room before the next label.
fn spaced<'a>(moments: &[&'a Moment], x: impl Fn(f64) -> f64) -> Vec<(f64, &'a str)> {
    const ROOM: f64 = 24.0;
    let places = moments.iter().map(|moment| (x(moment.time), moment.name.as_str()));
    let mut sorted: Vec<_> = places.collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let last = sorted.last().copied();
    let mut chosen: Vec<(f64, &str)> = Vec::new();
    for (place, name) in sorted {
        let clear_before = chosen.last().is_none_or(|(before, _)| place - before >= ROOM);
        let clear_after = last.is_none_or(|(end, _)| end - place >= ROOM);
        if clear_before && clear_after {
            chosen.push((place, name));
        }
    }
    chosen.into_iter().chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis() -> Axis {
        Axis::new(-0.1, 0.1, 4)
    }

    #[test]
    fn what_lies_beyond_the_axis_is_an_arrow() {
        let row = |effect| forest_row(&axis(), &effect, "fail");
        let inside = Effect { estimate: Some(0.0), interval: Some([-0.05, 0.05]), margin: Some(0.02) };
        assert_eq!(row(inside).matches("<path").count(), 0);
        let wide = Effect { interval: Some([-5.0, f64::INFINITY]), ..inside };
        assert_eq!(row(wide).matches("<path").count(), 2);
        let far = Effect { estimate: Some(5.0), interval: None, ..inside };
        assert_eq!((row(far).matches("<path").count(), row(far).matches("<circle").count()), (1, 0));
    }

    #[test]
    fn nothing_is_drawn_of_what_does_not_exist() {
        let nan = Effect { estimate: Some(f64::NAN), interval: Some([f64::NAN, 1.0]), margin: Some(f64::NAN) };
        let drawings = [
            forest_row(&axis(), &nan, "pass"),
            pair_row(&axis(), Some(f64::INFINITY), None, ""),
            effect_row(&axis(), Some(f64::NAN), ""),
            strip(&axis(), [f64::NAN], "none"),
            time_line(&[Moment { time: 0.0, value: f64::NAN, name: "x".into() }], |v| v.to_string(), "none"),
        ];
        for drawing in drawings {
            assert!(
                !drawing.contains("<circle") && !drawing.contains("<rect") && !drawing.contains("NaN"),
                "{drawing}"
            );
        }
    }

    #[test]
    fn labels_of_a_time_line_do_not_collide() {
        let moments: Vec<Moment> =
            (0..100).map(|i| Moment { time: f64::from(i), value: 0.1, name: format!("day {i}") }).collect();
        let drawing = time_line(&moments, |v| format!("{v}"), "effects");
        let labels = drawing.matches(">day ").count() - drawing.matches("<title>day ").count();
        assert!((3..=5).contains(&labels), "{labels}");
        assert!(drawing.contains(">day 0<") && drawing.contains(">day 99<"));
    }
}
