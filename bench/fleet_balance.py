#!/usr/bin/env python3
"""How evenly partitions and replicas share series, by simulation with the partition function itself: fleet_balance.py [SERIES].

A fleet is as fast as its fullest replica. Series have names; each partition goes to one replica, and replicas differ by one partition at the most.
What is printed is the mean load of a replica as a part of the largest, for series of equal traffic and for a tenth that has ten times as much.
"""

import hashlib
import sys


def partition(name: str, n: int) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % n


def efficiency(loads: list, replicas: int) -> float:
    # The worst deal: replicas that have one partition more have the fullest ones.
    ordered = sorted(loads, reverse=True)
    surplus = len(loads) % replicas
    size = len(loads) // replicas
    largest = sum(ordered[: size + (surplus > 0)])
    return sum(loads) / replicas / largest


def expected(loads: list, replicas: int) -> float:
    # Partitions in the order of their numbers, dealt out in turn.
    dealt = [sum(loads[first::replicas]) for first in range(replicas)]
    return sum(loads) / replicas / max(dealt)


def main() -> None:
    series = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    names = [f"store_{number:07}" for number in range(series)]
    print(f"{series:,} series | equal: dealt in turn, worst deal | a tenth with ten times the traffic: dealt in turn, worst deal")
    for partitions in (64, 1024, 4096):
        equal, skewed = [0] * partitions, [0] * partitions
        for number, name in enumerate(names):
            place = partition(name, partitions)
            equal[place] += 1
            skewed[place] += 10 if number % 10 == 0 else 1
        for replicas in (2, 3, 10, 32, 64, 100):
            if replicas <= partitions:
                cells = [f(loads, replicas) for loads in (equal, skewed) for f in (expected, efficiency)]
                print(f"{partitions} partitions, {replicas} replicas | " + " | ".join(f"{cell:.2f}" for cell in cells))


main()
