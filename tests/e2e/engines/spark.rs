//! Apache Spark on a cluster of two executors, one of which is killed while the job runs.

use std::process::Command;

use serde_json::Value;

use super::table::{Table, done, script};

/// Whether there is a Java; if not, a skip that is hard to overlook, and in CI a failure.
pub(super) fn has_java() -> bool {
    let found = Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "CI has no Java (apt-get install default-jre-headless)");
        eprintln!("\n*** SKIPPED: Spark needs Java, which is not installed\n");
    }
    found
}

#[test]
fn spark_gives_the_verdict_of_the_rows_though_an_executor_is_killed() {
    if !has_java() {
        return;
    }
    let Some(table) = Table::new("pyspark", "naive") else { return };
    let query = table.saved_query("spark", "last");
    let mut run = Command::new(&table.python);
    let said = done(run.arg(script("run_spark.py")).arg(table.place.path("")).arg(&query).arg(table.place.path("")));
    let said: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(said["lost"], 1, "the executor was killed while the job ran");
    for folder in ["parquet", "csv"] {
        table.assert_same(folder, "last");
    }
}
