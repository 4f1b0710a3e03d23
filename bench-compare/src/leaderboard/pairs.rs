//! Every model against every other.
//!
//! Where the bounds change no ratio of a pair, the log of the geometric mean of the ratios is the difference of the models'
//! mean logs, in each resample too: such a pair costs a subtraction for each resample, whatever the number of tasks.
//! Wins are counted once for both orders of a pair.

use rayon::prelude::*;

use super::bootstrap::{Draws, Estimate};
use super::grid::{Clip, Grid};
use super::statistics::{Ranks, write};

/// One ordered pair of models.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The model whose numbers these are.
    pub first: usize,
    /// The model that it is compared with.
    pub second: usize,
    /// Share of tasks that the first wins, ties counting half.
    pub win_rate: Estimate,
    /// 1 - geometric mean of first / second, each ratio clipped.
    pub skill_score: Estimate,
    /// Tasks with exactly equal errors.
    pub ties: u64,
    /// Tasks whose ratio the bounds change.
    pub clipped: u64,
}

/// All ordered pairs, the models by mean rank. Errors are raw: only their ratios matter.
pub fn pairwise(errors: &Grid, names: &[String], clip: Clip, draws: &Draws) -> Vec<Pair> {
    let order = by_mean_rank(errors, names);
    let models = order.len();
    let pair = |index: usize| (order[index / models], order[index % models]);
    let wins = win_rates(errors, &order, draws);
    let mut pairs: Vec<Pair> =
        (0..models * models).into_par_iter().map(|index| counted(errors, pair(index), clip, wins[index])).collect();
    linear_skills(errors, &mut pairs, draws);
    bounded_skills(errors, &mut pairs, clip, draws);
    pairs
}

/// By ordered pair, as [`pairwise`] orders them.
fn win_rates(errors: &Grid, order: &[usize], draws: &Draws) -> Vec<Estimate> {
    let models = order.len();
    let once: Vec<(usize, usize)> = (0..models).flat_map(|i| (i..models).map(move |j| (i, j))).collect();
    let fill =
        |index: usize, values: &mut [f64]| fill_wins(errors, (order[once[index].0], order[once[index].1]), values);
    let mut rates = vec![UNKNOWN; models * models];
    for (&(i, j), [forth, back]) in once.iter().zip(draws.shares(once.len(), fill)) {
        (rates[j * models + i], rates[i * models + j]) = (back, forth);
    }
    rates
}

/// Before it is computed.
const UNKNOWN: Estimate = Estimate { point: f64::NAN, interval: None };

/// The skill scores of pairs of which the bounds change no ratio.
fn linear_skills(errors: &Grid, pairs: &mut [Pair], draws: &Draws) {
    let logs = draws.means(errors.models(), |model, values| write(values, errors.column(model), f64::ln));
    let positive: Vec<bool> = logs.iter().map(|(mean, _)| mean.is_finite()).collect();
    let linear = pairs.par_iter_mut().filter(|pair| pair.clipped == 0 && positive[pair.first] && positive[pair.second]);
    linear.for_each_init(Vec::new, |drawn, pair| {
        let (left, right) = (&logs[pair.first], &logs[pair.second]);
        let values = left.1.iter().zip(&right.1).map(|(left, right)| skill(left - right));
        pair.skill_score = draws.summary(skill(left.0 - right.0), values, drawn);
    });
}

/// Those of all others, task by task. A model whose error is 0 somewhere has no mean log.
fn bounded_skills(errors: &Grid, pairs: &mut [Pair], clip: Clip, draws: &Draws) {
    let open: Vec<&mut Pair> = pairs.iter_mut().filter(|pair| pair.skill_score.point.is_nan()).collect();
    let models: Vec<(usize, usize)> = open.iter().map(|pair| (pair.first, pair.second)).collect();
    let fill = |index: usize, values: &mut [f64]| fill_log_ratios(errors, models[index], clip, values);
    let skills = draws.estimate(models.len(), fill, skill);
    open.into_iter().zip(skills).for_each(|(pair, skill)| pair.skill_score = skill);
}

/// From the log of the geometric mean of ratios.
fn skill(mean: f64) -> f64 {
    1.0 - mean.exp()
}

