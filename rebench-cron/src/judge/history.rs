//! Evidence over time: what the verdicts on one champion against one baseline say together, however often one looks. Pure.
//!
//! The measure is `shared::stats::looks`: an e-value whose chance to reach `1 / rate` within the horizon is at most the rate while the model holds.
//! A history begins anew where the champion, the baseline or the way of comparing changes. Where all runs are held against one recorded
//! baseline, its error is common to all of them, and its share of a difference's variance is not known. The run's own error is then given the whole standard
//! error of a difference, and the baseline's the square root of [`MOST_SHARE`] of it besides. With `J` all ones, differences with a share `r` have the
//! covariance `(1 - r) I + r J`, which is nowhere more than `I + J / 2` for any share from 0 to 1/2, and no smaller numbers have that property. So the
//! evidence of each look has a mean of 1 at most whichever share is true; that the rate holds over all looks is simulated (docs/STATISTICS.md).

use serde::{Deserialize, Serialize};
use shared::stats::looks::Looks;

use super::outcome::{Judgement, Outcome};
use crate::job::JudgeKeys;

/// The largest share that a recorded baseline's error is taken to have in the variance of a difference: what two measurements of like precision have.
pub const MOST_SHARE: f64 = 0.5;

/// Degrees of freedom that count as known.
const KNOWN: f64 = 1e6;

/// What a run is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// Measured beside each run, on the same data.
    Fresh,
    /// Measured once.
    Reused,
}

/// A verdict of the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// What the run was held against, by identity.
    pub baseline_id: String,
    /// Whether that was measured anew.
    pub baseline: Baseline,
    /// The champion, by version.
    pub champion: Option<String>,
    /// The outcome; nothing where a run was left out, for want of new data or otherwise.
    pub outcome: Option<Outcome>,
    /// The effect; positive is worse.
    pub effect: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Degrees of freedom of the standard error; without them it is taken as known.
    pub df: Option<f64>,
}

impl Past {
    /// The verdict of a run, as its history will have it; a run that was left out has no judgement.
    pub fn new(baseline_id: &str, baseline: Baseline, champion: Option<&str>, judgement: Option<&Judgement>) -> Self {
        Self {
            baseline_id: baseline_id.to_owned(),
            baseline,
            champion: champion.map(str::to_owned),
            outcome: judgement.map(|judgement| judgement.outcome),
            effect: judgement.and_then(|judgement| judgement.effect),
            standard_error: judgement.and_then(|judgement| judgement.standard_error),
            df: judgement.and_then(|judgement| judgement.df),
        }
    }
}

/// What is asked of a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Looks over which the rate of false alarms is stated.
    pub looks: u32,
    /// The chance of a false alarm over these.
    pub false_alarm_rate: f64,
    /// How much worse than the baseline still holds.
    pub margin: f64,
}

/// What a history says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The index of the first verdict that counts: that of the present champion and baseline.
    pub since: usize,
    /// Looks of this history.
    pub looks: u32,
    /// The evidence that the model does not hold any more; 1 says nothing.
    pub e_value: f64,
    /// Evidence from which on it alarms.
    pub alarm_at: f64,
    /// The index of the verdict that raised the alarm that is on.
    pub alarm: Option<usize>,
}

impl Rules {
    /// The rules of a job.
    pub fn of(keys: &JudgeKeys) -> Self {
        Self { looks: keys.looks, false_alarm_rate: keys.false_alarm_rate, margin: keys.margin }
    }
}

impl Evidence {
    /// Whether the alarm is on.
    pub fn is_alarm(&self) -> bool {
        self.alarm.is_some()
    }
}

/// The evidence of verdicts, oldest first; as before the first look where there are none.
pub fn evidence(past: &[Past], rules: Rules) -> Evidence {
    course(past, rules).pop().unwrap_or_else(|| History::new(0, None, rules).evidence())
}

/// The evidence after each of the verdicts, oldest first.
pub fn course(past: &[Past], rules: Rules) -> Vec<Evidence> {
    let mut history = History::new(0, None, rules);
    let after = past.iter().enumerate().map(|(index, verdict)| {
        if history.of.is_none_or(|of| !same(of, verdict)) {
            history = History::new(index, Some(verdict), rules);
        }
        history.take(index, verdict);
        history.evidence()
    });
    after.collect()
}

/// The verdicts of the present history: `since` on, those that are looks, each with its index.
pub fn looks(past: &[Past], since: usize) -> impl Iterator<Item = (usize, Look)> + '_ {
    past.iter().enumerate().skip(since).filter_map(|(index, verdict)| Some((index, Look::of(verdict)?)))
}

fn same(a: &Past, b: &Past) -> bool {
    (&a.baseline_id, a.baseline, &a.champion) == (&b.baseline_id, b.baseline, &b.champion)
}

/// A verdict that measured something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// The effect; positive is worse.
    pub effect: f64,
    /// Its standard error, above 0.
    pub standard_error: f64,
    /// Degrees of freedom, infinite where the error is known.
    pub df: f64,
}

impl Look {
    /// The look that a verdict is; nothing where it did not measure the model, or says nothing of the error.
    pub fn of(verdict: &Past) -> Option<Self> {
        verdict.outcome.filter(|outcome| outcome.is_look())?;
        let (effect, standard_error) = (verdict.effect?, verdict.standard_error?);
        let df = verdict.df.unwrap_or(f64::INFINITY);
        let usable = effect.is_finite() && standard_error.is_finite() && standard_error > 0.0 && df > 0.0;
        usable.then_some(Self { effect, standard_error, df })
    }
}

