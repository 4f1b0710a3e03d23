#!/usr/bin/env bash
# The cost of `bench-compare score` as rows grow and series and cutoffs do not: 2,000 series, 10 cutoffs, windows of 50, 500 and 5,000 steps.
#   bench/growth.sh [RUNS]     needs GNU time and, as PYTHON (python3), one with polars, numpy and pyarrow; the largest table has 8 GB
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-3}
python=${PYTHON:-python3}
ours=${BENCH_COMPARE:-target/release/bench-compare}
folder=${GROWTH:-build/bench/growth}
mkdir -p "$folder"
echo "$("$ours" --version); $(nproc) cores, load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
echo
for horizon in 50 500 5000; do
    table=$folder/$horizon
    [ -f "$table.parquet" ] || "$python" bench/make_table.py "$table" 2000 10 $horizon
    for _ in $(seq "$runs"); do
        for kind in csv parquet; do
            command time -f "$kind $((20000 * horizon)) %e %U %S %M" "$ours" score --no-config --quiet "$table.$kind" --models base,cand,other \
                --metrics mae,rmse,smape --by unique_id --format csv 2>&1 >/dev/null | tail -1
        done
    done
done | "$python" -c '
import statistics, sys
figures = {}
for line in sys.stdin:
    kind, rows, wall, user, system, peak = line.split()
    figures.setdefault((kind, int(rows)), []).append((float(wall), float(user) + float(system), int(peak) / 1024))
print("| table | rows | wall s | CPU s | CPU ns a row | peak MiB |\n| --- | ---: | ---: | ---: | ---: | ---: |")
for (kind, rows), values in sorted(figures.items()):
    wall, cpu, peak = (statistics.median(column) for column in zip(*values))
    print("| {} | {:,} | {:.2f} | {:.2f} | {:.0f} | {:.0f} |".format(kind, rows, wall, cpu, 1e9 * cpu / rows, peak))
'
echo
echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)"
