#!/usr/bin/env bash
# Writes what each tool is built from, as CycloneDX 1.5, to build/sbom. cargo-cyclonedx lists what any feature of the workspace could
# bring; only what `cargo tree` says of that tool is kept. Checked by the official library where FORECAST_PYTHON names a Python that has it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=(bench-compare manifest-gen drift-watch rebench-cron)
trap 'rm -f -- */*_bin.cdx.json' EXIT
mkdir -p build/sbom
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) cargo cyclonedx --quiet --manifest-path packaging/Cargo.toml --format json --spec-version 1.5 --describe binaries
for tool in "${tools[@]}"; do
    cargo tree --locked -p "$tool" --edges normal,build --prefix none --no-dedupe --format '{p}' \
        | python3 packaging/sbom.py "$tool/${tool}_bin.cdx.json" "$PWD" >"build/sbom/$tool.cdx.json"
    if [[ -n ${FORECAST_PYTHON:-} ]]; then "$FORECAST_PYTHON" tests/python/check_cyclonedx.py 1.5 <"build/sbom/$tool.cdx.json"; fi
    echo "build/sbom/$tool.cdx.json"
done