/// One history while it is read.
struct History<'a> {
    of: Option<&'a Past>,
    since: usize,
    rules: Rules,
    looks: Looks,
    /// Sum of the squared standard errors weighted by their degrees of freedom, and of these.
    pooled: (f64, f64),
    alarm: Option<usize>,
}

impl<'a> History<'a> {
    fn new(since: usize, of: Option<&'a Past>, rules: Rules) -> Self {
        Self { of, since, rules, looks: Looks::new(rules.looks, 0.0), pooled: (0.0, 0.0), alarm: None }
    }

    fn take(&mut self, index: usize, verdict: &Past) {
        let Some(look) = Look::of(verdict) else { return };
        if verdict.baseline == Baseline::Reused {
            let variance = self.pool(look);
            self.looks.baseline_is((MOST_SHARE * variance).sqrt());
        }
        self.looks.look(look.effect - self.rules.margin, look.standard_error, look.df);
        self.alarm = match self.looks.e_value() {
            e if e >= self.alarm_at() => self.alarm.or(Some(index)),
            e if e < 1.0 => None,
            _ => self.alarm,
        };
    }

    /// The variance of a difference, from all standard errors so far.
    fn pool(&mut self, look: Look) -> f64 {
        let weight = look.df.min(KNOWN);
        self.pooled.0 += weight * look.standard_error * look.standard_error;
        self.pooled.1 += weight;
        self.pooled.0 / self.pooled.1
    }

    fn alarm_at(&self) -> f64 {
        1.0 / self.rules.false_alarm_rate
    }

    fn evidence(&self) -> Evidence {
        let (looks, e_value) = (self.looks.looks(), self.looks.e_value());
        Evidence { since: self.since, looks, e_value, alarm_at: self.alarm_at(), alarm: self.alarm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { looks: 104, false_alarm_rate: 0.05, margin: 0.0 };

    fn past(effect: f64, outcome: Outcome) -> Past {
        Past {
            baseline_id: "naive".to_owned(),
            baseline: Baseline::Fresh,
            champion: Some("1.0.0".to_owned()),
            outcome: Some(outcome),
            effect: Some(effect),
            standard_error: Some(1.0),
            df: None,
        }
    }

    fn bad(count: usize) -> Vec<Past> {
        vec![past(2.0, Outcome::Regressed); count]
    }

    #[test]
    fn one_look_is_the_mixture_by_hand() {
        // u = 2: exp(2/2 - 1/8) and exp(2 - 1/2) at a weight of 1/104 each, 103/104 for the looks to come.
        let found = evidence(&bad(1), RULES);
        let expected = f64::midpoint(0.875_f64.exp(), 1.5_f64.exp()) / 104.0 + 103.0 / 104.0;
        assert!((found.e_value - expected).abs() < 1e-12, "{found:?}");
        assert_eq!((found.looks, found.alarm_at, found.alarm), (1, 20.0, None));
    }

    #[test]
    fn what_measured_nothing_is_no_look() {
        let none = [
            past(9.0, Outcome::Invalid),
            past(9.0, Outcome::NotReproducible),
            Past { outcome: None, ..past(9.0, Outcome::Holds) },
            Past { standard_error: None, ..past(9.0, Outcome::Regressed) },
            Past { effect: Some(f64::NAN), ..past(9.0, Outcome::Regressed) },
        ];
        let found = evidence(&none, RULES);
        assert_eq!((found.looks, found.e_value), (0, 1.0));
        assert_eq!(evidence(&[], RULES), found);
    }

    #[test]
    fn a_promotion_or_another_baseline_begins_anew() {
        let alarmed = bad(12);
        assert!(evidence(&alarmed, RULES).is_alarm());
        let quiet = past(0.0, Outcome::Holds);
        for other in [
            Past { champion: Some("2.0.0".to_owned()), ..quiet.clone() },
            Past { baseline_id: "ridge".to_owned(), ..quiet.clone() },
            Past { baseline: Baseline::Reused, ..quiet.clone() },
        ] {
            let found = evidence(&[alarmed.clone(), vec![other]].concat(), RULES);
            assert_eq!((found.since, found.looks, found.alarm), (12, 1, None));
        }
        assert!(evidence(&[alarmed, vec![quiet]].concat(), RULES).is_alarm());
    }

    #[test]
    fn an_alarm_stays_until_the_evidence_is_gone() {
        let better = vec![past(-2.0, Outcome::Improved); 12];
        let course = course(&[bad(12), better].concat(), RULES);
        let first = course.iter().find_map(|found| found.alarm).unwrap();
        for (index, found) in course.iter().enumerate().skip(first) {
            let gone = course[first..=index].iter().any(|found| found.e_value < 1.0);
            assert_eq!(found.alarm, (!gone).then_some(first), "{index}: {found:?}");
        }
        assert!(course.iter().any(|found| found.is_alarm() && found.e_value < 20.0) && !course[23].is_alarm());
    }

    #[test]
    fn the_margin_is_no_difference() {
        let rules = Rules { margin: 2.0, ..RULES };
        assert!(evidence(&bad(50), rules).e_value < 1.0);
    }
}
