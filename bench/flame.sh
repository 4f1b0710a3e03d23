#!/usr/bin/env bash
# Where drift-watch's time goes when it reads JSON Lines files: a flame graph.
#   bench/flame.sh OUT.svg          needs perf, and inferno-collapse-perf and inferno-flamegraph (cargo install inferno)
#   PROGRAM names a drift-watch that is built already, with its symbols.
set -euo pipefail
out=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z ${PROGRAM:-} ]]; then
    CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_PROFILE_RELEASE_STRIP=none \
        cargo build --release --locked -p drift-watch --target-dir target/flame
    PROGRAM=target/flame/release/drift-watch
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 bench/make_live.py "$folder" 1000 1000
perf record --quiet -F 499 --call-graph dwarf,16384 -o "$folder/perf.data" \
    "$PROGRAM" --no-config --quiet run --state "$folder/state" --predictions "$folder/predictions.jsonl" --actuals "$folder/actuals.jsonl" \
    --warm-up 40d --retain 60 --until-caught-up --no-listen
perf script -i "$folder/perf.data" --no-inline 2>/dev/null | inferno-collapse-perf --skip-after drift_watch::run::watcher::Watcher::run \
    >"$folder/stacks"
inferno-flamegraph --title "drift-watch run: 1,000 series, 1,000 steps of JSON Lines" --hash --minwidth 0.3 "$folder/stacks" >"$out"
