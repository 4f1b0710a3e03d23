//! Evidence over time: what the verdicts on one champion against one baseline say together, however often one looks. Pure.
//!
//! The measure is `shared::stats::looks`: an e-value whose chance to reach `1 / rate` within the horizon is at most the rate while the model holds.
//! A history begins anew where the champion, the baseline or the way of comparing changes. Where all runs are held against one recorded
//! baseline, its error is common to all of them, and which share of a difference's variance it makes is not known: the evidence is then the least over
//! the shares in [`SHARES`], so that the promise holds for whichever of them is true.

use serde::{Deserialize, Serialize};
use shared::stats::looks::Looks;

use super::outcome::Outcome;

/// Shares that a recorded baseline's error may have in the variance of a difference. Half is what two measurements of like precision have.
pub const SHARES: [f64; 6] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5];

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

impl Evidence {
    /// Whether the alarm is on.
    pub fn is_alarm(&self) -> bool {
        self.alarm.is_some()
    }
}

/// The evidence of verdicts, oldest first.
pub fn evidence(past: &[Past], rules: Rules) -> Evidence {
    let mut history = History::new(0, None, rules);
    for (index, verdict) in past.iter().enumerate() {
        if history.of.is_none_or(|of| !same(of, verdict)) {
            history = History::new(index, Some(verdict), rules);
        }
        history.take(index, verdict);
    }
    history.evidence()
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
    /// One for each share.
    shares: Vec<(f64, Looks)>,
    /// Sum of the squared standard errors weighted by their degrees of freedom, and of these.
    pooled: (f64, f64),
    alarm: Option<usize>,
}

impl<'a> History<'a> {
    fn new(since: usize, of: Option<&'a Past>, rules: Rules) -> Self {
        let reused = of.is_some_and(|of| of.baseline == Baseline::Reused);
        let shares = if reused { &SHARES[..] } else { &SHARES[..1] };
        let shares = shares.iter().map(|share| (*share, Looks::new(rules.looks, 0.0))).collect();
        Self { of, since, rules, shares, pooled: (0.0, 0.0), alarm: None }
    }

    fn take(&mut self, index: usize, verdict: &Past) {
        let Some(look) = Look::of(verdict) else { return };
        let variance = self.pool(look);
        for (share, looks) in &mut self.shares {
            looks.baseline_is((*share * variance).sqrt());
            let own = look.standard_error * (1.0 - *share).sqrt();
            looks.look(look.effect - self.rules.margin, own, look.df);
        }
        self.alarm = match self.e_value() {
            e if e >= self.alarm_at() => self.alarm.or(Some(index)),
            e if e < 1.0 => None,
            _ => self.alarm,
        };
    }

    /// The variance of a difference, from all standard errors so far.
    fn pool(&mut self, look: Look) -> f64 {
        let weight = look.df.min(1e6);
        self.pooled.0 += weight * look.standard_error * look.standard_error;
        self.pooled.1 += weight;
        self.pooled.0 / self.pooled.1
    }

    fn e_value(&self) -> f64 {
        self.shares.iter().map(|(_, looks)| looks.e_value()).fold(f64::INFINITY, f64::min)
    }

    fn alarm_at(&self) -> f64 {
        1.0 / self.rules.false_alarm_rate
    }

    fn evidence(&self) -> Evidence {
        let looks = self.shares.first().map_or(0, |(_, looks)| looks.looks());
        let (e_value, alarm_at) = (self.e_value(), self.alarm_at());
        Evidence { since: self.since, looks, e_value, alarm_at, alarm: self.alarm }
    }
}
