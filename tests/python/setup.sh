#!/usr/bin/env bash
# Makes the virtual environment of the tests, once for each list of packages, and prints its python.
# Prints nothing where there is no python with venv, or no package index: the tests then say what they skip.
# In CI that is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

list=tests/python/requirements.txt
stamp=$(sha256sum "$list" | cut -c1-12)
folder=${FORECAST_PYTHON_FOLDER:-$PWD/build/python-$stamp}

if [[ ! -e $folder/ready ]]; then
    echo "making the Python environment of the tests in $folder" >&2
    if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$list" && touch "$folder/ready"; } >&2; then
        rm -rf "$folder"
        echo 'no Python environment: tests of the real clients and servers will be skipped' >&2
        if [[ -n ${CI:-} ]]; then exit 1; fi
        exit 0
    fi
fi
echo "$folder/bin/python"
