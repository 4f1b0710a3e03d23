//! What was found of a slot: at most one verdict each.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};

use super::alerts::{self, NewAlert};
use super::column::{At, words};
use super::failure::Trouble;
use super::runs::RunRow;
use super::steps::advance;
use super::{Denied, RunState, Store, Ticket};

words! {
    /// What was found.
    Outcome {
        /// The model is as good as it was.
        Holds = "holds",
        /// It is worse.
        Regressed = "regressed",
        /// It is better.
        Improved = "improved",
        /// It cannot be told.
        Inconclusive = "inconclusive",
        /// The run cannot be judged.
        Invalid = "invalid",
        /// The baseline does not come out as it did.
        NotReproducible = "not_reproducible",
        /// The data is what it was.
        NoNewData = "no_new_data",
    }
}

words! {
    /// What the run was compared with.
    BaselineKind {
        /// The baseline, run beside it.
        Fresh = "fresh",
        /// An earlier run of the baseline.
        Reused = "reused",
    }
}

/// The verdict on a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What was found.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// The baseline, which the records know by [`Store::promote`].
    pub baseline_id: Option<String>,
    /// How it came to be compared with.
    pub baseline_kind: Option<BaselineKind>,
    /// The metric.
    pub metric: Option<String>,
    /// The model that was judged.
    pub candidate_model: Option<String>,
    /// The model that it was compared with.
    pub baseline_model: Option<String>,
    /// The effect: the relative difference, positive where the model is worse.
    pub effect: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// The degrees of freedom of the standard error; without them it is taken as known.
    pub df: Option<f64>,
    /// The lower end of its interval.
    pub ci_lo: Option<f64>,
    /// The upper end of its interval.
    pub ci_hi: Option<f64>,
    /// The p-value.
    pub p: Option<f64>,
    /// The e-value over all runs so far.
    pub e_value: Option<f64>,
    /// What two runs of the same differ by.
    pub noise_floor: Option<f64>,
    /// The version of the program that judged.
    pub tool_version: String,
    /// The digest of the full verdict, a file of the run.
    pub verdict_sha256: Option<String>,
}

impl Verdict {
    /// A verdict without numbers.
    pub fn plain(outcome: Outcome, reason: &str, tool_version: &str) -> Self {
        Self {
            outcome,
            reason: reason.to_owned(),
            baseline_id: None,
            baseline_kind: None,
            metric: None,
            candidate_model: None,
            baseline_model: None,
            effect: None,
            se: None,
            df: None,
            ci_lo: None,
            ci_hi: None,
            p: None,
            e_value: None,
            noise_floor: None,
            tool_version: tool_version.to_owned(),
            verdict_sha256: None,
        }
    }
}

impl Store {
    /// Records the verdict and what is to be told of it; the slot is done. A verdict on a comparison needs metrics; others may
    /// come before.
    ///
    /// # Errors
    /// [`Denied::Stale`] if the run is in another state or another's; [`Denied::Failed`] if it cannot be written, or the
    /// baseline is not known.
    pub fn recorded(
        &self,
        ticket: &Ticket,
        verdict: &Verdict,
        alerts: &[NewAlert],
        at: Timestamp,
    ) -> Result<(), Denied> {
        self.write(|transaction| {
            let row = advance(transaction, ticket, from(verdict.outcome), RunState::Recorded, at)?;
            insert(transaction, &row, verdict, at)?;
            transaction.execute("UPDATE slots SET state = 'done' WHERE id = ?1", [row.slot])?;
            Ok(alerts::add(transaction, alerts, Some(row.run), at)?)
        })
    }
}

/// The states in which this can be said of a run.
fn from(outcome: Outcome) -> &'static [RunState] {
    match outcome {
        Outcome::Holds | Outcome::Regressed | Outcome::Improved | Outcome::Inconclusive => &[RunState::Compared],
        Outcome::Invalid | Outcome::NotReproducible => &[RunState::Exited, RunState::Archived, RunState::Compared],
        Outcome::NoNewData => &[RunState::Claimed, RunState::Exited, RunState::Archived, RunState::Compared],
    }
}

fn insert(transaction: &Transaction<'_>, row: &RunRow, verdict: &Verdict, at: Timestamp) -> Result<(), Trouble> {
    let sql = "INSERT INTO verdicts (run, slot, job, at, outcome, reason, baseline_id, baseline_kind, metric,
            candidate_model, baseline_model, effect, se, df, ci_lo, ci_hi, p, e_value, noise_floor, tool_version, verdict_sha256)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";
    let it = verdict;
    transaction.execute(
        sql,
        params![
            row.run,
            row.slot,
            row.job,
            At(at),
            it.outcome,
            it.reason,
            it.baseline_id,
            it.baseline_kind,
            it.metric,
            it.candidate_model,
            it.baseline_model,
            it.effect,
            it.se,
            it.df,
            it.ci_lo,
            it.ci_hi,
            it.p,
            it.e_value,
            it.noise_floor,
            it.tool_version,
            it.verdict_sha256,
        ],
    )?;
    Ok(())
}

/// The verdict in a row that has all columns of its table.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Verdict> {
    Ok(Verdict {
        outcome: row.get("outcome")?,
        reason: row.get("reason")?,
        baseline_id: row.get("baseline_id")?,
        baseline_kind: row.get("baseline_kind")?,
        metric: row.get("metric")?,
        candidate_model: row.get("candidate_model")?,
        baseline_model: row.get("baseline_model")?,
        effect: row.get("effect")?,
        se: row.get("se")?,
        df: row.get("df")?,
        ci_lo: row.get("ci_lo")?,
        ci_hi: row.get("ci_hi")?,
        p: row.get("p")?,
        e_value: row.get("e_value")?,
        noise_floor: row.get("noise_floor")?,
        tool_version: row.get("tool_version")?,
        verdict_sha256: row.get("verdict_sha256")?,
    })
}
