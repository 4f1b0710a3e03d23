"""Forecasts four made-up series for 90 days and logs them as a service would; --shift breaks the forecasts from day 60 on."""
import argparse
import os
import random
from datetime import datetime, timedelta, timezone
from log_live import log_actual, log_prediction

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--shift", action="store_true", help="forecasts are half as large again from day 60 on")
shift = parser.parse_args().shift
for name in ("predictions.jsonl", "actuals.jsonl"):  # this is an example: a service goes on with its files
    if os.path.exists(name):
        os.remove(name)

day, start, noise = timedelta(days=1), datetime(2026, 1, 1, tzinfo=timezone.utc), random.Random(1)
for number in range(90):
    now = start + number * day
    for size, series in enumerate(["north", "east", "south", "west"], 2):
        y_hat = 10.0 * size
        said = y_hat * (1.5 if shift and number >= 60 else 1.0)
        log_prediction("predictions.jsonl", "demand", "2", series, now + day, said, issued_at=now + timedelta(hours=2), horizon=1,
                       lo=said - size, hi=said + size, level=90, region="coast" if series == "west" else "inland")
        log_actual("actuals.jsonl", series, now + day, y_hat + noise.gauss(0, size / 2), observed_at=now + 2 * day + timedelta(hours=1))
