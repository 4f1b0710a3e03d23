//! The checklist as text and as Markdown.

use super::{Answer, AuditReport, Row};

/// What each step is about.
const STEPS: [&str; 6] =
    ["gather evidence", "package", "register, document", "wire into serving", "quality gates", "monitor"];

/// How much of a digest is shown.
const DIGEST_SHOWN: usize = 12;

pub(super) fn text(report: &AuditReport) -> String {
    let mut text = format!("{} {}, manifest sha256 {}\n", report.name, report.version, report.manifest_sha256);
    let mut step = 0;
    for row in &report.rows {
        if row.step != step {
            step = row.step;
            text.push_str(&format!("\n{step} {}\n", STEPS[usize::from(step) - 1]));
        }
        text.push_str(&lines(row));
    }
    text + "\n" + &summary(report) + "\n"
}

fn lines(row: &Row) -> String {
    let mut text = format!("  {:<5} {:<14} {}\n", word(row), row.row, row.reason);
    for proof in &row.evidence {
        text.push_str(&format!("{:23}{}{}\n", "", proof.place, digest(proof.sha256.as_deref())));
    }
    if row.answer == Answer::Fail {
        text.push_str(&format!("{:23}check it with: {}\n", "", row.command));
    }
    text
}

fn word(row: &Row) -> &'static str {
    match (row.answer, row.required) {
        (Answer::Pass, _) => "pass",
        (Answer::Fail, true) => "FAIL",
        (Answer::Fail, false) => "fail*",
        (Answer::NotApplicable, _) => "n/a",
    }
}

fn digest(sha256: Option<&str>) -> String {
    sha256.and_then(|text| text.get(..DIGEST_SHOWN)).map(|text| format!("  sha256 {text}…")).unwrap_or_default()
}

fn summary(report: &AuditReport) -> String {
    let count = |wanted: Answer| report.rows.iter().filter(|row| row.answer == wanted).count();
    let waived = report.rows.iter().filter(|row| row.answer == Answer::Fail && !row.required).count();
    let note = if waived > 0 { format!(" ({waived} of them not required*)") } else { String::new() };
    format!(
        "{}: {} pass, {} fail{note}, {} not applicable",
        if report.passed { "passed" } else { "NOT passed" },
        count(Answer::Pass),
        count(Answer::Fail),
        count(Answer::NotApplicable)
    )
}

pub(super) fn markdown(report: &AuditReport) -> String {
    let mut text = format!("# Audit of {} {}\n\n", report.name, report.version);
    text.push_str(&format!("Manifest sha256 `{}`. {}.\n\n", report.manifest_sha256, summary(report)));
    text.push_str("| Step | Row | Answer | Why | Evidence |\n| --- | --- | --- | --- | --- |\n");
    for row in &report.rows {
        let proofs: Vec<String> =
            row.evidence.iter().map(|proof| format!("`{}`{}", proof.place, digest(proof.sha256.as_deref()))).collect();
        let cells = [
            row.step.to_string(),
            row.question.to_owned(),
            word(row).trim_end_matches('*').to_owned(),
            row.reason.clone(),
            proofs.join("<br>"),
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace(['\n', '\r'], " "));
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}
