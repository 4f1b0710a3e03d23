#!/usr/bin/env bash
# Installs a package in a copy-on-write view of this machine, looks at what it made, removes and purges it. Called by verify.sh
# in a mount namespace of its own; what is mounted here ends with it. packaging/install_deb.sh PACKAGE.deb SCRATCH_FOLDER
set -euo pipefail
deb=$1 scratch=$2

mkdir "$scratch/view"
mount -t tmpfs tmpfs "$scratch/view"
mkdir "$scratch"/view/{upper,work,root}
root=$scratch/view/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/view/upper,workdir=$scratch/view/work" "$root"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
mkdir -p "$root/src" "$root/run"
mount --bind "$PWD" "$root/src"
mount -t tmpfs tmpfs "$root/run"
cp "$deb" "$root/package.deb"
inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

inside dpkg --install /package.deb >&2
for daemon in drift-watch rebench-cron; do
    unit=/usr/lib/systemd/system/$daemon.service
    user=$(sed -n 's/^User=//p' "$root$unit")
    echo "$daemon: user $(inside getent passwd "$user")"
    # It says what it does not know, and ends well all the same.
    inside systemd-analyze verify --man=yes "$unit" 2>&1 | (! grep -F "$daemon")
    test "$(inside systemctl is-enabled "$daemon.service" || true)" = disabled
    # As that user, with the settings as they are installed: nothing is watched or run yet, and that is said.
    inside install -d -o "$user" "/var/lib/$daemon"
    inside setpriv --reuid="$user" --regid="$user" --clear-groups "/usr/bin/$daemon" check --config /etc/forecast-promotion/promotion.toml >&2
    inside man --warnings -l "/usr/share/man/man1/$daemon.1.gz" 2>&1 >/dev/null | (! grep .)
done
inside bash -c 'cd /src && source /usr/share/bash-completion/completions/bench-compare && complete -p bench-compare' >&2
for page in "$root"/usr/share/man/man1/{bench-compare,manifest-gen,drift-watch,rebench-cron}*.1.gz "$root"/usr/share/man/man5/promotion.toml.5.gz; do
    test "$(man -l "$page" | wc -l)" -gt 20
done
inside bash -c 'cd /src && packaging/sizes.sh /usr/bin' >/dev/null
inside bash -c 'cd /src && bench-compare score tests/data/cv/bls_unemployment_cv.csv --metrics mape --no-config' | grep -q ' LightGBM *1932 '
echo '# changed here' >>"$root/etc/forecast-promotion/promotion.toml"
inside dpkg --install --force-confold /package.deb >&2
grep -q '^# changed here$' "$root/etc/forecast-promotion/promotion.toml"
inside dpkg --remove forecast-promotion >&2
test ! -e "$root/usr/bin/drift-watch"
test -e "$root/etc/forecast-promotion/promotion.toml"
inside dpkg --purge forecast-promotion >&2
test ! -e "$root/etc/forecast-promotion/promotion.toml"
test ! -e "$root/usr/lib/systemd/system/drift-watch.service"
