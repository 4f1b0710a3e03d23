use super::*;

/// A panel without structure, from a linear congruential generator.
fn cells(series: u32, cutoffs: u32) -> Vec<Cell> {
    let mut state = 12_345u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31)
    };
    let mut cell = |series, cutoff| Cell {
        series,
        cutoff,
        candidate: 9.0 + 3.0 * next(),
        baseline: 10.0 + 3.0 * next(),
        weight: 12.0,
    };
    (0..series).flat_map(|s| (0..cutoffs).map(move |t| (s, t))).map(|(s, t)| cell(s, t)).collect()
}

fn timeline(cutoffs: u32, step: f64, horizon: f64) -> Timeline {
    Timeline { positions: (0..cutoffs).map(|t| step * f64::from(t)).collect(), horizon }
}

fn panel(series: u32, cutoffs: u32, step: f64) -> Panel {
    Panel::new(&cells(series, cutoffs), &timeline(cutoffs, step, 12.0), Options::default()).unwrap()
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-300), "{a} against {b}");
}

#[test]
fn windows_count_once_however_they_overlap() {
    let count = |positions: &[f64], horizon| overlap::independent_windows(positions, horizon);
    close(count(&[0.0, 12.0, 24.0], 12.0), 3.0, 1e-12);
    close(count(&timeline(20, 1.0, 12.0).positions, 12.0), 19.0 / 12.0 + 1.0, 1e-12);
    close(count(&[0.0, 1.0, 100.0, 101.0], 12.0), 1.0 + 14.0 / 12.0, 1e-12);
    close(count(&[0.0], 12.0), 1.0, 1e-12);
}

#[test]
fn too_few_windows_name_the_further_cutoffs() {
    let error = Panel::new(&cells(5, 20), &timeline(20, 1.0, 12.0), Options::default()).unwrap_err();
    let Undecidable::TooFewWindows { windows, needed, further } = error else { panic!("{error}") };
    close(windows, 2.583_333_333_333_333, 1e-12);
    close(needed, 3.0, 1e-12);
    assert_eq!(further, 5, "25 cutoffs hold exactly 3 windows");
    assert!(Panel::new(&cells(5, 25), &timeline(25, 1.0, 12.0), Options::default()).is_ok());
    assert!(Panel::new(&cells(5, 24), &timeline(24, 1.0, 12.0), Options::default()).is_err());
}

/// With every cosine and fixed series the variance is the sample variance: `sum of squared deviations / (T (T - 1))`.
#[test]
fn every_cosine_of_independent_windows_is_the_sample_variance() {
    let options = Options { series: SeriesPolicy::Fixed, min_windows: 4.0 };
    let table = cells(1, 4);
    let panel = Panel::new(&table, &timeline(4, 100.0, 1.0), options).unwrap();
    let test = panel.difference().test(0.0);
    let x: Vec<f64> = table.iter().map(|cell| (cell.candidate - cell.baseline) / 12.0).collect();
    let mean = x.iter().sum::<f64>() / 4.0;
    let error = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 12.0).sqrt();
    close(test.distance, mean, 1e-12);
    close(test.std_error, error, 1e-12);
    close(test.df, 3.0, 1e-12);
}

#[test]
fn the_interval_is_the_test_inverted() {
    for question in [panel(9, 20, 12.0).ratio().unwrap(), panel(9, 60, 1.0).difference(), panel(4, 30, 2.0).mean()] {
        for confidence in [0.8, 0.95, 0.99] {
            let interval = question.interval(confidence);
            for end in [interval.lower, interval.upper] {
                close(question.test(end).p_two_sided(), 1.0 - confidence, 1e-9);
            }
            assert!(interval.lower < question.estimate() && question.estimate() < interval.upper);
        }
    }
}

#[test]
fn a_ratio_swapped_is_its_inverse() {
    let table = cells(9, 20);
    let swapped: Vec<Cell> =
        table.iter().map(|cell| Cell { candidate: cell.baseline, baseline: cell.candidate, ..*cell }).collect();
    let interval = |table: &[Cell]| {
        let panel = Panel::new(table, &timeline(20, 12.0, 12.0), Options::default()).unwrap();
        panel.ratio().unwrap().interval(0.95)
    };
    let (there, back) = (interval(&table), interval(&swapped));
    close(there.lower, 1.0 / back.upper, 1e-9);
    close(there.upper, 1.0 / back.lower, 1e-9);
}

