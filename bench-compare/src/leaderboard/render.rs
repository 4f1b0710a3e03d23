//! A leaderboard as text for a terminal, CSV or Markdown.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};
use serde::Serialize;
use serde_json::Value;
use shared::plot::critical_difference;
use shared::{Error, Result};

use super::output::{FevRow, GiftRow, Leaderboard, PairRow, Rows};
use super::significance::{Nemenyi, PairTest, Tests};

/// Columns of a terminal that does not say how wide it is.
const WIDTH: u16 = 120;
/// A line above, below and under the header.
const LINES: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());

/// A table of text; the first column is a name, the others are numbers.
struct Sheet {
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// For a terminal as wide as `COLUMNS` says.
pub fn text(board: &Leaderboard) -> String {
    let width = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(WIDTH);
    let tables: Vec<String> = sheets(board).iter().map(|sheet| sheet.text(width)).collect();
    format!("{}\n\n{}\n{}", headline(board), tables.join("\n\n"), closing(board))
}

/// For a pull request.
pub fn markdown(board: &Leaderboard) -> String {
    let tables: Vec<String> = sheets(board).iter().map(Sheet::markdown).collect();
    format!("{}\n\n{}\n{}", headline(board), tables.join("\n\n"), closing(board))
}

/// One table with every digit: the pairs where they were asked for, else the models.
///
/// # Errors
/// None that input can cause.
pub fn csv(board: &Leaderboard) -> Result<String> {
    match (&board.pairwise, &board.rows) {
        (Some(pairs), _) => rows_as_csv(pairs),
        (None, Rows::Fev(rows)) => rows_as_csv(rows),
        (None, Rows::Gift(rows)) => rows_as_csv(rows),
    }
}

/// The critical-difference diagram as a file of its own.
pub fn diagram(nemenyi: &Nemenyi) -> String {
    let names: Vec<String> = nemenyi.ranks.iter().map(|rank| rank.model_name.clone()).collect();
    let ranks: Vec<f64> = nemenyi.ranks.iter().map(|rank| rank.mean_rank).collect();
    let svg = critical_difference(&names, &ranks, nemenyi.critical_difference);
    svg.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1) + "\n"
}

