#!/usr/bin/env bash
# `bench-compare score`, polars' streaming engine and DuckDB on one table of 20 million rows and three models, whole processes, in turns on
# this machine: medians of wall and CPU seconds and peak memory. Before that they must agree to 1e-9.
#   bench/score_vs_engines.sh [RUNS]     needs GNU time and, as PYTHON (python3), one with polars, duckdb, numpy and pyarrow;
#                                        BENCH_COMPARE names our program (target/release/bench-compare), TABLE the prefix of the table
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-5}
python=${PYTHON:-python3}
ours=${BENCH_COMPARE:-target/release/bench-compare}
table=${TABLE:-build/bench/table}
mkdir -p "$(dirname "$table")"
[ -f "$table.parquet" ] || "$python" bench/make_table.py "$table"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
job=(--no-config --quiet --models base,cand,other --metrics mae,rmse,smape --by unique_id)
measure() { # NAME COMMAND...
    local name=$1
    shift
    command time -f "$name %e %U %S %M" "$@" 2>&1 >/dev/null | tail -1
}

for kind in csv parquet; do
    "$ours" score "$table.$kind" "${job[@]}" --format csv -o "$folder/ours.csv"
    mean=$(awk -F, '$1 == "unique_id" && $3 == "cand" { sum += $7; n += 1 } END { printf "%.17g", sum / n }' "$folder/ours.csv")
    head -1 "$folder/ours.csv" | grep -qx 'group,level,model,n,mae,rmse,smape_ratio'
    for engine in polars duckdb; do
        "$python" - "$mean" "$("$python" bench/engine_score.py $engine "$table.$kind" cand smape)" <<'CHECK'
import sys
ours, theirs = map(float, sys.argv[1:])
assert abs(ours - theirs) <= 1e-9 * theirs, (ours, theirs)
CHECK
    done
done
"$python" -c 'import platform, polars, duckdb; print(f"polars {polars.__version__}, DuckDB {duckdb.__version__}, Python {platform.python_version()}")'
echo "$("$ours" --version); $(nproc) cores, load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
echo
for _ in $(seq "$runs"); do
    for kind in csv parquet; do
        measure "$kind/ours" "$ours" score "$table.$kind" "${job[@]}" --format csv -o "$folder/ours.csv"
        measure "$kind/ours,_with_digests" "$ours" score "$table.$kind" "${job[@]}" --json -o "$folder/ours.json"
        measure "$kind/polars" "$python" bench/engine_score.py polars "$table.$kind"
        measure "$kind/duckdb" "$python" bench/engine_score.py duckdb "$table.$kind"
        measure "$kind/cat" cat "$table.$kind"
        measure "$kind/sha256" openssl dgst -sha256 "$table.$kind"
        [ $kind = csv ] || measure "$kind/decoding_the_columns" target/release/examples/decode "$table.$kind" y base cand other unique_id ds cutoff
    done
done | "$python" -c '
import statistics, sys
figures = {}
for line in sys.stdin:
    name, wall, user, system, peak = line.split()
    figures.setdefault(name, []).append((float(wall), float(user) + float(system), int(peak) / 1024))
medians = {name: [statistics.median(column) for column in zip(*values)] for name, values in figures.items()}
print("| job | wall s | CPU s | peak MiB | wall against ours | CPU against ours |\n| --- | ---: | ---: | ---: | ---: | ---: |")
for name, row in sorted(medians.items()):
    own = medians[name.split("/")[0] + "/ours"]
    print("| {} | {:.2f} | {:.2f} | {:.0f} | {:.2f} | {:.2f} |".format(name.replace("_", " "), *row, row[0] / own[0], row[1] / own[1]))
'
echo
echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)"
