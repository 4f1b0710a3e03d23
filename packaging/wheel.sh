#!/usr/bin/env bash
# Builds the wheel into build/wheel, and prints its path. The builder is the one that pyproject.toml names.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

maturin=$(sed -n 's/^requires = \["\(maturin==[^"]*\)"\]$/\1/p' pyproject.toml)
folder=build/${maturin/==/-}
if [[ ! -x $folder/bin/maturin ]]; then
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$maturin"
fi
rm -rf build/wheel
PATH=$PWD/$folder/bin:$PATH maturin build --release --out build/wheel "$@" >&2
ls build/wheel/*.whl
