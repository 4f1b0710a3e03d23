//! `bench-compare gate`: candidate against baselines: gates, margins, verdict.
//!
//! `policy` says what is asked, `forecasts`, `benchmark` and `results` ask it of the three kinds of evidence, `decide` and
//! `sentence` make one verdict of the answers. Only this file and the loaders touch the world.

mod aa;
mod answer;
pub mod args;
mod asked;
mod benchmark;
mod decide;
mod effect;
mod forecasts;
mod paired;
mod policy;
mod question;
mod results;
mod subject;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;

use shared::Exit;
use shared::cli::{Context, Format};
use shared::format::input::Tool;
use shared::format::verdict::{
    AaCheck, Decision, Evidence, Gate, GateKind, Influence, Outcome, Part, Power, SCHEMA, Scale, Subject, Verdict,
};
use shared::fsio;

pub use args::Args;
use args::{Against, Fold, Rule};
use asked::Asked;
use policy::Policy;

use crate::report::words::{self, Voice};
use crate::report::{self, Lenience};

/// What one kind of evidence says, before it becomes a verdict.
struct Judged {
    candidate: String,
    baselines: Vec<String>,
    asked: Vec<Asked>,
    evidence: Evidence,
    series: Vec<Part>,
    windows: Vec<Part>,
    influence: Option<Influence>,
    power: Option<Power>,
    aa: Option<AaCheck>,
    inputs: Vec<shared::format::input::Input>,
}

/// Runs the command.
///
/// # Errors
/// On bad input, inputs that cannot be compared, or a failing environment.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let policy = Policy::from_args(args)?;
    let subject = subject::bind(&args.about)?;
    let judged = judge(args, &policy, context)?;
    let verdict = assemble(judged, &policy, subject, args.seed);
    if let Some(folder) = &args.report {
        let inconclusive = args.inconclusive == Some(Fold::Pass);
        report::write_folder(folder, &verdict, Lenience { inconclusive, identical: policy.identical_passes() })?;
        fsio::write_atomic(&folder.join("verdict.json"), json(&verdict)?.as_bytes())?;
    }
    emit(&verdict, context)?;
    Ok(status(&verdict, &policy, args.inconclusive))
}

fn judge(args: &Args, policy: &Policy, context: &Context) -> anyhow::Result<Judged> {
    if !args.forecasts.is_empty() || !args.sufficient.is_empty() {
        forecasts::judge(args, policy, context)
    } else if !args.baseline.is_empty() {
        benchmark::judge(args, policy, context)
    } else if !args.results.is_empty() {
        results::judge(args, policy, context)
    } else {
        Err(shared::Error::usage(
            "no evidence was named",
            "--forecasts, --sufficient, --baseline with --candidate, or --results",
        )
        .with_help("bench-compare gate --help shows an example of each")
        .into())
    }
}

/// Makes one verdict of the answers: corrects, decides, says why. Pure.
fn assemble(judged: Judged, policy: &Policy, subject: Vec<Subject>, seed: u64) -> Verdict {
    let gates = settle(judged.asked, policy, &judged.candidate);
    let decision = decide::decide(&gates, policy.against);
    Verdict {
        schema: SCHEMA.to_owned(),
        tool: tool(),
        complete: true,
        missing: Vec::new(),
        decision,
        reasons: decide::reasons(&gates, decision),
        candidate: judged.candidate,
        baselines: judged.baselines,
        metric: policy.metric.clone(),
        gates,
        evidence: judged.evidence,
        series: judged.series,
        windows: judged.windows,
        influence: judged.influence,
        power: judged.power,
        aa: judged.aa,
        subject,
        policy: policy.record(),
        inputs: judged.inputs,
        seed,
        other: BTreeMap::new(),
    }
}

/// Applies the corrections for several chances and writes the sentences.
fn settle(asked: Vec<Asked>, policy: &Policy, candidate: &str) -> Vec<Gate> {
    let p_above: Vec<Option<f64>> = asked.iter().map(|a| a.p_above).collect();
    let mut gates: Vec<Gate> = asked.into_iter().map(|a| a.gate).collect();
    if policy.against == Against::Any {
        answer::correct_wins(&mut gates, policy);
    }
    if policy.rule == Rule::Evidence {
        answer::correct_failures(&mut gates, &p_above, policy.alpha);
    }
    let voice = Voice { candidate, level: Some(policy.confidence), bare: policy.rule == Rule::Point };
    for gate in gates.iter_mut().filter(|gate| gate.reason.is_empty()) {
        gate.reason = words::sentence(&voice, gate);
    }
    gates
}

/// Prints the verdict as asked; a file that `-o` calls `.json` gets the JSON, and the terminal still gets the text.
fn emit(verdict: &Verdict, context: &Context) -> anyhow::Result<()> {
    let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    match context.format {
        Format::Text if context.output.as_ref().is_some_and(is_json) => {
            Context { format: Format::Json, ..context.clone() }.emit(&json(verdict)?)?;
            Context { output: None, ..context.clone() }.emit(&text(verdict))?;
        }
        Format::Text => context.emit(&text(verdict))?,
        Format::Json => context.emit(&json(verdict)?)?,
        Format::Markdown => context.emit(&report::markdown(verdict))?,
        Format::Csv => context.emit(&table::gates(verdict)?)?,
    }
    Ok(())
}

fn text(verdict: &Verdict) -> String {
    report::terminal(verdict, shared::cli::width(), true)
}

fn json(verdict: &Verdict) -> serde_json::Result<String> {
    serde_json::to_string_pretty(verdict).map(|text| text + "\n")
}

fn status(verdict: &Verdict, policy: &Policy, fold: Option<Fold>) -> Exit {
    match (verdict.decision, fold) {
        (Decision::Inconclusive, Some(Fold::Pass)) => Exit::Ok,
        (Decision::Inconclusive, Some(Fold::Fail)) => Exit::No,
        (decision, _) => decision.exit(policy.identical_passes()),
    }
}

fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// A gate without an answer, to be filled in.
fn blank() -> Gate {
    Gate {
        name: String::new(),
        kind: GateKind::Superiority,
        metric: String::new(),
        slice: None,
        baseline: None,
        outcome: Outcome::Undecided,
        candidate_value: None,
        baseline_value: None,
        scale: Scale::Relative,
        estimate: None,
        interval: None,
        margin: None,
        p_value: None,
        p_adjusted: None,
        df: None,
        n: shared::format::verdict::Counts::default(),
        reason: String::new(),
    }
}
