//! Looking at what a run left: what it is held against, what `bench-compare` says, and what that means after all the runs before.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use shared::error::{Error, Result};
use shared::{digest, fsio, span};

use super::news::News;
use super::{OUT, Shop, VERSION};
use crate::expect::{Measured, Produced, RowCount};
use crate::job::{Job, JudgeKeys};
use crate::judge::{self, Asked, Champion, Evidence, Judgement, Noise, Past, Program, Question, Rules, reproduce};
use crate::process::{self, Cancel, Slot};
use crate::store::{Baseline, BaselineKind, Denied, HistoryRow, Metric, Outcome, Policy, Ticket, Verdict};

/// How long `bench-compare` may take.
const PATIENCE: Duration = Duration::from_hours(1);

/// The folder below that of a run with what `bench-compare` wrote.
pub(super) const JUDGE: &str = "judge";

/// So many slots are looked back on; evidence begins anew with each champion, and long before.
pub const MOST_HISTORY: usize = 10_000;

/// What was seen of a run.
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    pub(super) news: News,
}

/// What the programs are given that are run to judge a run.
struct Making<'a> {
    /// By which they are found when the daemon is no more.
    ticket: String,
    folder: &'a Path,
    cancel: &'a Cancel,
}

/// What a job is held against, as far as it is the same from run to run.
struct Against {
    id: String,
    baseline: Baseline,
}

impl Shop {
    /// Judges a run whose files are as they should be.
    pub(super) fn see(&self, job: &Job, ticket: &Ticket, folder: &Path, cancel: &Cancel) -> Result<Seen, Denied> {
        let Some(keys) = &job.judge else {
            let reason = "it produced what it must; the job does not say how it is judged";
            let news = News::verdict(Outcome::Holds, reason, None);
            return Ok(Seen { verdict: Verdict::plain(Outcome::Holds, reason, VERSION), news });
        };
        let question = Question::of(keys, job.model.as_deref(), &folder.join(OUT), &job.folder)?;
        let against = self.against(job, keys, &question)?;
        self.store.promote(&against.baseline)?;
        let making = Making { ticket: self.state.ticket(ticket.run), folder, cancel };
        let noise = self.noise(job, keys, &question, &against, &making)?;
        let judgement = match unreproduced(job, keys, &question, folder, noise.as_ref())? {
            Some(judgement) => judgement,
            None => self.ask(&question, noise.as_ref(), &making)?,
        };
        let verdict = record(&question, &against, &judgement, folder);
        Ok(self.weigh(job, ticket, keys, verdict)?)
    }

    fn ask(&self, question: &Question, noise: Option<&Noise>, making: &Making<'_>) -> Result<Judgement> {
        let &Making { ref ticket, folder, cancel } = making;
        let program = Program { path: &self.bench_compare, timeout: PATIENCE, ticket, cancel };
        let Asked { verdict, .. } = program.ask(question, &folder.join(JUDGE))?;
        Ok(match verdict {
            Ok(verdict) => judge::judge(&verdict, noise),
            Err(why) => Judgement::invalid(why),
        })
    }

    /// What all runs so far say together, this one included.
    fn weigh(&self, job: &Job, ticket: &Ticket, keys: &JudgeKeys, mut verdict: Verdict) -> Result<Seen> {
        let history = self.store.history(&job.name, MOST_HISTORY)?;
        let mut all: Vec<Past> = history.iter().filter(|row| row.slot != ticket.slot).filter_map(past_of).collect();
        all.extend(past(&verdict));
        let evidence = judge::evidence(&all, Rules::of(keys));
        verdict.e_value = Some(evidence.e_value);
        let alarm = evidence.is_alarm().then(|| alarm(&evidence, keys));
        let news = News::verdict(verdict.outcome, &verdict.reason, alarm.as_deref());
        Ok(Seen { verdict, news })
    }

