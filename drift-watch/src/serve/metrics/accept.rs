//! Which of the two formats a client prefers.

use axum::http::{HeaderMap, header};

/// Whether the client rather has `OpenMetrics` 1.0; whoever says nothing has the older format.
pub(super) fn prefers_open_metrics(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT);
    let ranges: Vec<Range<'_>> = accepted
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(Range::parse)
        .collect();
    let best = |wanted: &dyn Fn(&Range<'_>) -> bool| {
        ranges.iter().filter(|range| wanted(range)).map(|range| range.quality).reduce(f64::max)
    };
    let any = |media: &'static str| best(&move |range| range.media == media);
    let plain = best(&|range| range.is_plain()).or(any("text/*")).or(any("*/*"));
    best(&|range| range.is_open_metrics()).is_some_and(|quality| quality > 0.0 && quality >= plain.unwrap_or(0.0))
}

/// One part of an `Accept` header.
struct Range<'a> {
    media: &'a str,
    version: Option<&'a str>,
    quality: f64,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let mut range = Self { media: parts.next().unwrap_or_default(), version: None, quality: 1.0 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim() {
                "q" => range.quality = value.trim().parse().unwrap_or(0.0),
                "version" => range.version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        range
    }

    fn is_plain(&self) -> bool {
        self.media.eq_ignore_ascii_case("text/plain") && self.version.is_none_or(|version| version == "0.0.4")
    }

    fn is_open_metrics(&self) -> bool {
        self.media.eq_ignore_ascii_case("application/openmetrics-text")
            && self.version.is_none_or(|version| version == "1.0.0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_quality_wins() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/plain", false),
            ("application/openmetrics-text", true),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", true),
            ("application/openmetrics-text; version=2.0.0", false),
            ("text/plain;version=0.0.4;q=0.5, application/openmetrics-text;version=1.0.0;q=0.3", false),
            ("application/openmetrics-text;q=0", false),
            // What Prometheus 2.42 sends.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                true,
            ),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(prefers_open_metrics(&headers), expected, "{accept}");
        }
    }
}
