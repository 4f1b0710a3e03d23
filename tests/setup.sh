#!/usr/bin/env bash
# What the tests need beside Rust: programs and servers from Debian's packages, and a Python with the packages of tests/python.
# As root it installs what is missing; else it says what is missing, and the tests that ask for it say loudly that they are skipped.
# In CI nothing may be missing. The last line that it prints is that Python, or nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=()
for program in git openssl strace python3 prometheus prometheus-alertmanager chromium faketime; do
    command -v "$program" >/dev/null || missing+=("$program")
done
for program in crontab:cron systemd-analyze:systemd unshare:util-linux java:default-jre-headless; do
    command -v "${program%:*}" >/dev/null || missing+=("${program#*:}")
done
[[ -x /usr/sbin/nats-server ]] || command -v nats-server >/dev/null || missing+=(nats-server)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)

if ((${#missing[@]})); then
    if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
        echo "installing what the tests need: ${missing[*]}" >&2
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >&2
    else
        echo "MISSING, so some tests are skipped: ${missing[*]}" >&2
        [[ -z ${CI:-} ]] || exit 1
    fi
fi
exec tests/python/setup.sh
