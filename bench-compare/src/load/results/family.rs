//! Families of tasks: which tasks come from one source, so that a resample should keep them together.

/// Words that name a frequency at the end of a dataset's name.
const WORDS: [&str; 9] =
    ["secondly", "minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "yearly", "annual"];
/// Units of pandas' frequency strings, old and new.
const UNITS: [&str; 20] =
    ["S", "s", "T", "min", "H", "h", "D", "B", "W", "M", "MS", "ME", "Q", "QS", "QE", "A", "Y", "YS", "YE", "AS"];

/// The stem of a dataset's name: what is left without a frequency at its end, so that `ETT_15T`, `ETT_1H` and `ETT_1D`
/// are one family, as are `ett1/15T/short` and `ett1/D/short`, or `m4_daily` and `m4_hourly`. A number without a unit
/// (`boomlet_1062`) or a unit without a number (`group_A`) stays: it may be an identifier.
///
/// ```
/// use bench_compare::load::results::family_stem;
/// assert_eq!(family_stem("ETT_15T"), "ETT");
/// assert_eq!(family_stem("ett1/15T/short"), "ett1");
/// assert_eq!(family_stem("boomlet_1062"), "boomlet_1062");
/// ```
pub fn family_stem(name: &str) -> &str {
    let dataset = name.split_once('/').map_or(name, |(dataset, _)| dataset);
    match dataset.rsplit_once('_') {
        Some((stem, ending)) if !stem.is_empty() && is_frequency(ending) => stem,
        _ => dataset,
    }
}

fn is_frequency(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    WORDS.contains(&text) || (unit.len() < text.len() && UNITS.contains(&unit))
}

#[cfg(test)]
mod tests {
    use super::family_stem;

    #[test]
    fn frequencies_are_cut_and_identifiers_kept() {
        let cases = [
            ("LOOP_SEATTLE_5T", "LOOP_SEATTLE"),
            ("us_consumption_1Q", "us_consumption"),
            ("m4_monthly/M/short", "m4"),
            ("bitbrains_fast_storage/5T/long", "bitbrains_fast_storage"),
            ("fred_md_2025", "fred_md_2025"),
            ("solar_with_weather_15T", "solar_with_weather"),
            ("epf_de", "epf_de"),
            ("fred_md_2025/cee", "fred_md_2025"),
            ("hospital", "hospital"),
            ("group_A", "group_A"),
            ("_1H", "_1H"),
        ];
        for (name, stem) in cases {
            assert_eq!(family_stem(name), stem, "{name}");
        }
    }
}
