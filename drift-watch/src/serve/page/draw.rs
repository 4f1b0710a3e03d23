//! The small drawings of the page: a sparkline with its baseline, a bar of evidence with its limit. Decoration beside
//! numbers that say the same, so a screen reader passes over them.

use std::fmt::Write;

use crate::view::MetricView;

const WIDTH: f64 = 132.0;
const HEIGHT: f64 = 30.0;
/// Room for the stroke and the last dot.
const MARGIN: f64 = 4.0;
/// More points cannot be told apart.
const POINTS: usize = 120;

/// The history of a metric against its baseline; nothing where neither is known.
pub(super) fn sparkline(metric: &MetricView) -> String {
    let points = thinned(&metric.history);
    let baseline = metric.baseline.filter(|value| value.is_finite());
    let Some((low, high)) = range(points.iter().flatten().copied().chain(baseline)) else { return String::new() };
    let y = |value: f64| HEIGHT - MARGIN - (value - low) / (high - low) * (HEIGHT - 2.0 * MARGIN);
    let step = (WIDTH - 2.0 * MARGIN) / (points.len().max(2) - 1) as f64;
    let x = |index: usize| MARGIN + step * index as f64;
    let mut svg = format!(
        r#"<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">"#
    );
    if let Some(place) = baseline.map(y) {
        add(&mut svg, format_args!(r#"<line class="base" x1="0" y1="{place:.1}" x2="{WIDTH}" y2="{place:.1}"/>"#));
    }
    let placed = points.iter().enumerate().map(|(index, value)| value.map(|value| (x(index), y(value))));
    add(&mut svg, format_args!(r#"<path class="trend" d="{}"/>"#, path(placed.clone())));
    if let Some((x, y)) = placed.flatten().last() {
        add(&mut svg, format_args!(r#"<circle class="now" cx="{x:.1}" cy="{y:.1}" r="2.5"/>"#));
    }
    svg + "</svg>"
}

fn add(svg: &mut String, element: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    _ = svg.write_fmt(element);
}

/// A stroke for each run of values; one value alone is a dot, which a round cap makes of a stroke without length.
fn path(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let mut drawn = String::new();
    let mut pen_down = false;
    for point in points {
        if let Some((x, y)) = point {
            let command = if pen_down { "L" } else { "M" };
            add(&mut drawn, format_args!("{command}{x:.1} {y:.1}"));
            if !pen_down {
                drawn.push_str("h0");
            }
        }
        pen_down = point.is_some();
    }
    drawn
}

/// At most [`POINTS`] values, each the mean of as many.
fn thinned(history: &[Option<f64>]) -> Vec<Option<f64>> {
    let size = history.len().div_ceil(POINTS).max(1);
    history.chunks(size).map(mean).collect()
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().filter(|value| value.is_finite()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    Some(mean).filter(|mean| mean.is_finite())
}

/// The ends of the scale: far enough apart that noise around a steady value stays small.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    const LEAST_SHARE: f64 = 0.1;
    let (low, high) =
        values.map(|value| (value, value)).reduce(|(low, high), (value, _)| (low.min(value), high.max(value)))?;
    let least = (LEAST_SHARE * low.abs().max(high.abs())).max(f64::MIN_POSITIVE);
    let missing = ((least - (high - low)) / 2.0).max(0.0);
    let (low, high) = (low - missing, high + missing);
    (low < high && (high - low).is_finite()).then_some((low, high))
}

/// Where the limit stands on a bar of evidence, in percent of its width.
const LIMIT_AT: f64 = 80.0;

/// Evidence against its limit; what has passed it runs on to the end.
pub(super) fn evidence(evidence: f64, limit: f64) -> String {
    let share = if limit > 0.0 && evidence.is_finite() { evidence / limit } else { 0.0 };
    let width = (share * LIMIT_AT).clamp(0.0, 100.0);
    format!(
        concat!(
            r#"<svg class="evidence" width="100%" height="10" aria-hidden="true">"#,
            r#"<rect class="track" x="0" y="3" width="100%" height="4" rx="2"/>"#,
            r#"<rect class="fill" x="0" y="3" width="{:.1}%" height="4" rx="2"/>"#,
            r#"<line class="limit" x1="{}%" y1="0" x2="{}%" y2="10"/></svg>"#
        ),
        width, LIMIT_AT, LIMIT_AT
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(history: Vec<Option<f64>>, baseline: Option<f64>) -> String {
        sparkline(&MetricView { baseline, history, ..MetricView::default() })
    }

    #[test]
    fn gaps_stay_gaps_and_nothing_infinite_is_drawn() {
        let svg = drawn(vec![Some(1.0), Some(2.0), None, Some(f64::NAN), Some(1.0)], Some(1.5));
        assert_eq!(svg.matches('M').count(), 2, "{svg}");
        let extreme = [Some(f64::MAX), Some(f64::MIN), Some(f64::INFINITY)].to_vec();
        for svg in [svg, drawn(extreme, None), drawn(vec![Some(0.0); 3], Some(0.0)), drawn(Vec::new(), Some(1.0))] {
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
        assert_eq!(drawn(vec![None], None), "");
    }

    #[test]
    fn the_larger_value_is_drawn_higher_and_a_long_history_is_thinned() {
        let svg = drawn(vec![Some(1.0), Some(2.0)], None);
        assert!(svg.contains(r#"d="M4.0 26.0h0L128.0 4.0""#), "{svg}");
        let long = drawn((0..10_000).map(|i| Some(f64::from(i))).collect(), None);
        assert!(long.matches('L').count() < POINTS);
    }

    #[test]
    fn evidence_at_its_limit_reaches_the_mark() {
        assert!(evidence(3.0, 3.0).contains(r#"width="80.0%""#));
        assert!(evidence(99.0, 3.0).contains(r#"width="100.0%""#));
        for nothing in
            [evidence(-2.0, 3.0), evidence(f64::NAN, 3.0), evidence(1.0, 0.0), evidence(f64::NEG_INFINITY, 1.0)]
        {
            assert!(nothing.contains(r#"width="0.0%""#), "{nothing}");
        }
    }
}
