//! Rules that a team writes, alerts on feeds, restatements after a decision, and the classic detectors: errors are chosen, and what must come of
//! them follows by arithmetic.
use std::collections::BTreeMap;

use crate::synthetic::{Row, START, observe, predict, predict_ahead, settings, time};
use drift_watch::core::alerts::{Record, Transition};
use drift_watch::core::board::Board;
use drift_watch::core::engine::Engine;
use drift_watch::core::faults::Oddity;
use drift_watch::core::feeds::Live;
use drift_watch::core::settings::Settings;
use drift_watch::core::time::DAY;
use drift_watch::view::{AlertKind, Standing};
use shared::format::live::Actual;

/// A series whose forecasts of 100 are off by these parts of the actual.
fn errors(series: usize, error: f64) -> Row {
    Row::new(series, 100.0, 100.0 * (1.0 + error), 0.0)
}

/// Gives steps to an engine, each with these rows, and tells for each step whether an alert on a rule fired (`F`) or ended (`R`).
fn marks(engine: &mut Engine, from: i64, steps: &[Vec<Row>]) -> String {
    let mark = |(t, rows): (i64, &Vec<Row>)| {
        let target = START + t * DAY;
        rows.iter().for_each(|row| predict(engine, DAY, target, row));
        rows.iter()
            .filter(|row| row.arrives)
            .for_each(|row| observe(engine, row.series, target, row.y, target + DAY / 2));
        let found = engine.take_transitions();
        let mut of_rules = found.iter().filter_map(|transition| match transition {
            Transition::Fired(record) if record.key.kind == AlertKind::Rule => Some('F'),
            Transition::Resolved(record) if record.key.kind == AlertKind::Rule => Some('R'),
            _ => None,
        });
        of_rules.next_back().unwrap_or('.')
    };
    (from..).zip(steps).map(mark).collect()
}

fn engine(words: &[&str]) -> Engine {
    Engine::new(settings(words), BTreeMap::new())
}

fn alone(errors_: &[f64]) -> Vec<Vec<Row>> {
    errors_.iter().map(|&error| vec![errors(0, error)]).collect()
}

/// One series with these errors under one rule.
fn under(rule: &str, errors: &[f64]) -> String {
    marks(&mut engine(&["--rule", rule]), 0, &alone(errors))
}

/// The same after a baseline of 20 steps with errors of 9 and 11 %.
fn after_baseline(rule: &str, errors: &[f64]) -> String {
    let mut engine = engine(&["--warm-up", "19d", "--rule", rule]);
    let baseline = [0.09, 0.11].repeat(10);
    let before = marks(&mut engine, 0, &alone(&baseline));
    assert_eq!(before, ".".repeat(20), "without a baseline there is nothing to compare with");
    assert!(engine.boards[0].is_watched());
    marks(&mut engine, 20, &alone(errors))
}

fn rules_of(engine: &Engine) -> Vec<Record> {
    engine.alerts.all().into_iter().filter(|record| record.key.kind == AlertKind::Rule).cloned().collect()
}

#[test]
fn an_absolute_threshold_is_compared_with_the_value_over_the_window() {
    assert_eq!(under("mape > 0.2 over 1", &[0.1, 0.3, 0.3, 0.1, 0.3]), ".F.RF");
    // Means of two: 0.1, 0.15, 0.25, 0.19, 0.09.
    assert_eq!(under("mape > 0.2 over 2", &[0.1, 0.2, 0.3, 0.08, 0.1]), "..FR.");
    // 28 steps where nothing is said: one step of 8.5 makes the mean of 28 exactly (27 * 0.1 + 8.5) / 28 = 0.4.
    let mut errors = vec![0.1; 40];
    errors[28] = 8.5;
    assert_eq!(under("mape > 0.39", &errors).find('F'), Some(28));
    assert_eq!(under("mape > 0.41", &errors).find('F'), None);
    assert_eq!(under("bias < -0.2 over 1", &[0.3, -0.1, -0.3, 0.0]), "..FR");
}

#[test]
fn a_ratio_is_that_to_the_baseline() {
    // The baseline's MAPE is 10 %.
    assert_eq!(after_baseline("mape > 1.5x over 1", &[0.14, 0.149, 0.151, 0.16, 0.1]), "..F.R");
}

