"""Forecasts four made-up series for 90 days, up to today, and logs them as a service would; --shift breaks the last month's forecasts."""
import argparse
import os
import random
from datetime import datetime, time, timedelta, timezone
from log_live import log_actual, log_prediction

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--shift", action="store_true", help="forecasts are half as large again from day 60 on")
parser.add_argument("--until", type=datetime.fromisoformat, default=datetime.now(timezone.utc), metavar="DATE", help="in place of today")
arguments = parser.parse_args()
os.makedirs("records", exist_ok=True)
for name in ("records/predictions.jsonl", "records/actuals.jsonl"):  # this is an example: a service goes on with its files
    if os.path.exists(name):
        os.remove(name)

day, noise = timedelta(days=1), random.Random(1)
until = arguments.until.replace(tzinfo=timezone.utc)
start = datetime.combine(until.date(), time(), timezone.utc) - 89 * day
for number in range(90):
    now = start + number * day
    for size, series in enumerate(["north", "east", "south", "west"], 2):
        y_hat = 10.0 * size
        said = y_hat * (1.5 if arguments.shift and number >= 60 else 1.0)
        log_prediction("records/predictions.jsonl", "demand", "2", series, now + day, said, issued_at=now, horizon=1,
                       lo=said - size, hi=said + size, level=90, region="coast" if series == "west" else "inland")
        y, known = y_hat + noise.gauss(0, size / 2), now + 2 * day + timedelta(hours=1)
        if known <= until:
            log_actual("records/actuals.jsonl", series, now + day, y, observed_at=known)
