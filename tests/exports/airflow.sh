#!/usr/bin/env bash
# What Airflow itself says of an exported DAG: it imports, and its runs end as the exit statuses of `once` say.
# Prints what it found; 0 if all is as expected. Needs python3 with venv and a package index, and some minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=3.3.2
folder=${AIRFLOW_FOLDER:-$PWD/build/airflow-$version}
airflow=$folder/bin/airflow
if [[ ! -x $airflow ]]; then
    echo "installing Airflow $version in $folder" >&2
    if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check "apache-airflow==$version"; } >&2; then
        rm -rf "$folder"
        echo "SKIPPED: Airflow $version cannot be installed"
        if [[ -n ${CI:-} ]]; then exit 1; fi
        exit 0
    fi
fi

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export AIRFLOW_HOME=$place/home AIRFLOW__CORE__DAGS_FOLDER=$place/dags AIRFLOW__CORE__LOAD_EXAMPLES=False NO_COLOR=1
mkdir "$place/home" "$place/dags"

# A stand-in for the program, which ends with the status that a file names.
printf '#!/bin/sh\necho "$@"\nexit "$(cat %s/status)"\n' "$place" > "$place/program"
chmod +x "$place/program"
printf '[rebench-cron.jobs.walmart]\nschedule = "30 2 * * 1"\ntz = "Europe/Berlin"\ncommand = ["true"]\n' > "$place/promotion.toml"
cargo run --locked -q -p rebench-cron -- export walmart --to airflow --config "$place/promotion.toml" --program "$place/program" -o "$place/dags" > "$place/said"

echo "Airflow $(timeout 120 "$airflow" version 2>/dev/null | tail -n 1)"
timeout 300 "$airflow" db migrate > "$place/log" 2>&1
timeout 300 "$airflow" dags reserialize >> "$place/log" 2>&1
errors=$(timeout 300 "$airflow" dags list-import-errors 2>/dev/null | tail -n 1)
echo "import errors: $errors"
failed=0
if [[ $errors != *'No data found'* ]]; then failed=1; fi

for expected in 0:success 1:failed 2:failed 3:failed 4:skipped; do
    echo "${expected%%:*}" > "$place/status"
    timeout 300 "$airflow" dags test rebench-cron-walmart "2026-01-0$((5 + ${expected%%:*}))" > "$place/log" 2>&1 || true
    states=$(timeout 120 "$folder/bin/python" - "$place/home/airflow.db" <<'SQL'
import sqlite3, sys
for run, task in sqlite3.connect(sys.argv[1]).execute(
    "select r.state, t.state from dag_run r join task_instance t using (dag_id, run_id) order by r.id desc limit 1"
):
    print(run, task)
SQL
)
    echo "exit status ${expected%%:*}: run and task are ${states:-unknown}"
    if [[ ${states##* } != "${expected##*:}" ]]; then
        failed=1
        tail -n 30 "$place/log"
    fi
done
if (( failed )); then echo 'not as expected'; else echo 'as expected'; fi
exit "$failed"