/// Of four step values, the last one new: at 9, 11, 9, e % the mean is (29 + e) / 4. With e = 13: 10.5, their standard deviation 1.915, the standard
/// error 0.957: 0.52 of them above 10. With e = 11, after 11, 9, 13: 11 and 0.816, 1.22 of them. Then 9, 13, 11, 17: 12.5 and 1.708, 1.46.
#[test]
fn standard_errors_are_those_of_the_steps() {
    assert_eq!(after_baseline("mape > 1.3se over 4", &[0.09, 0.13, 0.11, 0.17]), "...F");
    assert_eq!(after_baseline("mape > 1.5se over 4", &[0.09, 0.13, 0.11, 0.17]), "....");
}

#[test]
fn the_scaled_error_has_a_baseline_too() {
    // Actuals alternate between 100 and 104: the scale is 4. Errors of 2 have a MASE of 0.5, those of 4 one of 1.
    let row = |t: usize, off: f64| {
        let y = if t.is_multiple_of(2) { 100.0 } else { 104.0 };
        // Errors that vary a little, so that there is something to learn.
        vec![Row::new(0, y, y + off + if t.is_multiple_of(3) { 0.1 } else { -0.05 }, 0.0)]
    };
    let mut engine = engine(&["--warm-up", "19d", "--rule", "mase > 1.5x over 1"]);
    assert_eq!(marks(&mut engine, 0, &(0..21).map(|t| row(t, 2.0)).collect::<Vec<_>>()), ".".repeat(21));
    assert_eq!(marks(&mut engine, 21, &[row(21, 2.5), row(22, 4.0)]), ".F");
}

#[test]
fn a_median_does_not_move_for_a_blizzard() {
    let week = [0.1, 0.1, 5.0, 0.1, 0.1, 0.1, 0.1, 0.1];
    assert_eq!(under("mape > 0.2 over 7 median min 7", &week), "........");
    // The plain mean is above 0.2 until the day has left the window.
    assert_eq!(under("mape > 0.2 over 7", &week), "..F.....");
    // Four days of seven move the median.
    assert_eq!(under("mape > 0.2 over 7 median min 7", &[0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5]), "......F.");
}

#[test]
fn patience_has_four_parts() {
    // Three in a row.
    assert_eq!(under("mape > 0.2 over 1 for 3", &[0.3, 0.3, 0.1, 0.3, 0.3, 0.3, 0.3]), ".....F.");
    // Between 0.15 and 0.2 it neither begins nor ends.
    assert_eq!(under("mape > 0.2 over 1 clear 0.15", &[0.18, 0.3, 0.18, 0.16, 0.14, 0.18]), ".F..R.");
    // Two quiet steps in a row.
    assert_eq!(under("mape > 0.2 over 1 keep 2", &[0.3, 0.1, 0.3, 0.1, 0.1, 0.1]), "F...R.");
    // Two steps of silence after the end.
    assert_eq!(under("mape > 0.2 over 1 cooldown 2", &[0.3, 0.1, 0.3, 0.3, 0.3, 0.3]), "FR..F.");
}

#[test]
fn a_segment_is_judged_by_its_own_rows() {
    let rows = |north: f64, south: f64| {
        let of = |series, error, segment| Row { segment: Some(segment), ..errors(series, error) };
        vec![of(0, north, "north"), of(1, south, "south")]
    };
    let run = |rule: &str| marks(&mut engine(&["--rule", rule]), 0, &[rows(0.1, 0.1), rows(0.1, 0.6), rows(0.3, 0.0)]);
    assert_eq!(run("mape > 0.2 over 1 in region=north"), "..F");
    assert_eq!(run("mape > 0.2 over 1 in region=south"), ".FR");
    assert_eq!(run("mape > 0.2 over 1 in region=west"), "...");
    assert_eq!(run("mape > 0.2 over 1"), ".FR");
}

#[test]
fn too_few_rows_say_nothing() {
    assert_eq!(under("mape > 0.2 over 5 min 4", &[0.3, 0.3, 0.3, 0.3, 0.3]), "...F.");
    // Rows that do not define the metric are none: an actual of 0 has no percentage error.
    let mut engine = engine(&["--rule", "mape > 0.2 over 5 min 2"]);
    let zero = vec![Row::new(0, 0.0, 50.0, 0.0)];
    assert_eq!(marks(&mut engine, 0, &[zero, vec![errors(0, 0.3)], vec![errors(0, 0.3)]]), "..F");
}

