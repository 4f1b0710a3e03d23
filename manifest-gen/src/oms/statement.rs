//! What is signed: an in-toto statement that lists every file with its digest.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::bundle::strict_json;
use super::hash::{Algorithm, FileDigest, from_hex, hex};
use super::paths;

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://model_signing/signature/v1.0";
const PREDICATE_TYPE_BEFORE_1_0: &str = "https://model_signing/Digests/v0.1";
/// Fields of the predicate that the specification defines.
pub(super) const RESERVED: [&str; 2] = ["serialization", "resources"];

/// A file, or a part of one, and its digest, as the signature lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The relative path; for a part `path:start:end`.
    pub name: String,
    /// `sha256`, `blake3` or `sha256-sharded-<bytes>`.
    pub algorithm: String,
    /// The digest in lower-case hexadecimal.
    pub digest: String,
}

/// How the listed digests were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// One digest for each file.
    Files(Algorithm),
    /// One SHA-256 for each part of this many bytes.
    Shards(u64),
}

/// A statement that is sound in itself.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) method: Method,
    /// Paths that it leaves out.
    pub(super) ignored: Vec<String>,
    pub(super) resources: Vec<Resource>,
    /// The whole predicate, with the fields that we do not know.
    pub(super) predicate: Value,
}

/// Writes the statement over `files`, which are sorted.
pub(super) fn write(name: &str, files: &[FileDigest], ignored: &[String], extra: Map<String, Value>) -> Vec<u8> {
    let ignored: Vec<&str> = paths::GIT.into_iter().chain(ignored.iter().map(String::as_str)).collect();
    let resource = |file: &FileDigest| json!({"name": file.path, "algorithm": "sha256", "digest": file.sha256});
    let mut predicate = Map::new();
    predicate.insert(
        "serialization".into(),
        json!({"method": "files", "hash_type": "sha256", "allow_symlinks": false, "ignore_paths": ignored}),
    );
    predicate.insert("resources".into(), files.iter().map(resource).collect());
    predicate.extend(extra);
    let root = root(files.iter().filter_map(|file| from_hex(&file.sha256)));
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": root}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    });
    statement.to_string().into_bytes()
}

/// SHA-256 over the raw digests in listed order.
fn root(digests: impl Iterator<Item = Vec<u8>>) -> String {
    shared::digest::of_bytes(&digests.flatten().collect::<Vec<u8>>())
}

/// Reads a statement.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn read(payload: &[u8]) -> Result<Statement, Vec<String>> {
    let mut value = strict_json(payload, "the signed statement").map_err(|reason| vec![reason])?;
    let mut reasons = Vec::new();
    reasons.extend(wrong_text(&value, "_type", STATEMENT_TYPE));
    reasons.extend(wrong_predicate_type(&value));
    let serialization = &value["predicate"]["serialization"];
    let method = method(serialization).map_err(|reason| reasons.push(reason)).ok();
    let ignored = ignored(&serialization["ignore_paths"]).map_err(|reason| reasons.push(reason)).unwrap_or_default();
    let resources = resources(&value["predicate"]["resources"], method, &mut reasons);
    reasons.extend(wrong_subject(&value["subject"], &resources));
    match (method, reasons.is_empty()) {
        (Some(method), true) => Ok(Statement { method, ignored, resources, predicate: value["predicate"].take() }),
        _ => Err(reasons),
    }
}

fn wrong_text(value: &Value, key: &str, expected: &str) -> Option<String> {
    (value[key] != expected).then(|| format!("{key} {} (expected {expected:?})", value[key]))
}

fn wrong_predicate_type(value: &Value) -> Option<String> {
    match value["predicateType"] == PREDICATE_TYPE_BEFORE_1_0 {
        true => Some(format!(
            "predicateType {PREDICATE_TYPE_BEFORE_1_0:?} of before version 1.0 (sign again with a current client)"
        )),
        false => wrong_text(value, "predicateType", PREDICATE_TYPE),
    }
}

fn method(serialization: &Value) -> Result<Method, String> {
    if !serialization["allow_symlinks"].is_boolean() {
        return Err(format!("allow_symlinks {} (expected true or false)", serialization["allow_symlinks"]));
    }
    match (serialization["method"].as_str(), serialization["hash_type"].as_str()) {
        (Some("files"), Some("sha256")) => Ok(Method::Files(Algorithm::Sha256)),
        (Some("files"), Some("blake3")) => Ok(Method::Files(Algorithm::Blake3)),
        (Some("shards"), Some("sha256")) => shard_bytes(&serialization["shard_size"]).map(Method::Shards),
        _ => Err(format!(
            "serialization method {} with hash_type {} (expected files with sha256 or blake3, or shards with sha256)",
            serialization["method"], serialization["hash_type"]
        )),
    }
}

