//! What was found, as Markdown.

use drift_watch::core::score::Score;
use drift_watch::core::settings::Loss;
use drift_watch::verify_alarms::summary::RunLengths;

use crate::designs::Design;
use crate::study::Found;

pub(crate) const RUN_LENGTHS: &str = "\
| design | baseline | mean steps (95 % lower bound) | alarmed within the promise | first alarm by (of these, from one series) | 1 sd shift: median, p90, unseen | sd x 1.5: median, p90, unseen |
| --- | ---: | ---: | ---: | --- | --- | --- |
";

/// A line of the table of run lengths.
pub(crate) fn line(design: &Design, found: &Found) -> String {
    let quiet = &found.quiet;
    let delays: Vec<String> = found.delays.iter().map(|(_, delay)| delay_text(delay)).collect();
    let broken = design.promised && quiet.lower_95_steps < 5000.0;
    format!(
        "| {}{} | {} | {:.0} ({:.0}){} | {:.1} % | {} | {} |\n",
        design.name,
        if design.promised { "" } else { " *" },
        found.baseline,
        quiet.mean_steps,
        quiet.lower_95_steps,
        if broken { " BROKEN" } else { "" },
        100.0 * quiet.within_promise_ratio,
        causes(found),
        delays.join(" | ")
    )
}

fn causes(found: &Found) -> String {
    let one = |score: Score| {
        let (all, series) = found.causes[score.index()];
        let share = |n: u32| 100.0 * f64::from(n) / found.quiet.runs as f64;
        (all > 0).then(|| format!("{} {:.1} % ({:.1})", score.metric(Loss::Mape), share(all), share(series)))
    };
    Score::ALL.into_iter().filter_map(one).collect::<Vec<_>>().join(", ")
}

fn delay_text(delay: &RunLengths) -> String {
    let steps = |steps: Option<u64>| steps.map_or_else(|| "-".to_owned(), |steps| steps.to_string());
    let unseen = 100.0 * (1.0 - delay.alarmed_ratio);
    format!("{}, {}, {unseen:.1} %", steps(delay.median_steps), steps(delay.p90_steps))
}