#[test]
fn horizons_are_judged_apart() {
    let run = |rule: &str| {
        let mut engine = engine(&["--rule", rule]);
        for t in 0..3 {
            let target = START + t * DAY;
            predict_ahead(&mut engine, DAY, target, 1, &errors(0, 0.1));
            predict_ahead(&mut engine, DAY, target, 2, &errors(0, if t == 2 { 0.5 } else { 0.1 }));
            observe(&mut engine, 0, target, 100.0, target + DAY / 2);
        }
        rules_of(&engine).iter().map(|record| record.key.subject.clone()).collect::<Vec<_>>()
    };
    assert_eq!(run("far: mape > 0.2 over 1"), ["far (horizon 2)"]);
    assert_eq!(run("far: mape > 0.2 over 1 h 2"), ["far (horizon 2)"]);
    assert!(run("far: mape > 0.2 over 1 h 1").is_empty());
}

#[test]
fn an_alert_says_what_it_saw() {
    let mut engine = engine(&["--rule", "large: mape > 0.2 over 1"]);
    marks(&mut engine, 0, &alone(&[0.1, 0.375]));
    let [record] = rules_of(&engine).try_into().unwrap();
    assert_eq!((record.name(), record.target), ("ForecastRule", Some(START + DAY)));
    for part in ["mape is 0.3750", "horizon 1", "2020-01-07", "mape > 0.2"] {
        assert!(record.reason.contains(part), "{}", record.reason);
    }
}

/// Seven days ahead for 20 days, then no more; the actuals go on, and are off by half from day 21 on.
#[test]
fn predictions_that_stop_are_an_alert_and_inhibit_those_on_accuracy() {
    let mut engine = engine(&["--rule", "mape > 0.2 over 1"]);
    for t in 0..27 {
        if t < 20 {
            predict_ahead(&mut engine, DAY, START + (t + 7) * DAY, 7, &errors(0, if t >= 18 { 0.5 } else { 0.1 }));
        }
        let target = START + t * DAY;
        observe(&mut engine, 0, target, 100.0, target + DAY / 2);
    }
    let feeds: Vec<&Record> = engine.alerts.all().into_iter().filter(|r| r.key.kind == AlertKind::Feed).collect();
    // The last one was issued on day 19; days went by in steps of one, so that three are the limit: it is passed half a day into day 22.
    assert_eq!(
        (feeds.len(), feeds[0].key.subject.as_str(), feeds[0].fired_at),
        (1, "predictions", START + 22 * DAY + DAY / 2)
    );
    assert!(
        feeds[0].reason.contains("no predictions since 2020-01-25") && feeds[0].reason.contains("the limit is 3d"),
        "{}",
        feeds[0].reason
    );
    let [rule] = rules_of(&engine).try_into().unwrap();
    assert!(rule.inhibited && rule.fired_at > feeds[0].fired_at);
    assert_eq!(engine.view().models[0].standing, Standing::Feed);
    // They come again: the alert ends, and so does the inhibition.
    predict_ahead(&mut engine, DAY, START + 28 * DAY, 1, &errors(0, 0.5));
    observe(&mut engine, 0, START + 27 * DAY, 100.0, START + 27 * DAY + DAY / 2);
    assert!(
        engine.alerts.firing().all(|record| record.key.kind != AlertKind::Feed) && !engine.alerts.is_inhibited("m")
    );
}

#[test]
fn actuals_that_stop_are_an_alert_by_the_wall_clock() {
    let mut engine = engine(&[]);
    marks(&mut engine, 0, &alone(&[0.1; 10]));
    let last = engine.time.unwrap();
    let live = Live { predictions: false, actuals: true };
    engine.tick(last + 3 * DAY, live);
    assert_eq!(engine.alerts.firing().count(), 0, "three usual gaps are the limit");
    engine.tick(last + 3 * DAY + 1, live);
    let firing: Vec<&str> = engine.alerts.firing().map(|record| record.key.subject.as_str()).collect();
    assert_eq!((firing, engine.alerts.is_inhibited("m")), (vec!["actuals"], true));
    // A file that has been read to its end is not stale.
    let mut ended = self::engine(&[]);
    marks(&mut ended, 0, &alone(&[0.1; 10]));
    ended.tick(last + 300 * DAY, Live { predictions: false, actuals: false });
    assert_eq!(ended.alerts.firing().count(), 0);
}

