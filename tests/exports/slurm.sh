#!/usr/bin/env bash
# What Slurm itself says of an exported batch script: it is accepted, its exit status is that of `once`, each run submits the
# next for the right time, and no two are on at once. Starts a cluster of one machine on the loopback interface.
# Prints what it found; 0 if all is as expected. Needs slurmctld, slurmd and munged (Debian: slurm-wlm, munge).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for program in munged slurmctld slurmd sbatch; do
    if ! PATH=$PATH:/usr/sbin command -v "$program" > /dev/null; then
        echo "SKIPPED: $program is not installed"
        if [[ -n ${CI:-} ]]; then exit 1; fi
        exit 0
    fi
done
export PATH=$PATH:/usr/sbin

place=$(mktemp -d)
started=()
cleanup() {
    for (( i = ${#started[@]} - 1; i >= 0; i-- )); do
        kill "${started[i]}" 2>/dev/null || true
        wait "${started[i]}" 2>/dev/null || true
    done
    rm -rf "$place"
}
trap cleanup EXIT
chmod 711 "$place"
mkdir "$place/spool" "$place/state" "$place/munge"
chmod 755 "$place/munge"

read -r one two < <(python3 -c '
import socket
sockets = [socket.socket() for _ in range(2)]
for one in sockets: one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in sockets])')
(umask 077; head -c 128 /dev/urandom > "$place/munge/key")
munged --foreground --force --key-file="$place/munge/key" --socket="$place/munge/socket" --pid-file="$place/munge/pid" \
    --seed-file="$place/munge/seed" --log-file="$place/munge/log" > "$place/munge/said" 2>&1 &
started+=($!)

host=$(hostname -s)
cat > "$place/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
SlurmctldPort=$one
SlurmdPort=$two
AuthType=auth/munge
AuthInfo=socket=$place/munge/socket
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
SlurmctldLogFile=$place/slurmctld.log
SlurmdLogFile=$place/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MailProg=/bin/true
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$place/slurm.conf
slurmctld -D -f "$SLURM_CONF" > /dev/null 2>&1 &
started+=($!)
slurmd -D -f "$SLURM_CONF" -N "$host" > /dev/null 2>&1 &
started+=($!)

# until CONDITION: for half a minute.
until_true() {
    local tries=0
    until eval "$1"; do
        (( ++tries < 300 )) || { echo "not within half a minute: $1"; tail -n 5 "$place"/slurm*.log; exit 1; }
        sleep 0.1
    done
}
until_true '[[ $(sinfo -h -o %t 2>/dev/null) == idle* ]]'
sbatch --version

# A stand-in for the program: `once` waits for a file and ends with the status that another names.
cargo build --locked -q -p rebench-cron
real=${CARGO_TARGET_DIR:-$PWD/target}/debug/rebench-cron
cat > "$place/program" <<PROGRAM
#!/bin/sh
if [ "\$1" = next ]; then exec "$real" "\$@"; fi
touch "$place/begun.\$SLURM_JOB_ID"
until [ -e "$place/go" ]; do sleep 0.1; done
exit "\$(cat "$place/status")"
PROGRAM
chmod +x "$place/program"
printf '[rebench-cron.jobs.walmart]\nschedule = "30 2 1 1 *"\ntz = "Europe/Berlin"\ncommand = ["true"]\ntimeout = "1h"\n' > "$place/promotion.toml"
"$real" export walmart --to slurm --config "$place/promotion.toml" --program "$place/program" -o "$place/out" > "$place/said"
script=$place/out/rebench-cron-walmart.sbatch
cd "$place"

failed=0
check() {
    if [[ $2 == "$3" ]]; then echo "$1: $2"; else echo "$1: $2, expected $3"; failed=1; fi
}
pending() { squeue -h --name=rebench-cron-walmart --states=PD -o "$1"; }

sbatch --test-only "$script" > test 2>&1 && code=0 || code=$?
check 'sbatch --test-only' "$code" 0
touch go
for status in 0 1 3 4; do
    echo "$status" > status
    timeout 60 sbatch --wait "$script" > /dev/null 2>&1 && code=0 || code=$?
    check "sbatch --wait of a run that ends with $status" "$code" "$status"
done
check 'submitted again by hand-started runs' "$(pending %i | wc -l)" 0

bash "$script" > /dev/null
due=$(date -d "$("$real" next --no-config --expr '30 2 1 1 *' --tz Europe/Berlin -n 1)" +%s)
begin=$(date -d "$(pending %S)" +%s)
check 'begins when the schedule says, to 2 seconds' "$(( begin - due <= 2 && due - begin <= 2 ))" 1
scancel --name=rebench-cron-walmart
until_true '[[ -z $(squeue -h) ]]'

# A run of the chain: its successor waits for the next year.
slot=$(date -u +%Y-%m-%dT%H:%M:%SZ)
timeout 60 sbatch --wait --begin=now "$script" "$slot" "$script" > /dev/null 2>&1 && code=0 || code=$?
check 'a run of the chain ends as once does' "$code" 4
check 'and has submitted the next' "$(pending %i | wc -l)" 1
check 'which begins when the schedule says' "$(( $(date -d "$(pending %S)" +%s) - due <= 2 ))" 1
scancel --name=rebench-cron-walmart
until_true '[[ -z $(squeue -h) ]]'

# Two at once: the second waits for the first.
rm go
first=$(sbatch --parsable "$script")
until_true '[[ -e begun.$first ]]'
second=$(sbatch --parsable "$script")
until_true '[[ $(squeue -h -j "$second" -o %r) == Dependency ]]'
check 'the second waits with reason' "$(squeue -h -j "$second" -o %r)" Dependency
touch go
until_true '[[ -z $(squeue -h) ]]'
check 'the second ran after the first' "$(ls begun."$second")" "begun.$second"

if (( failed )); then echo 'not as expected'; else echo 'as expected'; fi
exit "$failed"
