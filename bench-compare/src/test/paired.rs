//! Tests of two methods: Diebold-Mariano, Wilcoxon, sign, Pesaran-Timmermann, Giacomini-White.

use clap::ValueEnum;
use serde_json::json;
use shared::Error;
use shared::stats::diebold_mariano::{Answer, Question, Tested, Variance};
use shared::stats::{Alternative, diebold_mariano as dm, direction, giacomini_white as gw, sign, wilcoxon};

use super::flags::{InputArgs, Loss, Side};
use super::report::Report;
use super::table::{Table, Wanted};

/// The variance of Diebold-Mariano.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum VarianceFlag {
    /// The first h - 1 autocovariances, fully; Bartlett's where that is not positive
    #[default]
    Acf,
    /// With falling weights; never negative
    Bartlett,
}

impl From<VarianceFlag> for Variance {
    fn from(flag: VarianceFlag) -> Self {
        match flag {
            VarianceFlag::Acf => Self::Acf,
            VarianceFlag::Bartlett => Self::Bartlett,
        }
    }
}

/// Flags of `test dm`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DmArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Steps ahead of the forecasts
    #[arg(long, default_value_t = 1, value_name = "STEPS")]
    h: usize,
    /// The loss is |error|^POWER
    #[arg(long, default_value_t = 2.0, value_name = "POWER")]
    power: f64,
    /// Long-run variance of the loss differential
    #[arg(long, value_enum, default_value_t)]
    variance: VarianceFlag,
    /// What is looked for
    #[arg(long, value_enum, default_value_t)]
    alternative: Side,
}

/// `test dm`.
pub(super) fn diebold_mariano(args: &DmArgs) -> anyhow::Result<Report> {
    let table = Table::read(&args.input, Wanted::Pair)?;
    let alternative = Alternative::from(args.alternative);
    let question = Question { horizon: args.h, power: args.power, variance: args.variance.into(), alternative };
    let settings = json!({
        "h": args.h, "power": args.power, "variance": question.variance.name(), "alternative": alternative.name(),
    });
    let report = Report::new("dm", &table, settings);
    match dm::diebold_mariano(&table.columns[0], &table.columns[1], &question) {
        Ok(Answer::Tested(tested)) => Ok(tested_report(report, &tested)),
        Ok(Answer::Identical) => Ok(identical(report, "losses")),
        Ok(Answer::Dominance { first_is_better, p_value, blocks }) => {
            let better = &table.names[usize::from(!first_is_better)];
            let details = json!({ "answer": "dominance", "better": better, "signs": blocks });
            Ok(report.answer(None, p_value, details).remark(
                "the loss differential is the same at every time, so it has no variance: p-value of the sign test on \
                 times that do not overlap",
            ))
        }
        Err(reason) => report.without_answer(&reason),
    }
}

fn tested_report(report: Report, tested: &Tested) -> Report {
    let details = json!({
        "answer": "tested", "df": tested.df, "variance_used": tested.variance.name(), "fell_back": tested.fell_back,
    });
    let report = report.answer(tested.statistic, tested.p_value, details);
    if tested.fell_back {
        report.remark("the acf long-run variance is not positive; Bartlett's is used in its place")
    } else {
        report
    }
}

fn identical(report: Report, what: &str) -> Report {
    report.answer(None, 1.0, json!({ "answer": "identical" })).remark(format!("the {what} are identical"))
}

