#!/usr/bin/env python3
"""What one drift-watch takes from JSON Lines files on one core, and how soon it is back with many series:
live.py DRIFT_WATCH [ROUNDS [SERIES]].

First 1,000 series over 1,000 steps; then SERIES (a million) over 12 steps, with the least that a daemon keeps, started again with nothing new.
Medians of the rounds; the second part is read once.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ADDRESS = "127.0.0.1:19470"
FILES = ["--predictions", "predictions.jsonl", "--actuals", "actuals.jsonl"]
LEAST = ["--warm-up", "8d", "--min-steps", "8", "--retain", "1", "--window", "1", "--window-span", "1d"]


def started(words: list, folder: str) -> subprocess.Popen:
    core = sorted(os.sched_getaffinity(0))[0]
    bind = lambda: os.sched_setaffinity(0, {core})  # noqa: E731
    return subprocess.Popen(words, cwd=folder, preexec_fn=bind, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def read(drift_watch: str, folder: str, state: str, flags: list) -> tuple:
    begun = time.monotonic()
    words = [drift_watch, "--no-config", "run", "--state", state, *FILES, *flags, "--no-listen", "--until-caught-up"]
    process = started(words, folder)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, status
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def resident(process: subprocess.Popen) -> float:
    lines = open(f"/proc/{process.pid}/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def is_ready() -> bool:
    try:
        return urllib.request.urlopen(f"http://{ADDRESS}/-/ready", timeout=60).status == 200
    except OSError:
        return False


def again(drift_watch: str, folder: str, state: str) -> tuple:
    begun = time.monotonic()
    process = started([drift_watch, "--no-config", "run", "--state", state, *FILES, *LEAST, "--listen", ADDRESS], folder)
    while not is_ready():
        time.sleep(0.01)
    taken, memory = time.monotonic() - begun, resident(process)
    process.terminate()
    process.wait()
    return taken, memory


def make(folder: str, series: int, steps: int) -> None:
    subprocess.run([sys.executable, f"{HERE}/make_live.py", folder, str(series), str(steps)], check=True)


def main() -> None:
    drift_watch = os.path.abspath(sys.argv[1])
    rounds, many = (int(word) for word in (sys.argv[2:] + ["5", "1000000"][len(sys.argv) - 2 :]))
    with tempfile.TemporaryDirectory() as folder:
        make(folder, 1_000, 1_000)
        taken = [
            read(drift_watch, folder, f"state-{number}", ["--warm-up", "40d", "--retain", "60"])
            for number in range(rounds)
        ]
        wall, cpu, memory = (statistics.median(column) for column in zip(*taken))
        print(
            f"1,000 series, 1,000 steps: {1e6 / cpu:,.0f} pairs a second of processor time, {1e6 / wall:,.0f} by the clock"
            f" ({wall:.2f} s, made durable); {memory:,.0f} MiB at the most"
        )
    with tempfile.TemporaryDirectory() as folder:
        make(folder, many, 12)
        wall, cpu, memory = read(drift_watch, folder, "state", LEAST)
        print(
            f"{many:,} series, 12 steps: {12 * many / cpu:,.0f} pairs a second of processor time, {12 * many / wall:,.0f} by the"
            f" clock, baselines learned on the way; {memory:,.0f} MiB at the most"
        )
        snapshots = f"{folder}/state/snapshots"
        size = max(os.path.getsize(f"{snapshots}/{name}") for name in os.listdir(snapshots)) / 2**20
        taken = [again(drift_watch, folder, "state") for _ in range(rounds)]
        seconds, memory = (statistics.median(column) for column in zip(*taken))
        print(f"started again from a snapshot of {size:,.0f} MiB: ready after {seconds:.2f} s, {memory:,.0f} MiB resident")


main()
