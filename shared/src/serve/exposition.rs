//! The two text formats: Prometheus 0.0.4 and `OpenMetrics` 1.0.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::histogram::Histogram;

/// Longest value of a label, in characters.
const LONGEST_VALUE: usize = 128;

/// What a family holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Counter,
    Gauge,
    Histogram,
}

/// The labels of a sample.
pub type Labels<'a> = Vec<(&'static str, Cow<'a, str>)>;

/// One number of a family.
pub type Sample<'a> = (Labels<'a>, f64);

/// An answer under construction. Samples with labels beyond its budget are dropped and counted.
#[derive(Debug)]
pub struct Exposition {
    text: String,
    open_metrics: bool,
    budget: usize,
    dropped: u64,
}

impl Exposition {
    /// An empty answer, as `OpenMetrics` or as Prometheus text, with so many samples with labels at most.
    pub fn new(open_metrics: bool, budget: usize) -> Self {
        Self { text: String::new(), open_metrics, budget, dropped: 0 }
    }

    /// Samples dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A family of gauges; nothing where there is no sample.
    pub fn gauges<'a>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample<'a>>) {
        self.family(Type::Gauge, name, help, samples);
    }

    /// A family of counters, whose name ends in `_total`.
    pub fn counters<'a>(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample<'a>>) {
        self.family(Type::Counter, name, help, samples);
    }

    /// One gauge without labels.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.gauges(name, help, [(Vec::new(), value)]);
    }

    /// A histogram without labels.
    pub fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(Type::Histogram, name, help);
        for (bound, count) in histogram.cumulative() {
            self.line(format_args!("{name}_bucket{{le=\"{}\"}} {}\n", number(bound), number(count as f64)));
        }
        let (sum, count) = (number(histogram.sum()), number(histogram.count() as f64));
        self.line(format_args!("{name}_sum {sum}\n{name}_count {count}\n"));
    }

    fn family<'a>(&mut self, kind: Type, name: &str, help: &str, samples: impl IntoIterator<Item = Sample<'a>>) {
        let mut seen = HashSet::new();
        for (labels, value) in samples {
            let labels = written(&labels);
            if !labels.is_empty() && (self.budget == 0 || seen.contains(&labels)) {
                self.dropped += 1;
                continue;
            }
            if seen.is_empty() {
                self.head(kind, name, help);
            }
            self.budget = self.budget.saturating_sub(usize::from(!labels.is_empty()));
            self.line(format_args!("{name}{labels} {}\n", number(value)));
            seen.insert(labels);
        }
    }

    fn head(&mut self, kind: Type, name: &str, help: &str) {
        let (family, kind) = match (kind, self.open_metrics) {
            (Type::Counter, true) => (name.trim_end_matches("_total"), "counter"),
            (Type::Counter, false) => (name, "counter"),
            (Type::Gauge, _) => (name, "gauge"),
            (Type::Histogram, _) => (name, "histogram"),
        };
        self.line(format_args!("# HELP {family} {help}\n# TYPE {family} {kind}\n"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        _ = self.text.write_fmt(line);
    }

    /// The text.
    pub fn finish(mut self) -> String {
        if self.open_metrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

fn written(labels: &Labels<'_>) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(&bounded(value)))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// A value that is too long ends in a part of its digest, so that two of them stay apart.
fn bounded(value: &str) -> Cow<'_, str> {
    let Some((cut, _)) = value.char_indices().nth(LONGEST_VALUE) else { return Cow::Borrowed(value) };
    let digest: [u8; 32] = Sha256::digest(value.as_bytes()).into();
    Cow::Owned(format!("{}…{}", &value[..cut], crate::digest::hex(&digest[..4])))
}

/// Both formats escape these three, and only these.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(value: &str, number: f64) -> Sample<'_> {
        (vec![("a", value.into())], number)
    }

    #[test]
    fn values_are_escaped_and_numbers_spelled_as_the_formats_say() {
        let mut text = Exposition::new(false, 9);
        let samples =
            [sample("x\\y\"z\nw", 1.0), sample("é", f64::NAN), sample("b", f64::NEG_INFINITY), sample("c", 1e300)];
        text.gauges("n", "Help.", samples);
        let expected = "# HELP n Help.\n# TYPE n gauge\nn{a=\"x\\\\y\\\"z\\nw\"} 1.0\nn{a=\"é\"} NaN\nn{a=\"b\"} -Inf\nn{a=\"c\"} 1e300\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn counters_of_openmetrics_lose_their_suffix_in_the_head() {
        let mut text = Exposition::new(true, 9);
        text.counters("n_total", "Help.", [(Vec::new(), 2.0)]);
        assert_eq!(text.finish(), "# HELP n Help.\n# TYPE n counter\nn_total 2.0\n# EOF\n");
    }

    #[test]
    fn buckets_of_a_histogram_add_up_to_its_count() {
        let mut histogram = Histogram::new(&[0.5, 2.0]);
        [0.25, 0.5, 1.0, 8.0].into_iter().for_each(|value| histogram.observe(value));
        let mut text = Exposition::new(false, 0);
        text.histogram("n_seconds", "Help.", &histogram);
        // A bound belongs to its own bucket: 0.25 and 0.5 are at most 0.5.
        let expected = "# HELP n_seconds Help.\n# TYPE n_seconds histogram\nn_seconds_bucket{le=\"0.5\"} 2.0\n\
                        n_seconds_bucket{le=\"2.0\"} 3.0\nn_seconds_bucket{le=\"+Inf\"} 4.0\n\
                        n_seconds_sum 9.75\nn_seconds_count 4.0\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn what_is_beyond_the_budget_or_twice_there_is_dropped_and_counted() {
        let mut text = Exposition::new(false, 2);
        text.gauges("n", "Help.", [sample("a", 1.0), sample("a", 2.0), sample("b", 3.0), sample("c", 4.0)]);
        text.gauges("m", "Help.", [sample("a", 1.0)]);
        text.gauge("bare", "Help.", 5.0);
        assert_eq!(text.dropped(), 3);
        let text = text.finish();
        assert!(
            text.contains("n{a=\"b\"} 3.0\n# HELP bare") && !text.contains(" m") && !text.contains("2.0"),
            "{text}"
        );
    }

    #[test]
    fn long_values_stay_apart() {
        let [one, two] = ["1", "2"].map(|end| format!("{}{end}", "é".repeat(10_000)));
        assert_ne!(bounded(&one), bounded(&two));
        assert_eq!(bounded(&one).chars().count(), LONGEST_VALUE + 9);
    }
}
