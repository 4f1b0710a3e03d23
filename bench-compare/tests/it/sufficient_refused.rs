//! No change of a result goes unnoticed, and what a table is refused for its sums are refused for.

#![expect(clippy::unwrap_used, reason = "a test")]

use bench_compare::load::forecasts::Request;
use shared::Error;
use shared::format::sufficient::Measure;

use crate::sufficient_support::{CV, STATISTICS, Table, read, request};

#[test]
fn any_changed_number_is_refused_with_its_place() {
    let table = Table::read();
    let numbers: Vec<String> = table
        .header
        .iter()
        .filter(|name| ["n_", "sum_", "count_"].iter().any(|start| name.starts_with(start)))
        .cloned()
        .collect();
    assert!(numbers.len() > 25, "{numbers:?}");
    for group in ["0", "1", "2", "-1"] {
        for name in &numbers {
            let mut changed = table.clone();
            let row = changed.cell(group);
            let before = changed.set(row, name, "0");
            let value: f64 = before.parse().unwrap();
            changed.set(row, name, &(value + 1.0).to_string());
            let error = changed.refused();
            let text = error.to_string();
            assert!(text.contains("s.csv:") && text.contains("(expected "), "group {group}, {name}: {text}");
        }
    }
}

#[test]
fn a_changed_sum_is_refused_at_the_row_of_totals() {
    let mut table = Table::read();
    let (cell, totals) = (table.cell("0"), table.cell("-1"));
    let before: f64 = table.set(cell, "sum_absolute_error_m0", "0").parse().unwrap();
    table.set(cell, "sum_absolute_error_m0", &(before * 1.01).to_string());
    let column = table.column("sum_absolute_error_m0") + 1;
    let error = table.refused().to_string();
    assert!(error.contains(&format!("s.csv:{}:{column}: totals: ", totals + 2)), "{error}");
}

#[test]
fn counts_that_contradict_each_other_are_told_at_their_column() {
    let mut table = Table::read();
    let (cell, totals) = (table.cell("0"), table.cell("-1"));
    let rows: u64 = table.set(cell, "n_rows", "2").parse().unwrap();
    let all: u64 = table.set(totals, "n_rows", "0").parse().unwrap();
    // Totals that agree do not save it: fewer rows than are paired.
    table.set(totals, "n_rows", &(all - rows + 2).to_string());
    let error = table.refused().to_string();
    let column = table.column("n_times") + 1;
    assert!(
        error.contains(&format!(
            "s.csv:{}:{column}: series \"agriculture\", cutoff 2004-01-01: 6 (expected at most n_rows, which is 2)",
            cell + 2
        )),
        "{error}"
    );
}

#[test]
fn what_is_no_number_is_told_at_its_column() {
    for (name, value, expected) in [
        ("sum_absolute_error_m1", "NaN", "a finite sum"),
        ("sum_absolute_error_m1", "inf", "a finite sum"),
        ("sum_absolute_error_m1", "", "a finite sum"),
        ("n_paired", "-1", "a count"),
        ("n_paired", "5.5", "a count"),
        ("group_id", "7", "the number of a group"),
        ("first_ds", "soon", "a time"),
    ] {
        let mut table = Table::read();
        let cell = table.cell("0");
        table.set(cell, name, value);
        let place = format!("s.csv:{}:{}: ", cell + 2, table.column(name) + 1);
        let error = table.refused().to_string();
        assert!(error.contains(&place) && error.contains(expected), "{name} {value}: {error}");
    }
}

#[test]
fn a_missing_cell_and_one_that_is_there_twice_are_refused() {
    for group in ["0", "1", "2", "-1"] {
        let mut table = Table::read();
        let row = table.cell(group);
        let removed = table.rows.remove(row);
        table.refused();
        table.rows.extend([removed.clone(), removed]);
        let error = table.refused().to_string();
        assert!(error.contains("is at") && error.contains("already"), "{error}");
    }
}

