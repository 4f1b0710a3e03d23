//! The Python of the tests, which `tests/python/setup.sh` makes and `make test` names in `FORECAST_PYTHON`.

use std::io::Write;
use std::process::{Command, Stdio};

/// The Python that has `modules` (as an import statement lists them). Without one, a skip that is hard to overlook; in CI,
/// a failure.
pub(crate) fn python(modules: &str) -> Option<String> {
    let named = std::env::var("FORECAST_PYTHON").ok().filter(|python| !python.is_empty());
    let python = named.filter(|python| has(python, modules));
    if python.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI has no Python with {modules}");
        // Past the test harness, which keeps what passing tests print to itself.
        let skip = format!("\n*** SKIPPED: FORECAST_PYTHON names no Python with {modules}\n");
        std::io::stderr().write_all(skip.as_bytes()).unwrap();
    }
    python
}

fn has(python: &str, modules: &str) -> bool {
    let mut import = Command::new(python);
    import.args(["-c", &format!("import {modules}")]).stdout(Stdio::null()).stderr(Stdio::null());
    import.status().is_ok_and(|status| status.success())
}
