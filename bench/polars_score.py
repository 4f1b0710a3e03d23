"""The job of `bench-compare score --by unique_id --metrics mae,rmse,smape` in polars' streaming engine.

    python3 bench/polars_score.py TABLE
"""
import sys
import polars as pl

path = sys.argv[1]
rows = pl.scan_csv(path, try_parse_dates=True) if path.endswith("csv") else pl.scan_parquet(path)
measures = []
for model in ("base", "cand", "other"):
    error = pl.col(model) - pl.col("y")
    size = pl.col(model).abs() + pl.col("y").abs()
    measures += [
        error.abs().mean().alias(model + "_mae"),
        (error * error).mean().sqrt().alias(model + "_rmse"),
        (2 * error.abs() / size).mean().alias(model + "_smape"),
    ]
table = rows.group_by("unique_id").agg(measures).collect(engine="streaming")
print(table.height, table["cand_mae"].mean())
