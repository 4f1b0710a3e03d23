#!/usr/bin/env python3
"""Seeds the faults of faults.json into a copy of the tools, and prints which end-to-end test of a promotion catches each.

All faults are built at once, each behind a question to the environment, so that the tools are built once and not once a fault. The tests
run as they are, against those tools. Exits with 1 if a fault is not caught.

    tests/mutations/run.py [--only NAME]... [--check]
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutations"
CRATES = ["shared", "bench-compare", "manifest-gen", "drift-watch", "rebench-cron"]
BINS = [word for crate in CRATES[1:] for word in ("-p", crate)]

# What a tool asks before each fault; the answer is the same for its whole life.
ASK = """
/// Whether a seeded fault is switched on.
pub fn has_fault(name: &str) -> bool {
    static NAME: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    NAME.get_or_init(|| std::env::var("FORECAST_FAULT").ok()).as_deref() == Some(name)
}
"""


def source(fault):
    """The file that a fault is in, from the root on."""
    return f"{fault['crate']}/src/{fault['file']}"


def places(faults):
    """The faults by what they replace; each must be there exactly once."""
    found = collections.defaultdict(list)
    for fault in faults:
        at = fault.get("at", fault["fragment"])
        text = (ROOT / source(fault)).read_text()
        if text.count(at) != 1 or at.count(fault["fragment"]) != 1:
            sys.exit(f"{fault['name']}: {source(fault)} has {text.count(at)} times what is to be replaced: {at}")
        found[source(fault), at, fault["fragment"]].append(fault)
    return found


def copy_sources():
    """A copy of the workspace; what has not changed keeps its time, so that it is not built again."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, WORK / "tree" / name
        if source.is_file() and (not target.exists() or target.read_bytes() != source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def seed(found):
    """Puts the faults into the copy."""
    texts = {}
    for (file, at, fragment), faults in found.items():
        own = "crate" if file.startswith("shared/") else "shared"
        asked = [f'if {own}::has_fault("{fault["name"]}") {{ {fault["becomes"]} }} else ' for fault in faults]
        text = texts.setdefault(file, (ROOT / file).read_text())
        texts[file] = text.replace(at, at.replace(fragment, f"({''.join(asked)}{{ {fragment} }})"))
    library = "shared/src/lib.rs"
    texts[library] = texts.get(library, (ROOT / library).read_text()) + ASK
    for file, text in texts.items():
        target = WORK / "tree" / file
        if target.read_text() != text:
            target.write_text(text)


def cargo(words, folder, **more):
    """What cargo printed; its warnings about the seeded lines are nobody's."""
    run = subprocess.run(["cargo", *words], cwd=folder, text=True, capture_output=True, **more)
    if run.returncode != 0:
        sys.exit(run.stderr)
    return run.stdout


def test_program():
    """The end-to-end tests, without faults."""
    words = ["test", "--locked", "-p", "e2e", "--test", "e2e", "--no-run", "--message-format", "json"]
    lines = cargo(words, ROOT).splitlines()
    programs = [json.loads(line).get("executable") for line in lines if line.startswith("{")]
    return [program for program in programs if program][-1]


def failures(program, tools, name, *tests):
    """The tests that fail with this fault, and what was run."""
    environment = dict(os.environ, FORECAST_BIN=str(tools), FORECAST_FAULT=name)
    run = subprocess.run([program, *tests], cwd=ROOT / "tests", env=environment, capture_output=True, text=True)
    return re.findall(r"^test (\S+) \.\.\. FAILED", run.stdout, re.M), run


def caught(program, tools, fault):
    """The tests that fail: of the one that should, else of those of all steps."""
    for tests in (f"promotion_loop::{fault['tests']}", "promotion_loop::"):
        failed, _ = failures(program, tools, fault["name"], tests)
        if failed:
            return failed
    return []


def tell(fault, by):
    first = by[0].removeprefix("promotion_loop::") if by else "NOBODY"
    print(f"{fault['step']:<11} {fault['name']:<29} {fault['what']}\n{'':<11} {'':<29} {first}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only see whether each fault still has its place")
    parser.add_argument("--only", action="append", help="this fault alone")
    args = parser.parse_args()
    faults = json.loads((ROOT / "tests/mutations/faults.json").read_text())
    found = places(faults)
    if args.check:
        return
    copy_sources()
    seed(found)
    environment = dict(os.environ, CARGO_TARGET_DIR=str(WORK / "target"))
    # Speed is nothing here, and optimising is half of the time.
    cargo(["build", "--quiet", "--locked", "--bins", *BINS, "--config", "profile.dev.package.shared.opt-level=0"], WORK / "tree", env=environment)
    program, tools, started = test_program(), WORK / "target" / "debug", time.monotonic()
    wanted = [fault for fault in faults if not args.only or fault["name"] in args.only]
    failed, run = failures(program, tools, "none", *sorted({f"promotion_loop::{fault['tests']}" for fault in wanted}))
    if failed or run.returncode != 0:
        sys.exit(f"without a fault these fail: {failed}\n{run.stdout}")
    missed = 0
    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        for fault, by in zip(wanted, pool.map(lambda fault: caught(program, tools, fault), wanted)):
            missed += not by
            tell(fault, by)
    print(f"{len(wanted)} faults, {missed} not caught; {time.monotonic() - started:.0f} s")
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
