#!/usr/bin/env bash
# Builds the tools for musl, which need no library of the system, and looks whether that is so. It takes the standard library of that target
# (`rustup target add`; Debian has its source in rust-web-src) and musl-gcc (musl-tools) for the parts in C.
# packaging/static.sh [FURTHER FLAGS OF CARGO]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=(bench-compare manifest-gen drift-watch rebench-cron)
target=$(uname -m)-unknown-linux-musl
command -v musl-gcc >/dev/null || { echo 'musl-gcc is not there: apt-get install musl-tools' >&2; exit 3; }
export "CC_${target//-/_}=musl-gcc"
${CARGO:-cargo} build --release --locked --target "$target" "${tools[@]/#/-p}" "$@"
out=${CARGO_TARGET_DIR:-target}/$target/release
for tool in "${tools[@]}"; do
    if readelf --program-headers "$out/$tool" | grep -q INTERP; then echo "$tool asks for a loader" >&2; exit 1; fi
done
packaging/sizes.sh "$out"
