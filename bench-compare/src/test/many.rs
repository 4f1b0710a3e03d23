//! Tests of several methods: Friedman, Nemenyi, model confidence set, superior predictive ability.

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use shared::stats::matrix::Losses;
use shared::stats::mcs::{ConfidenceSet, Statistic, model_confidence_set};
use shared::stats::rank::{self, Friedman};
use shared::stats::resample::{Plan, Scheme, optimal_block_length};
use shared::stats::spa::{Form, PValues, Spa, superior_predictive_ability};
use shared::stats::{Undefined, quantile};
use shared::{Error, Place};

use super::flags::InputArgs;
use super::report::Report;
use super::table::{Table, Wanted};

/// Seed of the bootstrap where none is given.
const SEED: u64 = 20_261_123;

/// Flags of `test friedman` and `test nemenyi`: a column for each method, a row for each task.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RankArgs {
    #[command(flatten)]
    input: InputArgs,
    /// Level of the critical difference
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
}

/// `test friedman`.
pub(super) fn friedman(args: &RankArgs) -> anyhow::Result<Report> {
    let table = Table::read(&args.input, Wanted::Several)?;
    let report = Report::new("friedman", &table, json!({}));
    match losses(&table).and_then(|losses| rank::friedman(&losses)) {
        Ok(test) => {
            let details = json!({
                "df": table.names.len() - 1,
                "iman_davenport_f": finite(test.iman_davenport_f), "iman_davenport_p": test.iman_davenport_p,
                "kendall_w": test.kendall_w, "mean_ranks": named(&table.names, &test.mean_ranks),
            });
            let agreed = test.iman_davenport_f.is_infinite();
            let report = report.answer(test.chi2, test.p_value, details);
            Ok(if agreed { report.remark("all tasks agree fully: Iman-Davenport's F is infinite") } else { report })
        }
        Err(reason) => report.without_answer(&reason),
    }
}

/// `test nemenyi`.
pub(super) fn nemenyi(args: &RankArgs) -> anyhow::Result<Report> {
    let table = Table::read(&args.input, Wanted::Several)?;
    let report = Report::new("nemenyi", &table, json!({ "alpha": args.alpha }));
    let computed = losses(&table).and_then(|losses| {
        let test = rank::friedman(&losses)?;
        let difference = rank::nemenyi_critical_difference(table.names.len(), test.tasks, args.alpha)?;
        Ok((test, difference))
    });
    match computed {
        Ok((test, difference)) => Ok(nemenyi_report(report, &table.names, &test, difference)),
        Err(reason) => report.without_answer(&reason),
    }
}

/// The widest pair's distance is the statistic, its p-value that of the test.
fn nemenyi_report(report: Report, names: &[String], test: &Friedman, difference: f64) -> Report {
    let p_values = rank::nemenyi_p_values(&test.mean_ranks, test.tasks);
    let sorted = quantile::quantiles(&test.mean_ranks, [0.0, 1.0]).unwrap_or_default();
    let smallest = p_values.iter().flatten().copied().fold(1.0, f64::min);
    let pairs: Map<String, Value> =
        names.iter().zip(&p_values).map(|(name, row)| (name.clone(), Value::Object(named(names, row)))).collect();
    let details = json!({
        "critical_difference": difference, "mean_ranks": named(names, &test.mean_ranks), "p_values": pairs,
    });
    report.answer(sorted[1] - sorted[0], smallest, details).remark(
        "statistic: distance of the best and the worst mean rank; p-value: that of this pair, corrected for all pairs",
    )
}

fn losses(table: &Table) -> Result<Losses, Undefined> {
    Losses::from_rows(&table.rows())
}

