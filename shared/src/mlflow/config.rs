//! Where runs are tracked and how to log in, from MLflow's own environment variables.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};

pub use crate::secret::Secret;

const DEFAULT_STORE: &str = "./mlruns";
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// Where runs are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tracking {
    /// A folder such as `mlruns/`.
    Store(PathBuf),
    /// A server's address, without credentials and without a trailing slash.
    Server(String),
}

/// How to reach MLflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where runs are kept.
    pub tracking: Tracking,
    /// Bearer token; goes before user name and password.
    pub token: Option<Secret>,
    /// User name and password.
    pub basic: Option<(String, Secret)>,
    /// Longest time that a whole request may take.
    pub timeout: Duration,
}

impl Config {
    /// From the environment of this process.
    ///
    /// # Errors
    /// As [`Self::from_variables`].
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// From `MLFLOW_TRACKING_URI` (`http(s)://…`, `file:…` or a path; `./mlruns` if unset), `MLFLOW_TRACKING_TOKEN`,
    /// `MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD` (each also as `…_FILE`, a file that holds it) and
    /// `MLFLOW_HTTP_REQUEST_TIMEOUT` in seconds.
    ///
    /// # Errors
    /// If the address is of another kind (a database is reached through `mlflow server`), if a file of a secret cannot be
    /// read, or if the time is not a number.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        let address = set("MLFLOW_TRACKING_URI").unwrap_or_else(|| DEFAULT_STORE.to_owned());
        let (tracking, in_address) = tracking(address.trim())?;
        let user = secret(&set, "MLFLOW_TRACKING_USERNAME")?;
        let password = secret(&set, "MLFLOW_TRACKING_PASSWORD")?.unwrap_or_else(|| Secret::new(""));
        Ok(Self {
            tracking,
            token: secret(&set, "MLFLOW_TRACKING_TOKEN")?,
            basic: user.map(|user| (user.expose().to_owned(), password)).or(in_address),
            timeout: timeout(set("MLFLOW_HTTP_REQUEST_TIMEOUT"))?,
        })
    }
}

type Basic = (String, Secret);

fn tracking(address: &str) -> Result<(Tracking, Option<Basic>)> {
    if let Some(path) = address.strip_prefix("file:") {
        return Ok((Tracking::Store(file_path(path)), None));
    }
    match address.split_once("://") {
        None if !address.contains(':') && address != "databricks" => Ok((Tracking::Store(address.into()), None)),
        Some((scheme @ ("http" | "https"), rest)) => Ok(server(scheme, rest)),
        _ => Err(unknown(address)),
    }
}

/// The path of `file:///abs`, `file://localhost/abs`, `file:/abs` or `file:relative`.
fn file_path(rest: &str) -> PathBuf {
    let path = rest.strip_prefix("//").map_or(rest, |rest| rest.strip_prefix("localhost").unwrap_or(rest));
    percent_decoded(path).into()
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        let decoded = if byte == b'%' { after.get(..2).and_then(hex) } else { None };
        out.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Takes user and password out of the address, so that no message can show them.
fn server(scheme: &str, rest: &str) -> (Tracking, Option<Basic>) {
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let (login, host) = authority.rsplit_once('@').map_or((None, authority), |(login, host)| (Some(login), host));
    let basic = login.map(|login| {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        (percent_decoded(user), Secret::new(percent_decoded(password)))
    });
    (Tracking::Server(format!("{scheme}://{host}{}", path.trim_end_matches('/'))), basic)
}

fn unknown(address: &str) -> Error {
    let scheme = address.split(':').next().unwrap_or_default();
    Error::usage(format!("MLFLOW_TRACKING_URI of kind {scheme:?}"), "http(s)://…, file:… or a folder")
        .with_help("run `mlflow server --backend-store-uri …` and set MLFLOW_TRACKING_URI to its http address")
}

fn secret(set: &impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<Secret>> {
    if let Some(text) = set(name) {
        return Ok(Some(Secret::new(text)));
    }
    let path = set(&format!("{name}_FILE"));
    path.map(|path| Secret::from_file(Path::new(&path))).transpose()
}

fn timeout(seconds: Option<String>) -> Result<Duration> {
    let Some(text) = seconds else { return Ok(DEFAULT_TIMEOUT) };
    let value = text.trim().parse::<f64>().ok().filter(|value| *value > 0.0);
    value
        .and_then(|value| Duration::try_from_secs_f64(value).ok())
        .ok_or_else(|| Error::usage(format!("MLFLOW_HTTP_REQUEST_TIMEOUT={text}"), "a number of seconds above zero"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fsio;

    fn config(variables: &[(&str, &str)]) -> Result<Config> {
        Config::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn tracked(address: &str) -> Tracking {
        config(&[("MLFLOW_TRACKING_URI", address)]).unwrap().tracking
    }

    #[test]
    fn addresses_are_stores_or_servers() {
        assert_eq!(config(&[]).unwrap().tracking, Tracking::Store("./mlruns".into()));
        for (address, path) in [
            ("file:///tmp/ml%20runs", "/tmp/ml runs"),
            ("file:/tmp/x", "/tmp/x"),
            ("file:mlruns", "mlruns"),
            ("runs", "runs"),
        ] {
            assert_eq!(tracked(address), Tracking::Store(path.into()));
        }
        assert_eq!(tracked("http://h:5000/p/"), Tracking::Server("http://h:5000/p".into()));
        for other in ["sqlite:///mlflow.db", "databricks", "postgresql://u:p@h/db"] {
            assert!(config(&[("MLFLOW_TRACKING_URI", other)]).is_err(), "{other}");
        }
    }

    #[test]
    fn secrets_are_taken_out_of_addresses_and_never_printed() {
        let found = config(&[("MLFLOW_TRACKING_URI", "https://ann:s%3Acret@h/x")]).unwrap();
        assert_eq!(found.tracking, Tracking::Server("https://h/x".into()));
        assert_eq!(found.basic.as_ref().unwrap().1.expose(), "s:cret");
        assert!(!format!("{found:?}").contains("cret\""), "{found:?}");
        let refused = config(&[("MLFLOW_TRACKING_URI", "postgresql://u:hidden@h/db")]).unwrap_err();
        assert!(!refused.to_string().contains("hidden"));
    }

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fsio::write_atomic(&path, b"abc\n").unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(config(&[("MLFLOW_TRACKING_TOKEN_FILE", path)]).unwrap().token, Some(Secret::new("abc")));
        assert!(config(&[("MLFLOW_TRACKING_TOKEN_FILE", "/absent")]).is_err());
        assert!(config(&[("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon")]).is_err());
    }
}
