#!/usr/bin/env bash
# `bench-compare leaderboard` and the leaderboard of the fev package on the files of fev-bench with 1,000 resamples, whole processes,
# in turns on this machine: medians of wall and CPU seconds and peak memory. Before that they must agree to 1e-9.
#   bench/leaderboard_vs_fev.sh [RUNS] FOLDER    FOLDER holds fev-bench's CSV files; needs GNU time and, as PYTHON (python3), one with fev;
#                                                BENCH_COMPARE names our program (target/release/bench-compare)
set -euo pipefail
if [[ ${1:-} =~ ^[0-9]+$ ]]; then runs=$1 && shift; else runs=5; fi
data=$(cd "${1:?a folder with the CSV files of fev-bench}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}
ours=${BENCH_COMPARE:-target/release/bench-compare}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

settings=(--metric SQL --missing impute --baseline-model "Seasonal Naive" --leakage-model Chronos-Bolt --resamples 1000 --seed 123)
board=("$ours" leaderboard --no-config --quiet "$data"/*.csv "${settings[@]}" --json -o "$folder/ours.json")
measure() { # NAME COMMAND...
    local name=$1
    shift
    command time -f "$name %e %U %S %M" "$@" 2>&1 >/dev/null | tail -1
}

"${board[@]}"
"$python" bench/fev_leaderboard.py "$data" "$folder/fev.json"
"$python" - "$folder" <<'CHECK'
import json, sys
ours = {row["model_name"]: row for row in json.load(open(sys.argv[1] + "/ours.json"))["rows"]}
theirs = json.load(open(sys.argv[1] + "/fev.json"))
assert len(ours) == len(theirs) > 1
furthest = 0.0
for row in theirs:
    for name, value in row.items():
        if isinstance(value, (int, float)):
            furthest = max(furthest, abs(ours[row["model_name"]][name] - value))
assert furthest <= 1e-9, furthest
print(f"{len(ours)} models, every figure of fev's within {furthest:.1e} of ours\n")
CHECK
"$python" -c 'import platform, fev, numpy, pandas
print(f"fev {fev.__version__}, pandas {pandas.__version__}, numpy {numpy.__version__}, Python {platform.python_version()}")'
echo "$("$ours" --version); $(nproc) cores, load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
echo
for _ in $(seq "$runs"); do
    measure ours "${board[@]}"
    measure fev "$python" bench/fev_leaderboard.py "$data" "$folder/fev.json"
    measure fev-import "$python" -c 'import fev'
done | "$python" -c '
import statistics, sys
figures = {}
for line in sys.stdin:
    name, wall, user, system, peak = line.split()
    figures.setdefault(name, []).append((float(wall), float(user) + float(system), int(peak) / 1024))
medians = {name: [statistics.median(column) for column in zip(*values)] for name, values in figures.items()}
print("| job | wall s | CPU s | peak MiB | wall against ours | CPU against ours | memory against ours |")
print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
for name, row in medians.items():
    # GNU time counts hundredths of a second: a ratio to less than one is at least that to one.
    ratios = ["{:.1f}".format(a / max(b, 0.01)) for a, b in zip(row, medians["ours"])]
    print("| {} | {:.2f} | {:.2f} | {:.0f} | {} |".format(name, *row, " | ".join(ratios)))
'
echo
echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)"
