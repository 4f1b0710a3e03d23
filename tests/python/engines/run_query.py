"""Runs a query in an engine that lives in the process. run_query.py duckdb|datafusion FOLDER QUERY OUT

FOLDER holds cv.parquet and train.parquet, the tables of the query. OUT is a file, CSV or Parquet by its name.
"""

import sys
from pathlib import Path


def duckdb(folder, query, out):
    import duckdb

    connection = duckdb.connect()
    connection.sql("SET TimeZone = 'UTC'")
    for name in ("cv", "train"):
        connection.sql(f"CREATE VIEW {name} AS FROM '{folder}/{name}.parquet'")
    connection.sql(f"COPY ({query}) TO '{out}'")


def datafusion(folder, query, out):
    import datafusion
    import pyarrow.parquet

    context = datafusion.SessionContext()
    for name in ("cv", "train"):
        context.register_parquet(name, f"{folder}/{name}.parquet")
    pyarrow.parquet.write_table(context.sql(query).to_arrow_table(), out)


if __name__ == "__main__":
    engine, folder, query, out = sys.argv[1:]
    {"duckdb": duckdb, "datafusion": datafusion}[engine](folder, Path(query).read_text(encoding="utf-8"), out)
