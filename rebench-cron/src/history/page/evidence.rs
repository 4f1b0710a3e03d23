//! The evidence over time, as its logarithm, with the line from which on it alarms.

use shared::plot::{Anchor, Axis, Svg};

use super::time::Times;
use super::{Figure, sentence};
use crate::history::number;
use crate::history::report::{Point, Trend};
use crate::history::words;

const TOP: f64 = 10.0;
const BOTTOM: f64 = 150.0;
const LABELS: f64 = 172.0;
const HEIGHT: f64 = 178.0;
/// Evidence below this is drawn as this.
const LEAST: f64 = 1e-2;

/// The plot, with the labels beside it.
pub(super) fn figure(trend: &Trend, times: &Times) -> Figure {
    let alarm = trend.evidence.alarm_at.log10();
    let axis = Axis::covering(trend.points.iter().filter_map(exponent).chain([-0.3, alarm + 0.4]), 5);
    let y = |exponent: f64| BOTTOM - (BOTTOM - TOP) * axis.place(exponent) / 100.0;
    let mut svg = Svg::new(HEIGHT);
    let mut beside = Svg::new(HEIGHT);
    svg.bar("beyond", (0.0, 100.0), TOP, y(alarm) - TOP);
    times.grid(&mut svg, (TOP, BOTTOM));
    for tick in axis.ticks.iter().filter(|tick| tick.fract() == 0.0) {
        svg.line(if *tick == 0.0 { "zero" } else { "grid" }, (0.0, y(*tick)), (100.0, y(*tick)));
        beside.label("tick", (92.0, y(*tick) + 4.0), Anchor::End, &power(*tick));
    }
    svg.line("margin", (0.0, y(alarm)), (100.0, y(alarm)));
    curve(&mut svg, trend, times, y);
    let label = format!("alarm at {}", number::evidence(trend.evidence.alarm_at));
    svg.label("halo alarm", (1.0, y(alarm) - 5.0), Anchor::Start, &label);
    times.labels(&mut svg, LABELS);
    let label = format!("The evidence that the model no longer wins, over time. {}", words::standing(trend));
    Figure { plot: svg.finish(Some(&sentence(&label))), beside: beside.finish(None) }
}

fn exponent(point: &Point) -> Option<f64> {
    point.e_value.map(|e_value| e_value.max(LEAST).log10())
}

/// A line through each history; it begins anew where the history does.
fn curve(svg: &mut Svg, trend: &Trend, times: &Times, y: impl Fn(f64) -> f64) {
    let known: Vec<(&Point, f64)> = trend.points.iter().filter_map(|it| Some((it, exponent(it)?))).collect();
    let begins = |point: &Point| trend.segments.iter().any(|segment| segment.since == point.scheduled_at);
    let alarm = trend.evidence.alarm_at.log10();
    for pair in known.windows(2) {
        if let [(before, from), (after, to)] = pair
            && !begins(after)
        {
            let tone = if *to >= alarm { "curve fail" } else { "curve" };
            svg.line(tone, (times.place(before.scheduled_at), y(*from)), (times.place(after.scheduled_at), y(*to)));
        }
    }
    for (point, exponent) in known {
        let tone = if exponent >= alarm { "fail" } else { "plain" };
        let value = number::evidence(point.e_value.unwrap_or_default());
        let title = format!("{}: evidence {value}", words::day(point.scheduled_at));
        svg.dot(tone, (times.place(point.scheduled_at), y(exponent)), 2.25, &title);
    }
}

/// A power of ten: plain while it is short.
fn power(exponent: f64) -> String {
    if (-2.0..=4.0).contains(&exponent) {
        return format!("{}", 10_f64.powf(exponent));
    }
    let raised = |c: char| match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32('⁰' as u32 + digit.to_digit(10).unwrap_or(0)).unwrap_or(digit),
    };
    format!("10{}", format!("{exponent}").chars().map(raised).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::power;

    #[test]
    fn powers_of_ten_are_short() {
        assert_eq!([-2.0, 0.0, 3.0, 5.0, -12.0, 120.0].map(power), ["0.01", "1", "1000", "10⁵", "10⁻¹²", "10¹²⁰"]);
    }
}
