#!/usr/bin/env bash
# bench-compare score on a folder of weekly files of which only the last is new: without a cache, with an empty one, with one that knows
# the others, and with one that knows all. Seconds, medians.
#   bench/cache.sh [RUNS [SERIES]]      needs GNU time and awk
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-5}
series=${2:-20000}
weeks=20
tool=${TOOL:-target/release/bench-compare}
folder=build/bench/weeks
cache=build/bench/cache
if [ ! -f "$folder/series" ] || [ "$(cat "$folder/series")" != "$series" ]; then
    rm -rf "$folder"
    for week in $(seq "$weeks"); do
        cutoff=$(date -u -d "@$((1736121600 + 604800 * week))" +%F)
        start=$(date -u -d "$cutoff" +%s)
        times=$(for step in $(seq 50); do date -u -d "@$((start + 3600 * step))" '+%F %T'; done | paste -sd,)
        mkdir -p "$folder/tables/cutoff=$cutoff"
        awk -v series="$series" -v week="$week" -v times="$times" 'BEGIN {
            srand(week)
            split(times, day, ",")
            print "unique_id,ds,y,base,cand,other"
            for (id = 0; id < series; id++) for (step = 1; step <= 50; step++) {
                y = 10 + 990 * rand()
                printf "S%06d,%s,%.4f,%.4f,%.4f,%.4f\n", id, day[step], y, y * (1 + rand() / 5), y * (1 + rand() / 6), y * (1 + rand() / 4)
            }
        }' > "$folder/tables/cutoff=$cutoff/part-0.csv"
    done
    echo "$series" > "$folder/series"
    # A file that was changed a moment ago is read, but not remembered.
    sleep 3
fi
last=$(printf '%s\n' "$folder"/tables/*/part-0.csv | tail -1)
cat "$folder"/tables/*/part-0.csv > /dev/null
many=build/bench/many
if [ ! -d "$many" ]; then
    mkdir -p "$many"
    awk -v folder="$many" 'BEGIN {
        srand(1)
        for (file = 0; file < 10000; file++) {
            name = sprintf("%s/part-%05d.csv", folder, file)
            print "unique_id,ds,cutoff,y,base,cand,other" > name
            for (row = 1; row <= 100; row++) {
                y = 10 + 990 * rand()
                printf "S%05d,%d,0,%.4f,%.4f,%.4f,%.4f\n", file, row, y, y * (1 + rand() / 5), y * (1 + rand() / 6), y * (1 + rand() / 4) > name
            }
            close(name)
        }
    }'
    sleep 3
fi
run() { # NAME FLAGS...
    local name=$1
    shift
    score "$name" "$folder/tables" "$@"
}
score() { # NAME FOLDER FLAGS...
    local name=$1 tables=$2
    shift 2
    command time -f "$name %e %U %S" "$tool" score --no-config --quiet "$tables" --models base,cand,other --metrics mae,rmse,smape \
        --json -o "build/bench/$name.json" "$@" 2>&1 >/dev/null | tail -1
}
for _ in $(seq "$runs"); do
    run without
    rm -rf "$cache"
    run empty --cache "$cache"
    # The newest file gets another byte at its end, and with it sums of its own.
    printf '\n' >> "$last"
    sleep 3
    run new --cache "$cache"
    run all --cache "$cache"
    run rehash --cache "$cache" --cache-rehash
    run plain
    score many-without "$many"
    score many-empty "$many" --cache "$cache"
    score many-all "$many" --cache "$cache"
    cmp build/bench/plain.json build/bench/new.json
    cmp build/bench/plain.json build/bench/all.json
done | awk '
    { wall[$1] = wall[$1] " " $2; cpu[$1] = cpu[$1] " " $3 + $4 }
    function median(text,   n, values, i, j, swap) {
        n = split(text, values, " ")
        for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (values[j] + 0 < values[i] + 0) { swap = values[i]; values[i] = values[j]; values[j] = swap }
        return values[int((n + 1) / 2)]
    }
    function row(name, what) { printf "| %s | %.2f | %.2f |\n", what, median(wall[name]), median(cpu[name]) }
    END {
        print "| run | wall s | CPU s |"
        print "| --- | ---: | ---: |"
        row("without", "without a cache")
        row("empty", "with an empty cache")
        row("new", "19 of 20 files known")
        row("all", "20 of 20 files known")
        row("rehash", "20 of 20 files known, all hashed")
        row("many-without", "10,000 files of 100 rows, without a cache")
        row("many-empty", "10,000 files of 100 rows, none known")
        row("many-all", "10,000 files of 100 rows, all known")
    }'