#[test]
fn scale_shift_and_order_do_not_matter() {
    let table = cells(6, 40);
    let make = |table: &[Cell]| Panel::new(table, &timeline(40, 3.0, 12.0), Options::default()).unwrap();
    let p = make(&table).difference().test(0.0);
    let scaled: Vec<Cell> = table
        .iter()
        .rev()
        .map(|cell| Cell { candidate: 1e8 * cell.candidate, baseline: 1e8 * cell.baseline, ..*cell })
        .collect();
    close(make(&scaled).difference().test(0.0).p_less, p.p_less, 1e-12);
    let mirrored: Vec<Cell> =
        table.iter().map(|cell| Cell { candidate: cell.baseline, baseline: cell.candidate, ..*cell }).collect();
    close(make(&mirrored).difference().test(0.0).p_greater, p.p_less, 1e-12);
    close(p.p_less + p.p_greater, 1.0, 1e-12);
}

#[test]
fn leaving_out_is_the_same_as_never_having_had() {
    let mut table = cells(7, 20);
    table.retain(|cell| (cell.series + cell.cutoff) % 5 != 0);
    let (full, time) =
        (Panel::new(&table, &timeline(20, 6.0, 12.0), Options::default()).unwrap(), timeline(20, 6.0, 12.0));
    let again = |keep: &dyn Fn(&Cell) -> bool| {
        let kept: Vec<Cell> = table.iter().filter(|cell| keep(cell)).copied().collect();
        Panel::new(&kept, &time, Options::default()).unwrap().ratio().unwrap().test(0.99)
    };
    let pairs = [
        (full.without_series(3), again(&|cell| cell.series != 3)),
        (full.without_cutoff(19), again(&|cell| cell.cutoff != 19)),
        (full.without_series(3).unwrap().without_cutoff(0), again(&|cell| cell.series != 3 && cell.cutoff != 0)),
        (full.without_series(3).unwrap().without_series(5), again(&|cell| cell.series != 3 && cell.series != 5)),
    ];
    for (without, expected) in pairs {
        let test = without.unwrap().ratio().unwrap().test(0.99);
        close(test.std_error, expected.std_error, 1e-10);
        close(test.p_less, expected.p_less, 1e-10);
        close(test.df, expected.df, 1e-10);
    }
}

#[test]
fn equal_losses_are_equal_and_constant_differences_have_a_sign() {
    let constant = |difference: f64| {
        let table: Vec<Cell> =
            cells(4, 20).iter().map(|cell| Cell { candidate: cell.baseline - 12.0 * difference, ..*cell }).collect();
        Panel::new(&table, &timeline(20, 12.0, 12.0), Options::default()).unwrap().difference()
    };
    let same = constant(0.0);
    assert!(same.is_constant(0.0));
    close(same.test(0.0).p_less, 1.0, 0.0);
    let better = constant(0.1);
    assert!(better.is_constant(0.0));
    close(better.test(0.0).p_less, 0.0625, 1e-12);
    close(better.test(0.0).p_greater, 1.0, 0.0);
    close(better.test(-0.1).p_less, 1.0, 0.0);
    assert!(better.interval(0.95).lower.is_infinite(), "four series cannot show it at 5 %, two-sided");
}

#[test]
fn bad_input_is_an_answer_of_its_own() {
    let time = timeline(4, 12.0, 12.0);
    let good = cells(2, 4);
    let with = |change: &dyn Fn(&mut Cell)| {
        let mut table = good.clone();
        change(&mut table[3]);
        Panel::new(&table, &time, Options::default()).unwrap_err()
    };
    assert!(matches!(with(&|cell| cell.candidate = f64::NAN), Undecidable::BadCell { series: 0, cutoff: 3 }));
    assert!(matches!(with(&|cell| cell.weight = -1.0), Undecidable::BadCell { .. }));
    assert!(matches!(with(&|cell| cell.cutoff = 9), Undecidable::BadCell { cutoff: 9, .. }));
    assert_eq!(Panel::new(&[], &time, Options::default()).unwrap_err(), Undecidable::Empty);
    let backwards = Timeline { positions: vec![0.0, 0.0, 1.0, 2.0], horizon: 1.0 };
    assert_eq!(Panel::new(&good, &backwards, Options::default()).unwrap_err(), Undecidable::BadTimeline);
}

