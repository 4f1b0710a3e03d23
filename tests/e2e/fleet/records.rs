//! Records of many series, in order; and the same in disorder and with repeats, as producers that try again bring them.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Partitions of the test.
pub(super) const PARTITIONS: u64 = 8;

/// Records come before an actual that was observed so much later.
pub(super) const LATENESS: SignedDuration = SignedDuration::from_hours(2);

const START: Timestamp = Timestamp::constant(1_704_067_200, 0);

/// A record: when it came into the world, and its line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    time: Timestamp,
    pub(super) line: String,
    pub(super) series: String,
}

/// An hourly forecast of each series and its actual; the errors of a tenth of the series grow after two thirds of the time. At the end a record that is
/// ten days later for each partition, so that nothing waits any more.
pub(super) fn sorted(n_series: u32, n_steps: u32, seed: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut all = Vec::new();
    for series in 0..n_series {
        for step in 0..n_steps {
            let target = START + SignedDuration::from_hours(step.into());
            let within = SignedDuration::from_secs(i64::from(series % 600));
            let size = if step * 3 > n_steps * 2 && series % 10 == 0 { 25.0 } else { 4.0 };
            let value = 100.0 + f64::from((series + step) % 24);
            let name = format!("s{series}");
            let (issued, observed) =
                (target - SignedDuration::from_mins(40) + within, target + SignedDuration::from_mins(5) + within);
            let forecast = value + size * (random.random::<f64>() - 0.5);
            all.push(row(issued, &name, format!(
                r#"{{"model":"m","version":"1","series":"{name}","issued_at":"{issued}","target_time":"{target}","horizon":1,"y_hat":{forecast:.3}}}"#
            )));
            let actual = value + random.random::<f64>();
            all.push(row(
                observed,
                &name,
                format!(r#"{{"series":"{name}","target_time":"{target}","y":{actual:.3},"observed_at":"{observed}"}}"#),
            ));
        }
    }
    all.extend(ends(START + SignedDuration::from_hours(i64::from(n_steps) + 240)));
    all.sort();
    all
}

fn row(time: Timestamp, series: &str, line: String) -> Row {
    Row { time, line, series: series.to_owned() }
}

fn ends(time: Timestamp) -> impl Iterator<Item = Row> {
    let mut of: BTreeMap<u64, String> = BTreeMap::new();
    (0..1000).map(|number| format!("end{number}")).for_each(|name| _ = of.entry(partition(&name)).or_insert(name));
    assert_eq!(of.len() as u64, PARTITIONS);
    of.into_values().map(move |name| {
        row(time, &name, format!(r#"{{"series":"{name}","target_time":"{time}","y":1,"observed_at":"{time}"}}"#))
    })
}

/// The partition of a series, as docs/howto/fleet.md tells producers.
pub(super) fn partition(series: &str) -> u64 {
    let digest = shared::digest::of_bytes(series.as_bytes());
    u64::from_str_radix(&digest[..16], 16).unwrap() % PARTITIONS
}

/// The same records, each up to nearly the lateness too late, and one in twenty once more.
pub(super) fn disordered(sorted: &[Row], seed: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    let mut all: Vec<(Timestamp, Row)> = Vec::new();
    for row in sorted {
        let mut late = || SignedDuration::from_secs(random.random_range(0..LATENESS.as_secs() - 60));
        all.push((row.time + late(), row.clone()));
        let again = late();
        if random.random_range(0..20) == 0 {
            all.push((row.time + again, row.clone()));
        }
    }
    all.sort();
    all.into_iter().map(|(_, row)| row).collect()
}

pub(super) fn text(rows: &[Row]) -> String {
    rows.iter().fold(String::new(), |mut text, row| {
        _ = writeln!(text, "{}", row.line);
        text
    })
}
