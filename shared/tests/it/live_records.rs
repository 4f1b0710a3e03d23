//! Live records: what is a record, which fault each other row has, and that no bytes break the parser.

use jiff::Timestamp;
use proptest::prelude::*;
use shared::format::live::{
    Actual, CsvHeader, Fault, Kind, Parsed, Prediction, Record, parse_csv_row, parse_json, to_json,
};

const TIMES: &str = r#""target_time":"2013-06-03T00:00:00Z","observed_at":"2013-06-04T01:00:00Z""#;

fn actual(line: &str) -> Result<Parsed<'_>, Fault> {
    parse_json(Kind::Actuals, line.as_bytes(), None).map_err(|bad| bad.fault)
}

fn with_y(y: &str) -> Result<f64, Fault> {
    let line = format!(r#"{{"series":"a","y":{y},{TIMES}}}"#);
    match actual(&line)?.record {
        Record::Actual(actual) => Ok(actual.y),
        Record::Prediction(_) => panic!("asked for actuals"),
    }
}

fn prediction(extra: &str) -> Result<Prediction<'static>, Fault> {
    let line = format!(
        r#"{{"model":"m","version":2,"series":"a","issued_at":"2013-06-02T02:00:00Z","target_time":"2013-06-03T00:00:00Z","y_hat":1{extra}}}"#
    );
    let line: &'static str = line.leak();
    match parse_json(Kind::Predictions, line.as_bytes(), None).map_err(|bad| bad.fault)?.record {
        Record::Prediction(prediction) => Ok(prediction),
        Record::Actual(_) => panic!("asked for predictions"),
    }
}

#[test]
fn values_and_their_faults() {
    assert_eq!(with_y("17.0"), Ok(17.0));
    assert_eq!(with_y("\"12.5\""), Ok(12.5));
    assert_eq!(with_y("-1.5e-3"), Ok(-0.0015));
    assert_eq!(with_y("null"), Err(Fault::Null));
    assert_eq!(with_y("\"\""), Err(Fault::Null));
    assert_eq!(with_y("NaN"), Err(Fault::Nan));
    assert_eq!(with_y("\"nan\""), Err(Fault::Nan));
    assert_eq!(with_y("Infinity"), Err(Fault::Infinite));
    assert_eq!(with_y("-Infinity"), Err(Fault::Infinite));
    assert_eq!(with_y("\"-inf\""), Err(Fault::Infinite));
    assert_eq!(with_y("1e999"), Err(Fault::Infinite));
    assert_eq!(with_y("true"), Err(Fault::BadField));
    assert_eq!(with_y("[1]"), Err(Fault::BadField));
    for broken in ["", "01", "1.", "nul", "Nan", "+1", "'1'", "1 2"] {
        assert_eq!(with_y(broken), Err(Fault::BrokenLine), "{broken}");
    }
}

