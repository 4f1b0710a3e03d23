//! Verdicts to draw: one for each decision, one with hostile names, one with very many series.

use serde_json::json;
use shared::digest;
use shared::format::input::{Input, Tool};
use shared::format::sufficient::Checks;
use shared::format::verdict::{
    Counts, Decision, Evidence, EvidenceKind, Gate, GateKind, Influence, Outcome, Part, Policy, Power, SCHEMA, Scale,
    Subject, Verdict,
};

const ALL: Counts = Counts { rows: 1932, series: 14, cutoffs: 23, independent_windows: 11.5 };

/// Mean absolute percentage error by series of `LightGBM` and `RandomForest` on the U.S. unemployment series.
const SERIES: [(&str, f64, f64); 14] = [
    ("education_and_health", 0.12342, 0.11617),
    ("construction", 0.19464, 0.18678),
    ("information", 0.22495, 0.22027),
    ("other", 0.13072, 0.12952),
    ("mining_and_extraction", 0.56661, 0.56347),
    ("wholesale_and_retail_trade", 0.09625, 0.09622),
    ("leisure_and_hospitality", 0.08952, 0.0897),
    ("self_employed", 0.12805, 0.12833),
    ("finance", 0.15844, 0.15966),
    ("agriculture", 0.27881, 0.28432),
    ("manufacturing", 0.14864, 0.153),
    ("government", 0.13311, 0.14004),
    ("business_services", 0.13137, 0.14116),
    ("transportation_and_utilities", 0.14144, 0.15674),
];

/// The same by cutoff.
const WINDOWS: [(&str, f64, f64); 23] = [
    ("2005-10-01", 0.14662, 0.12517),
    ("2005-01-01", 0.15886, 0.1411),
    ("2008-10-01", 0.26462, 0.24946),
    ("2004-07-01", 0.2534, 0.24515),
    ("2006-01-01", 0.12931, 0.12597),
    ("2007-07-01", 0.15654, 0.1546),
    ("2009-04-01", 0.21816, 0.21582),
    ("2005-04-01", 0.26138, 0.26052),
    ("2009-07-01", 0.12179, 0.12146),
    ("2008-07-01", 0.20739, 0.20691),
    ("2007-10-01", 0.13031, 0.13066),
    ("2008-04-01", 0.19707, 0.1994),
    ("2005-07-01", 0.24286, 0.24719),
    ("2009-01-01", 0.22842, 0.23629),
    ("2004-10-01", 0.16428, 0.17152),
    ("2008-01-01", 0.16307, 0.17033),
    ("2007-04-01", 0.14758, 0.15513),
    ("2004-01-01", 0.21241, 0.22353),
    ("2004-04-01", 0.29322, 0.30928),
    ("2006-10-01", 0.10852, 0.11523),
    ("2006-04-01", 0.13774, 0.14755),
    ("2006-07-01", 0.11767, 0.12706),
    ("2007-01-01", 0.12147, 0.13524),
];

/// A gate on `mape` with a margin of 2 %, passed.
pub(crate) fn gate(name: &str, estimate: f64, interval: Option<[f64; 2]>) -> Gate {
    Gate {
        name: name.to_owned(),
        kind: GateKind::NonInferiority,
        metric: "mape".to_owned(),
        slice: None,
        baseline: Some("RandomForest".to_owned()),
        outcome: Outcome::Pass,
        candidate_value: Some(0.1832 * (1.0 + estimate)),
        baseline_value: Some(0.1832),
        scale: Scale::Relative,
        estimate: Some(estimate),
        interval,
        margin: Some(0.02),
        p_value: Some(0.0021),
        p_adjusted: None,
        df: Some(9.0),
        n: ALL,
        reason: String::new(),
    }
}

fn slice(predicate: &str, estimate: f64, interval: [f64; 2], rows: u64) -> Gate {
    Gate {
        slice: Some(predicate.to_owned()),
        n: Counts { rows, ..ALL },
        ..gate(&format!("slice: {predicate}"), estimate, Some(interval))
    }
}

