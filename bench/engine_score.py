"""The job of `bench-compare score --by unique_id --metrics mae,rmse,smape` in polars' streaming engine or in DuckDB.

    python3 bench/engine_score.py polars|duckdb TABLE [MODEL METRIC]     with these two: the mean of the metric over the series
"""
import sys

engine, path = sys.argv[1:3]
models = ("base", "cand", "other")
if engine == "polars":
    import polars as pl
    rows = pl.scan_csv(path, try_parse_dates=True) if path.endswith("csv") else pl.scan_parquet(path)
    measures = []
    for model in models:
        error, size = pl.col(model) - pl.col("y"), pl.col(model).abs() + pl.col("y").abs()
        measures += [
            error.abs().mean().alias(model + "_mae"),
            (error * error).mean().sqrt().alias(model + "_rmse"),
            (2 * error.abs() / size).mean().alias(model + "_smape"),
        ]
    table = rows.group_by("unique_id").agg(measures).collect(engine="streaming")
    columns = {name: table[name].to_list() for name in table.columns}
else:
    import duckdb
    measures = ", ".join(
        f"avg(abs({m} - y)) {m}_mae, sqrt(avg(({m} - y) * ({m} - y))) {m}_rmse, avg(2 * abs({m} - y) / (abs({m}) + abs(y))) {m}_smape"
        for m in models
    )
    result = duckdb.sql(f"SELECT unique_id, {measures} FROM '{path}' GROUP BY unique_id")
    names = [column[0] for column in result.description]
    columns = dict(zip(names, zip(*result.fetchall())))
if len(sys.argv) > 3:
    values = columns["_".join(sys.argv[3:5])]
    print(sum(values) / len(values))
