#!/usr/bin/env bash
# bench-compare score and polars' streaming engine on one table, run in turns on this machine: wall, CPU and peak memory.
#   bench/score_vs_polars.sh [RUNS]      needs python3 with polars and numpy, and GNU time
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-5}
python=${PYTHON:-python3}
prefix=${TABLE:-build/bench/big}
mkdir -p "$(dirname "$prefix")"
[ -f "$prefix.parquet" ] || "$python" bench/make_table.py "$prefix"
format='%e %U %S %M'
measure() { # NAME COMMAND...
    local name=$1
    shift
    command time -f "$name $format" "$@" 2>&1 >/dev/null | tail -1
}
for kind in csv parquet; do
    for _ in $(seq "$runs"); do
        measure "ours/$kind" target/release/bench-compare score --no-config --quiet "$prefix.$kind" --models base,cand,other \
            --metrics mae,rmse,smape --by unique_id --json -o build/bench/score.json
        measure "polars/$kind" "$python" bench/polars_score.py "$prefix.$kind"
    done
done | "$python" -c '
import statistics, sys
figures = {}
for line in sys.stdin:
    name, wall, user, system, peak = line.split()
    figures.setdefault(name, []).append((float(wall), float(user) + float(system), int(peak) / 1024))
print("| job | wall s | CPU s | peak MiB |\n| --- | ---: | ---: | ---: |")
for name, values in figures.items():
    print("| {} | {:.2f} | {:.2f} | {:.0f} |".format(name, *(statistics.median(column) for column in zip(*values))))
'
