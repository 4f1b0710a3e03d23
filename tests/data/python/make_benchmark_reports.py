"""Makes tests/data/reference/benchmark_reports.json: random benchmark rows and the report that pandas lays out for them.

Needs pandas (written with 3.1.1). Usage: python make_benchmark_reports.py > ../reference/benchmark_reports.json
"""

import json
import random

import pandas as pd

MEASURES = {
    "mape": ["mean", "std", "min"],
    "rmse": ["mean", "std", "min"],
    "mae": ["mean", "std", "min"],
    "training_time": ["mean", "std"],
    "prediction_time": ["mean", "std"],
}


def report(rows):
    frame = pd.DataFrame(rows)
    means = frame.groupby("model_name")["mape"].mean().sort_values(kind="stable")
    ranking = pd.DataFrame({"rank": range(1, len(means) + 1), "model_name": means.index, "avg_mape": means.values})
    summary = frame.groupby("model_name").agg(MEASURES)
    line, double = "-" * 80, "=" * 80
    text = [double, "BENCHMARK REPORT", double]
    text += [f"\nTotal Models Tested: {frame.model_name.nunique()}", f"Total Datasets: {frame.dataset_name.nunique()}"]
    text += [f"Total Runs: {len(frame)}", "\n" + line, "RANKINGS BY MAPE", line, ranking.to_string(index=False)]
    text += ["\n" + line, "SUMMARY STATISTICS", line, summary.to_string(), "\n" + line, "DETAILED RESULTS", line]
    for row in rows:
        text.append(f"\nModel: {row['model_name']} | Dataset: {row['dataset_name']}")
        text.append(f"  MAPE: {row['mape']:.4f} | RMSE: {row['rmse']:.4f} | MAE: {row['mae']:.4f}")
        text.append(f"  Training: {row['training_time']:.2f}s | Prediction: {row['prediction_time']:.4f}s")
    return "\n".join(text + ["\n" + double])


def number(rng):
    kind = rng.randrange(9)
    if kind == 0:
        return float(rng.randrange(0, 40))
    if kind == 1:
        return rng.randrange(0, 400) / 4
    if kind == 2:
        return 0.0
    return rng.uniform(1, 10) * 10 ** rng.randrange(*[(-9, -5), (-6, 0), (0, 3), (2, 6), (5, 7), (6, 12)][kind - 3])


def case(rng):
    names = ["lightgbm_v2", "seasonal_naive", "x", "Ünïcode", "a rather long model name for a table", "tab\there"]
    models = rng.sample(names, rng.randrange(1, 5))
    scale = [rng.randrange(2) for _ in range(5)]
    rows = []
    for model in models:
        for dataset in range(rng.choice([1, 1, 2, 4])):
            values = [round(number(rng), 2) if fixed else number(rng) for fixed in scale]
            row = {"model_name": model, "dataset_name": f"d{dataset}", "n_samples": 91, "n_features": 15, "params": None}
            rows.append(row | dict(zip(MEASURES, values)))
    return rows


def main():
    rng = random.Random(20261123)
    cases = [case(rng) for _ in range(120)]
    print(json.dumps([{"results": rows, "report": report(rows)} for rows in cases], indent=1))


if __name__ == "__main__":
    main()
