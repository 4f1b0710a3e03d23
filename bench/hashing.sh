#!/usr/bin/env bash
# Our hashing, openssl's and (given a Python that has it) the signing of model_signing's command line, in turns on this machine:
# medians of wall and CPU seconds.
#   bench/hashing.sh [RUNS] [PYTHON]      needs openssl and GNU time; BIG_MIB sizes the large file (2048), TMPDIR places it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
runs=${1:-5}
python=${2:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cargo build --release --locked -q -p manifest-gen --example hash
ours=target/release/examples/hash

mkdir "$folder/large" "$folder/many"
openssl rand "$((16 * 1024 * 1024))" > "$folder/piece"
for _ in $(seq "$((${BIG_MIB:-2048} / 16))"); do cat "$folder/piece"; done > "$folder/large/file"
for n in $(seq 1000); do openssl rand 102400 > "$folder/many/$n"; done
rm "$folder/piece"

measure() { # NAME COMMAND...
    local name=$1
    shift
    command time -f "$name %e %U %S" "$@" 2>&1 >/dev/null | tail -1
}
cat "$folder"/large/* "$folder"/many/* > /dev/null # into the page cache
# The real thing must agree before it is timed.
diff <(openssl dgst -sha256 -r "$folder"/many/* | cut -c1-64 | sort) <("$ours" "$folder/many" | cut -c1-64 | sort)
for _ in $(seq "$runs"); do
    measure large/ours "$ours" "$folder/large/file"
    measure large/openssl openssl dgst -sha256 "$folder/large/file"
    measure many/ours "$ours" "$folder/many"
    measure many/openssl openssl dgst -sha256 "$folder"/many/*
    measure startup/ours "$ours"
    if [ -n "$python" ]; then
        for set in large many; do
            measure "$set/model_signing" "$python" -m model_signing sign key --private_key tests/data/signing/keys/p256.pem \
                --signature "$folder/model.sig" "$folder/$set"
        done
        measure startup/model_signing "$python" -m model_signing --version
    fi
done | python3 -c '
import statistics, sys
figures = {}
for line in sys.stdin:
    name, wall, user, system = line.split()
    figures.setdefault(name, []).append((float(wall), float(user) + float(system)))
medians = {name: [statistics.median(column) for column in zip(*values)] for name, values in figures.items()}
print("| job | wall s | CPU s | wall against ours | CPU against ours |\n| --- | ---: | ---: | ---: | ---: |")
for name in sorted(medians):
    wall, cpu = medians[name]
    own = medians[name.split("/")[0] + "/ours"]
    ratio = lambda a, b: "{:.2f}".format(a / b) if b >= 0.02 else "-"
    print("| {} | {:.2f} | {:.2f} | {} | {} |".format(name, wall, cpu, ratio(wall, own[0]), ratio(cpu, own[1])))
'
