#!/usr/bin/env bash
# Builds the wheel and the Debian package, installs each where nothing else is, runs the tools from there, and removes them again.
# The package is installed in a copy-on-write view of this machine, so that its maintainer scripts run for real and leave nothing:
# that needs root and cargo-deb. Progress goes to standard error, results to standard output.
# packaging/verify.sh [install|cargo|deb|wheel]...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=(bench-compare manifest-gen drift-watch rebench-cron)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Each tool in a folder says its version and its completions; one does its work.
run_all() {
    local bin=$1
    for tool in "${tools[@]}"; do
        "$bin/$tool" --version
        "$bin/$tool" completions bash | bash -n
    done
    "$bin/bench-compare" score tests/data/cv/bls_unemployment_cv.csv --train tests/data/cv/bls_unemployment_train.csv --season 12 --metrics mape --no-config >"$scratch/score"
    grep -q '^ LightGBM *1932 ' "$scratch/score"
    "$bin/manifest-gen" scan tests/data/artifacts/models/lightgbm_v2.pkl --no-config >/dev/null
    "$bin/drift-watch" replay --predictions tests/data/live/nodrift/predictions.jsonl --actuals tests/data/live/nodrift/actuals.jsonl --warm-up 40d --no-config >/dev/null
    "$bin/rebench-cron" next --expr '30 2 * * 1' --tz America/New_York --no-config >/dev/null
    packaging/sizes.sh "$bin"
}

verify_wheel() {
    local wheel
    wheel=$(packaging/wheel.sh)
    echo "wheel: ${wheel##*/}, $(stat -c %s "$wheel") bytes"
    python3 -m venv "$scratch/venv"
    mkdir "$scratch/home"
    env -i HOME="$scratch/home" PATH=/usr/bin:/bin "$scratch/venv/bin/pip" install --quiet --no-index --disable-pip-version-check "$wheel"
    run_all "$scratch/venv/bin"
    "$scratch/venv/bin/pip" uninstall --quiet --yes forecast-promotion
    for tool in "${tools[@]}"; do test ! -e "$scratch/venv/bin/$tool"; done
    echo 'wheel: installed, run, removed'
}

# What a shell offers after `bench-compare ga` must be `gate`; zsh and fish are asked where they are installed.
complete_in_all_shells() {
    local share=$1/share
    bash -c 'source "$1"; COMP_WORDS=(bench-compare ga) COMP_CWORD=1; _bench__compare bench-compare ga bench-compare; test "${COMPREPLY[*]}" = gate' - "$share/bash-completion/completions/bench-compare"
    if command -v zsh >/dev/null; then
        zsh -f -c 'fpath=($1 $fpath); autoload -U compinit; compinit -D -u; test "$_comps[bench-compare]" = _bench-compare' - "$share/zsh/site-functions"
        for tool in "${tools[@]}"; do zsh -f -n "$share/zsh/site-functions/_$tool"; done
    fi
    if command -v fish >/dev/null; then
        fish --no-config -c 'source $argv[1]; complete -C "bench-compare ga"' "$share/fish/vendor_completions.d/bench-compare.fish" | grep -q '^gate'
    fi
}

verify_install() {
    make --silent install-daemons DESTDIR="$scratch/root" PREFIX=/usr >&2
    run_all "$scratch/root/usr/bin"
    complete_in_all_shells "$scratch/root/usr"
    make --silent uninstall DESTDIR="$scratch/root" PREFIX=/usr >&2
    left=$(find "$scratch/root" -type f -printf '%P\n')
    test "$left" = etc/forecast-promotion/promotion.toml
    echo 'make install-daemons: installed, run, removed; the settings stay'
}

verify_deb() {
    make --silent deb >&2
    local deb
    deb=$(ls build/forecast-promotion_*.deb)
    echo "package: ${deb##*/}, $(stat -c %s "$deb") bytes, $(dpkg-deb --field "$deb" Depends | sed 's/^/depends on /')"
    unshare --mount packaging/install_deb.sh "$deb" "$scratch"
    echo 'package: installed, run, removed, purged'
}

verify_cargo() {
    for tool in "${tools[@]}"; do
        cargo install --quiet --locked --path "$tool" --root "$scratch/cargo"
    done
    run_all "$scratch/cargo/bin"
    echo 'cargo install: each tool installed by itself, and run'
}

for what in "${@:-install cargo deb wheel}"; do
    # The default is a list, in the order in which one build serves the next.
    for one in $what; do "verify_$one"; done
done
