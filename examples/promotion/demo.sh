#!/bin/sh
# Walks through all steps; the whole of what each printed is kept in build/steps/.
set -eu

step() { # target, lines to show, what it is about
    printf '\n\033[1m%s\033[0m\n$ make %s\n' "$3" "$1"
    if ! make --no-print-directory "$1" > "build/steps/$1.txt" 2>&1; then
        cat "build/steps/$1.txt"
        echo "make $1 failed"
        exit 1
    fi
    grep -v -e '^note: ' -e '^bench-compare ' -e '^manifest-gen ' -e '^drift-watch ' -e '^rebench-cron ' -e '^    --' "build/steps/$1.txt" |
        sed -n "$2" | sed 's/^/    /'
}

# Where the checkout has changes, or is none, the row about committed training code cannot pass, and need not.
if [ -n "$(git status --porcelain 2>/dev/null || echo none)" ]; then
    export OPTIONAL='--optional training-code'
fi

start=$(date +%s)
make --no-print-directory clean > /dev/null
mkdir -p build/steps

step evidence '/^mkdir/!p' '1  Evidence: how accurate each model was, over rolling origins'
step reject 1,10p '   A candidate that is better on average, and worse where schools close for the summer: rejected'
step gate '1,3p;/^Gates/,/n_train/p' '   A candidate that wins, in every slice that matters'
step manifest '/^made\|^signed/p' '2  Model and preprocessing become one release: a manifest that names each file by digest, and a signature'
step promote '/^departures\|^on record/p' '3  Version 1 is brought in by hand, which stays on record; version 2 is promoted on its evidence'
step render 3,5p '   The table of models is brought up to date, and no consumer names an old version'
step watch 2,6p '4  A summer of live records. On 6 August a feature is lost for one airport'
step rebench 3,6p '5  The alarm asked for an early re-benchmark: the champion loses there'
step audit 1,200p '6  The checklist, with evidence for each row'
step rollback 1,20p '7  Model and preprocessing go back together'

cat <<END

Done in $(($(date +%s) - start)) s. Where to look:
    $PWD/build/reports/departures/report.html     the verdict
    $PWD/build/reports/unemployment/report.html   the rejection
    $PWD/build/reports/departures/trend.html      the re-benchmarks
    $PWD/build/models/releases/departures/2.0.0/manifest.json
    $PWD/build/MODELS.md, build/cards/            what is documented
    $PWD/build/audit.md                           the checklist
END
