//! Every link within the repository leads to a file that is there, and to a heading that it has.

use std::path::{Component, Path, PathBuf};

use e2e::root;

use super::markdown::{anchors, split, targets};
use super::{Page, page, pages};

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    let broken: Vec<String> = pages().iter().flat_map(broken_links).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

fn broken_links(page: &Page) -> Vec<String> {
    let (_, prose) = split(&page.text);
    let ours = targets(&prose).into_iter().filter(|target| !leads_out(target));
    ours.filter_map(|target| Some(format!("{}: {target}: {}", page.path.display(), wrong(page, &target)?))).collect()
}

fn leads_out(target: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// What is wrong with a link.
fn wrong(from: &Page, target: &str) -> Option<&'static str> {
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { from.path.clone() } else { tidy(&from.path.with_file_name(file)) };
    let there = root().join(&path);
    match anchor {
        _ if target.starts_with('/') || path.starts_with("..") => Some("leads out of the repository"),
        _ if path.starts_with("build") || path.starts_with("target") => Some("is not in the repository"),
        _ if !there.exists() => Some("no such file"),
        Some(anchor) if !has(&there, anchor) => Some("no such heading"),
        _ => None,
    }
}

fn has(path: &Path, anchor: &str) -> bool {
    path.is_file() && anchors(&split(&page(path.to_owned()).text).1).iter().any(|one| one == anchor)
}

/// The path without `.` and `..`, as far as it can be.
fn tidy(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |tidied, part| match part {
        Component::ParentDir if tidied.file_name().is_some() => tidied.parent().unwrap().to_owned(),
        Component::CurDir => tidied,
        part => tidied.join(part),
    })
}

#[test]
fn a_link_to_nothing_is_seen() {
    let from = Page { path: "docs/README.md".into(), text: String::new() };
    let cases = [
        ("SIGNING.md", None),
        ("../README.md", None),
        ("SIGNING.md#what-is-signed", None),
        ("SIGNING.md#what-is-not", Some("no such heading")),
        ("MISSING.md", Some("no such file")),
        ("../../README.md", Some("leads out of the repository")),
        ("../build/x", Some("is not in the repository")),
    ];
    cases.into_iter().for_each(|(target, expected)| assert_eq!(wrong(&from, target), expected, "{target}"));
}
