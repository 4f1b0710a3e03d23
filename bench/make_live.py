#!/usr/bin/env python3
"""Live records of a number of series with the same step, as JSON Lines: make_live.py FOLDER SERIES STEPS [SEED].

Each day brings a forecast for the next day with its interval, then the actual of the day before: STEPS times SERIES pairs. Numbers have as
many digits as Python prints, times the format of DESIGN. The same seed gives the same bytes.
"""

import datetime
import random
import sys


def main() -> None:
    folder, series, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    draw = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 8)
    names = [f"store_{number:07}" for number in range(series)]
    start = datetime.datetime(2024, 1, 1)
    # A table of normal draws is gone through in steps that share no factor with its length: a draw for each number would take an hour.
    table = [draw.gauss(0.0, 2.0) for _ in range(100_003)]
    at = 0
    with open(f"{folder}/predictions.jsonl", "w") as predictions, open(f"{folder}/actuals.jsonl", "w") as actuals:
        for step in range(steps):
            issued = (start + datetime.timedelta(days=step, hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
            target = (start + datetime.timedelta(days=step + 1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            observed = (start + datetime.timedelta(days=step + 2, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            lines, values = [], []
            for name in names:
                at = (at + 7) % len(table)
                y_hat = 100.0 + table[at]
                y = 100.0 + table[(at * 31 + step) % len(table)]
                lines.append(
                    f'{{"model":"demand","version":"1","series":"{name}","issued_at":"{issued}","target_time":"{target}",'
                    f'"horizon":1,"y_hat":{y_hat!r},"lo":{y_hat - 4.0:.4f},"hi":{y_hat + 4.0:.4f}}}\n'
                )
                values.append(
                    f'{{"series":"{name}","target_time":"{target}","y":{y:.3f},"observed_at":"{observed}"}}\n'
                )
            predictions.writelines(lines)
            actuals.writelines(values)


main()
