#!/usr/bin/env bash
# Builds the committed tree twice, in folders of different names and with nothing in common but the crates' sources, and compares the
# binaries. Paths of the machine are mapped away; the same flags give a third party the same bytes, with the same toolchain and
# C compiler. packaging/reproduce.sh [TOOL]...; REPRODUCE_IN names a folder to work in.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=("$@")
((${#tools[@]})) || tools=(bench-compare manifest-gen drift-watch rebench-cron)
work=${REPRODUCE_IN:-$(mktemp -d)}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
commit=$(git rev-parse HEAD)
for name in first a-second-one; do
    folder=$work/$name
    mkdir -p "$folder"
    git archive "$commit" | tar -x -C "$folder"
    (
        cd "$folder"
        export CARGO_TARGET_DIR=$folder/out CARGO_INCREMENTAL=0
        export RUSTFLAGS="--remap-path-prefix=$folder=/src --remap-path-prefix=$cargo_home=/cargo"
        export CFLAGS="-ffile-prefix-map=$folder=/src -ffile-prefix-map=$cargo_home=/cargo"
        export SOURCE_DATE_EPOCH=0
        cargo build --release --locked --quiet "${tools[@]/#/-p}"
    )
done
rustc --version
same=0
for tool in "${tools[@]}"; do
    read -r first _ < <(sha256sum "$work/first/out/release/$tool")
    read -r second _ < <(sha256sum "$work/a-second-one/out/release/$tool")
    if [[ $first == "$second" ]]; then echo "$tool  same  $first"; else echo "$tool  differs  $first  $second"; same=1; fi
    if grep -aqF -e "$work" -e "$cargo_home" "$work/first/out/release/$tool"; then echo "$tool  holds a path of this machine"; same=1; fi
done
exit "$same"