/// Three of four series stay away for five days, while the fourth is far off.
#[test]
fn incomplete_actuals_are_an_alert_and_say_nothing_of_accuracy() {
    let mut engine = engine(&["--rule", "mape > 0.3 over 1", "--maturity", "1d", "--warm-up", "14d"]);
    let day = |t: i64, are_in: usize, error: f64| -> Vec<Row> {
        (0..4)
            .map(|series| Row {
                arrives: series < are_in,
                ..errors(series, error + if (t + i64::try_from(series).unwrap()) % 2 == 0 { 0.02 } else { 0.0 })
            })
            .collect()
    };
    let steps: Vec<Vec<Row>> =
        (0..30).map(|t| if (20..25).contains(&t) { day(t, 1, 0.9) } else { day(t, 4, 0.1) }).collect();
    marks(&mut engine, 0, &steps);
    let all = engine.alerts.all();
    let feeds: Vec<&&Record> = all.iter().filter(|record| record.key.kind == AlertKind::Feed).collect();
    assert_eq!(feeds.len(), 1, "{:?}", all.iter().map(|record| &record.reason).collect::<Vec<_>>());
    assert!(
        feeds[0].key.subject.starts_with("incomplete") && feeds[0].reason.starts_with("25 % of the actuals"),
        "{}",
        feeds[0].reason
    );
    assert!(feeds[0].ended_at.is_some(), "it ends when they are complete again");
    assert!(
        all.iter().all(|record| record.key.kind != AlertKind::Drift),
        "detectors were not shown the incomplete steps"
    );
    // The rule looked at the first incomplete steps before three in a row were known to be, and says so by itself.
    assert!(!rules_of(&engine).is_empty());
    assert!(rules_of(&engine).iter().all(|record| record.inhibited == (record.fired_at > feeds[0].fired_at)));
}

fn evidence(board: &Board) -> Vec<f64> {
    let learned = board.buckets.values().filter_map(|watched| watched.learned.as_ref());
    learned
        .flat_map(|learned| {
            learned.model.monitors.iter().flatten().map(drift_watch::core::detector::monitor::Monitor::evidence)
        })
        .collect()
}

#[test]
fn what_is_restated_after_the_decision_changes_metrics_and_not_detectors() {
    let mut engine = engine(&["--warm-up", "14d"]);
    let steps: Vec<Vec<Row>> = (0..24).map(|t| vec![errors(0, if t % 2 == 0 { 0.08 } else { 0.12 })]).collect();
    marks(&mut engine, 0, &steps);
    let metric = |engine: &Engine| {
        let view = engine.view();
        let is_it = |metric: &&drift_watch::view::MetricView| metric.metric == "mae" && metric.window == "28 steps";
        view.models[0].metrics.iter().find(is_it).unwrap().value.unwrap()
    };
    assert!((metric(&engine) - 10.0).abs() < 1e-12);
    let (before, alerts) = (evidence(&engine.boards[0]), engine.alerts.clone());
    let target = START + 20 * DAY;
    engine.actual(&Actual {
        series: "s000".into(),
        target_time: time(target),
        // The forecast was 108.
        y: 20.0,
        observed_at: time(START + 24 * DAY),
        revision: None,
    });
    assert_eq!(engine.oddities.of(Oddity::RestatedAfterDecision), 1);
    // 24 errors of 8 and 12, one of which is 88 now.
    assert!((metric(&engine) - (240.0 - 8.0 + 88.0) / 24.0).abs() < 1e-12, "{}", metric(&engine));
    assert_eq!((evidence(&engine.boards[0]), &engine.alerts), (before, &alerts));
}

/// A baseline of 20 steps with a mean of 10 % and steps of 1 % around it, then errors of 12 %: two standard deviations more, but for the factor of n - 1.
fn watched_by(detector: &str, after: &[f64]) -> Engine {
    let mut engine = engine(&["--warm-up", "19d", "--detector", detector, "--promise", "1e12"]);
    let baseline = [0.09, 0.11].repeat(10);
    marks(&mut engine, 0, &alone(&baseline));
    marks(&mut engine, 20, &alone(after));
    engine
}

#[test]
fn cusum_takes_values_in_standard_deviations_of_the_baseline() {
    // Their sample standard deviation is sqrt(20 / 19) %; 2 % are 1.949 of them, each adds 1.449: the fourth passes 5.
    let engine = watched_by("cusum(k=0.5,h=5)", &[0.12; 6]);
    let [record] = rules_of(&engine).try_into().unwrap();
    assert_eq!((record.target, record.key.subject.as_str()), (Some(START + 23 * DAY), "cusum(k=0.5,h=5) (horizon 1)"));
    for part in [
        "cusum(k=0.5,h=5) has found a change of mape at horizon 1 by 2020-01-29",
        "0.1200 at this step",
        "0.1000 at a step of the baseline",
        "measured, not promised",
    ] {
        assert!(record.reason.contains(part), "{}", record.reason);
    }
    assert_eq!(record.name(), "ForecastRule");
    // h=6 takes one step more; a detector of another horizon sees nothing.
    assert_eq!(rules_of(&watched_by("cusum(k=0.5,h=6)", &[0.12; 6]))[0].target, Some(START + 24 * DAY));
    assert!(rules_of(&watched_by("cusum h 2", &[0.12; 9])).is_empty());
    assert!(rules_of(&watched_by("cusum", &[0.09, 0.11, 0.11, 0.09, 0.1, 0.1])).is_empty());
}