#[test]
fn broken_lines_and_bad_fields() {
    for broken in ["{", "[]", "{}x", "", "{\"series\":\"a\"", "\0\0\0", "{\"series\":\"a\u{1}\"}", "{\"a\":\"\\q\"}"] {
        assert_eq!(actual(broken).unwrap_err(), Fault::BrokenLine, "{broken:?}");
    }
    assert_eq!(actual("{}").unwrap_err(), Fault::BadField);
    assert_eq!(actual(&format!(r#"{{"series":"","y":1,{TIMES}}}"#)).unwrap_err(), Fault::BadField);
    assert_eq!(actual(&format!(r#"{{"series":"a","series":"a","y":1,{TIMES}}}"#)).unwrap_err(), Fault::BadField);
    assert_eq!(actual(&format!(r#"{{"series":1.5,"y":1,{TIMES}}}"#)).unwrap_err(), Fault::BadField);
    assert_eq!(parse_json(Kind::Actuals, b"{\"series\":\"\xff\"}", None).unwrap_err().fault, Fault::NotUtf8);
    let naive = r#"{"series":"a","y":1,"target_time":"2013-06-03T00:00:00","observed_at":"2013-06-04T01:00:00Z"}"#;
    assert_eq!(actual(naive).unwrap_err(), Fault::BadTime);
    let number = r#"{"series":"a","y":1,"target_time":1370217600,"observed_at":"2013-06-04T01:00:00Z"}"#;
    assert_eq!(actual(number).unwrap_err(), Fault::BadTime);
}

#[test]
fn byte_order_marks_line_ends_and_foreign_columns_are_no_faults() {
    let line =
        format!("\u{feff} {{ \"x\" : [1, {{\"y\":NaN}}, \"\\u00e9\"], \"series\":\"a\\\"b\",\"y\":1 ,{TIMES}}}\r\n");
    let Record::Actual(record) = actual(&line).unwrap().record else { panic!("asked for actuals") };
    assert_eq!((record.series.as_ref(), record.y), ("a\"b", 1.0));
}

#[test]
fn an_offset_is_told() {
    let line =
        r#"{"series":"a","target_time":"2013-06-11T20:00:00-04:00","y":17.0,"observed_at":"2013-06-13T01:00:00Z"}"#;
    assert!(actual(line).unwrap().offset_timestamp);
    assert!(!actual(&line.replace("20:00:00-04:00", "20:00:00Z")).unwrap().offset_timestamp);
}

#[test]
fn intervals_levels_and_segments() {
    assert_eq!(prediction("").unwrap().version, "2");
    assert_eq!(prediction(r#","lo":0,"hi":2,"level":90"#).unwrap().interval, Some((0.0, 2.0)));
    assert_eq!(prediction(r#","lo":null,"hi":null,"level":null"#).unwrap().interval, None);
    for bad in [r#","lo":0"#, r#","hi":0,"lo":null"#, r#","lo":3,"hi":2"#, r#","level":0.9"#, r#","level":100"#] {
        assert_eq!(prediction(bad), Err(Fault::BadField), "{bad}");
    }
    assert_eq!(prediction(r#","lo":NaN,"hi":2"#), Err(Fault::Nan));
    let segments =
        prediction(r#","segment.region":"north","segment.tier":2,"segment.new":true,"segment.x":null"#).unwrap();
    let pairs: Vec<(&str, &str)> =
        segments.segments.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    assert_eq!(pairs, [("region", "north"), ("tier", "2"), ("new", "true")]);
    let many: Vec<String> = (0..65).map(|number| format!(r#","segment.s{number}":"x""#)).collect();
    assert_eq!(prediction(&many.concat()), Err(Fault::BadField));
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |number| number.is_finite())
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (-60_000_000_000_i64..250_000_000_000, 0..1_000_000_000)
        .prop_filter_map("a time", |(second, nanosecond)| Timestamp::new(second, nanosecond).ok())
}

fn name() -> impl Strategy<Value = String> {
    "\\PC{0,12}|\"\\\\|a\nb".prop_filter("a name", |name| !name.trim().is_empty())
}

fn a_prediction() -> impl Strategy<Value = Record<'static>> {
    let interval = prop::option::of((finite(), finite()).prop_map(|(a, b)| (a.min(b), a.max(b))));
    let segments = prop::collection::btree_map("[a-z\"é]{1,6}", name(), 0..4);
    let keys = (name(), name(), name(), instant(), instant());
    (keys, prop::option::of(any::<u32>()), finite(), interval, prop::option::of(1.5..99.5), segments).prop_map(
        |((model, version, series, issued_at, target_time), horizon, y_hat, interval, level, segments)| {
            Record::Prediction(Prediction {
                model: model.into(),
                version: version.into(),
                series: series.into(),
                issued_at,
                target_time,
                horizon,
                y_hat,
                interval,
                level,
                segments: segments.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            })
        },
    )
}

fn an_actual() -> impl Strategy<Value = Record<'static>> {
    (name(), instant(), finite(), instant(), prop::option::of(any::<u32>())).prop_map(
        |(series, target_time, y, observed_at, revision)| {
            Record::Actual(Actual { series: series.into(), target_time, y, observed_at, revision })
        },
    )
}

/// Texts that are close to objects, so that the scanner gets far into them.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("\"a\":".to_owned()),
        Just("\"y\":1,".to_owned()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[0-9]{1,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,1})?",
        "\"(\\\\[\"nu0a]|[a-zé ]){0,5}\"",
        "[ \t]{1,2}",
    ];
    prop::collection::vec(token, 0..12).prop_map(|tokens| format!("{{{}}}", tokens.concat()))
}

fn nested_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        finite().prop_map(Value::from),
        "\\PC{0,8}|\"\\\\\n".prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"]{0,3}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn a_written_prediction_is_read_again(record in a_prediction()) {
        let line = to_json(&record);
        prop_assert_eq!(parse_json(Kind::Predictions, line.as_bytes(), None).map(|parsed| parsed.record), Ok(record));
    }

    #[test]
    fn a_written_actual_is_read_again(record in an_actual()) {
        let line = to_json(&record);
        prop_assert_eq!(parse_json(Kind::Actuals, line.as_bytes(), None).map(|parsed| parsed.record), Ok(record));
    }

    #[test]
    fn a_csv_row_says_what_the_json_line_says(record in an_actual()) {
        let Record::Actual(actual) = &record else { unreachable!() };
        // A row is one line: names with line breaks are for JSON.
        prop_assume!(!actual.series.contains(['\n', '\r']));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let revision = actual.revision.map(|number| number.to_string()).unwrap_or_default();
        let times = (actual.target_time.to_string(), actual.observed_at.to_string());
        writer.write_record([&actual.series, times.0.as_str(), &actual.y.to_string(), &times.1, &revision]).unwrap();
        let row = writer.into_inner().unwrap();
        let header = CsvHeader::parse(Kind::Actuals, b"series,target_time,y,observed_at,revision").unwrap();
        prop_assert_eq!(parse_csv_row(&header, &row, None).map(|parsed| parsed.record), Ok(record));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let header = CsvHeader::parse(Kind::Actuals, b"series,target_time,y,observed_at").unwrap();
        for kind in [Kind::Predictions, Kind::Actuals] {
            drop((parse_json(kind, &bytes, None), CsvHeader::parse(kind, &bytes), parse_csv_row(&header, &bytes, None)));
        }
    }

    #[test]
    fn a_damaged_line_never_panics(record in a_prediction(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut line = to_json(&record).into_bytes();
        let at = at.index(line.len());
        drop(parse_json(Kind::Predictions, &line[..at], None));
        line[at] = byte;
        drop(parse_json(Kind::Predictions, &line, None));
    }

    #[test]
    fn a_line_is_broken_exactly_where_serde_json_says_so(line in nearly_json()) {
        let ours = actual(&line).map(drop).unwrap_err();
        let theirs: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&line);
        prop_assert_eq!(ours == Fault::BrokenLine, theirs.is_err(), "{}", line);
    }

    #[test]
    fn foreign_columns_may_hold_anything(value in nested_json(), pretty in any::<bool>()) {
        let mut object = serde_json::json!({"series": "a", "y": 1, "target_time": "2013-06-03T00:00:00Z"});
        object["foreign"] = value;
        object["observed_at"] = "2013-06-04T01:00:00Z".into();
        let line = if pretty { serde_json::to_string_pretty(&object).unwrap() } else { object.to_string() };
        prop_assert!(actual(&line).is_ok(), "{}", line);
    }
}
