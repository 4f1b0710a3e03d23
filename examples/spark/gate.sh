#!/bin/sh
# The gate on a table in Spark: print the query, run it where the table lives, judge the sums. gate.sh FOLDER
# The exit status is that of the gate; a job that fails is 3.
set -eu
here=$(dirname "$0")
out=$1
cv=${CV:-$here/../../tests/data/cv/bls_unemployment_cv.csv}
train=${TRAIN:-$here/../../tests/data/cv/bls_unemployment_train.csv}

mkdir -p "$out"
rm -rf "$out/statistics"
bench-compare sql --dialect spark --table cv --train train --season 12 --models LightGBM,SeasonalNaive \
    --slice 'holiday = 1' -o "$out/statistics.sql"
${SPARK_SUBMIT:-spark-submit} "$here/statistics.py" "$out/statistics.sql" "$out/statistics" "cv=$cv" "train=$train" || exit 3
exec bench-compare gate --sufficient "$out/statistics" --season 12 --candidate-model LightGBM --baseline-model SeasonalNaive \
    --slice 'holiday = 1' -o "$out/verdict.json"