fn gates() -> Vec<Gate> {
    let superiority = Gate {
        kind: GateKind::Superiority,
        margin: Some(-0.01),
        p_value: Some(0.0008),
        ..gate("primary", -0.0624, Some([-0.0981, -0.0267]))
    };
    let direction = Gate {
        metric: "da".to_owned(),
        scale: Scale::Difference,
        margin: Some(0.01),
        candidate_value: Some(0.6412),
        baseline_value: Some(0.6207),
        ..gate("guardrail: da", -0.0205, Some([-0.0391, -0.0019]))
    };
    let time = Gate {
        kind: GateKind::Limit,
        metric: "training_time".to_owned(),
        margin: Some(0.5),
        candidate_value: Some(12.41),
        baseline_value: Some(9.08),
        p_value: None,
        df: None,
        n: Counts { rows: 1, ..Counts::default() },
        ..gate("guardrail: training_time", 0.3667, None)
    };
    let evidence = Gate {
        kind: GateKind::Evidence,
        margin: None,
        p_value: None,
        candidate_value: None,
        baseline_value: None,
        estimate: None,
        reason: "There are 11.5 windows that do not overlap; at least 8 were asked for.".to_owned(),
        ..gate("evidence: independent windows", 0.0, None)
    };
    let holiday = slice("holiday = 1", -0.031, [-0.0705, 0.0085], 308);
    vec![superiority, holiday, slice("n_train < 60", -0.0448, [-0.1021, 0.0125], 588), direction, time, evidence]
}

fn parts(table: &[(&str, f64, f64)], rows: u64, better_by: f64) -> Vec<Part> {
    let part = |(name, candidate, baseline): &(&str, f64, f64)| Part {
        name: (*name).to_owned(),
        rows,
        candidate_value: Some(candidate * (1.0 - better_by)),
        baseline_value: Some(*baseline),
        estimate: Some(candidate * (1.0 - better_by) / baseline - 1.0),
    };
    table.iter().map(part).collect()
}

fn checks() -> Checks {
    Checks {
        rows: 1944,
        paired: 1932,
        missing_actual: 4,
        missing_forecast: vec![8, 0],
        zero_actual: 3,
        ..Checks::default()
    }
}

fn evidence() -> Evidence {
    Evidence {
        kind: EvidenceKind::Forecasts,
        n: ALL,
        horizon: Some(6),
        span: Some(("2004-02-01".to_owned(), "2010-01-01".to_owned())),
        checks: Some(checks()),
        notes: vec!["Times without a zone were read as UTC.".to_owned()],
    }
}

fn policy() -> Policy {
    let settings = json!({
        "metric": "mape", "season": 12, "level": 0.95, "minimum_improvement": 0.01, "slice_margin": 0.02,
        "slices": ["holiday = 1", "n_train < 60"], "guardrails": {"da": 0.01, "training_time": 0.5}, "min_independent_windows": 8,
    });
    Policy {
        sha256: digest::of_bytes(settings.to_string().as_bytes()),
        rule: "evidence".to_owned(),
        alpha: 0.05,
        settings,
    }
}

fn inputs() -> Vec<Input> {
    let input = |role: &str, path: &str| Input {
        role: role.to_owned(),
        path: path.into(),
        sha256: digest::of_bytes(path.as_bytes()),
    };
    vec![
        input("forecasts", "data/cv/bls_unemployment_cv.parquet"),
        input("train", "data/cv/bls_unemployment_train.csv"),
    ]
}

