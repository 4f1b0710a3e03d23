#!/usr/bin/env bash
# Prints size and start-up time of each tool in a folder: the median of 30 runs of `TOOL --version`, beside that of `true`.
# packaging/sizes.sh target/release
set -euo pipefail
exec python3 - "${1:?the folder of the tools}" <<'PYTHON'
import pathlib, statistics, subprocess, sys, time

def median(command, runs=30):
    def once():
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return (time.perf_counter() - start) * 1000
    once()
    return statistics.median(once() for _ in range(runs))

folder = pathlib.Path(sys.argv[1])
empty = median(["true"])
print(f"{'tool':<14} {'size':>9} {'start-up':>9}   (of which {empty:.1f} ms for any program)")
for tool in ("bench-compare", "manifest-gen", "drift-watch", "rebench-cron"):
    file = folder / tool
    print(f"{tool:<14} {file.stat().st_size / 1e6:6.1f} MB {median([file, '--version']):6.1f} ms")
PYTHON
