//! Numbers and tables as pandas' `DataFrame.to_string` lays them out (checked against pandas 3.1.1).

use super::super::json::python::scientific;

/// `display.precision`.
const DIGITS: usize = 6;

/// A column of texts under one or two header cells.
pub(super) struct Column {
    /// The header cells, top down.
    pub(super) head: Vec<String>,
    /// The cells below it.
    pub(super) cells: Vec<String>,
}

impl Column {
    fn all(&self) -> impl Iterator<Item = &str> {
        self.head.iter().chain(&self.cells).map(String::as_str)
    }

    fn width(&self) -> usize {
        self.all().map(width).max().unwrap_or_default()
    }
}

/// Columns side by side, one space between them; the first is aligned left if `labels` is true, others right.
pub(super) fn lay_out(columns: &[Column], labels: bool) -> String {
    let height = columns.first().map_or(0, |column| column.all().count());
    let mut lines = vec![String::new(); height];
    for (index, column) in columns.iter().enumerate() {
        let target = column.width();
        for (line, cell) in lines.iter_mut().zip(column.all()) {
            line.push_str(if index == 0 { "" } else { " " });
            pad(line, cell, target, labels && index == 0);
        }
    }
    lines.join("\n")
}

fn pad(line: &mut String, cell: &str, target: usize, left: bool) {
    let blanks = " ".repeat(target.saturating_sub(width(cell)));
    let (before, after) = if left { ("", blanks.as_str()) } else { (blanks.as_str(), "") };
    line.extend([before, cell, after]);
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// A name as pandas prints it in a cell: tabs and line ends escaped.
pub(super) fn name(text: &str) -> String {
    text.replace('\t', "\\t").replace('\r', "\\r").replace('\n', "\\n")
}

/// The cells of a column of floats: six decimals, or six decimals and an exponent for the whole column if some value is
/// below 1e-6, or if some is above 1e6 and too wide; trailing zeros go where all values have them. NaN is `NaN`.
/// `lead` is what stands before a number that is not negative.
pub(super) fn floats(values: &[f64], lead: &str) -> Vec<String> {
    let fixed = trim_zeros(cells(values, lead, |value| format!("{value:.DIGITS$}")));
    let too_wide = fixed.iter().any(|cell| width(cell) > DIGITS + 6);
    let large = values.iter().any(|value| value.abs() > 1e6);
    let small = values.iter().any(|value| value.abs() < 1e-6 && value.abs() > 0.0);
    if small || (too_wide && large) {
        return cells(values, lead, |value| scientific(&format!("{value:.DIGITS$e}")));
    }
    fixed
}

fn cells(values: &[f64], lead: &str, format: impl Fn(f64) -> String) -> Vec<String> {
    let cell = |&value: &f64| match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_sign_negative() => format(value),
        _ => format!("{lead}{}", format(value)),
    };
    values.iter().map(cell).collect()
}

/// Drops the zeros that all numbers end with, down to one digit behind the point.
fn trim_zeros(mut cells: Vec<String>) -> Vec<String> {
    let numbers = |cells: &[String]| cells.iter().filter(|cell| *cell != "NaN").cloned().collect::<Vec<_>>();
    let zeros = |cell: &String| cell.len() - cell.trim_end_matches('0').len();
    let common = numbers(&cells).iter().map(zeros).min().unwrap_or_default().min(DIGITS - 1);
    for cell in cells.iter_mut().filter(|cell| *cell != "NaN") {
        cell.truncate(cell.len() - common);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::floats;

    #[test]
    fn columns_of_floats_as_pandas_writes_them() {
        // pandas 3.1.1: pd.DataFrame({"x": values}).to_string(index=False)
        let cases: [(&[f64], &[&str]); 6] = [
            (&[10.5, 2.25], &["10.50", "2.25"]),
            (&[1.0, 2.0], &["1.0", "2.0"]),
            (&[1.0, f64::NAN], &["1.0", "NaN"]),
            (&[1e-7, 2.0], &["1.000000e-07", "2.000000e+00"]),
            (&[1.5e6, 2.25], &["1500000.00", "2.25"]),
            (&[123_456_789.123_456, 2.25], &["1.234568e+08", "2.250000e+00"]),
        ];
        for (values, expected) in cases {
            assert_eq!(floats(values, ""), expected);
        }
    }
}
