#!/usr/bin/env python3
"""How much faster two replicas are than one: fleet.py DRIFT_WATCH NATS_SERVER [ROUNDS [SERIES [STEPS]]].

Replicas share the partitions, then stand still (SIGSTOP) until the broker holds all records; what is timed is from then on until every record is
applied and acknowledged, as the broker says. Each replica is bound to a core of its own, the broker to none. One and two replicas take turns;
medians of the rounds.
"""

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PARTITIONS = 8


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(process: subprocess.Popen) -> float:
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(words: list, core: int | None = None, **kept) -> subprocess.Popen:
    bind = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(words, preexec_fn=bind, **(quiet | kept))


class Broker:
    def __init__(self, program: str, folder: str) -> None:
        self.port, self.monitor = free_port(), free_port()
        words = [program, "-a", "127.0.0.1", "-p", str(self.port), "-m", str(self.monitor), "-js", "-sd", folder]
        self.process = start(words)
        self.url = f"nats://127.0.0.1:{self.port}"
        self.asked("/healthz")

    def asked(self, path: str) -> dict:
        for _ in range(200):
            try:
                return json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}{path}", timeout=5))
            except OSError:
                time.sleep(0.05)
        sys.exit("the broker does not answer")

    def is_drained(self) -> bool:
        accounts = self.asked("/jsz?consumers=true&config=true").get("account_details") or []
        streams = [stream for account in accounts for stream in account.get("stream_detail") or []]
        consumers = [consumer for stream in streams for consumer in stream.get("consumer_detail") or []]
        readers = [one for one in consumers if one["config"].get("ack_policy") == "all"]
        # A partition that has changed hands may have the reader of its former owner still.
        newest = {one["name"].split("-e")[0]: one for one in sorted(readers, key=lambda one: int(one["name"].split("-e")[1]))}
        return len(newest) == PARTITIONS and all(one["num_pending"] + one["num_ack_pending"] == 0 for one in newest.values())


def round_of(drift_watch: str, nats_server: str, records: str, replicas: int) -> dict:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as started:
        broker = Broker(nats_server, f"{folder}/broker")
        started.callback(end, broker.process)
        common = ["--nats-url", broker.url, "--nats-partitions", str(PARTITIONS)]
        run = [drift_watch, "--no-config", "run", *common, "--nats-lease", "20s", "--warm-up", "40d", "--retain", "60"]
        cores, fleet = sorted(os.sched_getaffinity(0)), []
        for number in range(replicas):
            address = f"127.0.0.1:{free_port()}"
            words = [*run, "--state", f"{folder}/{number}", "--listen", address]
            fleet.append(start(words, cores[number % len(cores)]))
            started.callback(end, fleet[-1])
        while shares(drift_watch, address) != [PARTITIONS // replicas] * replicas:
            time.sleep(0.2)
        for process in fleet:
            process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        subprocess.run([drift_watch, "--no-config", "publish", records, *common], check=True, stdout=subprocess.DEVNULL)
        published, before = time.monotonic() - begun, cpu_seconds(broker.process)
        begun = time.monotonic()
        for process in fleet:
            process.send_signal(signal.SIGCONT)
        while not broker.is_drained():
            time.sleep(0.02)
        return {
            "publish": published,
            "wall": time.monotonic() - begun,
            "replicas": sum(map(cpu_seconds, fleet)),
            "broker": cpu_seconds(broker.process) - before,
        }


def shares(drift_watch: str, address: str) -> list:
    """How many partitions each replica reads, as one of them sees it."""
    words = [drift_watch, "--no-config", "status", "--url", f"http://{address}", "--json"]
    said = subprocess.run(words, capture_output=True, text=True)
    feeds = json.loads(said.stdout)["feeds"] if said.stdout else []
    owners = [feed["reason"].rsplit(" ", 1)[-1] for feed in feeds if feed["healthy"]]
    return sorted(owners.count(owner) for owner in set(owners))


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()


def main() -> None:
    drift_watch, nats_server = os.path.abspath(sys.argv[1]), sys.argv[2]
    rounds, series, steps = (int(word) for word in (sys.argv[3:] + ["3", "1000", "500"][len(sys.argv) - 3 :]))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, f"{HERE}/make_live.py", folder, str(series), str(steps), "--together"], check=True)
        taken = {1: [], 2: []}
        for _ in range(rounds):
            for replicas in taken:
                taken[replicas].append(round_of(drift_watch, nats_server, f"{folder}/records.jsonl", replicas))
    pairs = series * steps
    median = {n: {name: statistics.median(one[name] for one in all) for name in all[0]} for n, all in taken.items()}
    for replicas, one in median.items():
        print(
            f"{replicas} replica(s): {pairs / one['wall']:,.0f} pairs a second ({one['wall']:.2f} s); processor time"
            f" {one['replicas']:.2f} s of replicas, {one['broker']:.2f} s of the broker"
        )
    print(f"ratio of throughput, two to one: {median[1]['wall'] / median[2]['wall']:.2f}")
    print(f"published: {2 * pairs / median[1]['publish']:,.0f} records a second")


main()