/// Every gate passes.
pub(crate) fn promote() -> Verdict {
    let verdict = Verdict {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "bench-compare".to_owned(), version: "0.1.0".to_owned() },
        complete: true,
        missing: Vec::new(),
        decision: Decision::Promote,
        reasons: Vec::new(),
        candidate: "LightGBM".to_owned(),
        baselines: vec!["RandomForest".to_owned()],
        metric: "mape".to_owned(),
        gates: gates(),
        evidence: evidence(),
        series: parts(&SERIES, 138, 0.055),
        windows: parts(&WINDOWS, 84, 0.055),
        influence: Some(stable()),
        power: Some(power()),
        aa: None,
        subject: vec![Subject {
            role: "model".to_owned(),
            path: "models/lightgbm_v2.pkl".to_owned(),
            sha256: digest::of_bytes(b"lightgbm_v2"),
        }],
        policy: policy(),
        inputs: inputs(),
        seed: 20_261_123,
        other: std::collections::BTreeMap::default(),
    };
    explained(verdict)
}

fn stable() -> Influence {
    Influence {
        stable: true,
        changed_by: Vec::new(),
        strongest: Some("series transportation_and_utilities".to_owned()),
        estimate_without_strongest: Some(-0.0561),
    }
}

fn power() -> Power {
    Power { target: 0.8, detectable_effect: Some(-0.0437), further_cutoffs: None, reason: String::new() }
}

/// Writes the sentences of the gates, and those of the decisive gates as reasons.
fn explained(mut verdict: Verdict) -> Verdict {
    let sentences: Vec<String> = verdict.gates.iter().map(|gate| super::words::reason(&verdict, gate)).collect();
    for (gate, sentence) in verdict.gates.iter_mut().zip(sentences) {
        gate.reason = sentence;
    }
    verdict.reasons = super::words::reasons(&verdict);
    verdict
}

fn altered(decision: Decision, change: impl FnOnce(&mut Verdict)) -> Verdict {
    let mut verdict = Verdict { decision, reasons: Vec::new(), ..promote() };
    for gate in verdict.gates.iter_mut().filter(|gate| gate.kind != GateKind::Evidence) {
        gate.reason.clear();
    }
    change(&mut verdict);
    explained(verdict)
}

/// Better overall, worse on holidays.
pub(crate) fn reject() -> Verdict {
    altered(Decision::Reject, |verdict| {
        verdict.gates[1] = Gate {
            outcome: Outcome::Fail,
            p_value: Some(0.9938),
            ..slice("holiday = 1", 0.0873, [0.0512, 0.1234], 308)
        };
    })
}

/// A difference that this much data cannot show.
pub(crate) fn inconclusive() -> Verdict {
    altered(Decision::Inconclusive, |verdict| {
        let undecided = |gate: Gate| Gate { outcome: Outcome::Undecided, ..gate };
        let open = Gate { p_value: Some(0.551), ..gate("primary", -0.0076, Some([-0.0452, 0.0301])) };
        verdict.gates[0] = undecided(Gate { kind: GateKind::Superiority, margin: Some(-0.01), ..open });
        verdict.gates[2] =
            undecided(Gate { p_value: Some(0.217), ..slice("n_train < 60", 0.0021, [-0.0498, 0.054], 588) });
        verdict.series = parts(&SERIES, 138, 0.0);
        verdict.windows = parts(&WINDOWS, 84, 0.0);
        verdict.influence = Some(Influence {
            stable: false,
            changed_by: vec!["series transportation_and_utilities".to_owned(), "cutoff 2007-01-01".to_owned()],
            estimate_without_strongest: Some(0.0009),
            ..stable()
        });
        verdict.power = Some(Power { further_cutoffs: Some(412), ..power() });
    })
}

/// The candidate's forecasts are the baseline's.
pub(crate) fn identical() -> Verdict {
    altered(Decision::Identical, |verdict| {
        verdict.gates.truncate(2);
        for gate in &mut verdict.gates {
            *gate = Gate {
                outcome: Outcome::Identical,
                estimate: Some(0.0),
                interval: None,
                p_value: None,
                candidate_value: gate.baseline_value,
                ..gate.clone()
            };
        }
        verdict.series = SERIES.iter().flat_map(|&(name, _, mape)| parts(&[(name, mape, mape)], 138, 0.0)).collect();
        verdict.windows = WINDOWS.iter().flat_map(|&(name, _, mape)| parts(&[(name, mape, mape)], 84, 0.0)).collect();
        (verdict.influence, verdict.power) = (None, None);
    })
}

