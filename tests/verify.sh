#!/usr/bin/env bash
# The long simulations, fault rounds and mutations: hours. What each prints is kept in docs/verify, with the command that printed it.
#   tests/verify.sh [NAME]...     only these files of docs/verify; `checks` for what only has to pass
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p docs/verify
wanted=("$@")

is_wanted() { ((${#wanted[@]} == 0)) || [[ " ${wanted[*]} " == *" $1 "* ]]; }

# keep NAME TITLE TEXT COMMAND...: a page with the output of each command; an earlier page stays where one fails.
keep() {
    local name=$1 title=$2 text=$3
    shift 3
    is_wanted "$name" || return 0
    {
        printf '# %s\n\n%s\n' "$title" "$text"
        for command in "$@"; do
            printf '\n```\n%s\n```\n\n```\n' "$command"
            bash -c "set -o pipefail; $command"
            printf '```\n'
        done
    } >"docs/verify/$name.tmp"
    mv "docs/verify/$name.tmp" "docs/verify/$name.md"
}

keep calibration 'Calibration of the gate on forecast tables' 'How often each rule promotes where nothing is better, and what it costs.' \
    'cargo run --quiet --release --locked -p shared --example calibration -- --runs 20000 --seed 20261123'

keep manifest-gen 'Changed bytes and kills' 'Ten thousand single-byte changes of a signed release, its registry entry and published copies; `kill -9` at every
system call of a promotion that writes or opens a file, then `repair`.' \
    'TAMPER_ROUNDS=10000 cargo test --quiet --locked -p manifest-gen --test it -- tamper:: crash:: --nocapture'

keep loop 'Kills in the loop of a promotion' '`kill -9` of a tool at a random moment of examples/promotion: half of the moments drawn by the time that the tools take, half of
them in each run of a tool alike. Then the step is typed again, half of the times with another kill first, and the loop goes on to its end: releases,
signatures, registry with its history, documents, verdicts, alerts and checklist are those of an undisturbed run to the byte, and so is the canonical
state of drift-watch; the alarm asked once, its slot has one verdict; no other file is left. The time of day is fixed (SOURCE_DATE_EPOCH). Not compared
are times, folders and tries of re-benchmarks, the page of their history, locks, and where journals and snapshots are cut.' \
    'cargo build --quiet --locked --bins -p bench-compare -p manifest-gen -p drift-watch -p rebench-cron
LOOP_ROUNDS=200 LOOP_LANES=6 FORECAST_BIN=target/debug cargo test --quiet --locked -p e2e --test e2e loop_kills -- --nocapture 2>&1'

keep mutations 'Seeded faults' 'Each fault of tests/mutations/faults.json is seeded into a copy of the tools; the end-to-end tests of the steps of a promotion must see it.
Named is the first test that fails.' tests/mutations/run.py

keep alarms 'Alarms of drift-watch: how often without a change, how soon after one' 'Every run learns its baseline anew. `*`: measured, not promised. BROKEN: a bound is not kept. Steps are target times; promise 5,000.
The second command: fleets, hourly, baselines of 14 days, watched for 90 days.' \
    'cargo run --quiet --release --locked -p drift-watch --example alarms -- --runs 400 --seed 20261123' \
    'cargo run --quiet --release --locked -p drift-watch --example alarms -- --fleet --runs 200 --seed 20261123'

keep drift-watch 'Kills of a running daemon' '`kill -9` of `drift-watch run` at random moments: while records are appended in pieces, posted (what is not answered is sent
again), while files rotate, while a webhook is told, while the daemon starts and ends. After each round the canonical state is that of an
undisturbed run and of a replay, to the byte, and each alert that began or ended is told and logged once. Where files are copied and
emptied, rows may be read twice, and the counts of odd rows are compared apart.' \
    'CRASH_ROUNDS=1000 cargo test --quiet --locked -p drift-watch --test it -- crash:: --nocapture'

keep fleet 'A fleet of drift-watch under kills' 'Three replicas on a real broker (Debian and the newest): SIGKILL of one, SIGSTOP of another for three leases, SIGKILL of the broker, each at a
moment that a seed draws; records come in disorder and with repeats. The canonical state is that of one process over the sorted records, nothing
is lost, each event is in the log once, each transition is told under one identifier, what a killed replica owned has an owner within two leases. First 200,000 records
under the written schedule.' \
    'export FORECAST_PYTHON=$(tests/setup.sh) FLEET_SERIES=500 FLEET_STEPS=200
cargo test --quiet --release --locked -p e2e --test e2e fleet::a_fleet -- --nocapture --test-threads 1 2>&1 | grep -E "^seed|takeover|result|panicked"' \
    'export FORECAST_PYTHON=$(tests/setup.sh) FLEET_ROUNDS=100
cargo test --quiet --release --locked -p e2e --test e2e fleet::random -- --nocapture 2>&1 | grep -E "^seed|takeover|result|panicked"'

keep rebench-cron 'Schedules of rebench-cron against every minute' 'All time zones, every change of their clocks from 2020 to 2037, twelve schedules in four dialects under four rules: `next` and
`prev` against an oracle that looks at every minute of three days. Then 20,000 random expressions for each property.' \
    'CRON_ZONES=all PROPTEST_CASES=20000 cargo test --quiet --release --locked -p rebench-cron --test it -- zones:: properties:: --nocapture'

keep rebench-cron-alarm 'The alarm of rebench-cron over two years of weekly looks' 'Simulated series, judged by what judges the records; 5 % false alarms are promised for looks that are not correlated.' \
    'SIM_HISTORIES=20000 cargo test --quiet --release --locked -p rebench-cron --test it -- simulation:: --nocapture --test-threads 1'

keep rebench-cron-daemon 'Kills of the daemon of rebench-cron, and races for slots' '`kill -9` of `rebench-cron run` as soon as a run is seen in a given state, and at random moments, while jobs run, fail, are judged and alerts
are told. Then a daemon finishes what is left: the records are whole, each slot from the first to the last is there once and none is open,
no process of any run is left, each transition of an alert was told and nothing else. A transition is told again where the kill fell between
the telling and the note of it; receivers know it by its key. Then two daemons on one state folder, with slots that are all due in one second.' \
    'CRASH_ROUNDS=200 RACE_SLOTS=1000 cargo test --quiet --locked -p rebench-cron --test it -- crash::kills race::two_daemons --nocapture --test-threads 1'

keep exports 'Exports of rebench-cron, run by the engines' 'Airflow and Slurm, with a stand-in for `rebench-cron once`.' tests/exports/airflow.sh tests/exports/slurm.sh

keep packaging 'Packages, installed and removed' 'The wheel in an empty environment, the Debian package in a view of a machine that forgets it, `make install` in an empty folder.' \
    packaging/verify.sh

if is_wanted checks; then
    PROPTEST_CASES=20000 cargo test --release --locked -p shared -p bench-compare
    FAULT_ROUNDS=500 cargo test --locked -p e2e faults
    NANNYML_DATA=$(tests/python/nannyml_data.sh) cargo test --locked -p drift-watch --test it chunks::
fi