    fn against(&self, job: &Job, keys: &JudgeKeys, question: &Question) -> Result<Against> {
        let recorded = question.way.recorded().map(Path::to_owned);
        let sha256 = recorded.as_deref().map(digest::of_file).transpose()?;
        let champion = champion(job, keys)?;
        let version = champion.as_ref().map_or_else(String::new, |champion| champion.version.clone());
        let id = judge::baseline_id(&question.baseline_model, sha256.as_deref());
        let id = champion.map_or_else(
            || id.clone(),
            |champion| format!("{id} champion {} {}", champion.version, champion.manifest_sha256),
        );
        let baseline = Baseline {
            id: id.clone(),
            job: job.name.clone(),
            model: question.baseline_model.clone(),
            version,
            path: recorded.unwrap_or_default(),
            sha256: sha256.unwrap_or_default(),
            run: None,
            promoted_at: self.clock.now(),
            retired_at: None,
        };
        Ok(Against { id, baseline })
    }

    /// By how much results differ by chance: learned once for each baseline, from repeats of this run on the same data.
    fn noise(
        &self,
        job: &Job,
        keys: &JudgeKeys,
        question: &Question,
        against: &Against,
        making: &Making<'_>,
    ) -> Result<Option<Noise>> {
        if keys.repeats < 2 {
            return Ok(None);
        }
        let path = self
            .state
            .folder()
            .join("noise")
            .join(&job.name)
            .join(format!("{}.json", &digest::of_bytes(against.id.as_bytes())[..16]));
        // What cannot be read is learned anew.
        if let Some(noise) = fsio::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            return Ok(Some(noise));
        }
        let repeats = self.repeats(job, keys, making)?;
        let Some(noise) = Noise::of(&repeats, &question.metric) else { return Ok(None) };
        path.parent().map_or(Ok(()), fsio::create_folder)?;
        let text = json!({"schema": "rebench-cron/noise/1", "baseline": against.id, "metric": question.metric, "repeats": repeats.len(), "sd": noise.sd, "df": noise.df});
        fsio::write_atomic(&path, format!("{text:#}\n").as_bytes())?;
        Ok(Some(noise))
    }

    /// The results of this run, and of others like it.
    fn repeats(&self, job: &Job, keys: &JudgeKeys, making: &Making<'_>) -> Result<Vec<Vec<Measured>>> {
        let &Making { ref ticket, folder, cancel } = making;
        let name = keys.candidate.as_deref().unwrap_or("benchmark_results.json");
        let mut repeats = vec![judge::results_of_file(&folder.join(OUT).join(name))?];
        for number in 2..=keys.repeats {
            let below = folder.join(format!("repeat-{number}"));
            fsio::create_folder(&below.join(OUT))?;
            let slot = Slot {
                job: job.name.clone(),
                scheduled_at: Timestamp::UNIX_EPOCH,
                out_dir: below.join(OUT),
                log_dir: below.clone(),
                ticket: ticket.clone(),
            };
            let outcome = process::run(&job.command, &slot, cancel, || self.clock.now(), |_| {})?;
            if outcome.exit != process::Exit::Exited(0) {
                let what = format!("repeat {number} of the benchmark failed, so that its noise is not known");
                return Err(Error::Environment { what, help: Some(format!("see {}", below.display())) });
            }
            repeats.push(judge::results_of_file(&below.join(OUT).join(name))?);
        }
        Ok(repeats)
    }
}

/// The champion of the job's model, if a registry says one.
fn champion(job: &Job, keys: &JudgeKeys) -> Result<Option<Champion>> {
    match (&keys.registry, &job.model) {
        (Some(path), Some(model)) => judge::champion_of_file(path, model),
        _ => Ok(None),
    }
}

/// What there is to say where the baseline does not give its recorded results any more.
fn unreproduced(
    job: &Job,
    keys: &JudgeKeys,
    question: &Question,
    folder: &Path,
    noise: Option<&Noise>,
) -> Result<Option<Judgement>> {
    let (Some(recorded), Some(again)) = (&keys.recorded, &keys.reproduced) else { return Ok(None) };
    let recorded = judge::results_of_file(&job.folder.join(recorded))?;
    let again = judge::results_of_file(&folder.join(OUT).join(again))?;
    let of = (question.baseline_model.as_str(), question.metric.as_str());
    Ok(reproduce::compare(&recorded, &again, of, keys.reproducible_within, noise).judgement())
}