#[test]
fn more_cutoffs_help_as_far_as_series_allow() {
    let question = panel(9, 20, 12.0).difference();
    let error = question.test(0.0).std_error;
    let outlook = question.outlook(question.estimate() - 1.2 * error, 0.05, 0.8);
    assert!(outlook.detectable > 2.4 * error && outlook.detectable < 3.0 * error, "{outlook:?}");
    let further = outlook.further_cutoffs;
    assert!(further.is_none_or(|n| n > 20), "{further:?}");
    let certain = question.outlook(question.estimate() - 9.0 * error, 0.05, 0.8);
    assert_eq!(certain.further_cutoffs, Some(0));
    let hopeless = question.outlook(question.estimate() - 1e-3 * error, 0.05, 0.8);
    assert_eq!(hopeless.further_cutoffs, None);
}

/// Far apart, with every cosine, the parts are the mean squares of a two-way analysis of variance.
#[test]
fn every_cosine_of_a_complete_panel_is_the_two_way_analysis_of_variance() {
    let (s, t) = (5u32, 4u32);
    let table: Vec<Cell> = cells(s, t)
        .iter()
        .map(|cell| Cell { candidate: cell.candidate + f64::from(cell.series * cell.cutoff), ..*cell })
        .collect();
    let test = Panel::new(&table, &timeline(t, 1000.0, 1.0), Options::default()).unwrap().mean().test(0.0);
    let x = |i: u32, j: u32| table[(i * t + j) as usize].candidate;
    let (sf, tf) = (f64::from(s), f64::from(t));
    let series: Vec<f64> = (0..s).map(|i| (0..t).map(|j| x(i, j)).sum::<f64>() / tf).collect();
    let cutoffs: Vec<f64> = (0..t).map(|j| (0..s).map(|i| x(i, j)).sum::<f64>() / sf).collect();
    let mean = series.iter().sum::<f64>() / sf;
    let of_series = tf * series.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (sf - 1.0);
    let of_cutoffs = sf * cutoffs.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (tf - 1.0);
    let rest = |i: u32, j: u32| (x(i, j) - series[i as usize] - cutoffs[j as usize] + mean).powi(2);
    let of_rest = (0..s).map(|i| (0..t).map(|j| rest(i, j)).sum::<f64>()).sum::<f64>() / ((sf - 1.0) * (tf - 1.0));
    let variance = (of_series + of_cutoffs - of_rest) / (sf * tf) / 144.0;
    close(test.std_error, variance.sqrt(), 1e-12);
    let median = (1.0 - 2.0 / 27.0f64).powi(3);
    let noise = of_series.powi(2) / 4.0 + (of_cutoffs / median).powi(2) / 3.0;
    close(test.df, ((of_series + of_cutoffs - of_rest).powi(2) / noise).max(3.0), 1e-12);
}

/// A single series, or fixed ones, are judged by their cutoffs alone.
#[test]
fn fixed_series_leave_their_own_spread_out() {
    let options = Options { series: SeriesPolicy::Fixed, ..Options::default() };
    let apart: Vec<Cell> = cells(6, 20)
        .iter()
        .map(|cell| Cell { candidate: cell.candidate + 50.0 * f64::from(cell.series), ..*cell })
        .collect();
    let time = timeline(20, 12.0, 12.0);
    let fixed = Panel::new(&apart, &time, options).unwrap().difference().test(0.0);
    let sampled = Panel::new(&apart, &time, Options::default()).unwrap().difference().test(0.0);
    assert!(fixed.std_error < 0.1 * sampled.std_error, "{fixed:?} {sampled:?}");
    let one = |options| Panel::new(&cells(1, 20), &time, options).unwrap().difference().test(0.0);
    close(one(options).p_less, one(Options::default()).p_less, 1e-12);
}