#[test]
fn a_bias_is_watched_with_its_sign() {
    let after = [0.11, -0.11].repeat(3);
    assert!(rules_of(&watched_by("cusum on bias", &[-0.1; 3])).len() == 1, "20 standard deviations below");
    assert!(rules_of(&watched_by("cusum on mape", &after)).is_empty());
}

#[test]
fn page_hinkley_and_adwin_take_the_values_themselves() {
    // Page-Hinkley, by hand: sums of x - mean - 0, minus their lowest; after 30 values at the same level three of 0.5 more pass 1.
    let mut after = vec![0.1; 30];
    after.extend([0.6; 6]);
    let engine = watched_by("page-hinkley(delta=0,threshold=1,min=5,alpha=1,mode=up)", &after);
    let [record] = rules_of(&engine).try_into().unwrap();
    let step = (record.target.unwrap() - START) / DAY;
    assert!((52..=53).contains(&step), "{step}");
    let mut after = vec![0.1; 100];
    after.extend([0.9; 100]);
    let found = rules_of(&watched_by("adwin(delta=0.002)", &after));
    assert!(!found.is_empty() && found[0].target.unwrap() >= START + 120 * DAY, "ADWIN looks every 32 values");
    assert!(found[0].reason.contains("ADWIN promises no false-alarm rate"), "{}", found[0].reason);
}

#[test]
fn ddm_takes_misses() {
    let mut engine = engine(&["--warm-up", "19d", "--detector", "ddm(min=10) on coverage", "--promise", "1e12"]);
    let row = |t: usize, hit: bool| {
        vec![Row::new(0, 100.0, if t.is_multiple_of(2) { 99.0 } else { 101.0 } + if hit { 0.0 } else { 30.0 }, 5.0)]
    };
    // One miss in ten, then nothing but misses.
    let steps: Vec<Vec<Row>> = (0..80).map(|t| row(t, if t < 60 { t % 10 != 0 } else { false })).collect();
    marks(&mut engine, 0, &steps);
    let found = rules_of(&engine);
    assert!(found[0].target.is_some_and(|target| (60..72).contains(&((target - START) / DAY))), "{found:?}");
    assert!(found[0].reason.contains("DDM promises no false-alarm rate") && found[0].reason.contains("coverage"));
}

#[test]
fn an_alert_of_a_detector_ends_after_quiet_steps() {
    let mut after = vec![0.13; 3];
    after.extend([0.1; 10]);
    let engine = watched_by("cusum(h=4)", &after);
    let [record] = rules_of(&engine).try_into().unwrap();
    // 3 % are 2.92 standard deviations and add 2.42: the second passes 4. Three quiet steps are the default.
    assert_eq!(record.target, Some(START + 21 * DAY));
    assert_eq!(record.ended_at, Some(START + 24 * DAY + DAY / 2));
}

/// Stopped after any step and started again from its bytes, the engine says the same.
#[test]
fn detectors_survive_a_restart() {
    let words = [
        "--warm-up",
        "19d",
        "--detector",
        "cusum",
        "--detector",
        "adwin on bias",
        "--detector",
        "page-hinkley(threshold=0.5,min=5)",
    ];
    let error = |t: i64| if t < 40 { 0.1 + 0.01 * ((t * 7919) % 3 - 1) as f64 } else { 0.16 };
    let (mut whole, mut stopped) = (engine(&words), engine(&words));
    for t in 0..60 {
        let step = alone(&[error(t)]);
        let said = marks(&mut whole, t, &step);
        let bytes = postcard::to_allocvec(&stopped).unwrap();
        stopped = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(marks(&mut stopped, t, &step), said, "step {t}");
    }
    assert_eq!(whole.view(), stopped.view());
    assert!(rules_of(&whole).len() >= 2, "{}", rules_of(&whole).len());
}

#[test]
fn the_shipped_settings_ask_for_no_rule_and_no_detector() {
    let shipped = settings(&[]);
    assert!(shipped.rules.is_empty() && shipped.classic.is_empty());
    assert_eq!(shipped, Settings::default());
}
