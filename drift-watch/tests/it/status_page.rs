//! The status page in a headless browser: what it shows, what hostile names cannot do, how it follows the view, and
//! pictures of it in `target/status-page/`.

use std::path::Path;
use std::sync::Arc;

use crate::served::browser::{Browser, PROGRAM};
use crate::served::{Served, drifted, hostile, installed, large, steady};
use drift_watch::serve::Options;
use drift_watch::view::View;

const WIDE: (u32, u32) = (1280, 900);
const NARROW: (u32, u32) = (420, 900);

fn served(view: View) -> Served {
    Served::start(view, Options::default())
}

fn picture(browser: &mut Browser, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("status-page");
    shared::fsio::create_folder(&folder).unwrap();
    browser.picture(&folder.join(name).with_extension("png"));
    let overflow = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth").as_i64().unwrap();
    assert!(overflow <= 0, "{name}: {overflow} pixels too wide");
}

#[test]
fn the_page_follows_the_view_and_keeps_what_the_reader_did() {
    if !installed(PROGRAM) {
        return;
    }
    let (served, mut browser) = (served(steady()), Browser::start());
    browser.open(&served.url("/"), WIDE, "light");
    assert_eq!(browser.text("document.title"), "● OK: drift-watch");
    assert!(browser.text("document.getElementById('live').textContent").starts_with("live, updated"));
    browser.evaluate("document.querySelector('.model summary').click()");
    let mut changed = steady();
    changed.models[0].standing = drift_watch::view::Standing::Drift;
    changed.models[0].reason = "it has risen".into();
    served.view.send(Arc::new(changed)).unwrap();
    browser.wait("document.title === '▲ Drift: drift-watch'");
    assert!(browser.text("document.querySelector('h1').textContent").contains("has drifted"));
    assert_eq!(browser.text("document.querySelector('.reason').textContent"), "it has risen");
    assert_eq!(browser.evaluate("document.querySelector('.model').open"), false, "it stays folded");
    served.view.send(Arc::new(drifted())).unwrap();
    browser.wait("document.querySelectorAll('.model').length === 4");
    assert_eq!(browser.evaluate("document.querySelector('.model').open"), false, "it stays folded among others");
    assert!(served.stop());
    browser.wait("document.getElementById('live').textContent.includes('lost')");
}

#[test]
fn names_stay_text() {
    if !installed(PROGRAM) {
        return;
    }
    let (served, mut browser) = (served(hostile()), Browser::start());
    browser.open(&served.url("/"), WIDE, "light");
    browser.wait("document.querySelector('.series .shown').textContent.startsWith('10 of 40')");
    for name in ["img", "b", "textarea", "svg[onload]", "[onmouseover]", "[onerror]", "script + script"] {
        assert_eq!(browser.evaluate(&format!("document.querySelectorAll('{name}').length")), 0, "{name}");
    }
    assert_ne!(browser.text("document.title"), "owned");
    let expected = "<script>document.title='owned'</script>";
    assert_eq!(browser.text("document.querySelector('.series tbody bdi').textContent"), expected);
    let written = "[...document.querySelectorAll('.series tbody bdi')].map(one => one.textContent).join('|')";
    let written = browser.text(written);
    assert!(written.contains("\\u{202e}gnp") && !written.contains('\u{202e}') && written.contains("(empty)"));
    // The script writes names and numbers as the server does.
    let same =
        "(async () => { const page = new DOMParser().parseFromString(await (await fetch('/')).text(), 'text/html');
        const rows = root => [...root.querySelector('.series tbody').rows].map(row => row.outerHTML);
        window.compared = JSON.stringify([rows(document), rows(page)]); })()";
    browser.evaluate(same);
    browser.wait("window.compared");
    let [ours, theirs]: [Vec<String>; 2] = serde_json::from_str(&browser.text("window.compared")).unwrap();
    assert_eq!(ours, theirs);
    picture(&mut browser, "hostile");
}

#[test]
fn five_thousand_series_are_filtered_and_sorted_at_once() {
    if !installed(PROGRAM) {
        return;
    }
    let (served, mut browser) = (served(large()), Browser::start());
    browser.open(&served.url("/"), WIDE, "light");
    let shown = "document.querySelector('.series .shown').textContent";
    assert_eq!(browser.text(shown), "10 of 5,000 series");
    picture(&mut browser, "series-5000");
    browser.evaluate("document.querySelector('.series .more').click()");
    assert_eq!(browser.evaluate("document.querySelectorAll('.series tbody tr').length"), 200);
    let filter = "const input = document.querySelector('.series input'); const begin = performance.now();
        input.value = 'STORE_00'; input.dispatchEvent(new Event('input')); performance.now() - begin";
    let took = browser.evaluate(filter).as_f64().unwrap();
    assert!(took < 200.0, "filtering took {took} ms");
    let (matching, expected) = (
        browser.text(shown),
        large().models[0].worst_series.iter().filter(|one| one.series.starts_with("store_00")).count(),
    );
    assert_eq!(matching, format!("{expected} of {expected} series that match, of 5,000"));
    browser.evaluate("document.querySelector('th[data-key=series] button').click()");
    let first = browser.text("document.querySelector('.series tbody bdi').textContent");
    let smallest = large().models[0]
        .worst_series
        .iter()
        .map(|one| one.series.clone())
        .filter(|one| one.starts_with("store_00"))
        .min();
    assert_eq!(Some(first), smallest);
    assert_eq!(browser.text("document.querySelector('th[data-key=series]').ariaSort"), "ascending");
    picture(&mut browser, "series-filtered");
}

#[test]
fn pictures_for_a_look() {
    if !installed(PROGRAM) {
        return;
    }
    let mut browser = Browser::start();
    let empty = || View { ready: true, version: "0.1.0".into(), ..View::default() };
    for (name, view, size, scheme) in [
        ("drift-light", drifted(), WIDE, "light"),
        ("drift-dark", drifted(), WIDE, "dark"),
        ("drift-narrow", drifted(), NARROW, "light"),
        ("steady-light", steady(), WIDE, "light"),
        ("steady-dark-narrow", steady(), NARROW, "dark"),
        ("empty", empty(), WIDE, "light"),
    ] {
        let served = served(view);
        browser.open(&served.url("/"), size, scheme);
        let page = browser.text("getComputedStyle(document.body).backgroundColor");
        assert_eq!(page, if scheme == "dark" { "rgb(20, 23, 26)" } else { "rgb(251, 251, 249)" }, "{name}");
        picture(&mut browser, name);
    }
}
