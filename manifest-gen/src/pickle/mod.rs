//! placeholder
use std::collections::BTreeSet;
use std::io::Read;
#[derive(Debug)]
pub struct AllowList;
impl AllowList {
    pub fn shipped() -> Self {
        Self
    }
    pub fn with(self, _: &[String]) -> Self {
        self
    }
}
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum ScanVerdict {
    Allowed,
    Refused,
    NotParsed,
}
#[derive(Debug)]
pub struct Scan {
    pub verdict: ScanVerdict,
    pub globals: BTreeSet<String>,
    pub refused: Vec<String>,
    pub container: String,
    pub notes: Vec<String>,
}
pub fn scan(_: impl Read, _: &AllowList) -> Scan {
    Scan {
        verdict: ScanVerdict::Allowed,
        globals: BTreeSet::new(),
        refused: vec![],
        container: "pickle".into(),
        notes: vec![],
    }
}
pub fn feature_names(_: impl Read) -> Option<Vec<String>> {
    None
}
