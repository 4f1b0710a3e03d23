#!/usr/bin/env bash
# `bench-compare leaderboard` on a board of 2,000 models and 2,000 tasks (bench/make_board.py, 4 million rows): wall and CPU seconds and
# peak memory, each job once. One thread and two must give the same bytes.
#   bench/leaderboard_at_scale.sh      needs GNU time and python3; BENCH_COMPARE names our program (target/release/bench-compare),
#                                      BOARD keeps the made-up tables for the next time (build/bench/board)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ours=${BENCH_COMPARE:-target/release/bench-compare}
board=${BOARD:-build/bench/board}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$(dirname "$board")"
for size in 2000 500; do
    [ -f "$board-$size.csv" ] || python3 bench/make_board.py "$board-$size.csv" "$size" "$size"
done

measure() { # NAME THREADS SIZE OUTPUT FLAG...
    local name=$1 threads=$2 size=$3 output=$folder/$4
    shift 4
    RAYON_NUM_THREADS=$threads command time -f "| $name | $threads | %e | %U + %S | %M |" "$ours" leaderboard --no-config --quiet \
        "$board-$size.csv" --map model=model,task=task,metric=mae,inference=inference_s --json -o "$output" "$@" 2>&1 | tail -1
}
echo "$("$ours" --version); $(nproc) cores, load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
echo
echo "| job | threads | wall s | CPU s (user + system) | peak KiB |"
echo "| --- | ---: | ---: | ---: | ---: |"
measure "2,000 x 2,000, points alone" 2 2000 points --resamples 0
measure "2,000 x 2,000, 1,000 resamples" 2 2000 thousand --resamples 1000
measure "2,000 x 2,000, 10,000 resamples" 2 2000 two --resamples 10000
measure "2,000 x 2,000, 10,000 resamples" 1 2000 one --resamples 10000
cmp "$folder/one" "$folder/two"
measure "2,000 x 2,000, 10,000 resamples of families" 2 2000 families --resamples 10000 --families auto
measure "2,000 x 2,000, 1,000 resamples, --tests" 2 2000 tests --resamples 1000 --tests
measure "500 x 500, 10,000 resamples, --pairwise" 2 500 pairs --resamples 10000 --pairwise
echo
echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)"