fn rows_as_csv<T: Serialize>(rows: &[T]) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| Error::Environment { what: format!("CSV: {error}"), help: None };
    let values = rows.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
    let mut header: Vec<&String> = Vec::new();
    for name in values.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
        if !header.contains(&name) {
            header.push(name);
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).map_err(|error| failed(&error))?;
    for row in &values {
        writer.write_record(header.iter().map(|name| plain(row.get(name)))).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn headline(board: &Leaderboard) -> String {
    let settings = &board.settings;
    let intervals = match settings.resamples {
        0 => "no intervals".to_owned(),
        n => format!(
            "{} % intervals from {n} resamples of {}, seed {}",
            percent(settings.confidence),
            settings.resampled,
            settings.seed
        ),
    };
    format!(
        "{} models on {} of {} tasks by {}, relative to {}; {intervals}",
        settings.n_models,
        settings.n_tasks_used,
        settings.n_tasks,
        settings.metrics.join(" and "),
        settings.baseline_model
    )
}

fn percent(proportion: f64) -> f64 {
    (proportion * 1e8).round() / 1e6
}

fn sheets(board: &Leaderboard) -> Vec<Sheet> {
    let main = match &board.rows {
        Rows::Fev(rows) => fev_sheet(rows),
        Rows::Gift(rows) => gift_sheet(rows, &board.settings.metrics),
    };
    let pairs = board.pairwise.as_deref().map(pair_sheet);
    let tests = board.tests.iter().flat_map(test_sheets);
    std::iter::once(main).chain(pairs).chain(tests).collect()
}

fn fev_sheet(rows: &[FevRow]) -> Sheet {
    let header = [
        "model",
        "win rate",
        "skill score",
        "unclipped",
        "inference s",
        "training s",
        "overlap",
        "failed",
        "clipped",
        "ties",
    ];
    let row = |row: &FevRow| {
        vec![
            row.model_name.clone(),
            with_interval(row.win_rate, row.win_rate_lower, row.win_rate_upper),
            with_interval(row.skill_score, row.skill_score_lower, row.skill_score_upper),
            number(row.skill_score_unclipped, 3),
            number(row.median_inference_time_s, 2),
            number(row.median_training_time_s, 2),
            number(row.training_corpus_overlap, 2),
            row.num_failures.to_string(),
            row.clipped.to_string(),
            row.ties.to_string(),
        ]
    };
    Sheet::new("", &header, rows.iter().map(row).collect())
}

fn gift_sheet(rows: &[GiftRow], metrics: &[String]) -> Sheet {
    let columns: Vec<String> = metrics.iter().flat_map(|m| [format!("normalised_{m}"), format!("{m}_rank")]).collect();
    let named = columns.iter().map(|name| name.replace('_', " "));
    let header: Vec<String> =
        std::iter::once("model".to_owned()).chain(named).chain(["failed", "ties"].map(str::to_owned)).collect();
    let row = |row: &GiftRow| {
        let get = |name: &String, end: &str| row.measures.get(&format!("{name}{end}")).copied().flatten();
        let cells = columns.iter().map(|name| with_interval(get(name, ""), get(name, "_lower"), get(name, "_upper")));
        let ends = [row.num_failures.to_string(), row.ties.to_string()];
        std::iter::once(row.model_name.clone()).chain(cells).chain(ends).collect()
    };
    Sheet { title: String::new(), header, rows: rows.iter().map(row).collect() }
}

/// Each pair once, the better mean rank first.
fn pair_sheet(pairs: &[PairRow]) -> Sheet {
    let models = pairs.len().isqrt().max(1);
    let once = pairs.iter().enumerate().filter(|(index, _)| index / models < index % models);
    let row = |(_, pair): (usize, &PairRow)| {
        vec![
            pair.model_1.clone(),
            pair.model_2.clone(),
            with_interval(pair.win_rate, pair.win_rate_lower, pair.win_rate_upper),
            with_interval(pair.skill_score, pair.skill_score_lower, pair.skill_score_upper),
            pair.ties.to_string(),
            pair.clipped.to_string(),
        ]
    };
    let header = ["model", "against", "win rate", "skill score", "ties", "clipped"];
    Sheet::new("Pairs, by mean rank", &header, once.map(row).collect())
}

fn test_sheets(tests: &Tests) -> Vec<Sheet> {
    let title = |what: &str| {
        format!(
            "{what}: signed-rank and sign tests on {} tasks or families, two-sided, Holm (level {})",
            tests.n, tests.alpha
        )
    };
    let against = pair_test_sheet(title("Against the baseline"), &tests.against_baseline);
    let next = pair_test_sheet(title("Neighbours in the ranking"), &tests.neighbours);
    let ranks = tests.nemenyi.as_ref().map(|nemenyi| rank_sheet(nemenyi, tests));
    [against, next].into_iter().chain(ranks).filter(|sheet| !sheet.rows.is_empty()).collect()
}

fn pair_test_sheet(title: String, tests: &[PairTest]) -> Sheet {
    let row = |test: &PairTest| {
        vec![
            test.model_1.clone(),
            test.model_2.clone(),
            number(test.skill_score, 3),
            format!("{}-{}-{}", test.wins, test.ties, test.losses),
            p_value(test.wilcoxon_p),
            p_value(test.wilcoxon_p_holm),
            p_value(test.sign_p_holm),
            if test.significant { "yes" } else { "no" }.to_owned(),
        ]
    };
    let header = ["model", "against", "skill", "won-tied-lost", "p", "p (Holm)", "sign p (Holm)", "differs"];
    Sheet { title, ..Sheet::new("", &header, tests.iter().map(row).collect()) }
}

fn rank_sheet(nemenyi: &Nemenyi, tests: &Tests) -> Sheet {
    let overall = tests
        .friedman
        .as_ref()
        .map(|test| format!("Friedman chi2 {:.4}, p {}; ", test.statistic, p_value(test.p_value)));
    let title = format!(
        "Mean ranks: {}Nemenyi critical difference {:.4} (level {}); a letter joins models that are not told apart",
        overall.unwrap_or_default(),
        nemenyi.critical_difference,
        tests.alpha
    );
    let row = |(index, rank): (usize, &super::significance::MeanRank)| {
        vec![rank.model_name.clone(), format!("{:.3}", rank.mean_rank), letters(nemenyi, index)]
    };
    let rows = nemenyi.ranks.iter().enumerate().map(row).collect();
    Sheet { title, ..Sheet::new("", &["model", "mean rank", "group"], rows) }
}

/// a, b, … z, aa, ab, …
fn letters(nemenyi: &Nemenyi, position: usize) -> String {
    let inside = nemenyi.groups.iter().enumerate().filter(|(_, group)| group.contains(&position));
    inside.map(|(index, _)| letter(index)).collect::<Vec<_>>().join(" ")
}

fn letter(index: usize) -> String {
    let last = char::from(b'a' + u8::try_from(index % 26).unwrap_or(0));
    let before = if index < 26 { String::new() } else { letter(index / 26 - 1) };
    format!("{before}{last}")
}

fn closing(board: &Leaderboard) -> String {
    let Some(tests) = &board.tests else { return String::new() };
    let set = tests.model_confidence_set.as_ref().map(|set| {
        let share = percent(1.0 - tests.alpha);
        format!("may be the best ({share} % model confidence set, {}): {}", set.statistic, set.members.join(", "))
    });
    let undefined = tests.undefined.iter().map(|reason| format!("undefined here: {reason}"));
    set.into_iter().chain(undefined).fold("\n".to_owned(), |text, line| text + &line + "\n")
}

/// The estimate with its interval, as many decimals as two digits of the interval's width need.
fn with_interval(point: Option<f64>, lower: Option<f64>, upper: Option<f64>) -> String {
    let Some((lower, upper)) = lower.zip(upper) else { return number(point, 3) };
    let decimals = decimals(upper - lower);
    format!("{} [{lower:.decimals$}, {upper:.decimals$}]", number(point, decimals))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=6")]
fn decimals(width: f64) -> usize {
    if width > 0.0 { (1.0 - width.log10().floor()).clamp(1.0, 6.0) as usize } else { 3 }
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

fn p_value(p: f64) -> String {
    if p < 0.0001 { "<0.0001".to_owned() } else { format!("{p:.4}") }
}

impl Sheet {
    fn new(title: &str, header: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { title: title.to_owned(), header: header.iter().map(|&name| name.to_owned()).collect(), rows }
    }

    fn text(&self, width: u16) -> String {
        let mut table = self.table();
        table.load_style(LINES).set_width(width);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        self.titled(&table)
    }

    fn markdown(&self) -> String {
        let mut table = self.table();
        table.load_style(presets::ASCII_MARKDOWN);
        self.titled(&table)
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.set_header(&self.header);
        table.add_rows(&self.rows);
        let names = self.header.iter().take_while(|name| ["model", "against"].contains(&name.as_str())).count();
        table.column_iter_mut().skip(names).for_each(|column| {
            column.set_cell_alignment(CellAlignment::Right);
        });
        table
    }

    fn titled(&self, table: &Table) -> String {
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        let gap = if self.title.is_empty() { "" } else { "\n\n" };
        format!("{}{gap}{}", self.title, lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_interval() {
        assert_eq!(with_interval(Some(0.83896), Some(0.8117), Some(0.8649)), "0.839 [0.812, 0.865]");
        assert_eq!(with_interval(Some(12.346), Some(2.1), Some(31.0)), "12.3 [2.1, 31.0]");
        assert_eq!(with_interval(Some(0.0), Some(0.0), Some(0.0)), "0.000 [0.000, 0.000]");
        assert_eq!(with_interval(None, None, None), "-");
    }

    #[test]
    fn letters_go_on_after_z() {
        assert_eq!([letter(0), letter(25), letter(26), letter(52)], ["a", "z", "aa", "ba"]);
    }
}
