#!/usr/bin/env bash
# Fetches NannyML's synthetic car price data, which its package ships, and prints the folder: the value of NANNYML_DATA for the
# tests of drift-watch. Nothing is installed, and nothing is fetched twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=0.13.1
folder=$PWD/build/nannyml-$version

if [[ ! -e $folder/ready ]]; then
    mkdir -p "$folder"
    {
        python3 -m venv "$folder/venv"
        "$folder/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$folder" "nannyml==$version"
        python3 - "$folder"/nannyml-*.whl "$folder" << 'PYTHON'
import pathlib
import sys
import zipfile

wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for part in ("reference", "analysis", "analysis_targets"):
        name = f"regression_synthetic_{part}.csv"
        pathlib.Path(folder, name).write_bytes(archive.read(f"nannyml/datasets/data/{name}"))
PYTHON
        rm -rf "$folder/venv" "$folder"/nannyml-*.whl
        touch "$folder/ready"
    } >&2
fi
echo "$folder"