fn named(names: &[String], values: &[f64]) -> Map<String, Value> {
    names.iter().zip(values).map(|(name, value)| (name.clone(), json!(value))).collect()
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

/// Flags of a bootstrap.
#[derive(Debug, Clone, clap::Args)]
struct BootstrapArgs {
    /// How blocks are laid
    #[arg(long, value_enum, default_value_t, help_heading = "Bootstrap")]
    bootstrap: SchemeFlag,
    /// (Mean) block length [default: the longest that Politis and White's rule gives for any method]
    #[arg(long, value_name = "ROWS", help_heading = "Bootstrap")]
    block: Option<usize>,
    /// Resampled series
    #[arg(long, default_value_t = 10_000, value_name = "COUNT", help_heading = "Bootstrap")]
    resamples: usize,
    /// Seed; the answer does not depend on the number of threads
    #[arg(long, default_value_t = SEED, help_heading = "Bootstrap")]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum SchemeFlag {
    /// Blocks of random length (Politis and Romano)
    #[default]
    Stationary,
    /// Blocks of equal length, around the end
    Circular,
    /// Blocks of equal length within the series
    Moving,
}

impl BootstrapArgs {
    fn plan(&self, losses: &Losses) -> Plan {
        let scheme = match self.bootstrap {
            SchemeFlag::Stationary => Scheme::Stationary,
            SchemeFlag::Circular => Scheme::Circular,
            SchemeFlag::Moving => Scheme::Moving,
        };
        let block = self.block.unwrap_or_else(|| longest_block(losses, scheme));
        Plan { scheme, block, replicates: self.resamples, seed: self.seed }
    }
}

/// The longest optimal block of any method's distance from the mean of all; 1 where none can be estimated.
fn longest_block(losses: &Losses, scheme: Scheme) -> usize {
    let mean = |row: &[f64]| row.iter().sum::<f64>() / row.len() as f64;
    let length = |column: usize| {
        let distance: Vec<f64> = losses.each_row().map(|row| row[column] - mean(row)).collect();
        let found = optimal_block_length(&distance).ok()?;
        Some(if scheme == Scheme::Stationary { found.stationary } else { found.circular })
    };
    let longest = (0..losses.columns()).filter_map(length).fold(1.0, f64::max).ceil();
    (1..=losses.rows()).find(|rows| *rows as f64 >= longest).unwrap_or(1)
}

fn bootstrap_settings(plan: &Plan) -> Map<String, Value> {
    let settings = [
        ("bootstrap", json!(plan.scheme.name())),
        ("block", json!(plan.block)),
        ("resamples", json!(plan.replicates)),
        ("seed", json!(plan.seed)),
    ];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Flags of `test mcs`: a column of losses for each method, rows in order of time.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct McsArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    bootstrap: BootstrapArgs,
    /// Statistic and elimination rule
    #[arg(long, value_enum, default_value_t)]
    statistic: StatisticFlag,
    /// The set holds the best method with 1 - ALPHA
    #[arg(long, default_value_t = 0.1)]
    alpha: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum StatisticFlag {
    /// The widest pair
    #[default]
    #[value(name = "R", alias = "r")]
    Range,
    /// The method furthest above the mean
    Max,
}

/// `test mcs`.
pub(super) fn confidence_set(args: &McsArgs) -> anyhow::Result<Report> {
    let table = Table::read(&args.input, Wanted::Several)?;
    let statistic = match args.statistic {
        StatisticFlag::Range => Statistic::Range,
        StatisticFlag::Max => Statistic::Max,
    };
    let mut report = Report::new("mcs", &table, json!({ "rule": statistic.name(), "alpha": args.alpha }));
    let computed = losses(&table).and_then(|losses| {
        let plan = args.bootstrap.plan(&losses);
        report.settings.append(&mut bootstrap_settings(&plan));
        level(args.alpha)?;
        model_confidence_set(&losses, statistic, &plan)
    });
    match computed {
        Ok(set) => Ok(set_report(report, &table.names, &set, args.alpha)),
        Err(reason) => report.without_answer(&reason),
    }
}

/// The p-value of the test is that of the first step: the hypothesis that all methods are equally good.
fn set_report(report: Report, names: &[String], set: &ConfidenceSet, alpha: f64) -> Report {
    let name = |column: &usize| names[*column].clone();
    let details = json!({
        "p_values": named(names, &set.p_values),
        "included": set.members(alpha).iter().map(name).collect::<Vec<_>>(),
        "eliminated": set.eliminated.iter().map(name).collect::<Vec<_>>(),
    });
    let first = set.eliminated.first().map_or(1.0, |&column| set.p_values[column]);
    report
        .answer(set.statistic, first, details)
        .remark("statistic and p-value: of the first step, that all methods are equally good")
}

fn level(alpha: f64) -> Result<(), Undefined> {
    let sound = alpha > 0.0 && alpha < 1.0;
    if sound { Ok(()) } else { Err(Undefined::setting("alpha must lie between 0 and 1")) }
}

/// Flags of `test spa`: a column of losses for each method and the benchmark, rows in order of time.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SpaArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    bootstrap: BootstrapArgs,
    /// The column that the others are tested against [default: the first]
    #[arg(long, value_name = "NAME")]
    benchmark: Option<String>,
    /// Take statistic and p-value from Hansen's studentised form, not from the plain one (both are in the details)
    #[arg(long, visible_alias = "studentize")]
    studentise: bool,
    /// Level of the stepwise method
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
}

/// `test spa`.
pub(super) fn superior_ability(args: &SpaArgs) -> anyhow::Result<Report> {
    let table = Table::read(&args.input, Wanted::Several)?;
    let benchmark = benchmark(args, &table)?;
    let settings = json!({ "benchmark": table.names[benchmark], "studentised": args.studentise, "alpha": args.alpha });
    let mut report = Report::new("spa", &table, settings);
    let computed = losses(&table).and_then(|losses| {
        let plan = args.bootstrap.plan(&losses);
        report.settings.append(&mut bootstrap_settings(&plan));
        superior_predictive_ability(&losses, benchmark, args.alpha, &plan)
    });
    match computed {
        Ok(spa) => Ok(spa_report(report, &table.names, &spa, args)),
        Err(reason) => report.without_answer(&reason),
    }
}

fn benchmark(args: &SpaArgs, table: &Table) -> shared::Result<usize> {
    let Some(name) = &args.benchmark else { return Ok(0) };
    table.names.iter().position(|known| known == name).ok_or_else(|| {
        let found = format!("--benchmark \"{name}\" is not among the columns tested");
        Error::input(Place::file(&args.input.file), found, format!("one of {}", table.names.join(", ")))
    })
}

fn spa_report(report: Report, names: &[String], spa: &Spa, args: &SpaArgs) -> Report {
    let describe = |form: Form| {
        let answer = spa.of(form);
        let PValues { lower, consistent, upper } = answer.p_values;
        let superior: Vec<&String> = answer.superior.iter().map(|&column| &names[column]).collect();
        json!({
            "statistic": answer.statistic, "lower": lower, "consistent": consistent, "upper": upper,
            "best": names[answer.best], "superior": superior,
        })
    };
    let details = json!({ "plain": describe(Form::Plain), "studentised": describe(Form::Studentised) });
    let chosen = spa.of(if args.studentise { Form::Studentised } else { Form::Plain });
    let other = spa.of(if args.studentise { Form::Plain } else { Form::Studentised });
    let report = report.answer(chosen.statistic, chosen.p_values.consistent, details);
    let differ = (chosen.p_values.consistent <= args.alpha) != (other.p_values.consistent <= args.alpha);
    if differ {
        report.remark(
            "the plain and the studentised form disagree at this level: the plain one is dominated by the methods whose \
             differences vary most",
        )
    } else {
        report
    }
}
