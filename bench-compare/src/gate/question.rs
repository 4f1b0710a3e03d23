//! What a policy asks of a forecast table: the list of gates, before any is answered. Pure.

use shared::Result;
use shared::format::sufficient::Measure;
use shared::format::verdict::GateKind;

use crate::gate::effect::Effect;
use crate::gate::policy::Policy;

/// Measures by which two models are found to be the same.
const IDENTITY: [Measure; 3] = [Measure::AbsoluteError, Measure::SquaredError, Measure::Error];

/// One gate to be answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    /// Its name in the verdict.
    pub(super) name: String,
    /// What it asks.
    pub(super) kind: GateKind,
    /// The metric as the policy names it.
    pub(super) metric: String,
    /// The metric as the sums see it.
    pub(super) effect: Effect,
    /// The slice, if not all rows.
    pub(super) slice: Option<String>,
    /// The baseline's place among the models of the table.
    pub(super) baseline: usize,
    /// The effect below which it passes.
    pub(super) margin: f64,
}

/// Every gate of the policy against each baseline: primary ones first, then guardrails and slices. Intervals whose level a
/// metric's name does not state are of `level` percent.
///
/// # Errors
/// A metric that a forecast table does not know.
pub(super) fn all(policy: &Policy, baselines: &[(usize, String)], level: f64) -> Result<Vec<Question>> {
    let mut questions = Vec::new();
    for &(baseline, ref name) in baselines {
        let versus = if baselines.len() > 1 { format!(" v {name}") } else { String::new() };
        let asker = Asker { policy, baseline, versus: &versus, level };
        questions.push(asker.primary()?);
        questions.extend(asker.guardrails()?);
        questions.extend(asker.slices()?);
    }
    questions.sort_by_key(|question| !question.name.starts_with("primary"));
    Ok(questions)
}

/// The measures that the questions need, each once.
pub(super) fn measures(questions: &[Question]) -> Vec<Measure> {
    let needed = questions.iter().map(|question| question.effect.measure());
    let mut measures: Vec<Measure> = Vec::new();
    for measure in IDENTITY.into_iter().chain([Measure::AbsoluteActual]).chain(needed) {
        if !measures.contains(&measure) {
            measures.push(measure);
        }
    }
    measures
}

/// The measures by which identity is judged.
pub(super) fn identity_measures() -> &'static [Measure] {
    &IDENTITY
}

/// Asks a policy's questions against one baseline.
struct Asker<'a> {
    policy: &'a Policy,
    baseline: usize,
    versus: &'a str,
    level: f64,
}

impl Asker<'_> {
    fn primary(&self) -> Result<Question> {
        let policy = self.policy;
        self.question("primary".to_owned(), policy.kind(), &policy.metric, policy.primary_margin)
    }

    fn guardrails(&self) -> Result<Vec<Question>> {
        let asked = self.policy.guardrails.iter().map(|rail| {
            self.question(format!("guardrail: {}", rail.metric), GateKind::NonInferiority, &rail.metric, rail.margin)
        });
        asked.collect()
    }

    fn slices(&self) -> Result<Vec<Question>> {
        let policy = self.policy;
        let asked = policy.slices.iter().map(|slice| {
            let name = format!("slice: {slice}");
            let whole = self.question(name, GateKind::NonInferiority, &policy.metric, policy.slice_margin)?;
            Ok(Question { slice: Some(slice.clone()), ..whole })
        });
        asked.collect()
    }

    fn question(&self, name: String, kind: GateKind, metric: &str, margin: f64) -> Result<Question> {
        Ok(Question {
            name: name + self.versus,
            kind,
            metric: metric.to_owned(),
            effect: Effect::of_metric(metric, self.level)?,
            slice: None,
            baseline: self.baseline,
            margin,
        })
    }
}
