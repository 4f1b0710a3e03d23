#!/usr/bin/env python3
"""Live records of a number of series with the same step, as JSON Lines: make_live.py FOLDER SERIES STEPS [--together].

Each day brings a forecast for the next day with its interval, then the actual of the day before: STEPS times SERIES pairs, in two files, or with
--together in one, in the order in which they come. Numbers have as many digits as Python prints. The same words give the same bytes.
"""

import datetime
import random
import sys

START = datetime.datetime(2024, 1, 1)


def time(days: int, hours: int = 0) -> str:
    return (START + datetime.timedelta(days=days, hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def main() -> None:
    folder, series, steps, together = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), "--together" in sys.argv
    names = [f"store_{number:07}" for number in range(series)]
    draw = random.Random(8)
    # A table of normal draws is gone through in steps that share no factor with its length: a draw for each number would take an hour.
    table = [draw.gauss(0.0, 2.0) for _ in range(100_003)]
    at = 0
    predictions = open(f"{folder}/{'records' if together else 'predictions'}.jsonl", "w")
    actuals = predictions if together else open(f"{folder}/actuals.jsonl", "w")
    late: list[str] = []
    for step in range(steps):
        issued, target, observed = time(step, 2), time(step + 1), time(step + 2, 1)
        lines, values = [], []
        for name in names:
            at = (at + 7) % len(table)
            y_hat, y = 100.0 + table[at], 100.0 + table[(at * 31 + step) % len(table)]
            lines.append(
                f'{{"model":"demand","version":"1","series":"{name}","issued_at":"{issued}","target_time":"{target}",'
                f'"horizon":1,"y_hat":{y_hat!r},"lo":{y_hat - 4.0:.4f},"hi":{y_hat + 4.0:.4f}}}\n'
            )
            values.append(f'{{"series":"{name}","target_time":"{target}","y":{y:.3f},"observed_at":"{observed}"}}\n')
        predictions.writelines(lines)
        # These are observed 23 hours after those forecasts are issued.
        actuals.writelines(late)
        late = values
    actuals.writelines(late)


main()