fn record(question: &Question, against: &Against, judgement: &Judgement, folder: &Path) -> Verdict {
    let kind = match question.way.baseline() {
        judge::Baseline::Fresh => BaselineKind::Fresh,
        judge::Baseline::Reused => BaselineKind::Reused,
    };
    Verdict {
        baseline_id: Some(against.id.clone()),
        baseline_kind: Some(kind),
        metric: Some(question.metric.clone()),
        candidate_model: Some(question.candidate_model.clone()),
        baseline_model: Some(question.baseline_model.clone()),
        effect: judgement.effect,
        se: judgement.standard_error,
        df: judgement.df,
        ci_lo: judgement.interval.map(|ends| ends[0]),
        ci_hi: judgement.interval.map(|ends| ends[1]),
        p: judgement.p_value,
        noise_floor: judgement.noise_floor,
        verdict_sha256: digest::of_file(&folder.join(JUDGE).join("verdict.json")).ok(),
        ..Verdict::plain(outcome(judgement.outcome), &judgement.reason, VERSION)
    }
}

fn outcome(outcome: judge::Outcome) -> Outcome {
    match outcome {
        judge::Outcome::Holds => Outcome::Holds,
        judge::Outcome::Regressed => Outcome::Regressed,
        judge::Outcome::Improved => Outcome::Improved,
        judge::Outcome::Inconclusive => Outcome::Inconclusive,
        judge::Outcome::Invalid => Outcome::Invalid,
        judge::Outcome::NotReproducible => Outcome::NotReproducible,
    }
}

/// What a slot of the history adds to the evidence; nothing if it was not judged.
pub fn past_of(row: &HistoryRow) -> Option<Past> {
    row.run.as_ref()?.verdict.as_ref().and_then(|(verdict, _)| past(verdict))
}

fn past(verdict: &Verdict) -> Option<Past> {
    let name = verdict.outcome.name().replace('_', "-");
    Some(Past {
        baseline_id: verdict.baseline_id.clone()?,
        baseline: match verdict.baseline_kind? {
            BaselineKind::Fresh => judge::Baseline::Fresh,
            BaselineKind::Reused => judge::Baseline::Reused,
        },
        // The identity of the baseline names the champion.
        champion: None,
        outcome: judge::Outcome::named(&name),
        effect: verdict.effect,
        standard_error: verdict.se,
        df: verdict.df,
    })
}

fn alarm(evidence: &Evidence, keys: &JudgeKeys) -> String {
    let Evidence { e_value, alarm_at, looks, .. } = evidence;
    let rate = keys.false_alarm_rate * 100.0;
    format!(
        "the model no longer wins: evidence {e_value:.3e} after {looks} runs, the alarm is at {alarm_at:.0} (a false alarm in at most {rate} % of histories of {} runs)",
        keys.looks
    )
}

/// Rows as the expectations of the next run take them.
pub(super) fn rows(before: std::collections::BTreeMap<(String, String), u64>) -> Vec<RowCount> {
    before.into_iter().map(|((model, dataset), rows)| RowCount { model, dataset, rows }).collect()
}

/// The numbers of a run, and how many rows each model has on each dataset, as the records have them.
pub(super) fn metrics(produced: &Produced) -> Vec<Metric> {
    let measured = produced.measured().into_iter().filter(|row| row.value.is_finite()).map(|row| Metric {
        name: row.metric,
        model: row.model,
        dataset: row.dataset,
        series: String::new(),
        fold: row.window.unwrap_or_default(),
        value: row.value,
        n: row.n.unwrap_or(0),
    });
    let rows = produced.rows().into_iter().map(|row| Metric {
        name: "rows".to_owned(),
        model: row.model,
        dataset: row.dataset,
        series: String::new(),
        fold: String::new(),
        value: row.rows as f64,
        n: row.rows,
    });
    let mut seen = BTreeSet::new();
    let key = |metric: &Metric| [&metric.name, &metric.model, &metric.dataset, &metric.fold].map(String::clone);
    // Two files may hold the same row, as where the baseline's also holds the model's.
    measured.chain(rows).filter(|metric| seen.insert(key(metric))).collect()
}

/// Which files of the job's runs are kept.
pub(super) fn policy(job: &Job) -> Policy {
    let age = (job.kept.age < span::NEVER).then(|| job.kept.age.try_into().ok()).flatten();
    Policy { count: Some(job.kept.runs.into()), age, bytes: Some(job.kept.megabytes.saturating_mul(1_000_000)) }
}
