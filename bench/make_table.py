"""A forecast table of SERIES x CUTOFFS x HORIZON rows and three models, sorted, as CSV and Parquet. Seeded.

    python3 bench/make_table.py PREFIX [SERIES CUTOFFS HORIZON]
"""
import sys
import numpy as np
import polars as pl

prefix = sys.argv[1]
series, cutoffs, horizon = (int(text) for text in sys.argv[2:5]) if len(sys.argv) > 2 else (20000, 20, 50)
draw = np.random.default_rng(20261123)
start, hour = np.datetime64("2025-01-01T00:00:00", "us"), np.timedelta64(3_600_000_000, "us")
step = np.arange(1, horizon + 1)
origin = np.repeat(start + (2000 + np.arange(cutoffs) * horizon) * hour, horizon)
target = origin + np.tile(step, cutoffs) * hour
parts = []
for first in range(0, series, 1000):
    names = [f"S{i:06d}" for i in range(first, min(first + 1000, series))]
    rows = len(names) * cutoffs * horizon
    level = np.repeat(draw.uniform(10, 1000, len(names)), cutoffs * horizon)
    y = level * (1 + draw.normal(0, 0.3, rows))
    model = lambda error: (y + draw.normal(0, error, rows) * level).round(4)
    parts.append(pl.DataFrame({
        "unique_id": np.repeat(names, cutoffs * horizon), "ds": np.tile(target, len(names)), "cutoff": np.tile(origin, len(names)),
        "y": y.round(4), "base": model(0.12), "cand": model(0.115), "other": model(0.13),
    }))
table = pl.concat(parts)
table.write_csv(prefix + ".csv", datetime_format="%Y-%m-%d %H:%M:%S")
table.write_parquet(prefix + ".parquet", compression="zstd")
