"""Makes tests/data/sufficient/duckdb.csv: two series of tests/data/cv, summed up by DuckDB. make_statistics.py BENCH_COMPARE"""

import subprocess
import sys
from pathlib import Path

import duckdb

DATA = Path(__file__).parents[2] / "data"
FLAGS = "--train train --season 12 --models LightGBM,SeasonalNaive --level 90 --interval-models LightGBM --by holiday"
QUERY = [sys.argv[1], "sql", "--dialect", "duckdb", "--table", "cv", *FLAGS.split(), "--slice", "holiday = 1"]

connection = duckdb.connect()
for name in ("cv", "train"):
    table = f"read_csv('{DATA}/cv/bls_unemployment_{name}.csv')"
    connection.sql(f"CREATE TABLE {name} AS FROM {table} WHERE unique_id IN ('agriculture', 'construction')")
query = subprocess.run(QUERY, check=True, capture_output=True, text=True).stdout
order = "ORDER BY group_id, group_level, series, cutoff"
connection.sql(f"COPY (SELECT * FROM ({query}) {order}) TO '{DATA}/sufficient/duckdb.csv'")
