"""A forecast table of SERIES x CUTOFFS x HORIZON rows with three models, sorted by series, cutoff and time, as CSV and Parquet. Seeded;
written a million rows at a time, so that it may be larger than memory.

    python3 bench/make_table.py PREFIX [SERIES CUTOFFS HORIZON]      needs numpy, polars and pyarrow
"""
import sys

import numpy as np
import polars as pl
import pyarrow.parquet as pq

prefix = sys.argv[1]
series, cutoffs, horizon = (int(text) for text in sys.argv[2:5]) if len(sys.argv) > 2 else (20_000, 20, 50)
draw = np.random.default_rng(7)
start, hour = np.datetime64("2024-01-01T00:00:00", "us"), np.timedelta64(3_600_000_000, "us")
at_once = max(1, 1_000_000 // (cutoffs * horizon))
parquet = None
with open(prefix + ".csv", "wb") as csv:
    for first in range(0, series, at_once):
        count = min(at_once, series - first)
        rows = count * cutoffs * horizon
        cutoff = np.tile(np.repeat(np.arange(cutoffs), horizon), count)
        step = np.tile(np.arange(1, horizon + 1), count * cutoffs)
        origin = start + (1000 + cutoff * horizon) * hour
        level = np.repeat(draw.uniform(10, 1000, count), cutoffs * horizon)
        season = np.sin(2 * np.pi * ((cutoff * horizon + step) % 24) / 24)
        y = level * (1 + 0.3 * season) + draw.normal(0, 0.1, rows) * level
        model = lambda bias, error: (y + draw.normal(bias, error, rows) * level).round(4)
        table = pl.DataFrame({
            "unique_id": np.repeat(np.array([f"S{i:06d}" for i in range(first, first + count)]), cutoffs * horizon),
            "ds": origin + step * hour, "cutoff": origin, "y": y.round(4),
            "base": model(0, 0.12), "cand": model(0, 0.115), "other": model(0.02, 0.12),
        })
        table.write_csv(csv, include_header=first == 0, datetime_format="%Y-%m-%d %H:%M:%S")
        columns = table.to_arrow()
        parquet = parquet or pq.ParquetWriter(prefix + ".parquet", columns.schema, compression="zstd")
        parquet.write_table(columns.cast(parquet.schema))
parquet.close()