/// Flags of `test wilcoxon`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct WilcoxonArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Whether the columns are losses, or errors and which loss to take
    #[arg(long, value_enum, default_value_t)]
    loss: Loss,
    /// What becomes of differences of 0
    #[arg(long, value_enum, default_value_t)]
    zeros: ZerosFlag,
    /// Where the p-value comes from
    #[arg(long, value_enum, default_value_t)]
    method: MethodFlag,
    /// Continuity correction, with --method approx
    #[arg(long)]
    correction: bool,
    /// What is looked for
    #[arg(long, value_enum, default_value_t)]
    alternative: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum ZerosFlag {
    /// Dropped before ranking
    #[default]
    Wilcox,
    /// Ranked, then dropped
    Pratt,
    /// Ranked, and half counted on either side
    Zsplit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum MethodFlag {
    /// Exact up to 500 differences, then the normal approximation
    #[default]
    Auto,
    /// The permutation distribution, with ties and zeros as they are
    Exact,
    /// Tables for untied ranks, as method="exact" of scipy.stats.wilcoxon
    Tabulated,
    /// The normal approximation
    #[value(alias = "asymptotic")]
    Approx,
}

impl WilcoxonArgs {
    fn question(&self) -> wilcoxon::Question {
        let zeros = match self.zeros {
            ZerosFlag::Wilcox => wilcoxon::Zeros::Wilcox,
            ZerosFlag::Pratt => wilcoxon::Zeros::Pratt,
            ZerosFlag::Zsplit => wilcoxon::Zeros::Split,
        };
        let method = match self.method {
            MethodFlag::Auto => wilcoxon::Method::Auto,
            MethodFlag::Exact => wilcoxon::Method::Exact,
            MethodFlag::Tabulated => wilcoxon::Method::Tabulated,
            MethodFlag::Approx => wilcoxon::Method::Approx { corrected: self.correction },
        };
        wilcoxon::Question { zeros, method, alternative: self.alternative.into() }
    }
}

/// `test wilcoxon`.
pub(super) fn wilcoxon(args: &WilcoxonArgs) -> anyhow::Result<Report> {
    if args.correction && args.method != MethodFlag::Approx {
        return Err(Error::usage("--correction without --method approx", "the normal approximation").into());
    }
    let table = losses(&args.input, args.loss)?;
    let question = args.question();
    let settings = json!({
        "loss": args.loss.name(), "zeros": question.zeros.name(), "alternative": question.alternative.name(),
    });
    let report = Report::new("wilcoxon", &table, settings);
    match wilcoxon::wilcoxon(&table.columns[0], &table.columns[1], &question) {
        Ok(test) if test.zeros == table.columns[0].len() => Ok(identical(report, "losses")),
        Ok(test) => {
            let details =
                json!({ "method": test.method.name(), "zero_differences": test.zeros, "ties": test.has_ties });
            Ok(report.answer(test.statistic, test.p_value, details))
        }
        Err(reason) => report.without_answer(&reason),
    }
}

/// Two columns as losses; says so where negative numbers look like errors.
fn losses(args: &InputArgs, loss: Loss) -> shared::Result<Table> {
    let mut table = Table::read(args, Wanted::Pair)?;
    if loss == Loss::Given && table.columns.iter().flatten().any(|value| *value < 0.0) {
        table.notes.push("some losses are negative: if they are errors, say --loss abs or --loss squared".to_owned());
    }
    table.columns.iter_mut().flatten().for_each(|value| *value = loss.of(*value));
    Ok(table)
}

/// Flags of `test sign`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SignArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Whether the columns are losses, or errors and which loss to take
    #[arg(long, value_enum, default_value_t)]
    loss: Loss,
    /// What is looked for
    #[arg(long, value_enum, default_value_t)]
    alternative: Side,
}

/// `test sign`.
pub(super) fn sign(args: &SignArgs) -> anyhow::Result<Report> {
    let table = losses(&args.input, args.loss)?;
    let alternative = Alternative::from(args.alternative);
    let settings = json!({ "loss": args.loss.name(), "alternative": alternative.name() });
    let report = Report::new("sign", &table, settings);
    match sign::sign_test(&table.columns[0], &table.columns[1], alternative) {
        Ok(test) if test.wins + test.losses == 0 => Ok(identical(report, "losses")),
        Ok(test) => {
            let details = json!({ "wins": test.wins, "losses": test.losses, "ties": test.ties });
            Ok(report.answer(test.wins as f64, test.p_value, details))
        }
        Err(reason) => report.without_answer(&reason),
    }
}

/// Flags of `test pt`: the first column holds realised changes, the second predicted ones.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PtArgs {
    #[command(flatten)]
    input: InputArgs,
}

/// `test pt`.
pub(super) fn pesaran_timmermann(args: &PtArgs) -> anyhow::Result<Report> {
    let table = Table::read(&args.input, Wanted::Pair)?;
    let report = Report::new("pt", &table, json!({ "alternative": "greater" }));
    match direction::pesaran_timmermann(&table.columns[0], &table.columns[1]) {
        Ok(test) => {
            let details = json!({
                "realised": table.names[0], "predicted": table.names[1],
                "hit_rate": test.hit_rate, "expected_rate": test.expected_rate, "flat": test.flat,
            });
            Ok(report.answer(test.statistic, test.p_value, details))
        }
        Err(reason) => report.without_answer(&reason),
    }
}

/// Flags of `test gw`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct GwArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Whether the columns are losses, or errors and which loss to take
    #[arg(long, value_enum, default_value_t)]
    loss: Loss,
    /// Steps ahead of the forecasts
    #[arg(long, default_value_t = 1, value_name = "STEPS")]
    h: usize,
}

/// `test gw`.
pub(super) fn giacomini_white(args: &GwArgs) -> anyhow::Result<Report> {
    let table = losses(&args.input, args.loss)?;
    let report = Report::new("gw", &table, json!({ "h": args.h, "loss": args.loss.name() }));
    match gw::giacomini_white(&table.columns[0], &table.columns[1], args.h) {
        Ok(test) => {
            let details = json!({ "df": 2, "used": test.used, "mean_difference": test.mean_difference });
            Ok(report.answer(test.statistic, test.p_value, details))
        }
        Err(reason) => report.without_answer(&reason),
    }
}