/// Names that would break a careless report.
pub(crate) const HOSTILE: [&str; 8] = [
    "<script>alert('x')</script>",
    "a | b `c` \"d\" 'e' & [f](javascript:g) *h* _i_ @jane #1",
    "line\nbreak\r\n::error::forged\u{1b}[31m red",
    "\u{202e}gnp.exe \u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{645}\u{631}\u{62d}\u{628}\u{627}",
    "]]><!-- </style></title> -->",
    "\u{0}\u{8}\u{fffe}nul",
    "",
    "\u{65e5}\u{672c}\u{8a9e}_\u{1f4c8}_a_very_long_name_that_goes_on_and_on_without_a_single_place_to_break_it_\
     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// [`reject`] in which every name is hostile, numbers are missing and extreme, and something is left undone.
pub(crate) fn hostile() -> Verdict {
    altered(Decision::Reject, |verdict| {
        verdict.candidate = HOSTILE[0].to_owned();
        verdict.baselines = HOSTILE[1..3].iter().map(|&name| name.to_owned()).collect();
        (verdict.complete, verdict.missing) = (false, vec![HOSTILE[2].to_owned()]);
        let names = HOSTILE.iter().cycle();
        for (gate, name) in verdict.gates.iter_mut().zip(names.clone()) {
            (gate.name, gate.baseline) = (format!("slice: {name}"), Some((*name).to_owned()));
            gate.slice = gate.slice.is_some().then(|| (*name).to_owned());
        }
        verdict.gates[0].interval = Some([f64::NEG_INFINITY, f64::NAN]);
        verdict.gates[1] =
            Gate { outcome: Outcome::Fail, estimate: Some(1e12), interval: None, ..verdict.gates[1].clone() };
        for (part, name) in verdict.series.iter_mut().chain(&mut verdict.windows).zip(names) {
            (*name).clone_into(&mut part.name);
        }
        (verdict.series[0].estimate, verdict.series[1].estimate) = (Some(f64::NAN), None);
        HOSTILE[0].clone_into(&mut verdict.subject[0].path);
        verdict.inputs[0].path = HOSTILE[4].into();
        verdict.policy.settings = json!({HOSTILE[0]: HOSTILE[1], "slices": [HOSTILE[2], HOSTILE[4]]});
        verdict.evidence.notes = HOSTILE.map(str::to_owned).to_vec();
        verdict.evidence.span = Some((HOSTILE[3].to_owned(), HOSTILE[4].to_owned()));
    })
}

/// Five hundred series and as many windows, forty gates.
pub(crate) fn wide() -> Verdict {
    altered(Decision::Promote, |verdict| {
        verdict.series = (0..500).map(spread).collect();
        verdict.windows = (0..500).map(|i| Part { name: format!("{i}"), ..spread(i * 7 % 500) }).collect();
        verdict.windows.sort_by(|a, b| b.estimate.partial_cmp(&a.estimate).unwrap());
        let slices = (0..34).map(|i| slice(&format!("store = {i}"), -0.03, [-0.06, 0.001 * f64::from(i % 19)], 400));
        verdict.gates.extend(slices);
        verdict.evidence.n = Counts { rows: 20_000_000, series: 500, cutoffs: 500, independent_windows: 83.2 };
    })
}

/// Part `rank` of 500: most lie near -5 %, a few are far worse.
fn spread(rank: u32) -> Part {
    let place = (f64::from(rank) + 0.5) / 500.0;
    let estimate = -0.05 - 0.03 * (place / (1.0 - place)).ln();
    Part {
        name: format!("store_{:03}__sku_{:05}", rank % 37, rank * 7919 % 90_001),
        rows: 840,
        candidate_value: Some(0.2 * (1.0 + estimate)),
        baseline_value: Some(0.2),
        estimate: Some(estimate),
    }
}

/// One for each decision.
pub(crate) fn each() -> [Verdict; 4] {
    [promote(), reject(), inconclusive(), identical()]
}
