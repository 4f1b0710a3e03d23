//! The scores as tables: for a terminal, for Markdown, as CSV.

use comfy_table::presets::{ASCII_MARKDOWN, NOTHING};
use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle};
use shared::metric::Metric;

use super::result::{Models, Score};

/// Levels of a column that are printed before only their number is.
const SHOWN_LEVELS: usize = 40;

/// For a terminal.
pub(super) fn text(score: &Score) -> String {
    let parts = parts(score).into_iter().map(|(title, models)| match models {
        Some(models) => format!("{title}\n{}\n", table(models, &score.metrics, NOTHING)),
        None => format!("{title}\n"),
    });
    parts.collect::<Vec<_>>().join("\n")
}

/// For a pull request.
pub(super) fn markdown(score: &Score) -> String {
    let parts = parts(score).into_iter().map(|(title, models)| match models {
        Some(models) => format!("### {title}\n\n{}\n", table(models, &score.metrics, ASCII_MARKDOWN)),
        None => format!("{title}\n"),
    });
    parts.collect::<Vec<_>>().join("\n")
}

/// One line for each group and model.
pub(super) fn csv(score: &Score) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let keys = score.metrics.iter().map(|metric| metric.key());
    writer.write_record(["group", "level", "model", "n"].into_iter().chain(keys))?;
    for (group, level, models) in groups(score) {
        for (model, values) in &models.0 {
            let head = [group.to_owned(), level.to_owned(), model.clone(), values.rows.to_string()];
            let numbers =
                values.metrics.iter().map(|(_, value)| value.map(|value| value.to_string()).unwrap_or_default());
            writer.write_record(head.into_iter().chain(numbers))?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn groups(score: &Score) -> impl Iterator<Item = (&str, &str, &Models)> {
    let levels = score
        .groups
        .iter()
        .flat_map(|column| column.levels.iter().map(|(level, models)| (column.name.as_str(), level.as_str(), models)));
    let slices = score.slices.iter().map(|(name, models)| ("slice", name.as_str(), models));
    [("all", "", &score.models)].into_iter().chain(slices).chain(levels)
}

/// Title and content of each part; no content where levels are left out.
fn parts(score: &Score) -> Vec<(String, Option<&Models>)> {
    let mut parts = vec![(title(score), Some(&score.models))];
    parts.extend(score.slices.iter().map(|(name, models)| (format!("slice {name}"), Some(models))));
    for column in &score.groups {
        let shown = column.levels.iter().take(SHOWN_LEVELS);
        parts.extend(shown.map(|(level, models)| (format!("{} = {level}", column.name), Some(models))));
        let hidden = column.levels.len().saturating_sub(SHOWN_LEVELS);
        if hidden > 0 {
            parts.push((
                format!("… and {hidden} more levels of {} (--json or --format csv has all)", column.name),
                None,
            ));
        }
    }
    parts
}

fn title(score: &Score) -> String {
    let checks = &score.checks;
    let span = score.span.as_ref().map(|(from, to)| format!(", {from} to {to}")).unwrap_or_default();
    format!("{} of {} rows, {} series{span}", checks.paired, checks.rows, score.n_series)
}

fn table(models: &Models, metrics: &[Metric], style: TableStyle) -> Table {
    let mut table = Table::new();
    table.load_style(style).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["model", "n"].into_iter().chain(metrics.iter().map(|metric| metric.key())));
    for (model, values) in &models.0 {
        let numbers = values.metrics.iter().map(|(_, value)| value.map_or_else(|| "-".to_owned(), significant));
        table.add_row([model.clone(), values.rows.to_string()].into_iter().chain(numbers));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Five significant digits.
fn significant(value: f64) -> String {
    let magnitude = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    if !(-5.0..9.0).contains(&magnitude) {
        return format!("{value:.4e}");
    }
    let decimals = (0..9_u8).find(|&decimals| f64::from(decimals) >= 4.0 - magnitude).map_or(9, usize::from);
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_have_five_digits() {
        let shown = [0.0, 0.170_456_78, 123.456_789, -1_234_567.8, 1e-9, 1e12].map(super::significant);
        assert_eq!(shown, ["0.0000", "0.17046", "123.46", "-1234568", "1.0000e-9", "1.0000e12"]);
    }
}