#[test]
fn a_slice_is_no_more_than_all_rows_though_totals_agree() {
    let mut table = Table::read();
    let slice = table.cell("1");
    // The cell of another cutoff: the totals stay as they are.
    let free = table
        .rows
        .iter()
        .find(|row| {
            row[table.column("group_id")] == "0"
                && row[table.column("cutoff")] != table.rows[slice][table.column("cutoff")]
        })
        .unwrap()
        .clone();
    assert!(!free.is_empty());
    table.set(slice, "series", "nobody");
    let error = table.refused().to_string();
    assert!(error.contains("at most 0, as among all rows"), "{error}");
}

/// Sets a count of the first cell and of the totals.
fn counted(name: &str, less_times: bool) -> Error {
    let mut table = Table::read();
    for row in [table.cell("0"), table.cell("-1")] {
        let value: u64 = table.set(row, name, "0").parse().unwrap();
        let value = if less_times { value - 1 } else { value + 1 };
        table.set(row, name, &value.to_string());
    }
    table.refused()
}

#[test]
fn what_a_table_is_refused_for_its_statistics_are_with_a_query_that_shows_the_rows() {
    let late = counted("n_not_after", false);
    assert!(late.to_string().contains("1 rows have no target time after the cutoff"), "{late}");
    assert_eq!(late.help(), Some(r#"SELECT * FROM "cv" WHERE "ds" IS NULL OR "ds" <= "cutoff""#));
    let twice = counted("n_times", true);
    assert!(
        twice.to_string().contains("series \"agriculture\", cutoff 2004-01-01: 6 rows have 5 different"),
        "{twice}"
    );
    let query = r#"SELECT "unique_id", "cutoff", "ds", COUNT(*) FROM "cv" GROUP BY "unique_id", "cutoff", "ds" HAVING COUNT(*) > 1"#;
    assert_eq!(twice.help(), Some(query));
    let other = counted("n_other_actual", false);
    assert!(other.to_string().contains("1 actuals are others in the training table"), "{other}");
    let train = counted("n_train_twice", false);
    assert!(train.help().unwrap().contains(r#"FROM "train" GROUP BY"#), "{train}");
}

#[test]
fn too_many_unpaired_rows_are_refused_as_in_a_table() {
    let mut table = Table::read();
    let (cell, totals) = (table.cell("0"), table.cell("-1"));
    for name in ["n_rows", "n_times", "n_missing_m1"] {
        for row in [cell, totals] {
            let value: u64 = table.set(row, name, "0").parse().unwrap();
            table.set(row, name, &(value + 40).to_string());
        }
    }
    let error = table.refused().to_string();
    assert!(error.contains("of the rows are unpaired") && error.contains("SeasonalNaive"), "{error}");
}

#[test]
fn what_the_query_did_not_ask_is_refused_with_the_flag_that_asks_it() {
    let refused = |change: fn(&mut Request)| {
        let mut request = request();
        change(&mut request);
        let error = read(&[STATISTICS.into()], &request).unwrap_err();
        assert_eq!(error.help(), Some("print the query again with `bench-compare sql` and run it"));
        error.to_string()
    };
    assert!(refused(|request| request.models[1] = "SesonalNaive".into()).contains("did you mean \"SeasonalNaive\"?"));
    assert!(refused(|request| request.models.truncate(1)).contains("\"SeasonalNaive\" has no forecast"));
    assert!(refused(|request| request.slices.push("holiday=1".into())).contains("no slice \"holiday=1\""));
    assert!(refused(|request| request.by.push("n_train".into())).contains("no levels of \"n_train\""));
    assert!(refused(|request| request.measures.push(Measure::IntervalHit { level: 80.0 })).contains("interval_hit"));
}

#[test]
fn a_table_of_forecasts_and_results_of_two_queries_are_told_apart() {
    let error = read(&[CV.into()], &request()).unwrap_err();
    assert!(error.to_string().contains("no column \"statistics\""), "{error}");
    let mut table = Table::read();
    let header = table.set(3, "statistics", "").replace("\"season\":12", "\"season\":7");
    table.set(3, "statistics", &header);
    assert!(
        table.refused().to_string().contains("s.csv:5: the result of another query than at"),
        "{}",
        table.refused()
    );
    let mut table = Table::read();
    for row in 0..table.rows.len() {
        table.set(row, "statistics", "{\"schema\":\"x\"}");
    }
    assert!(table.refused().to_string().contains("JSON with the schema"), "{}", table.refused());
}