/// The public client's library writes `4.0` for 4, because its protobuf knows floats only.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole, positive and below 2^53"
)]
fn shard_bytes(value: &Value) -> Result<u64, String> {
    let whole =
        |size: f64| (size.fract() == 0.0 && (1.0..9_007_199_254_740_992.0).contains(&size)).then_some(size as u64);
    let bytes = value.as_u64().filter(|&bytes| bytes > 0).or_else(|| value.as_f64().and_then(whole));
    bytes.ok_or_else(|| format!("shard_size {value} (expected a whole number of bytes)"))
}

fn ignored(value: &Value) -> Result<Vec<String>, String> {
    if value.is_null() {
        return Ok(Vec::new());
    }
    let texts = value.as_array().and_then(|paths| paths.iter().map(|path| path.as_str().map(str::to_owned)).collect());
    let texts: Vec<String> = texts.ok_or_else(|| format!("ignore_paths {value} (expected an array of paths)"))?;
    match texts.iter().find(|path| matches!(path.trim_matches('/'), "" | ".")) {
        Some(all) => Err(format!("ignore_paths {all:?}, which would leave out everything")),
        None => Ok(texts),
    }
}

fn resources(value: &Value, method: Option<Method>, reasons: &mut Vec<String>) -> Vec<Resource> {
    let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
        reasons.push("no resources (expected the signed files)".into());
        return Vec::new();
    };
    let mut seen = HashSet::with_capacity(items.len());
    let mut resources = Vec::with_capacity(items.len());
    for item in items {
        let sound = resource(item, method).map(|resource| {
            if !seen.insert(resource.name.clone()) {
                reasons.push(format!("{:?} is listed twice", resource.name));
            }
            resources.push(resource);
        });
        reasons.extend(sound.err());
    }
    resources
}

fn resource(item: &Value, method: Option<Method>) -> Result<Resource, String> {
    let text = |key: &str| {
        item[key].as_str().ok_or_else(|| format!("a resource whose {key} is {} (expected a text)", item[key]))
    };
    let (name, algorithm, digest) = (text("name")?, text("algorithm")?, text("digest")?);
    let path = match method {
        Some(Method::Shards(_)) => part(name)?.0,
        _ => name,
    };
    if let Some(fault) = paths::fault(path) {
        return Err(format!("the path {name:?} {fault}"));
    }
    if method.is_some_and(|method| !fits(algorithm, method)) {
        return Err(format!("{name:?} has the algorithm {algorithm:?}, which is not that of the serialization"));
    }
    let digest = from_hex(digest).filter(|bytes| bytes.len() == 32);
    let digest = digest.ok_or_else(|| format!("the digest of {name:?} is not 64 hexadecimal digits"))?;
    Ok(Resource { name: name.into(), algorithm: algorithm.into(), digest: hex(&digest) })
}

fn fits(algorithm: &str, method: Method) -> bool {
    match method {
        Method::Files(Algorithm::Sha256) => algorithm == "sha256",
        Method::Files(Algorithm::Blake3) => algorithm == "blake3",
        Method::Shards(bytes) => algorithm == "sha256" || algorithm == format!("sha256-sharded-{bytes}"),
    }
}

/// The path and range of a part, `path:start:end`.
///
/// # Errors
/// If it is not of this form.
pub(super) fn part(name: &str) -> Result<(&str, u64, u64), String> {
    let wrong = || format!("{name:?} (expected a part of a file, path:start:end)");
    let fields: Vec<&str> = name.split(':').collect();
    let [path, start, end] = fields.as_slice() else { return Err(wrong()) };
    // One spelling for each number, so that no part hides behind another spelling.
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| number.to_string() == *text);
    match (number(start), number(end)) {
        (Some(start), Some(end)) if start < end => Ok((path, start, end)),
        _ => Err(wrong()),
    }
}

fn wrong_subject(subject: &Value, resources: &[Resource]) -> Option<String> {
    let [only] = subject.as_array().map(Vec::as_slice).unwrap_or_default() else {
        let found = subject.as_array().map_or("no".to_owned(), |subjects| subjects.len().to_string());
        return Some(format!("{found} subjects (expected one)"));
    };
    if !only["name"].is_string() {
        return Some(format!("a subject whose name is {} (expected a text)", only["name"]));
    }
    let expected = root(resources.iter().filter_map(|resource| from_hex(&resource.digest)));
    let found = &only["digest"]["sha256"];
    (found != expected.as_str()).then(|| format!("root digest {found} (the listed resources hash to \"{expected}\")"))
}