fn by_mean_rank(errors: &Grid, names: &[String]) -> Vec<usize> {
    let ranks = Ranks::new(errors);
    let mut order: Vec<usize> = (0..errors.models()).collect();
    order.sort_by(|&a, &b| ranks.mean(a).total_cmp(&ranks.mean(b)).then_with(|| names[a].cmp(&names[b])));
    order
}

fn both(errors: &Grid, (first, second): (usize, usize)) -> impl Iterator<Item = (f64, f64)> {
    errors.column(first).iter().copied().zip(errors.column(second).iter().copied())
}

#[expect(clippy::float_cmp, reason = "exact ties are meant")]
fn fill_wins(errors: &Grid, pair: (usize, usize), values: &mut [f64]) {
    for (place, (left, right)) in values.iter_mut().zip(both(errors, pair)) {
        *place = if left == right { 0.5 } else { f64::from(u8::from(left < right)) };
    }
}

fn fill_log_ratios(errors: &Grid, pair: (usize, usize), clip: Clip, values: &mut [f64]) {
    for (place, (left, right)) in values.iter_mut().zip(both(errors, pair)) {
        *place = clip.apply(ratio(left, right)).ln();
    }
}

/// left / right, two zeros being a tie.
fn ratio(left: f64, right: f64) -> f64 {
    if left == 0.0 && right == 0.0 { 1.0 } else { left / right }
}

#[expect(clippy::float_cmp, reason = "exact ties are meant")]
fn counted(errors: &Grid, pair: (usize, usize), clip: Clip, win_rate: Estimate) -> Pair {
    let ties = both(errors, pair).filter(|(left, right)| left == right).count() as u64;
    let outside = |(left, right): &(f64, f64)| clip.apply(ratio(*left, *right)) != ratio(*left, *right);
    let clipped = both(errors, pair).filter(outside).count() as u64;
    Pair { first: pair.0, second: pair.1, win_rate, skill_score: UNKNOWN, ties, clipped }
}

#[cfg(test)]
mod tests {
    use super::super::units::Units;
    use super::*;

    fn draws(tasks: usize, resamples: usize) -> Draws {
        Draws::new(Units::tasks(tasks), resamples, 1, 0.95)
    }

    #[test]
    fn two_zeros_tie() {
        let names = ["a".to_owned(), "b".to_owned()];
        let pairs = pairwise(&Grid::new(1, vec![0.0, 0.0]), &names, Clip::NONE, &draws(1, 0));
        assert_eq!(pairs[1].skill_score.point, 0.0);
        assert_eq!((pairs[1].win_rate.point, pairs[1].ties), (0.5, 1));
    }

    #[test]
    fn swapping_a_pair_mirrors_it() {
        let errors = Grid::new(3, vec![1.0, 2.0, 3.0, 2.0, 1.5, 9.0]);
        let pairs = pairwise(&errors, &["a".to_owned(), "b".to_owned()], Clip::FEV, &draws(3, 0));
        assert!((pairs[1].win_rate.point + pairs[2].win_rate.point - 1.0).abs() < 1e-15);
        let product = (1.0 - pairs[1].skill_score.point) * (1.0 - pairs[2].skill_score.point);
        assert!((product - 1.0).abs() < 1e-15);
    }

    #[test]
    fn mean_logs_give_what_ratios_give() {
        let value = |cell: usize| 1.0 + ((cell * 37) % 101) as f64 / 10.0;
        let errors = Grid::new(50, (0..200).map(value).collect());
        let names: Vec<String> = (0..4).map(|model| model.to_string()).collect();
        let draws = draws(50, 300);
        let linear = pairwise(&errors, &names, Clip::NONE, &draws);
        let mut direct = linear.clone();
        direct.iter_mut().for_each(|pair| pair.skill_score = UNKNOWN);
        bounded_skills(&errors, &mut direct, Clip::NONE, &draws);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-13;
        for (linear, direct) in linear.iter().zip(&direct) {
            let (a, b) = (linear.skill_score.interval.unwrap(), direct.skill_score.interval.unwrap());
            assert!(near(linear.skill_score.point, direct.skill_score.point) && near(a.0, b.0) && near(a.1, b.1));
        }
    }
}
